from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labeler.core.text import counted, display_safe, percent, plain_text, unreadable_line

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


@given(st.text(st.characters(codec=None), max_size=20))
def test_plain_text_can_be_stored(text):
    plain_text(text).encode()
    assert plain_text(plain_text(text)) == plain_text(text)


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0 %"), (0.001, "<1 %"), (0.5, "50 %"), (0.9999, ">99 %"), (1, "100 %")]
)
def test_nearly_all_is_not_all(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 labels"), (1, "1 label"), (-1, "-1 labels"), (1797, "1,797 labels")]
)
def test_numbers_come_with_their_noun(count, text):
    assert counted(count, "label") == text


def test_a_plural_of_its_own_is_given():
    assert counted(2, "miss", "misses") == "2 misses"


def test_a_few_of_what_cannot_be_read_are_named():
    line = unreadable_line({f"{number}.png\x1b": "cut off" for number in range(7)})
    assert line.startswith("7 cannot be read: 0.png\\x1b (cut off), ")
    assert " and 2 more; " in line
