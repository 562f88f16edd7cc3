"""Reconstruction error: odd is what the main directions of the pool cannot say."""

from __future__ import annotations

import numpy as np

from labeler.core import steps
from labeler.core.numeric.pca import PrincipalAxes, principal_axes
from labeler.core.types import FloatArray
from labeler.plugins.outliers.reduced import bounded


class Pca:
    """Distance between an instance and what is left of it on the leading principal components.

    Parameters
    ----------
    n_components
        Components kept, at most, and always fewer than there are columns.
    variance
        As few of them as hold this share of the variance, above 0 and at most 1.
    """

    def __init__(self, n_components: int = 100, variance: float = 0.9) -> None:
        if n_components < 1:
            raise ValueError(f"n_components must be at least 1, not {n_components}")
        if not 0.0 < variance <= 1.0:
            raise ValueError(f"variance is a share above 0 and at most 1, not {variance}")
        self.n_components, self.variance = n_components, float(variance)
        self._axes: PrincipalAxes | None = None

    def fit(self, X: FloatArray, random_state: int = 0) -> Pca:
        """Learn what is usual from the rows `X` (n, d)."""
        width = X.shape[1]
        axes = steps.run(principal_axes(X, min(self.n_components, max(width - 1, 1)), random_state))
        total, held = 0.0, np.zeros(axes.axes.shape[1])
        for rows in steps.blocks(*X.shape):
            centered = np.asarray(X[rows], dtype=np.float64) - axes.mean
            total += float(np.square(centered).sum())
            held += np.square(centered @ axes.axes).sum(axis=0)
        # a table of few columns has those for axes, in no order of variance
        order = np.argsort(-held, kind="stable")
        enough = int(np.searchsorted(np.cumsum(held[order]), self.variance * total)) + 1
        # one fewer than columns: on all of them nothing would be left to tell what is odd
        n_axes = min(enough, len(order), max(width - 1, 0), max(len(X) - 1, 0))
        self._axes = PrincipalAxes(axes.mean, np.ascontiguousarray(axes.axes[:, order[:n_axes]]))
        return self

    def score(self, X: FloatArray) -> FloatArray:
        """Return how far outside rows (m, d) lie: (m,) float32, finite."""
        if self._axes is None:
            raise ValueError("fit comes before score")
        out = np.empty(len(X), dtype=np.float32)
        for rows in steps.blocks(*X.shape):
            centered = np.asarray(X[rows], dtype=np.float32) - self._axes.mean
            rest = centered - (centered @ self._axes.axes) @ self._axes.axes.T
            out[rows] = bounded(np.linalg.norm(rest, axis=1))
        return out

    def anomalies(self, X: FloatArray, random_state: int = 0) -> FloatArray:
        """Return how odd each row of `X` (n, d) is among the others: (n,) float32, finite."""
        return self.fit(X, random_state).score(X)
