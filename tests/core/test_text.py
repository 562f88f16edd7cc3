from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labeler.core.text import display_safe

TEXT = st.text(st.one_of(st.characters(), st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"])), max_size=80)


@given(TEXT, st.integers(1, 300))
@example("\x1b]2;title\x07", 200)
@example("\x9b2J", 200)
@example("\u202egnp.exe", 200)
@example("a\nb\r\tc\0", 200)
def test_nothing_that_a_terminal_acts_on_ever_comes_out(text, limit):
    shown = display_safe(text, limit)
    categories = {unicodedata.category(char) for char in shown}
    assert not categories & {"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"}
    assert not any(0x202A <= ord(char) <= 0x202E or 0x2066 <= ord(char) <= 0x2069 for char in shown)
    shown.encode("utf-8")
    assert len(shown) <= limit


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=50))
def test_ordinary_text_is_left_alone(text):
    assert display_safe(text) == text


@given(st.text(st.characters(categories=["L"]), min_size=30, max_size=60), st.integers(5, 20))
def test_a_long_text_keeps_both_ends(text, limit):
    shown = display_safe(text, limit)
    head, _, tail = shown.partition("…")
    assert text.startswith(head)
    assert text.endswith(tail)
    assert len(shown) == limit


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("caf\udce9", "caf\\xe9"),
        ("\ud800", "\\ud800"),
        ("a\u200db", "a\\u200db"),
        ("\U000e0001", "\\U000e0001"),
        ("[/x] [@click=app.quit]", "[/x] [@click=app.quit]"),
        ("größe 猫 😀", "größe 猫 😀"),
    ],
)
def test_known_texts(text, shown):
    assert display_safe(text) == shown
