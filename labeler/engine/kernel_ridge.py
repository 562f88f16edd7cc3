"""Kernel ridge regression in z with closed-form leave-one-out."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from scipy.linalg import cholesky, lapack

from labeler.core import steps
from labeler.core.numeric.kernels import gaussian
from labeler.core.types import FloatArray, IndexArray, IntArray

GAMMA = 1.5
"""Width of the kernel: exp(-GAMMA * d^2 / median d^2)."""
RIDGE = 0.05
MAX_LANDMARKS = 2_000  # their factor is one step of 0.1 s, in which no answer is served (benchmarks/engine_speed.md)
CHUNK = 1_024  # rows of the kernel at a time at least
CACHED = 3_000_000  # 12 MB
"""Numbers in the kernel columns that are kept between two answers."""


def median_distance(points: FloatArray, random_state: int = 0) -> float:
    """The median squared distance between two random rows (never 0)."""
    rng = np.random.default_rng(random_state)
    first, second = rng.integers(len(points), size=(2, 5_000))  # of all pairs a sample: they are n^2
    squared = np.square(points[first] - points[second], dtype=np.float64).sum(axis=1)
    positive = squared[squared > 0]  # a row drawn twice, or a duplicate, says nothing of the width
    return float(np.median(positive)) if len(positive) else 1.0


def as_shares(scores: FloatArray) -> FloatArray:
    """Regression scores (rows, k) clipped and scaled to rows of sum 1."""
    clipped = np.clip(scores, 1e-3, 1.0)  # least squares leave [0, 1], and a 0 would rule a class out in the product
    clipped /= clipped.sum(axis=1, keepdims=True)
    return np.asarray(clipped, dtype=np.float32)


class KernelRidge:
    """Least-squares kernel classifier: one-hot targets, K + RIDGE I. Suykens & Vandewalle (1999)."""

    def __init__(self, points: FloatArray, random_state: int = 0) -> None:
        self.points = points
        self.gamma = GAMMA / median_distance(points, random_state)
        # a row for every answer; only rows in use take memory
        self._columns = np.empty((CACHED // max(len(points), 1), len(points)), dtype=np.float32)
        self._columns_of = np.empty(0, dtype=np.int64)

    def fit_predict(
        self, rows: IndexArray, positions: IntArray, n_classes: int, *, fresh: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """Class shares of the pool (n, k) and, left out one by one, of `rows` (len(rows), k).

        `fresh` uses nothing kept from earlier calls.
        """
        return steps.run(self.by_steps(rows, positions, n_classes, fresh=fresh))

    def by_steps(
        self, rows: IndexArray, positions: IntArray, n_classes: int, *, fresh: bool = False
    ) -> Generator[None, None, tuple[FloatArray, FloatArray]]:
        """:meth:`fit_predict`, with signs of life."""
        landmarks = self.points[rows]
        targets = np.zeros((len(rows), n_classes), dtype=np.float64)
        targets[np.arange(len(rows)), positions] = 1.0
        kernel = gaussian(landmarks, landmarks, self.gamma).astype(np.float64)
        lower = cholesky(kernel + RIDGE * np.eye(len(rows)), lower=True, check_finite=False)
        yield
        root, _ = lapack.dtrtri(lower, lower=1)
        dual = root.T @ (root @ targets)
        without = targets - dual / np.square(root).sum(axis=0)[:, None]  # by the inverse's diagonal
        yield
        scores = yield from self._apply(rows, dual.astype(np.float32), fresh)
        return as_shares(scores), as_shares(without.astype(np.float32))

    def _apply(self, rows: IndexArray, dual: FloatArray, fresh: bool) -> Generator[None, None, FloatArray]:
        n = len(self.points)
        if not fresh and n * len(rows) <= CACHED:
            return self._kept(rows) @ dual
        scores = np.empty((n, dual.shape[1]), dtype=np.float32)
        step = steps.rows_at_once(len(rows) * self.points.shape[1], CHUNK, n)
        for start in range(0, n, CHUNK):
            block = self.points[start : start + CHUNK]
            scores[start : start + CHUNK] = gaussian(block, self.points[rows], self.gamma) @ dual
            if start // step != (start + CHUNK) // step:
                yield
        return scores

    def _kept(self, rows: IndexArray) -> FloatArray:
        """Kernel columns of `rows`, the ones of the last call kept."""
        known = len(self._columns_of)
        if known > len(rows) or not np.array_equal(self._columns_of, rows[:known]):
            known = 0
        if known < len(rows):
            for block in steps.blocks(*self.points.shape):
                new = gaussian(self.points[block], self.points[rows[known:]], self.gamma)
                self._columns[known : len(rows), block] = new.T
            self._columns_of = rows.copy()
        return self._columns[: len(rows)].T


def landmarks_of(n_answers: int, limit: int = MAX_LANDMARKS) -> IndexArray:
    """Return the answers (places in their order) a learner is fitted on: all, or `limit` spread evenly over them."""
    if n_answers <= limit:
        return np.arange(n_answers, dtype=np.int64)
    return np.unique(np.linspace(0, n_answers - 1, limit).round().astype(np.int64))
