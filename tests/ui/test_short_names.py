"""Names in little room: no two alike, what fits is whole, what differs is in sight."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from labeler.ui.render.short_names import full_names, longest, name_lines, short_name, short_names

ALPHABET = "ab A1-é猫का\u0301\u0308\u200d\x1b…"
PREFIXES = ["", "capital ", "letter of the greek alphabet ", "目目目目", "ab" * 20]

words = st.tuples(
    st.sampled_from(PREFIXES), st.text(ALPHABET, max_size=12), st.sampled_from(["", " of the set", "1"])
).map("".join)
sets = st.lists(words.filter(lambda name: name.strip() == name and name), min_size=1, max_size=30, unique=True)


def looks(text: str) -> str:
    return unicodedata.normalize("NFC", text)


@settings(max_examples=400, deadline=None)
@given(sets, st.integers(1, 40))
@example(["capital A", "capital B"], 4)
@example(["a" * 9 + "x" + "b" * 9, "a" * 9 + "y" + "b" * 9], 5)
@example(["é", "e\u0301"], 3)
def test_distinct_in_distinct_out(names, width):
    """In whatever room: what is there differs, fits, and is whole where the name fits."""
    short = short_names(tuple(names), width)
    assert len({looks(text) for text in short.values()}) == len(short)
    assert all(text and cell_len(text) <= width for text in short.values())
    whole = full_names(tuple(names))
    for name in names:
        if cell_len(whole[name]) <= width and name in short:
            assert short[name] == whole[name]
        assert name in short or cell_len(whole[name]) > width or look_alike(name, whole)
    if width >= longest(tuple(names)):
        assert all(name in short or look_alike(name, whole) for name in names)


def look_alike(name, whole):
    """Whether another name is shown by the same text: an escape, and the same letters typed."""
    return sum(looks(text) == looks(whole[name]) for text in whole.values()) > 1


@settings(max_examples=200, deadline=None)
@given(
    st.text("abc猫é", min_size=1, max_size=40),
    st.text("abc猫é", max_size=40),
    st.lists(st.text("xyz猫", min_size=1, max_size=3), min_size=2, max_size=20, unique=True),
)
def test_where_one_place_differs_it_is_told_in_fourteen_cells(before, after, middles):
    """The width allows it: a beginning, what differs, dots between."""
    middles = [middle.ljust(3, "-") for middle in middles]
    names = tuple(f"{before}{middle}{after}" for middle in dict.fromkeys(middles))
    short = short_names(names, 14)
    assert set(short) == set(names)


@settings(max_examples=200, deadline=None)
@given(sets, st.integers(8, 30), st.integers(1, 3))
def test_lines_of_its_own_tell_every_name(names, width, most):
    """Where a name gets lines of its own, two classes never read alike."""
    shown = ["\n".join(name_lines(name, names, width, most)) for name in names]
    whole = full_names(tuple(names))
    for name, text in zip(names, shown, strict=True):
        assert all(cell_len(line) <= width for line in text.split("\n"))
        assert shown.count(text) == 1 or look_alike(name, whole)


@pytest.mark.parametrize(
    ("names", "width", "expected"),
    [
        (("capital A", "capital B"), 7, ["capit…A", "capit…B"]),
        (("small a", "capital a", "capital b"), 6, ["small…", "capi…a", "capi…b"]),
        (("photosynthesis", "zebra"), 8, ["photosy…", "zebra"]),
        (("letter alpha", "letter omega"), 9, ["let…alpha", "let…omega"]),
        (("猫猫猫猫A", "猫猫猫猫B"), 6, ["猫猫…A", "猫猫…B"]),
        (("one side x of the set", "one side y of the set"), 9, ["one…x of…", "one…y of…"]),
    ],
)
def test_what_differs_stays_in_sight(names, width, expected):
    short = short_names(names, width)
    assert [short[name] for name in names] == expected


def test_two_spellings_of_one_look_are_told_apart():
    assert dict(full_names(("caf\u00e9", "cafe\u0301"))) == {"caf\u00e9": "café", "cafe\u0301": "cafe\\u0301"}


def test_a_caption_always_has_a_text():
    names = tuple(f"{'a' * 30}{number}{'b' * 30}" for number in range(10))
    assert [cell_len(short_name(name, names, 3)) for name in names] == [3] * 10
    assert short_name("new", names, 8) == "new"


def test_five_hundred_names_of_one_beginning():
    names = tuple(f"species of bird number {number:03d}" for number in range(500))
    short = short_names(names, 8)
    assert short[names[7]] == "spec…007"
    assert len(set(short.values())) == 500
