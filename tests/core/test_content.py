"""Rows of a table as facts that stand somewhere in the pool."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.core.content import Columns, number


def test_a_value_stands_where_it_is_among_all():
    table = np.stack([np.arange(101), np.full(101, 7)], axis=1).astype(np.float32)
    columns = Columns(table, ["age", "constant"])
    age, constant = columns.card(100).facts
    assert (age.name, age.value) == ("age", "100")
    assert age.rank == pytest.approx(100.5 / 101)
    assert age.apart == pytest.approx(50 / table[:, 0].std(), rel=1e-6)
    assert (constant.value, constant.apart, constant.rank) == ("7", 0.0, 0.5)
    assert columns.card(50).facts[0].rank == pytest.approx(0.5)


def test_the_mean_of_some_rows_and_what_sets_them_apart():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(200, 6)).astype(np.float32)
    table[:50, 4] -= 5
    mean = Columns(table, []).mean_of(np.arange(50))
    first = mean.outstanding(2)[0]
    assert first.name == "column 4"
    assert first.apart == pytest.approx((table[:50, 4].mean() - table[:, 4].mean()) / table[:, 4].std(), rel=1e-4)
    assert [fact.name for fact in mean.facts] == [f"column {place}" for place in range(6)]


def test_large_tables_are_sampled_and_one_row_is_enough():
    table = np.random.default_rng(0).normal(3, 2, size=(40_000, 3)).astype(np.float32)
    card = Columns(table, list("abc")).card(11)
    exact = (table[11] - table.mean(axis=0)) / table.std(axis=0)
    np.testing.assert_allclose([fact.apart for fact in card.facts], exact, atol=0.05)
    lonely = Columns(np.array([[1.5, 2]], dtype=np.float32), []).card(0)
    assert [(fact.value, fact.apart, fact.rank) for fact in lonely.facts] == [("1.5", 0.0, 0.5), ("2", 0.0, 0.5)]


@pytest.mark.parametrize(
    ("value", "whole", "said"),
    [(14.23, False, "14.23"), (1065.0, True, "1,065"), (1065.4, False, "1,065"), (0.000123, False, "0.000123"),
     (3e12, True, "3e+12"), (-0.5, False, "-0.5"), (5.0, True, "5")],
)  # fmt: skip
def test_numbers_as_a_person_reads_them(value, whole, said):
    assert number(value, whole=whole) == said
