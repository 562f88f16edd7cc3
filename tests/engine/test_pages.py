from __future__ import annotations

import itertools

import numpy as np
import pytest

from labeler.engine.belief import runner_ups_of
from labeler.engine.pages import expected_errors, expected_gain
from tests.engine.pools import answer, blobs, opened, snapshot

NONE = np.empty(0, dtype=np.int64)


@pytest.mark.slow
def test_no_page_pays_before_fifty_answers() -> None:
    points, y = blobs(300, spread=3.5)
    engine = opened(points)
    page = engine.grid(answer(engine, y, 30), 25, NONE)
    assert page is not None
    assert not page.pays


@pytest.mark.slow
def test_a_page_is_of_one_class_and_holds_nobody_asked_or_shown() -> None:
    points, y = blobs(1500, n_classes=5, d=4, spread=2.0)
    engine = opened(points)
    state = answer(engine, y, 60)
    page = engine.grid(state, 25, NONE)
    assert page is not None
    assert len(page.indices) <= 25
    result = engine.closing_round(state)
    assert (result.labels[page.indices] == page.class_id).mean() > 0.95
    assert not np.isin(page.indices, state.indices).any()
    assert (page.runner_ups != page.class_id).all()
    again = engine.grid(state, 25, page.indices)
    assert again is None or not np.isin(again.indices, page.indices).any()


def test_answers_are_expected_to_be_right() -> None:
    points, y = blobs(200)
    engine = opened(points)
    belief = engine.believer.believe(snapshot(range(20), y[:20]))
    assert belief is not None
    wrong = expected_errors(belief)
    assert (wrong[:20] == 0).all()
    assert ((wrong >= 0) & (wrong <= 1)).all()


def test_the_runner_up_is_the_likeliest_other_class() -> None:
    proba = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]], dtype=np.float32)
    assert runner_ups_of(proba, np.array([0, 1], dtype=np.int32)).tolist() == [1, 2]
    assert runner_ups_of(proba[:, :1], np.zeros(2, dtype=np.int32)).tolist() == [-1, -1]


@pytest.mark.slow
def test_the_expected_gain_grows_with_the_keys_and_never_beyond_the_expected_errors() -> None:
    points, y = blobs(600, n_classes=5, d=4, spread=2.5)
    engine = opened(points)
    state = answer(engine, y, 60)
    belief = engine.believer.believe(state)
    assert belief is not None
    candidates = np.ones(600, dtype=bool)
    candidates[state.indices] = False
    questions = engine.closing_round(state).queue.indices
    wrong = expected_errors(belief)
    gains = [expected_gain(belief, questions, candidates, keys) for keys in (0, 1, 20, 10_000)]
    assert gains[0] == (0.0, 0.0)
    assert all(less[way] <= more[way] for less, more in itertools.pairwise(gains) for way in (0, 1))
    assert gains[1][0] == wrong[questions[0]]
    np.testing.assert_allclose(gains[3][1], wrong.sum(), rtol=1e-3)
