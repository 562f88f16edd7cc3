"""Every promise of an export can be broken, and says so; rows that keep them all say nothing."""

from __future__ import annotations

import pytest

from benchmarks.promises import breaches

N = 1_000


def row(clicks: int = 50, **other):
    """A row that keeps every promise, but for what `other` says."""
    tiers = {"likely": {"share": 0.2, "precision": 0.96}, "locked": {"share": 0.2, "precision": 0.995}}
    return {
        "clicks": clicks,
        "labels_accuracy": 0.95,
        "coverage": 0.6,
        "propagated_share": 0.5,
        "propagated_precision": 0.97,
        "classes": 5,
        "tiers": tiers | other.pop("tiers", {}),
    } | other


def test_rows_that_keep_every_promise_break_none():
    assert list(breaches([row(10), row(20, coverage=0.51), row(300, labels_accuracy=0.99, coverage=0.85)], N)) == []


@pytest.mark.parametrize(
    ("other", "word"),
    [
        ({"propagated_precision": 0.89}, "propagated"),
        ({"clicks": 300, "labels_accuracy": 0.99, "coverage": 0.84}, "exported"),
        ({"tiers": {"likely": {"share": 0.02, "precision": 0.94}}}, "likely"),
        ({"tiers": {"locked": {"share": 0.02, "precision": 0.98}}}, "locked"),
    ],
)
def test_a_row_that_breaks_a_promise_is_named(other, word):
    (line,) = breaches([row(**other)], N)
    assert word in line
    assert line.startswith(f"at {other.get('clicks', 50)}:")


@pytest.mark.parametrize(
    "other",
    [
        {"propagated_share": 0.1, "propagated_precision": 0.5},  # a tenth of the pool: not more
        {"propagated_share": 0.0, "propagated_precision": None},
        {"clicks": 200, "labels_accuracy": 0.99, "coverage": 0.84},
        {"tiers": {"likely": {"share": 0.019, "precision": 0.5}, "locked": {"share": 0.0, "precision": None}}},
    ],
)
def test_what_no_promise_speaks_of_breaks_none(other):
    assert list(breaches([row(**other)], N)) == []


def test_coverage_may_fall_where_a_class_was_added_and_nowhere_else():
    (line,) = breaches([row(50), row(100, coverage=0.49)], N)
    assert "coverage fell from 60.0 % to 49.0 %" in line
    assert list(breaches([row(50), row(100, coverage=0.49, classes=6)], N)) == []
