from __future__ import annotations

import numpy as np
import pytest

from labeler.core.types import DOUBTED, UNLABELED
from labeler.engine.book import BookEngine
from labeler.engine.default import DefaultEngine
from labeler.engine.doubt import MORE, doubt, most_doubted
from labeler.plugins.registry import create
from tests.engine.pools import answer, blobs, last_round, opened, snapshot


def asked_wrongly(n_answers: int = 60, wrong: tuple[int, ...] = (20, 45)) -> tuple[DefaultEngine, object, np.ndarray]:
    """An engine, answers of which those at the places `wrong` are, and the instances of these."""
    X, y = blobs(400)
    engine = opened(X)
    state = answer(engine, y, n_answers)
    given = y[state.indices]
    for place in wrong:
        given[place] = (given[place] + 1) % 4
    return engine, snapshot(state.indices.tolist(), given.tolist(), state.weights.tolist()), state.indices[list(wrong)]


@pytest.mark.slow
def test_wrong_answers_are_doubted_and_right_ones_are_not() -> None:
    engine, state, wrong = asked_wrongly()
    for round_ in (last_round(engine, state), engine.closing_round(state)):
        assert set(np.flatnonzero(round_.doubts >= DOUBTED)) == set(wrong)
        assert round_.doubts.dtype == np.float32
        assert round_.doubts.min() >= 0
        assert round_.doubts.max() <= 1
        assert not round_.doubts[~np.isin(np.arange(400), state.indices)].any()


@pytest.mark.slow
def test_without_a_wrong_answer_the_engine_would_say_the_right_class() -> None:
    engine, state, wrong = asked_wrongly()
    _, y = blobs(400)
    assert engine.closing_round(state).runner_ups[wrong].tolist() == y[wrong].tolist()


@pytest.mark.slow
def test_a_wrong_answer_is_found_among_more_answers_than_the_models_are_compared_on() -> None:
    engine, state, wrong = asked_wrongly(350, (100, 201, 300))
    assert set(np.flatnonzero(engine.closing_round(state).doubts >= DOUBTED)) == set(wrong)


def test_one_class_leaves_nothing_to_doubt() -> None:
    X, _ = blobs(100)
    round_ = opened(X).closing_round(snapshot([1, 5, 9], [7, 7, 7]))
    assert not round_.doubts.any()
    assert (round_.runner_ups[[1, 5, 9]] == UNLABELED).all()


def test_nothing_labeled_nothing_doubted() -> None:
    X, _ = blobs(100)
    assert opened(X).closing_round(snapshot()).doubts.tolist() == [0.0] * 100


def test_the_belief_left_out_is_that_of_the_engine_without_the_answer() -> None:
    """Closed forms against a refit: the same order of magnitude of doubt for each answer."""
    engine, state, wrong = asked_wrongly(40, (20,))
    doubts = engine.closing_round(state).doubts
    believer = engine.believer
    for place in (5, 20, 33):
        rest = np.delete(np.arange(40), place)
        without = snapshot(state.indices[rest].tolist(), state.class_ids[rest].tolist(), state.weights[rest].tolist())
        belief = believer.believe(without, fresh=True)
        assert belief is not None
        position = int(np.flatnonzero(belief.answers.classes == state.class_ids[place])[0])
        index = int(state.indices[place])
        assert (belief.proba[index, position] < 0.5) == (doubts[index] > 0.5)
    assert doubts[wrong[0]] > DOUBTED


def test_doubt_by_hand() -> None:
    graph = np.array([[0.5, 0.5], [0.9, 0.1], [0.5, 0.5]], dtype=np.float32)  # of the second answer alone
    kernel = np.array([[0.81, 0.09], [0.9, 0.1], [0.5, 0.5]], dtype=np.float32) ** 2
    kernel /= kernel.sum(axis=1, keepdims=True)
    found = doubt(np.array([0, 1, 1]), [graph, kernel], (0.5, 0.5), np.zeros((3, 2), dtype=np.float32))
    assert found.doubts == pytest.approx([0.1, 27 / 28, 0.5], abs=2e-3)
    assert found.others.tolist() == [1, 0, 0]


def test_the_most_doubted_are_those_the_others_believe_least() -> None:
    opinion = np.zeros((200, 2), dtype=np.float32)
    opinion[:, 1] = np.linspace(0.0, 1.0, 200)
    positions = np.zeros(200, dtype=np.int32)
    found = most_doubted(opinion, positions, np.array([199]))
    assert found.tolist() == list(range(198, 198 - MORE, -1))
    assert not len(most_doubted(-opinion, positions, np.array([0])))


def test_the_book_says_what_its_classifier_says() -> None:
    X, y = blobs(300)
    engine = BookEngine(create("clusterer", "kmeans"), create("classifier", "logreg"), create("strategy", "margin"), 20)
    for _ in engine.open(X):
        pass
    indices = list(range(0, 120, 3))
    given = y[indices]
    given[7] = (given[7] + 1) % 4
    round_ = engine.closing_round(snapshot(indices, given.tolist(), percentile=20.0))
    assert round_.doubts.argmax() == indices[7]
    assert round_.runner_ups[indices[7]] == y[indices[7]]
