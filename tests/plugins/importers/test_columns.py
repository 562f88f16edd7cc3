"""Columns of numbers as spreadsheets and statistics programs write them."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.core.errors import SourceError
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.vectors import read_features


def opened(tmp_path, text, name="t.csv"):
    (tmp_path / name).write_text(text)
    return open_source(tmp_path / name)


@pytest.mark.parametrize(
    "text",
    [
        ",a,b\n0,1.5,3\n1,2.5,5\n2,0.5,4\n",  # pandas
        '"","a","b"\n"1",1.5,3\n"2",2.5,5\n"3",0.5,4\n',  # R, write.csv
        '"a","b"\n"1",1.5,3\n"2",2.5,5\n"3",0.5,4\n',  # R, write.table
        "Unnamed: 0,a,b\n0,1.5,3\n1,2.5,5\n2,0.5,4\n",  # pandas, read and written again
        "Unnamed: 0.1,Unnamed: 0,a,b\n0,0,1.5,3\n1,1,2.5,5\n2,2,0.5,4\n",
        "index,a,b\n0,1.5,3\n1,2.5,5\n2,0.5,4\n",
        "#;a;b\n1;1,5;3\n2;2,5;5\n3;0,5;4\n",  # a spreadsheet
        ",a,b\n17,1.5,3\n4,2.5,5\n9,0.5,4\n",  # pandas, rows shuffled
        "...1,a,b\n1,1.5,3\n2,2.5,5\n3,0.5,4\n",  # R, readr
    ],
)
def test_row_numbers_are_no_feature_and_that_is_said(tmp_path, text):
    source = opened(tmp_path, text)
    assert source.column_names() == ["a", "b"]
    np.testing.assert_allclose(source.table(), [[1.5, 3], [2.5, 5], [0.5, 4]])
    assert any("left out the column" in note for note in source.notes)


@pytest.mark.parametrize(
    "text",
    [
        "day,a\n1,5\n2,6\n3,7\n",
        "index,a\n3,5\n1,6\n2,7\n",
        "a,index\n5,1\n6,2\n7,3\n",
        "x,y\n1,5\n2,6\n",
        ",a\n0.5,5\n1.5,6\n",
    ],
)
def test_what_may_be_a_feature_stays_one(tmp_path, text):
    source = opened(tmp_path, text)
    assert source.table().shape[1] == 2
    assert not any("left out" in note for note in source.notes)


def test_a_first_line_that_counts_is_none_of_the_rows(tmp_path):
    assert opened(tmp_path, ",0,1,2\n0,5.5,6,7\n1,8,9,9\n").table().tolist() == [[5.5, 6, 7], [8, 9, 9]]
    assert opened(tmp_path, "0,1,2\n5.5,6,7\n8,9,9\n").table().tolist() == [[5.5, 6, 7], [8, 9, 9]]
    assert opened(tmp_path, "0,1\n5.5,6\n").table().shape == (2, 2)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("id;a;b\nk1;1,5;2,25\nk2;3,5;4,25\n", [[1.5, 2.25], [3.5, 4.25]]),
        ("id\ta\tb\nk1\t1,5\t2\nk2\t-3,5\t4\n", [[1.5, 2], [-3.5, 4]]),
        ("1,5;2\n3,5;4\n", [[1.5, 2], [3.5, 4]]),
        ("id;a\nk1;1.234,5\nk2;12.345.678,25\n", [[1234.5], [12345678.25]]),
        ("id;a\nk1;1 234,5\nk2;0,5\n", [[1234.5], [0.5]]),
        ("id;a\nk1;1,5e3\nk2;\n", [[1500], [1500]]),
        ("id;a;b\nk1;1.5;2\nk2;3.5;4\n", [[1.5, 2], [3.5, 4]]),  # semicolons and points
        ('id,a\nk1,"1,234.5"\nk2,"2,000"\n', [[1234.5], [2000]]),  # a spreadsheet in English
    ],
)
def test_decimal_commas_are_numbers(tmp_path, text, rows):
    source = opened(tmp_path, text)
    np.testing.assert_allclose(source.table(), rows)


def test_decimal_commas_are_said(tmp_path):
    assert "decimal commas are read as such: a" in opened(tmp_path, "id;a\nk1;1,5\nk2;2,5\n").notes


@pytest.mark.parametrize("cell", ["1,2,3", "1,", ",5", "1.2.3,4", "12,34 EUR", "1,5,"])
def test_what_is_no_number_is_none(tmp_path, cell):
    with pytest.raises(SourceError, match="no column of numbers"):
        opened(tmp_path, f"id;a\nk1;{cell}\nk2;{cell}\n")


@pytest.mark.parametrize(
    "text",
    [
        ",a,b\n0,1,2\n1,3,4\n",
        "a;b\n1,0;2,0\n3,0;4,0\n",
        "Unnamed: 0,path,a,b\n0,p,1,2\n1,q,3,4\n",
        "sep=;\na;b\n1;2\n3;4\n",
    ],
)
def test_features_from_elsewhere_alike(tmp_path, text):
    (tmp_path / "f.csv").write_text(text)
    assert read_features(tmp_path / "f.csv", ["p", "q"]).tolist() == [[1, 2], [3, 4]]
