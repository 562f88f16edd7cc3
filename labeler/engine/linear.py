"""Multinomial logistic regression on the encoder's components, with the answers left out in folds.

Where classes do not form groups a linear rule on the features beats everything that looks at distances; where they
do, the leave-one-out weights leave it out. All folds are fitted at once: the curvature of the loss is bounded by one
matrix that does not depend on the weights (Boehning 1992, "Multinomial logistic regression algorithm"), so that it
is factored once; steps are accelerated (Nesterov 1983).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from labeler.core.steps import blocks
from labeler.core.types import FloatArray, IndexArray, IntArray
from labeler.engine.blending import softmax
from labeler.engine.kernel_ridge import landmarks_of

PENALTY = 1.0  # as scikit-learn's C = 1, but of the intercept as well
FOLDS = 5  # every answer is left out with a fifth of the others: one by one would take a fit each
STEPS = 40
"""Where more bring nothing: the early end regularises as well."""
MAX_ANSWERS = 1_000
REFIT_AFTER = 4  # the round after every fifth answer (live.BATCH) fits anew anyway


class Linear:
    """Class shares by a linear rule on `points` (n, d), scaled to unit variance as a whole (never per column)."""

    def __init__(self, points: FloatArray) -> None:
        squares = sum(float(np.square(points[rows]).sum(dtype=np.float64)) for rows in blocks(*points.shape))
        # per column, faint components would weigh as much as the leading ones
        spread = float(np.sqrt(squares / points.size)) if points.size else 1.0
        self.points = points
        self.scale = np.float32(1.0 / spread if spread > 0.0 else 1.0)
        self._rows: IndexArray = np.empty(0, dtype=np.int64)
        self._positions: IntArray = np.empty(0, dtype=np.int32)
        self._last: tuple[FloatArray, FloatArray] | None = None

    def fit_predict(
        self, rows: IndexArray, positions: IntArray, n_classes: int, *, quick: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """Class shares of the pool (n, k) and, each predicted by a fit without its fold, of `rows` (len(rows), k).

        `quick` keeps the last fit while at most REFIT_AFTER answers have come to those it was made of.
        """
        if not (quick and self._last is not None and self._extends(rows, positions, n_classes)):
            self._rows, self._positions = rows.copy(), positions.copy()
            self._last = self._fit_predict(rows, positions, n_classes)
        shares, without = self._last
        return shares, np.concatenate((without, shares[rows[len(without) :]]))  # the new ones are left out as it is

    def kept(self, rows: IndexArray) -> FloatArray:
        """Class shares (len(rows), k) of some instances by the last fit; without columns before the first one."""
        return self._last[0][rows] if self._last is not None else np.empty((len(rows), 0), dtype=np.float32)

    def _extends(self, rows: IndexArray, positions: IntArray, n_classes: int) -> bool:
        known = len(self._rows)
        return (
            0 <= len(rows) - known <= REFIT_AFTER
            and self._last is not None
            and self._last[0].shape[1] == n_classes
            and np.array_equal(self._rows, rows[:known])
            and np.array_equal(self._positions, positions[:known])
        )

    def _fit_predict(self, rows: IndexArray, positions: IntArray, n_classes: int) -> tuple[FloatArray, FloatArray]:
        used = landmarks_of(len(rows), MAX_ANSWERS)
        X = self.points[rows] * self.scale
        X = np.concatenate((X, np.ones((len(rows), 1), dtype=np.float32)), axis=1)
        fold = np.arange(len(used)) % FOLDS  # in turns: every fold has early and late answers
        weights = _fit(X[used], positions[used], n_classes, fold)
        without = softmax(X @ weights[FOLDS])
        for one in range(FOLDS):
            members = used[fold == one]
            without[members] = softmax(X[members] @ weights[one])
        whole = weights[FOLDS]
        shares = np.empty((len(self.points), n_classes), dtype=np.float32)
        for block in blocks(*self.points.shape):
            shares[block] = softmax(self.points[block] @ (whole[:-1] * self.scale) + whole[-1])
        return shares, without


def _fit(X: FloatArray, positions: IntArray, n_classes: int, fold: IndexArray) -> FloatArray:
    """Weights (FOLDS + 1, d, k): without each fold, then with all rows."""
    m, d = X.shape
    trained_on = np.ones((FOLDS + 1, m, 1), dtype=np.float32)
    trained_on[fold, np.arange(m)] = 0.0
    targets = np.zeros((m, n_classes), dtype=np.float32)
    targets[np.arange(m), positions] = 1.0
    # Boehning's bound without its -1/k, which couples the classes: one factor serves them all, and it still is a
    # bound
    bound = cho_factor(0.5 * (X.T @ X) + PENALTY * np.eye(d, dtype=np.float32))
    weights = np.zeros((FOLDS + 1, d, n_classes), dtype=np.float32)
    ahead, momentum = weights, 1.0
    for _ in range(STEPS):
        wide = np.concatenate(list(ahead), axis=1)
        shares = softmax((X @ wide).reshape(m, FOLDS + 1, n_classes).transpose(1, 0, 2).reshape(-1, n_classes))
        errors = (shares.reshape(FOLDS + 1, m, n_classes) - targets) * trained_on
        slope = X.T @ errors.transpose(1, 0, 2).reshape(m, -1) + PENALTY * wide
        step = cho_solve(bound, slope, check_finite=False).astype(np.float32)
        moved = (wide - step).reshape(d, FOLDS + 1, n_classes).transpose(1, 0, 2)
        following = (1.0 + np.sqrt(1.0 + 4.0 * momentum**2)) / 2.0
        ahead = moved + np.float32((momentum - 1.0) / following) * (moved - weights)
        weights, momentum = moved, following
    return weights
