from __future__ import annotations

import json
import os
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.core.text import ESCAPE_PREFIX, escape_warnings, escaped, json_text, unescaped

ANY_TEXT = st.text(st.characters(exclude_categories=()) | st.sampled_from("%u\0\udce9\ud800"), max_size=12)


@given(ANY_TEXT | ANY_TEXT.map(ESCAPE_PREFIX.__add__))
def test_every_text_comes_back_and_is_plain_utf8(text: str) -> None:
    written = escaped(text)
    assert unescaped(written) == text
    assert "\0" not in written.encode("utf-8").decode("utf-8")


@given(st.binary(max_size=20).filter(lambda name: b"\0" not in name))
def test_any_program_gets_the_bytes_of_a_file_name_by_percent_decoding(name: bytes) -> None:
    written = escaped(os.fsdecode(name))
    if written.startswith(ESCAPE_PREFIX):
        assert unquote_to_bytes(written.removeprefix(ESCAPE_PREFIX)) == name
    else:
        assert written.encode() == name


def test_ordinary_texts_stay_as_they_are() -> None:
    for text in ("a/b.png", "100%", "Größe", "back\\slash", "", "e\u0301", "train:00012"):
        assert escaped(text) is text
    assert escaped("caf\udce9.png") == "escaped:caf%E9.png"


def test_the_warning_counts() -> None:
    assert escape_warnings(["a", "b"]) == []
    assert escape_warnings(["a\udc80", "b"])[0].startswith("1 name is")
    assert len(escape_warnings(["a\udc80", "b\0"])) == 1


def test_json_has_no_control_characters_and_no_nan() -> None:
    value = {"b": "\x1b[2J\x9b\u2028\x7f", "a": "é"}
    assert json_text(value) == '{"b": "\\u001b[2J\\u009b\\u2028\\u007f", "a": "é"}'
    assert json.loads(json_text(value, pretty=True)) == value
    assert json_text(value, pretty=True).index('"a"') < json_text(value, pretty=True).index('"b"')
    with pytest.raises(ValueError):
        json_text(float("nan"))
