from __future__ import annotations

import numpy as np
import pytest

from labeler.engine.belief import Answers
from labeler.engine.queue import PATIENCE, RULES, candidates_of, compose, is_start, unseen_chance
from tests.engine.pools import answer, blobs, opened, snapshot


def answers(class_ids: list[int]) -> Answers:
    return Answers.of(snapshot(range(len(class_ids)), class_ids), np.empty(0, dtype=np.int64))


def test_classes_come_in_the_order_of_their_first_answer() -> None:
    found = answers([7, 3, 7, 9])
    assert found.classes.tolist() == [7, 3, 9]
    assert found.positions.tolist() == [0, 1, 0, 2]


def test_the_first_answer_of_a_class_counts_in_full() -> None:
    state = snapshot([0, 1, 2, 3], [5, 5, 6, 6], weights=[0.1, 0.2, 0.3, 0.01])
    np.testing.assert_allclose(Answers.of(state, np.array([1])).weights, [1, 1, 1, 0.05])


def test_the_chance_of_an_unseen_class() -> None:
    nobody = np.empty(0, dtype=np.int32)
    assert unseen_chance(answers([]), nobody) == 1
    assert unseen_chance(answers([0, 1, 2, 3]), nobody) == 1
    assert unseen_chance(answers([0, 0, 1, 1]), nobody) == 0


def test_a_class_that_was_named_and_never_seen_is_looked_for_until_patience_ends() -> None:
    named = np.arange(4, dtype=np.int32)
    assert unseen_chance(answers([0, 0, 1, 1]), named) == 0.5
    assert unseen_chance(answers([0, 0, 1, 1, 2, 2, 3, 3]), named) == 0
    assert unseen_chance(answers([0, 1] * (PATIENCE * 2)), named) == 0


def test_the_start_lasts_while_classes_turn_up() -> None:
    first = np.arange(4)
    assert is_start(answers([0, 1, 0]), first)
    assert is_start(answers([0, 1, 0, 2]), first)
    assert not is_start(answers([0, 1, 0, 1, 0, 0, 0]), first)


def test_one_in_five_looks_for_unseen_classes() -> None:
    indices, rules = compose(False, 0.5, np.arange(100, 110), np.arange(0), np.arange(50), 20, np.arange(0))
    assert [RULES[rule] for rule in rules[:7]] == ["unseen", *["uncertain"] * 5, "unseen"]
    assert len(set(indices.tolist())) == len(indices)
    _, settled = compose(False, 0.0, np.arange(100, 110), np.arange(0), np.arange(50), 20, np.arange(0))
    assert (settled == RULES.index("uncertain")).all()


def test_who_is_not_asked() -> None:
    first_of = np.array([0, 1, 1, 3, 4, 5])
    state = snapshot([1], [0], excluded=[0], held_back=[3], deferred=[4])
    assert candidates_of(state, first_of).tolist() == [False, False, False, False, False, True]


@pytest.mark.slow
def test_a_class_that_appears_late_is_found_again() -> None:
    X, y = blobs(600, n_classes=5, d=20)
    rare = np.flatnonzero(y == 4)[6:]
    keep = np.setdiff1d(np.arange(600), rare)
    X, y = X[keep], y[keep]
    engine = opened(X)
    state = answer(engine, y, 60)
    assert (state.class_ids == 4).any()
    assert (engine.closing_round(state).labels == y).mean() > 0.98
