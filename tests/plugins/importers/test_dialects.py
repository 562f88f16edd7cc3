"""CSV of many programs: every cell comes in whole, or the file is refused with its line."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.core.errors import SourceError
from labeler.plugins.importers.dialects import csv_lines, delimiter_of
from labeler.plugins.importers.label_tables import read_label_rows


def cells(text: str, separator: str = "") -> list[list[str]]:
    return [row for _, row in csv_lines(text, "t.csv", separator)]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('a,b\n"x, y",2\n', [["a", "b"], ["x, y", "2"]]),  # RFC 4180: LibreOffice, pandas
        ('a, b\nx, "y, z"\n', [["a", "b"], ["x", "y, z"]]),  # a space before the quote: by hand
        ('a;b\n"1;2";x\n', [["a", "b"], ["1;2", "x"]]),  # Excel where a comma is the decimal sign
        ('sep=;\na;b\n"1;2";x\n', [["a", "b"], ["1;2", "x"]]),  # Excel to Excel
        ("a|b\n1|2\n", [["a", "b"], ["1", "2"]]),
        ('a\tb\n"Good" he said\t1\nfine\t2\n', [["a", "b"], ['"Good" he said', "1"], ["fine", "2"]]),  # an editor
        ('a\tb\n6" pipe\t1\n12" pipe\t2\n', [["a", "b"], ['6" pipe', "1"], ['12" pipe', "2"]]),
        ('a\tb\n"open\t1\nx\t2\n', [["a", "b"], ['"open', "1"], ["x", "2"]]),
        ('a\tb\n"open\t1\nclosed"\t2\n', [["a", "b"], ['"open', "1"], ['closed"', "2"]]),
        ('a\tb\n"x\ty"\t1\n', [["a", "b"], ["x\ty", "1"]]),  # Excel's TSV
        ('a,b\n"he said \\"yes\\", ok",1\n', [["a", "b"], ['he said "yes", ok', "1"]]),  # MySQL, Spark
        ('a,b\n"\\"yes\\"",1\n"no",2\n', [["a", "b"], ['"yes"', "1"], ["no", "2"]]),
        ('a,b\n"C:\\x\\",1\n"C:\\y",2\n', [["a", "b"], ["C:\\x\\", "1"], ["C:\\y", "2"]]),  # Windows, no escape
        ('a,b\n"""quoted"" text",1\n', [["a", "b"], ['"quoted" text', "1"]]),
        ('a,b\n"line\none, two",1\n', [["a", "b"], ["line\none, two", "1"]]),
        ('"Good" he said,1\nfine,2\n', [['"Good" he said', "1"], ["fine", "2"]]),
        ("a,b\r1,2\r3,4\r", [["a", "b"], ["1", "2"], ["3", "4"]]),  # old Macs
        ("a,b\n,\n1,2\n\n", [["a", "b"], ["1", "2"]]),
    ],
)
def test_as_programs_write_it(text, rows):
    assert cells(text) == rows


def test_a_cell_may_be_long():
    assert cells(f'a,b\n"{"word " * 100_000}",1\n')[1][0] == "word " * 100_000


@pytest.mark.parametrize("text", ['a,b\n"x,1\n', 'a,b\n"x" y,"1\n', 'a,b\n"x"y,1\n"p, q",2\n'])
def test_a_quote_that_nothing_explains_is_named(text):
    with pytest.raises(SourceError, match="line") as caught:
        cells(text)
    assert "quotes" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a,b", ","),
        ("a;b,c;d", ";"),
        ("a\tb", "\t"),
        ('"x, y, z";b', ";"),
        ("sep=\t\nx,y", "\t"),
        ("a|b", "|"),
        ("a", ","),
    ],
)
def test_what_separates(text, separator):
    assert delimiter_of(text) == separator


@given(st.lists(st.lists(st.text('ab "\\,;\n', max_size=6), min_size=2, max_size=2), min_size=1, max_size=5))
def test_what_csv_writes_is_read_unless_it_could_be_another_dialect(rows):
    """Python's own writer, quoting all: the first way explains it, and no other one is preferred to it."""
    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *rows])
    expected = [["a", "b"], *(row for row in rows if any(row))]
    found = cells(stream.getvalue(), ",")
    assert all(len(row) == 2 for row in found)
    if not any("\\" in cell or "\n" in cell or cell.startswith(" ") for row in rows for cell in row):
        assert found == expected


@pytest.mark.parametrize(
    "text",
    [
        "path,label\na.png,salt, pepper\n",
        "path,label\na.png,salt\nb.png,x,y,z\n",
        "path;label\na.png;salt; pepper\n",
        "id\tlabel\na.png\tsalt\tpepper\n",
        'path,label\n"a.png","salt","pepper"\n',
        "label,path\nsalt, pepper,a.png\n",
    ],
)
def test_a_cell_too_many_is_refused_with_its_line(tmp_path, text):
    path = tmp_path / "l.csv"
    path.write_text(text)
    with pytest.raises(SourceError, match=r"line [23]: \d cells, the first line names 2") as caught:
        read_label_rows(path)
    assert "quotes" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "path,label,,\na.png,salt,,\n",  # a spreadsheet's empty columns
        "path,label\na.png,salt,\n",
        "path,label,note\na.png,salt\n",
        ",path,label\n0,a.png,salt\n",  # pandas
        '"path","label"\n"1","a.png","salt"\n',  # R writes no name above its row names
        '"path" "label"\n'.replace(" ", ",") + "a.png,salt\n",
    ],
)
def test_cells_that_say_nothing_do_no_harm(tmp_path, text):
    path = tmp_path / "l.csv"
    path.write_text(text)
    assert [row[:2] for row in read_label_rows(path)] == [("a.png", "salt")]
