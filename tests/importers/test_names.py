"""Order and text of names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.importers.names import has_image_ending, is_junk, natural_key, plain_text, row_ids


def test_natural_order():
    names = ["img10", "img2", "a", "img02", "img", "10/x", "9/x", "img1" + "0" * 5000, "é1", "img0"]
    assert sorted(names, key=natural_key) == [
        *("9/x", "10/x", "a", "img", "img0", "img02", "img2", "img10"),
        *("img1" + "0" * 5000, "é1"),
    ]


@given(st.lists(st.text(), unique=True))
def test_natural_order_is_total(names):
    assert len({natural_key(name) for name in names}) == len(names)


@given(st.text(st.characters(codec=None), max_size=20))
def test_plain_text_can_be_stored(text):
    plain_text(text).encode()
    assert plain_text(plain_text(text)) == plain_text(text)


@pytest.mark.parametrize("name", [".x", "Thumbs.db", "a.labeler.db", "a.labeler.db-wal", "a.labeler.cache"])
def test_junk(name):
    assert is_junk(name)


def test_endings():
    assert has_image_ending("A.JPeG")
    assert not any(map(has_image_ending, ["png", "a.png.txt", "", "a."]))


def test_row_ids():
    assert row_ids(2, "train") == ["train:00000", "train:00001"]
    assert row_ids(100_001)[0] == "000000"
