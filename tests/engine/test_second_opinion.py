from __future__ import annotations

import numpy as np
import pytest

from labeler.core import steps
from labeler.core.numeric.kernels import gaussian
from labeler.core.types import FloatArray
from labeler.engine.second_opinion import CHUNK, SecondOpinion, ShortOpinion, _rounded, n_landmarks, second_opinion
from tests.engine.pools import blobs


def judge(X: FloatArray) -> SecondOpinion:
    return steps.run(second_opinion(X))


def test_each_instance_is_judged_without_its_own_label() -> None:
    X, y = blobs(120)
    others = judge(X)
    before = others.scores(y, 4)
    changed = y.copy()
    changed[17] = (y[17] + 1) % 4
    after = others.scores(changed, 4)
    np.testing.assert_allclose(after[17], before[17], atol=1e-3)
    assert np.abs(after - before).max() > 1e-2


def test_the_closed_form_is_the_refit_without_the_row() -> None:
    X, y = blobs(120)
    others = judge(X)
    rest = np.delete(np.arange(120), 17)
    targets = np.eye(4)[y]
    hat = others.hat.astype(np.float64) * others.scale[:, None]
    # hat = basis turned and scaled: the ridge solution in that basis leaves (I - h h^T) behind without the row
    without = np.linalg.solve(np.eye(hat.shape[1]) - np.outer(hat[17], hat[17]), hat[rest].T @ targets[rest])
    np.testing.assert_allclose(others.scores(y, 4)[17], hat[17] @ without, atol=1e-2)


def test_a_wrong_label_among_right_ones_is_found() -> None:
    X, y = blobs(300)
    wrong = y.copy()
    wrong[[5, 50, 150]] = (y[[5, 50, 150]] + 1) % 4
    scores = judge(X).scores(wrong, 4)
    rows = np.arange(300)
    doubt = scores.max(axis=1) - scores[rows, wrong]
    assert set(np.argsort(-doubt)[:3]) == {5, 50, 150}


def test_no_label_has_no_say() -> None:
    X, _ = blobs(100)
    others = judge(X)
    silent = np.full(100, -1, dtype=np.int32)
    assert np.abs(others.scores(silent, 4)).max() == 0


def test_newcomers_are_judged_like_the_pool() -> None:
    X, y = blobs(400)
    others = judge(X[:300])
    scores = others.scores_of(X[300:], y[:300], 4)
    assert (scores.argmax(axis=1) == y[300:]).mean() > 0.97


def test_a_thousand_changes_of_labels_leave_no_error_behind() -> None:
    X, _ = blobs(400)
    rng = np.random.default_rng(0)
    others, labels = judge(X), np.full(400, -1, dtype=np.int32)
    others.scores(labels, 4)
    for _ in range(1_000):
        labels[rng.integers(400, size=3)] = rng.integers(-1, 4, size=3)
        others.scores(labels, 4)
    np.testing.assert_array_equal(others.scores(labels, 4), others.scores(labels, 4, fresh=True))


def test_a_class_that_joins_late_starts_the_sums_anew() -> None:
    X, y = blobs(200)
    others = judge(X)
    others.scores(np.minimum(y, 2), 3)
    np.testing.assert_array_equal(others.scores(y, 4), others.scores(y, 4, fresh=True))


def test_whole_bytes_keep_the_rows() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 400)).astype(np.float32) * np.logspace(-3, 0, 50)[:, None]
    rows[3] = 0.0
    whole, scale = _rounded(rows.astype(np.float32))
    kept = whole.astype(np.float64) * scale[:, None]
    np.testing.assert_array_less(np.linalg.norm(kept - rows, axis=1), 0.02 * np.linalg.norm(rows, axis=1) + 1e-6)
    np.testing.assert_array_equal(np.round(np.frexp(scale)[0] * 256), np.frexp(scale)[0] * 256)


@pytest.mark.parametrize("n", [1, 2, 40, 700])
def test_no_step_takes_more_than_its_share_of_the_work(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    widest = 0

    def counted(points: FloatArray, landmarks: FloatArray, gamma: float) -> FloatArray:
        nonlocal widest
        widest = max(widest, len(points) if points is not landmarks else 0)
        return gaussian(points, landmarks, gamma)

    monkeypatch.setattr("labeler.engine.second_opinion.gaussian", counted)
    monkeypatch.setattr("labeler.core.steps.WORK", 1)
    n_steps = sum(1 for _ in second_opinion(blobs(n)[0]))
    assert 0 < widest <= CHUNK
    assert n_steps >= 2 * -(-n // CHUNK)


def test_landmarks_are_bounded() -> None:
    assert n_landmarks(50) == 50
    assert n_landmarks(1_000_000) <= 256


def test_a_short_opinion_is_that_of_the_whole_on_its_rows_whatever_labels_came_before() -> None:
    X, y = blobs(400)
    rng = np.random.default_rng(0)
    others, fresh, rows = judge(X), judge(X), np.sort(rng.choice(400, 150, replace=False))
    others.scores(y, 4)
    first = ShortOpinion(others, rows)
    second = first.apart()
    one, other = y.copy(), (y + 1) % 4
    for _ in range(20):
        for short, labels in ((first, one), (second, other)):
            labels[rng.integers(400, size=3)] = rng.integers(-1, 4, size=3)
            scores = short.scores(labels, 4)
            np.testing.assert_array_equal(scores, ShortOpinion(fresh, rows).scores(labels, 4))
            np.testing.assert_allclose(scores, others.scores(labels, 4, fresh=True)[rows], atol=1e-5)
    np.testing.assert_array_equal(others.scores(y, 4), others.scores(y, 4, fresh=True))


def test_a_short_opinion_takes_a_class_that_joins_late() -> None:
    X, y = blobs(200)
    others, rows = judge(X), np.arange(0, 200, 3)
    short = ShortOpinion(others, rows)
    short.scores(np.minimum(y, 2), 3)
    np.testing.assert_array_equal(short.scores(y, 4), ShortOpinion(judge(X), rows).scores(y, 4))
