"""The protocol of an outlier method."""

from __future__ import annotations

from typing import Protocol

from labeler.core.types import FloatArray


class OutlierMethod(Protocol):
    """Features -> how odd each instance is: higher = odder, the unit is the method's own.

    Two questions, one method: *anomalies*, the odd ones of a pool as it is, and *novelty*, what lies outside of a pool
    known to be in order. Any finite features are taken, be it one row, or all alike.
    """

    def fit(self, X: FloatArray, random_state: int = 0) -> OutlierMethod:
        """Learn what is usual from `X` (n, d), n >= 1; the same `random_state` gives the same scores."""
        ...

    def score(self, X: FloatArray) -> FloatArray:
        """Return how far outside rows (m, d) that were not learned from lie: (m,) float32, finite."""
        ...

    def anomalies(self, X: FloatArray, random_state: int = 0) -> FloatArray:
        """Return how odd each row of `X` (n, d) is among the others: (n,) float32, finite. Fits on `X`."""
        ...
