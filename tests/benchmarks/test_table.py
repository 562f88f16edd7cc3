"""The table of results: what is measured again takes the place of what stood there, and all else stays."""

from __future__ import annotations

import pytest

from benchmarks.rows.table import Line, Rows, factor, merged, verdict


def line(row: int, ours: str = "1", what: str = "starts") -> Line:
    return Line(row, what, ours, "2", "1/2", "<= 1", "yes", "2026-01-01, load 0.1")


def body(text: str) -> list[str]:
    return [each for each in text.splitlines() if each.startswith("| ") and each[2].isdigit()]


def notes(text: str) -> list[str]:
    return [each for each in text.splitlines() if each.startswith("- ")]


def test_a_row_is_replaced_and_the_others_stay():
    before = merged(
        "", Rows([line(1), line(2), line(2, what="resumes"), line(10)], [(1, "old"), (2, "of 2")]), "# Head"
    )
    after = merged(before, Rows([line(2, "9")], [(2, "new")]), "# Head")
    assert body(after) == [str(line(1)), str(line(2, "9")), str(line(10))]
    assert notes(after) == ["- 1: old", "- 2: new"]


def test_rows_stand_in_the_order_of_their_numbers_and_their_own_lines_as_they_were_measured():
    text = merged("", Rows([line(10), line(9, what="b"), line(9, what="a")], [(10, "ten"), (9, "nine")]), "# Head")
    assert body(text) == [str(line(9, what="b")), str(line(9, what="a")), str(line(10))]
    assert notes(text) == ["- 9: nine", "- 10: ten"]


def test_a_row_that_has_no_note_any_more_loses_the_old_one():
    before = merged("", Rows([line(3)], [(3, "not held: a profile")]), "# Head")
    assert notes(merged(before, Rows([line(3)]), "# Head")) == []


def test_the_head_is_the_new_one_and_stands_once():
    before = merged("", Rows([line(3)]), "# Head\n\n- machine: old")
    after = merged(before, Rows([line(4)]), "# Head\n\n- machine: new")
    assert after.startswith("# Head\n\n- machine: new\n\n| # | what |")
    assert "old" not in after
    assert len(body(after)) == 2


def test_writing_what_was_read_changes_nothing():
    text = merged("", Rows([line(1), line(2)], [(1, "note")]), "# Head")
    assert merged(text, Rows(), "# Head") == text


def test_a_bar_in_a_cell_does_not_divide_it():
    assert str(line(1, "a|b")).count("|") == str(line(1)).count("|")


def test_only_some_rows_are_taken():
    rows = Rows([line(3), line(5)], [(3, "three"), (5, "five")]).only([5])
    assert (rows.lines, rows.notes) == ([line(5)], [(5, "five")])


@pytest.mark.parametrize(
    ("ratio", "text"), [(0.125, "1/8.0"), (0.7, "0.70 x"), (2.104, "2.10 x"), (1234.5, "1,234.50 x")]
)
def test_a_ratio_in_words(ratio, text):
    assert factor(ratio) == text


def test_one_target_that_is_missed_is_enough():
    assert (verdict(True, True), verdict(True, False)) == ("yes", "**no**")
