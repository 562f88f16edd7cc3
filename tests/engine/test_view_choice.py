from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeler.core import steps
from labeler.engine.default import DefaultEngine
from labeler.engine.view_choice import FIRST_CHECK, Judged, Lead, is_clearly_better, is_of_one_kind, lead
from tests.engine.pools import snapshot

N, K = 240, 4


def pool(seed: int = 0):
    """Classes (n,), a view in which they are groups, and one of noise."""
    rng = np.random.default_rng(seed)
    y = np.arange(N) % K
    good = (6.0 * np.eye(K, 12)[y] + rng.standard_normal((N, 12))).astype(np.float32)
    return y, good, rng.standard_normal((N, 12)).astype(np.float32)


def judged(hits, weight=1.0):
    return Judged(np.array(hits, dtype=np.bool_), np.full(len(hits), weight, dtype=np.float32))


def led(n_answers, first, judge):
    """The lead, of what `judge` returns at once."""

    def by_steps(m):
        yield
        return judge(m)

    return steps.run(lead(n_answers, first, by_steps))


def engine_of(first, other):
    engine = DefaultEngine(random_state=0)
    steps.run(engine.open(first))
    steps.run(engine.join(other, may_lead=True))
    return engine


def test_before_answers_can_tell_the_first_leads():
    def nobody(m):
        raise AssertionError(m)

    assert led(FIRST_CHECK - 1, 1, nobody) == Lead(1)


def test_a_clearly_better_view_takes_the_lead_and_a_little_better_one_does_not():
    right, wrong = judged([True] * 20), judged([False] * 20)
    assert led(20, 0, lambda m: [wrong, right]) == Lead(1, 20)
    assert led(20, 0, lambda m: [judged([False] * 2 + [True] * 18), right]) == Lead(0)


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

    led(500, 1, judge)
    assert asked == [20, 40, 80, 160, 320]


@pytest.mark.parametrize("seed", range(20))
def test_answers_that_each_view_guesses_half_of_change_the_lead_at_most_once(seed):
    turns = np.random.default_rng(seed).integers(0, 2, 640).astype(np.bool_)  # each is guessed by one of the two
    turns[:20] = seed % 2  # the first ones all by the same: the lead may go there, and then it stays
    places = [led(n, 0, lambda m: [judged(turns[:m]), judged(~turns[:m])]).place for n in range(20, 641, 20)]
    assert np.count_nonzero(np.diff([0, *places])) <= 1


def test_hard_answers_alone_decide_nothing():
    # twenty of a twentieth each: one answer's worth
    assert not is_clearly_better(judged([True] * 20, 0.05), judged([False] * 20, 0.05))


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
    assert engine_of(good, noise).leading(answers) == 0


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


def test_before_answers_can_tell_noise_does_not_lead_and_a_view_that_shows_groups_does():
    _, good, noise = pool()
    nothing = snapshot(np.arange(0), np.arange(0))
    assert engine_of(good, noise).leading(nothing) == 0
    assert engine_of(noise, good).leading(nothing) == 1


def test_a_round_says_which_view_leads_and_by_how_many_answers():
    y, good, noise = pool()
    engine = engine_of(noise, good + 50.0)  # by its look all of one kind: answers alone can decide for it
    before, after = (engine.closing_round(snapshot(np.arange(m), y[:m])).facts["lead"] for m in (FIRST_CHECK - 1, 60))
    assert before == [0, 0]
    assert after[0] == 1
    assert FIRST_CHECK <= after[1] <= 60


def test_views_are_judged_in_steps_between_which_answers_can_be_served():
    y, good, noise = pool()
    engine = engine_of(noise, good)
    answers = snapshot(np.arange(60), y[:60])
    judging = engine._lead_by_steps(answers)
    assert sum(1 for _ in judging) >= 2 * 2 * 2  # two views at 20 and 40 answers, twice in each
