from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeler.core import steps
from labeler.core.types import Provenance
from labeler.engine.foresight import (
    CHECKS,
    ENOUGH,
    TAKEN_BACK,
    Check,
    Remembered,
    Since,
    checks_at,
    first_answers,
    foreseen,
    is_refuted,
    lifted,
    share_to_keep,
    since,
)
from labeler.engine.tiers import Groups
from tests.engine.pools import answer, blobs, opened, snapshot


def answers(
    n_hits: int, n_misses: int, weight: float = 1.0, *, spread: bool = True, asked: bool = True, commonest: float = 0.1
) -> Since:
    n = n_hits + n_misses
    class_ids = np.where(np.arange(n) < commonest * n, 0, 1 + np.arange(n) % 9).astype(np.int32)
    weights = np.full(n, weight, dtype=np.float32)
    return Since(np.arange(n) < n_hits, np.full(n, spread), weights, class_ids, np.full(n, asked))


def check(n_answers: int = 50, share: float = 0.0) -> Check:
    nothing = np.zeros(9, dtype=np.int32)
    return Check(n_answers, nothing, nothing > 0, share)


def test_checks_come_about_as_answers_double_and_never_after_the_last_answer() -> None:
    assert checks_at(CHECKS[0]) == []
    assert checks_at(21) == [10, 20]
    assert checks_at(3_000) == [10, 20, 50, 100, 200, 500, 1_000, 2_000]
    for n_answers in range(300):
        assert set(checks_at(n_answers)) <= set(checks_at(n_answers + 1))


def test_later_answers_are_compared_with_the_labels_of_the_check() -> None:
    labels = np.array([0, 0, 1, 1, 2], dtype=np.int32)
    then = Check(2, labels, np.array([True, False, True, False, True]), 0.5)
    class_ids, asked = np.array([0, 1, 0, 0, 2], dtype=np.int32), np.array([True, True, True, False, True])
    later = since(then, np.array([0, 2, 1, 3, 4]), class_ids, np.ones(5, np.float32), asked)
    assert later.hits.tolist() == [True, False, True]
    assert later.spread.tolist() == [False, False, True]
    assert later.class_ids.tolist() == [0, 0, 2]
    assert later.asked.tolist() == [True, False, True]


def test_few_answers_bear_out_nothing_and_one_more_changes_little() -> None:
    assert foreseen(answers(ENOUGH - 1, 0)) == 0.0
    assert foreseen(answers(100, 0)) == 1.0
    assert foreseen(answers(51, 49, spread=False)) == 0.0  # what hand signs had, with 80 % of the rest right
    degrees = [foreseen(answers(hits, 100 - hits, spread=False)) for hits in range(101)]
    assert degrees == sorted(degrees)
    assert max(np.diff(degrees)) < 0.15


def test_what_the_commonest_class_explains_is_not_foreseen() -> None:
    assert foreseen(answers(80, 20, spread=False)) == 1.0
    assert foreseen(answers(80, 20, spread=False, commonest=0.75)) == 0.0


def test_what_answers_refute_was_not_foreseen() -> None:
    """Digits of two classes each, by lot: 67 of 100 questions were guessed, and half of what would spread."""
    assert foreseen(answers(67, 33, spread=False)) > 0.5
    assert foreseen(answers(67, 33)) == 0.0


def test_labels_that_came_from_elsewhere_are_no_questions() -> None:
    assert foreseen(answers(100, 0, asked=False)) == 0.0


