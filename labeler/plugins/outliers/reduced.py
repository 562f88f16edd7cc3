"""The base of methods that look at a few principal components instead of all features.

Densities and covariances need many more rows than columns, and distances say little in hundreds of them. What the
components do not say of an instance is one column more, its length: noise has none of the components, so without it
noise would look as ordinary as can be.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import numpy as np

from labeler.core import steps
from labeler.core.numeric.pca import PrincipalAxes, principal_axes
from labeler.core.types import FloatArray

FEWEST = 5
"""With fewer rows, or with all alike, there is nothing to learn but their mean: what lies far from it is odd."""
# for what overflows: still finite in float32, and above every score of use
LARGEST = np.float32(1e30)


class Reduced:
    """Fits and scores on the leading components, scaled by one number; a method adds :meth:`_learn` and :meth:`_say`.

    Parameters
    ----------
    n_components
        Principal components looked at, at most.
    """

    def __init__(self, n_components: int) -> None:
        if n_components < 1:
            raise ValueError(f"n_components must be at least 1, not {n_components}")
        self.n_components = n_components
        self._axes: PrincipalAxes | None = None
        self._plain = False
        self._scale = np.float32(1.0)

    def _learn(self, Z: FloatArray, random_state: int) -> None:
        """Learn from columns `Z` (n, m + 1): n >= FEWEST rows, not all alike, of root mean square 1."""
        raise NotImplementedError

    def _say(self, Z: FloatArray) -> FloatArray:
        """Scores of such columns."""
        raise NotImplementedError

    def fit(self, X: FloatArray, random_state: int = 0) -> Self:
        """Learn what is usual from the rows `X` (n, d)."""
        self._axes = steps.run(principal_axes(X, self.n_components, random_state))
        self._scale = np.float32(1.0)
        # by a scale of 1 at first: from these columns the scale is made
        Z = self._columns(X)
        spread = float(np.sqrt(np.square(Z, dtype=np.float64).mean()))
        # a spread that is only the rounding of a large mean is none
        self._plain = len(X) < FEWEST or spread < 1e-6 * max(float(np.abs(self._axes.mean).max(initial=0.0)), 1e-24)
        self._scale = np.float32(1.0 / spread if spread else 1.0)
        if not self._plain:
            # here alone: score() asks for columns when the scale is known
            Z *= self._scale
            with quietly():
                self._learn(Z, random_state)
        return self

    def score(self, X: FloatArray) -> FloatArray:
        """Return how far outside rows (m, d) lie: (m,) float32, finite."""
        if self._axes is None:
            raise ValueError("fit comes before score")
        out = np.empty(len(X), dtype=np.float32)
        for rows in steps.blocks(*X.shape):
            Z = self._columns(X[rows])
            with quietly():
                out[rows] = bounded(np.linalg.norm(Z, axis=1) if self._plain else self._say(Z))
        return out

    def _columns(self, X: FloatArray) -> FloatArray:
        """Components of `X` (n, d), scaled, and the length of what they leave out: (n, m + 1)."""
        assert self._axes is not None  # noqa: S101 - both callers fitted it
        out = np.empty((len(X), self._axes.axes.shape[1] + 1), dtype=np.float32)
        for rows in steps.blocks(*X.shape):
            centered = np.asarray(X[rows], dtype=np.float32) - self._axes.mean
            out[rows, :-1] = centered @ self._axes.axes
            out[rows, -1] = np.linalg.norm(centered - out[rows, :-1] @ self._axes.axes.T, axis=1)
        out *= self._scale
        return out

    def anomalies(self, X: FloatArray, random_state: int = 0) -> FloatArray:
        """Return how odd each row of `X` (n, d) is among the others: (n,) float32, finite."""
        return self.fit(X, random_state).score(X)


def bounded(scores: FloatArray) -> FloatArray:
    """Scores as float32, what overflowed brought back to finite numbers."""
    finite = np.nan_to_num(np.asarray(scores, dtype=np.float64), nan=0.0, posinf=float(LARGEST), neginf=-float(LARGEST))
    return np.clip(finite, -LARGEST, LARGEST).astype(np.float32)


@contextmanager
def quietly() -> Iterator[None]:
    """Without the warnings of a library about pools that are odd as a whole: they would land on the screen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
