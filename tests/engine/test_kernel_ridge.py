from __future__ import annotations

import numpy as np

from labeler.core.numeric.kernels import gaussian
from labeler.engine.kernel_ridge import RIDGE, KernelRidge, as_shares, landmarks_of
from tests.engine.pools import blobs


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