def test_what_spread_once_goes_on_to_but_for_a_little() -> None:
    assert share_to_keep([]) == 0.0
    assert share_to_keep([(check(share=0.6), answers(20, 1))]) == pytest.approx(0.6 - TAKEN_BACK)
    assert share_to_keep([(check(share=TAKEN_BACK / 2), answers(20, 1))]) == 0.0
    # errors are looked for: the hardest questions of a good pool are missed, and stand for little of it
    assert share_to_keep([(check(share=0.6), answers(0, 15, 0.05))]) > 0.0
    assert share_to_keep([(check(share=0.6), answers(0, 40, spread=False))]) > 0.0  # these were never to spread
    assert share_to_keep([(check(share=0.6), answers(10, 30))]) == 0.0
    # the last check has the say
    assert share_to_keep([(check(share=0.9), answers(60, 0)), (check(100, share=0.2), answers(50, 0))]) < 0.2


def test_a_few_answers_show_nothing_to_be_wrong() -> None:
    assert not is_refuted(answers(0, 1))
    assert not is_refuted(answers(0, 4))
    assert is_refuted(answers(0, 10))
    assert not is_refuted(answers(0, 0))


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*[st.floats(0, 1)] * 4),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80), st.floats(0, 1)), max_size=3),
)
def test_what_was_foreseen_never_lowers_a_part_and_never_locks(parts: tuple[float, ...], story: list[tuple]) -> None:
    groups = Groups(*parts)
    past = [(check(share=share), answers(hits, misses)) for hits, misses, share in story]
    after = lifted(groups, past)
    assert after.unanimous >= groups.unanimous
    assert after.agreed >= groups.agreed
    assert (after.locked, after.complete) == (groups.locked, groups.complete)


def test_checks_are_made_once_for_the_same_first_answers() -> None:
    made: list[int] = []

    def make(first, past):
        yield
        made.append(len(first.indices))
        assert [one.n_answers for one in past] == checks_at(len(first.indices))
        return check(len(first.indices))

    remembered = Remembered()
    state = snapshot(np.arange(120), np.zeros(120))
    assert [one.n_answers for one in steps.run(remembered.by_steps(state, make))] == [10, 20, 50, 100]
    steps.run(remembered.by_steps(first_answers(state, 110), make))
    assert made == [10, 20, 50, 100]
    other = snapshot(np.arange(120), np.r_[np.ones(60), np.zeros(60)])  # the first answers were corrected
    steps.run(remembered.by_steps(other, make))
    assert made == [10, 20, 50, 100, 10, 20, 50, 100]
    confirmed = np.full(120, Provenance.CONFIRMED, dtype=np.uint8)  # the same answers, which were no questions
    steps.run(remembered.by_steps(replace(other, provenances=confirmed), make))
    assert made == [10, 20, 50, 100] * 3


@pytest.mark.slow
def test_rounds_rest_on_the_answers_alone_whatever_rounds_came_before() -> None:
    points, y = blobs(160, n_classes=3, d=6, spread=3.0)
    engine = opened(points)
    state = answer(engine, y, 60)
    for count in (25, 55, 40):
        list(engine.round(first_answers(state, count)))
    one, other = engine.closing_round(state), opened(points).closing_round(state)
    assert (one.tiers == other.tiers).all()
    assert (one.labels == other.labels).all()


@pytest.mark.slow
def test_answers_at_random_in_wrong_groups_take_back_what_spread() -> None:
    """An adversary: a group that looked right for 50 answers is of two classes, and later answers say so."""
    points, group = blobs(600, n_classes=3, d=8, spread=0.4)
    rng = np.random.default_rng(0)
    y = np.where((group == 2) & (rng.random(600) < 0.5), 3, group).astype(np.int32)
    order = rng.permutation(600)
    pure = order[(y[order] != 3)][:50]
    later = np.setdiff1d(order, pure)
    rng.shuffle(later)
    engine = opened(points)
    first = engine.closing_round(snapshot(pure, y[pure]))
    spread = first.provenances == Provenance.PROPAGATED
    assert spread.mean() > 0.5
    chosen = np.r_[pure, later[:60]]
    after = engine.closing_round(snapshot(chosen, y[chosen]))
    spread = after.provenances == Provenance.PROPAGATED
    assert spread.mean() < 0.1 or (after.labels == y)[spread].mean() > 0.9
