"""Answers guessed from the nearest other ones: the cheapest left-out check there is, for a chain of any parts."""

from __future__ import annotations

import numpy as np

from labeler.core.types import FloatArray, IntArray

SMALLEST = 1e-12


def by_nearest(points: FloatArray, positions: IntArray) -> FloatArray:
    """Class shares (a, k) of answers at `points` (a, d), each by the nearest other answer of every class.

    `positions` (a,) are their classes; a class counts by one over the squared distance.
    """
    # around the middle squared norms are small, and little is lost where they are subtracted
    points = points.astype(np.float64) - points.mean(axis=0, dtype=np.float64)
    norms = np.square(points).sum(axis=1)
    squared = np.maximum(norms[:, None] + norms[None, :] - 2.0 * (points @ points.T), 0.0)
    np.fill_diagonal(squared, np.inf)  # nobody has a say in the guess of itself
    closest = np.full((len(points), int(positions.max(initial=0)) + 1), np.inf)
    for position in range(closest.shape[1]):
        members = positions == position
        if members.any():
            closest[:, position] = squared[:, members].min(axis=1)
    pull = 1.0 / np.maximum(closest, SMALLEST)
    return np.asarray(pull / np.maximum(pull.sum(axis=1, keepdims=True), SMALLEST), dtype=np.float32)
