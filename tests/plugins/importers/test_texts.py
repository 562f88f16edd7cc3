"""A column of texts of a CSV as a source."""

from __future__ import annotations

import pytest

from labeler.core.errors import SourceError
from labeler.core.recipe import Reading
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.subset import Subset


def written(tmp_path, text: str, name: str = "reviews.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


def test_a_column_is_taken_with_ids_and_truth(tmp_path):
    path = written(
        tmp_path, 'id,stars,review,label\na,1,"Broken,\nall of it",bad\nb,5,Lovely,good\nc,3,,good\nd,2,Hm,\n'
    )
    source = open_source(path, Reading(text="review"))
    assert (source.content, source.kind) == ("text", "text")
    assert list(source.ids) == ["a", "b", "d"]
    assert source.texts() == ["Broken,\nall of it", "Lovely", "Hm"]
    assert source.truth() == {"a": "bad", "b": "good"}
    assert source.notes == ["left out 1 row without a text"]
    assert source.content_bytes(1) == b"Lovely"
    assert source.table() is None
    assert Subset(source, [2, 0]).texts() == ["Hm", "Broken,\nall of it"]
    assert source.fingerprint() != open_source(path, Reading(text="stars")).fingerprint()


def test_rows_are_numbered_where_ids_repeat_and_odd_lines_are_counted(tmp_path):
    source = open_source(written(tmp_path, "id\ttext\nx\tone\nx\ttwo\ny\n", "t.tsv"), Reading(text="text"))
    assert list(source.ids) == ["00000", "00001"]
    assert len(source.notes) == 3
    assert "rows are numbered" in source.notes[0]
    assert "1 row has another number of cells" in source.notes[2]


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("a,b\n1,2\n", "c", "has no column 'c'"),
        ("a,b\n1,\n2,  \n", "b", "holds no text"),
        ("", "a", "has no column"),
        ('a,b\n1,"never ends\n', "b", "line"),
        ("a,\x1b[2J\n1,2\n", "\x1b]2;x", "has no column"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(tmp_path, text, column, said):
    with pytest.raises(SourceError, match=said.replace("[", r"\[")) as caught:
        open_source(written(tmp_path, text), Reading(text=column))
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value) + caught.value.hint


def test_a_folder_has_no_column_and_a_table_of_words_names_the_option(tmp_path):
    with pytest.raises(SourceError, match="is no CSV"):
        open_source(tmp_path, Reading(text="text"))
    with pytest.raises(SourceError, match="no column of numbers") as caught:
        open_source(written(tmp_path, "id,review\na,good\nb,bad\n"))
    assert "--text COLUMN" in caught.value.hint


def test_bytes_that_are_no_utf8_stay_what_they_are(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes(b"text\ncaf\xe9\n")
    source = open_source(path, Reading(text="text"))
    assert source.content_bytes(0) == b"caf\xe9"
