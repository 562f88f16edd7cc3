"""Rows of a table and texts as strips."""

from __future__ import annotations

import re

import pytest
from rich.cells import cell_len

from labeler.core.content import Card, Fact, Passage
from labeler.ui.pictures.half_blocks import Depth
from labeler.ui.pictures.words import mean_lines, word_strips, wrapped

CARD = Card(
    (
        Fact("age", "31", -0.2, 0.4),
        Fact("income", "91,300", 2.4, 0.99),
        Fact("\x1b[2Jvisits\u202e a year", "2", -1.1, 0.0),
        Fact("顧客の年齢", "3", 0.7, 0.7),
    )
)
DANGEROUS = re.compile("[\x00-\x1f\x7f-\x9f\u202e\u2066]")


def shown(what, columns, rows, page=0, depth=Depth.TRUE) -> tuple[list[str], int]:
    strips, pages = word_strips(what, columns, rows, page, depth)
    lines = [strip.text for strip in strips]
    assert len(lines) <= rows
    assert len({cell_len(line) for line in lines}) == 1
    assert cell_len(lines[0]) <= columns
    assert not any(DANGEROUS.search(line) for line in lines)
    return lines, pages


def test_a_card_says_name_value_and_where_it_stands_in_the_order_of_the_columns():
    lines, pages = shown(CARD, 60, 20)
    assert pages == 1
    assert len(lines) == 5
    assert lines[0].split() == ["low", "high", "sd"]
    assert [line.split()[0][:4] for line in lines[1:]] == ["age", "inco", "\\x1b", "顧客の年"]
    income, visits = lines[2], lines[3]
    assert "91,300" in income
    assert income.rstrip().endswith("+2.4")
    track = [income.split()[2], visits.split()[-2]]
    assert track[0].index("●") == len(track[0]) - 1  # higher than nearly all
    assert track[1].startswith("●")


def test_columns_that_do_not_fit_come_by_pages_the_farthest_first():
    facts = tuple(Fact(f"c{place}", "1", place / 10, 0.5) for place in range(50))
    lines, pages = shown(Card(facts), 50, 18)
    assert pages == 4
    assert lines[1].startswith("c49 ")
    assert "page 1 of 4, V turns it" in lines[-1]
    seen = [line.split()[0] for page in range(4) for line in shown(Card(facts), 50, 18, page)[0][1:-2]]
    assert seen == [f"c{place}" for place in range(49, -1, -1)]
    assert shown(Card(facts), 50, 18, 4)[0] == lines  # round


@pytest.mark.parametrize(("columns", "rows"), [(8, 4), (20, 4), (31, 9)])
def test_a_thumbnail_says_what_stands_out_most(columns, rows):
    lines, _ = shown(CARD, columns, rows)
    assert len(lines) == rows
    assert lines[0].startswith("▲▲ inc" if columns >= 12 else "▲income")
    assert lines[1].startswith("▼")
    assert ("91,300" in lines[0]) == (columns >= 20)


def test_ascii_has_signs_for_all():
    for columns, rows in ((60, 20), (20, 4)):
        lines, _ = shown(CARD, columns, rows, depth=Depth.ASCII)
        assert not set("".join(lines)) & set("▲▼·─┼●…")
    assert shown(CARD, 20, 4, depth=Depth.ASCII)[0][0].startswith("^^ inc")


def test_what_sets_a_cluster_apart():
    lines = ["".join(text for text, _ in line) for line in mean_lines(CARD, 30, 2)]
    assert [len(line) for line in lines] == [30, 30]
    assert lines[0].startswith("▲▲ income")
    assert lines[0].endswith(" 91,300 +2.4 sd")
    assert lines[1].startswith("▼  \\x1b")


def test_a_text_is_wrapped_safe_and_turned_by_pages():
    text = "\x1b]2;evil\x07 first line\n\nsecond \u202e " + " ".join(f"word{number}" for number in range(400))
    first, pages = shown(Passage(text), 50, 17)
    assert pages > 3
    assert "\\x1b]2;evil\\x07 first line" in first[0]
    assert not first[1].strip()
    assert f"page 1 of {pages}, V turns it" in first[-1]
    turned = [shown(Passage(text), 50, 17, page)[0][:-2] for page in range(pages)]
    words = [word for page in turned for line in page for word in line.split()]
    assert [word for word in words if word.startswith("word")] == [f"word{number}" for number in range(400)]
    assert shown(Passage("short"), 50, 17) == (["short".ljust(46)], 1)


def test_a_thumbnail_shows_the_first_words():
    lines, pages = shown(
        Passage("Nicely  on\nstore we product love for the product we on a we very good quality indeed"), 20, 4
    )
    assert pages == 1
    assert lines[0].startswith("Nicely on store we")
    assert lines[-1].rstrip().endswith("…")
    assert shown(Passage("Yes"), 8, 4)[0] == ["Yes     ", *[" " * 8] * 3]


def test_wide_characters_and_long_words_fit():
    for columns, rows in ((8, 4), (20, 4), (60, 10)):
        shown(Passage("漢字" * 100), columns, rows)
        shown(Passage("x" * 1000), columns, rows)
        shown(Passage("𝔘𝔫 👩‍👩‍👧 é" * 30), columns, rows)
    assert wrapped("   \n\n", 10) == ["(empty)"]
    assert "more characters are not shown" in wrapped("a " * 150_000, 60)[-1]
