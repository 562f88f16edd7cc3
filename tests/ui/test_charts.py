"""Charts of characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.ui.render.charts import area, divided, sampled, sparkline


def test_a_curve_is_drawn_as_its_steps():
    assert sampled([0, 2, 4], [0.1, 0.2, 0.4], 5) == [0.1, 0.1, 0.2, 0.2, 0.4]
    assert sampled([2, 4], [0.2, None], 5) == [None, None, 0.2, 0.2, 0.2]
    assert sampled([], [], 3) == [None] * 3
    assert sampled([0], [0.5], 1) == [0.5]


def test_an_area_has_its_top_line_first():
    assert area([0.0, 0.25, 0.5, 1.0], 2) == ["   █", " ▄██"]
    assert area([0.001, None], 2) == ["  ", "▁ "]
    assert area([], 2) == ["", ""]


def test_a_sparkline_ends_at_its_largest_value_or_at_the_one_given():
    assert sparkline([0.0, 1.0, 2.0]) == " ▄█"
    assert sparkline([0.5], 1.0) == "▄"
    assert sparkline([None, 0.0]) == "  "
    assert sparkline([]) == ""


@given(st.lists(st.floats(0, 1), max_size=40), st.integers(1, 12))
def test_every_line_is_as_wide_as_the_curve(values, height):
    lines = area(values, height)
    assert [len(line) for line in lines] == [len(values)] * height
    for column, value in enumerate(values):
        filled = "".join(line[column] for line in lines).lstrip(" ")
        assert set(filled[1:]) <= {"█"}  # no holes below
        assert (value == 0) == (filled == "")


@pytest.mark.parametrize(
    ("shares", "width", "cells"),
    [([0.5, 0.5], 10, [5, 5]), ([0.99, 0.01], 10, [9, 1]), ([0.0, 1.0], 4, [0, 4]), ([0.001] * 3, 9, [1, 1, 1])],
)
def test_no_part_of_a_bar_is_lost(shares, width, cells):
    assert divided(shares, width) == cells
