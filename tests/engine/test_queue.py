from __future__ import annotations

import numpy as np
import pytest

from labeler.core.protocols import Clustering
from labeler.engine.belief import Answers
from labeler.engine.queue import (
    PATIENCE,
    RULES,
    candidates_of,
    compose,
    is_start,
    open_representatives,
    unseen_chance,
)
from labeler.engine.representatives import Level
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
    level = Level(Clustering(np.arange(8) % 4, np.zeros(8, np.float32), np.zeros((4, 1), np.float32)), np.arange(4))
    assert is_start(answers([0, 1, 0]), level)
    assert is_start(answers([0, 1, 0, 2]), level)
    assert not is_start(answers([0, 1, 0, 1, 0, 0, 0]), level)


def test_a_representative_is_not_open_where_another_instance_near_the_center_was_asked() -> None:
    distances = np.array([0.1, 0.4, 0.5, 2.0] * 3, dtype=np.float32)
    clusters = np.repeat([0, 1, 2], 4)
    level = Level(Clustering(clusters, distances, np.zeros((3, 1), np.float32)), np.array([8, 0, 4]))
    assert open_representatives(level, np.arange(0)).tolist() == [8, 0, 4]
    assert open_representatives(level, np.array([4])).tolist() == [8, 0]
    assert open_representatives(level, np.array([1, 6])).tolist() == [8, 0, 4]  # so few
    assert open_representatives(level, np.array([1, 2, 6])).tolist() == [8]
    # what lies at the rim is no answer for the whole cluster
    assert open_representatives(level, np.array([3, 7, 11])).tolist() == [8, 0, 4]
    assert not len(open_representatives(level, np.array([2, 5, 9])))


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
