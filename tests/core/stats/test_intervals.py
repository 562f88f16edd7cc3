from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from labeler.core.stats.agreement import agreement
from labeler.core.stats.intervals import clopper_pearson, difference, wilson


@pytest.mark.slow
@given(
    st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.8, 0.95, 0.99])
)
def test_the_exact_interval_is_the_one_of_the_beta_distribution(drawn, confidence):
    right, n = drawn
    tail = (1 - confidence) / 2
    low = 0.0 if right == 0 else beta.ppf(tail, right, n - right + 1)
    high = 1.0 if right == n else beta.ppf(1 - tail, right + 1, n - right)
    assert clopper_pearson(right, n, confidence) == pytest.approx((low, high), abs=1e-7)


def test_nothing_drawn_says_nothing_and_nonsense_is_refused():
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    for right, n, confidence in ((3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0)):
        with pytest.raises(ValueError, match="no interval"):
            clopper_pearson(right, n, confidence)


def test_kappa_of_a_table_worked_by_hand():
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    found = agreement(pairs)
    assert (found.n, found.agreed) == (50, 35)
    assert found.kappa == pytest.approx(0.4)
    assert (found.low, found.high) == pytest.approx(tuple((s - 0.5) / 0.5 for s in clopper_pearson(35, 50)))


def test_kappa_is_not_given_where_chance_alone_explains_all_and_has_a_width_where_few_agree_on_all():
    for pairs, counts in (([], (0, 0)), ([("y", "y")] * 5, (5, 5))):
        found = agreement(pairs)
        assert math.isnan(found.kappa)
        assert (found.facts["kappa"], found.facts["low"], found.facts["high"]) == (None, None, None)
        assert (found.n, found.agreed) == counts
    few = agreement([("y", "y"), ("n", "n"), ("y", "y")])
    assert few.kappa == 1.0
    assert few.low < 0.5
    assert few.facts["low"] == few.low


def test_a_difference_as_newcombe_gives_it():
    # the examples (a), (b) and (h) of Newcombe (1998), table II, method 10
    for counts, expected in (
        ((56, 70, 48, 80), (0.2, 0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.6, 0.1705, 0.8090)),
        ((10, 10, 0, 10), (1.0, 0.6075, 1.0)),
    ):
        assert difference(*counts) == pytest.approx(expected, abs=5e-5)
    low, high = wilson(0, 10)
    assert (low, high) == pytest.approx((0.0, 0.2775), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="empty"):
        difference(0, 0, 1, 1)
