from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeler.core import steps
from labeler.engine.default import DefaultEngine
from labeler.engine.leading import FIRST_CHECK, Judged, Lead, is_clearly_better, is_of_one_kind, lead
from tests.engine.pools import snapshot

N, K = 240, 4


def pool(seed: int = 0):
    """Classes (n,), a view in which they are groups, and one of noise."""
    rng = np.random.default_rng(seed)
    y = np.arange(N) % K
    good = (6.0 * np.eye(K, 12)[y] + rng.standard_normal((N, 12))).astype(np.float32)
    return y, good, rng.standard_normal((N, 12)).astype(np.float32)


def judged(hits):
    return Judged(np.array(hits, dtype=np.bool_), np.ones(len(hits), dtype=np.float32))


def engine_of(first, other):
    engine = DefaultEngine(random_state=0)
    steps.run(engine.open(first))
    steps.run(engine.join(other, may_lead=True))
    return engine


def test_before_answers_can_tell_the_first_leads():
    def nobody(m):
        raise AssertionError(m)

    assert lead(FIRST_CHECK - 1, 1, nobody) == Lead(1)


def test_a_clearly_better_view_takes_the_lead_and_a_little_better_one_does_not():
    right, wrong = judged([True] * 20), judged([False] * 20)
    assert lead(20, 0, lambda m: [wrong, right]) == Lead(1, 20)
    assert lead(20, 0, lambda m: [judged([False] * 2 + [True] * 18), right]) == Lead(0)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=20, max_size=200))
def test_two_views_are_never_clearly_better_than_each_other(hits):
    first, second = (judged(column) for column in zip(*hits, strict=True))
    assert not (is_clearly_better(first, second) and is_clearly_better(second, first))


def test_evidence_that_alternates_turns_the_lead_at_most_at_each_doubling():
    asked = []

    def judge(m):
        asked.append(m)
        good, bad = judged([True] * m), judged([False] * m)
        return [good, bad] if len(asked) % 2 else [bad, good]

    lead(500, 1, judge)
    assert asked == [20, 40, 80, 160, 320]


def test_pictures_of_one_kind_point_in_one_direction():
    rng = np.random.default_rng(0)
    assert is_of_one_kind(1.0 + 0.3 * rng.random((500, 30)))
    assert not is_of_one_kind(rng.standard_normal((500, 30)))
    assert not is_of_one_kind(np.zeros((5, 3)))


def test_a_perfect_view_leads_a_poor_one_and_noise_never_leads_a_good_one():
    y, good, noise = pool()
    answers = snapshot(np.arange(60), y[:60])
    assert engine_of(noise, good).leading(answers) == 1
    # as a view of one kind it does not lead from the start either
    assert engine_of(good, noise + 9.0).leading(answers) == 0
    assert engine_of(good, noise).leading(answers) == 0  # it led at first, as its rows differ


def test_a_joined_view_of_noise_costs_a_good_one_next_to_nothing():
    y, good, noise = pool()
    answers = snapshot(np.arange(60), y[:60])
    alone = DefaultEngine(random_state=0)
    steps.run(alone.open(good))
    beside = engine_of(good, noise + 9.0)
    right = [np.mean(engine.closing_round(answers).labels == y) for engine in (alone, beside)]
    assert right[1] >= right[0] - 0.01


@pytest.mark.parametrize("when", [0, 30])
def test_the_lead_depends_on_the_answers_and_not_on_when_a_view_arrived(when):
    y, good, noise = pool()
    engine = DefaultEngine(random_state=0)
    steps.run(engine.open(noise))
    if when:
        steps.run(engine.round(snapshot(np.arange(when), y[:when])))
    steps.run(engine.join(good, may_lead=True))
    answers = snapshot(np.arange(60), y[:60])
    np.testing.assert_array_equal(
        engine.closing_round(answers).labels, engine_of(noise, good).closing_round(answers).labels
    )
