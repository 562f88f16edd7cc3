"""One spelling for names that look alike."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.core.class_names import class_name, is_fraction, whole_number


@pytest.mark.parametrize(
    "written",
    [
        unicodedata.normalize("NFD", "café crème"),
        "  café crème ",
        "café\u00a0crème",
        "café\u2009crème",
        "café \t crème\r\n",
        "\ufeffcafé crème",
        "ca\u00adfé\u200b crème",
        "café\u2028crème",
    ],
)
def test_spellings_that_look_alike_are_one_name(written):
    assert class_name(written) == "café crème"


def test_what_means_something_stays():
    for name in ("Cat", "cat", "1.0", "a/b", "👩\u200d🔬", "می\u200cخواهم", "ﬁ"):
        assert class_name(name) == name


@given(st.text(max_size=30))
def test_a_name_once_spelled_stays_so(text):
    name = class_name(text)
    assert class_name(name) == name
    assert name == name.strip()


@pytest.mark.parametrize(
    ("text", "number"),
    [("1.0", "1"), ("12.000", "12"), ("-3.0", "-3"), ("+4.0", "4"), ("007.0", "007"), ("1.5", "1.5"), ("v1.0", "v1.0"),
     ("1.0.0", "1.0.0"), ("1", "1"), (".0", ".0"), ("1.", "1.")],
)  # fmt: skip
def test_whole_numbers_lose_their_point_alone(text, number):
    assert whole_number(text) == number


def test_fractions():
    assert [is_fraction(text) for text in ("1.5", "0.25", ".5", "1.0", "1", "a", "1.50")] == [
        True, True, True, False, False, False, True
    ]  # fmt: skip
