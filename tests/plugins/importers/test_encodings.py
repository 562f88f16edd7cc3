"""Text files in the encoding they are in."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.plugins.importers.encodings import encoding_of, encoding_of_bytes
from labeler.plugins.importers.label_tables import read_label_rows, read_names

TEXT = "path,label\na.png,Käse\nb.png,crème brûlée\n"


@pytest.mark.parametrize(
    ("encoding", "is_said"),
    [("utf-8", False), ("utf-8-sig", False), ("utf-16", False), ("utf-16-le", False), ("utf-16-be", False),
     ("utf-32", False), ("cp1252", True), ("latin-1", True)],
)  # fmt: skip
def test_labels_are_the_same_in_every_encoding(tmp_path, encoding, is_said):
    path, notes = tmp_path / "l.csv", []
    path.write_bytes(TEXT.encode(encoding))
    assert [row.label for row in read_label_rows(path, notes=notes)] == ["Käse", "crème brûlée"]
    assert bool(notes) == is_said
    assert all("UTF-8" in note for note in notes)


def test_what_windows_alone_has():
    assert encoding_of_bytes("price,€ 5 – “ok”\n".encode("cp1252")).name == "cp1252"
    assert encoding_of_bytes(b"a\x81b\xe9").name == "latin-1"


def test_a_few_wrong_bytes_do_not_make_the_rest_wrong():
    content = "éàü — and more\n".encode() * 50 + b"caf\xe9\n"
    found = encoding_of_bytes(content)
    assert (found.name, found.errors) == ("utf-8", "surrogateescape")
    assert "1 bytes are no UTF-8" in found.note
    assert content.decode(found.name, found.errors).encode("utf-8", "surrogateescape") == content


def test_a_letter_between_two_blocks_is_whole():
    content = b"x" * ((1 << 20) + 4_096 - 1) + "é".encode() + b"y" * 100
    assert encoding_of(io.BytesIO(content)).note == ""
    assert encoding_of_bytes(b"x" * 4_095 + "é".encode()).note == ""
    assert encoding_of_bytes(b"x" * 4_095 + b"\xc3").name == "cp1252"


@given(st.binary(max_size=300))
def test_any_bytes_are_decoded(content):
    found = encoding_of_bytes(content)
    content.decode(found.name, found.errors)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=100))
def test_utf8_is_never_taken_for_another(text):
    found = encoding_of_bytes(text.encode())
    assert text.encode().decode(found.name, found.errors).removeprefix("\ufeff") == text.removeprefix("\ufeff")


@pytest.mark.parametrize(
    ("encoding", "said"), [("utf-8", False), ("utf-8-sig", False), ("utf-16", False), ("cp1252", True)]
)
def test_names_of_classes_are_the_same_in_every_encoding_and_a_guess_is_said(tmp_path, encoding, said):
    (tmp_path / "classes.txt").write_bytes("Äpfel\r\nBirnen\r\ncafé\r\n".encode(encoding))
    notes: list[str] = []
    assert read_names(tmp_path / "classes.txt", notes) == ["Äpfel", "Birnen", "café"]
    assert any("classes.txt: not UTF-8, read as Windows-1252" in note for note in notes) == said
    assert len(notes) == said
