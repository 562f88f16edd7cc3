from __future__ import annotations

import numpy as np
import pytest

from labeler.core.learner import RIDGE, KernelRidge, as_shares, blend, gaussian, landmarks_of, product, skill_of
from tests.core.pools import blobs


def test_leave_one_out_is_exact() -> None:
    X, y = blobs(60)
    rows = np.arange(30)
    model = KernelRidge(X)
    _, quick = model.fit_predict(rows, y[:30], 4)
    for left in (0, 11, 29):
        rest = np.delete(rows, left)
        kernel = gaussian(X[rest], X[rest], model.gamma).astype(np.float64) + RIDGE * np.eye(29)
        scores = gaussian(X[left : left + 1], X[rest], model.gamma) @ np.linalg.solve(kernel, np.eye(4)[y[rest]])
        np.testing.assert_allclose(quick[left], as_shares(scores.astype(np.float32))[0], atol=1e-3)


def test_kept_columns_change_nothing() -> None:
    X, y = blobs(200)
    model = KernelRidge(X)
    model.fit_predict(np.arange(10), y[:10], 4)
    kept, _ = model.fit_predict(np.arange(20), y[:20], 4)
    fresh, _ = model.fit_predict(np.arange(20), y[:20], 4, fresh=True)
    np.testing.assert_allclose(kept, fresh, atol=1e-4)


def test_ten_thousands_of_labels_stay_bounded() -> None:
    used = landmarks_of(50_000)
    assert len(used) == 2000
    assert used[0] == 0
    assert used[-1] == 49_999
    np.testing.assert_array_equal(landmarks_of(7), np.arange(7))


def test_the_better_model_counts_more() -> None:
    rng = np.random.default_rng(0)
    positions = rng.integers(3, size=60).astype(np.int32)
    good = np.full((60, 3), 0.05, dtype=np.float32)
    good[np.arange(60), positions] = 0.9
    bad = rng.dirichlet(np.ones(3), 60).astype(np.float32)
    assert blend(good, bad, positions).share == 1.0
    assert blend(bad, good, positions).share == 0.0
    assert blend(bad[:5], good[:5], positions[:5]).share == 0.5


def test_a_product_of_shares_is_shares() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.dirichlet(np.ones(4), (2, 9)).astype(np.float32)
    np.testing.assert_allclose(product(first, second, 0.25).sum(axis=1), 1, rtol=1e-5)


def test_skill_is_zero_for_guessing_and_one_for_knowing() -> None:
    positions = np.repeat([0, 1], [40, 20]).astype(np.int32)
    assert skill_of(positions == positions, positions) == pytest.approx(1)
    assert skill_of(positions == 0, positions) == pytest.approx(0)
    assert np.isnan(skill_of(np.ones(5, dtype=np.bool_), positions[:5]))
