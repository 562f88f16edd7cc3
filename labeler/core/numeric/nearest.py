"""More like this: the nearest instances of one, in whatever space an engine thinks in."""

from __future__ import annotations

import numpy as np

from labeler.core.steps import blocks
from labeler.core.types import BoolArray, FloatArray, IndexArray

CHUNK = 8192


def squared_distances(rows: FloatArray, index: int) -> FloatArray:
    """Squared Euclidean distances (n,) of all `rows` (n, d), maybe memory-mapped, to row `index`."""
    return squared_distances_to(rows, np.asarray(rows[index], dtype=np.float32))


def squared_distances_to(rows: FloatArray, here: FloatArray) -> FloatArray:
    """Squared Euclidean distances (n,) of all `rows` (n, d), maybe memory-mapped, to a point (d,)."""
    parts = [np.asarray(rows[start : start + CHUNK]) - here for start in range(0, len(rows), CHUNK)]
    return np.concatenate([np.einsum("ij,ij->i", part, part) for part in parts])


def nearest_of(rows: FloatArray, targets: FloatArray, middle: FloatArray | None = None) -> FloatArray:
    """Squared Euclidean distance (n,) of each of `rows` (n, d), maybe memory-mapped, to its nearest target (t, d).

    Infinite where there is none. `middle` (d,): what both are taken relative to, so that large numbers cancel.
    """
    least = np.full(len(rows), np.inf, dtype=np.float32)
    if not len(targets):
        return least
    offset = np.float32(0.0) if middle is None else middle
    targets = np.asarray(targets, dtype=np.float32) - offset
    lengths = np.einsum("ij,ij->i", targets, targets)
    for block in blocks(len(rows), max(len(targets), rows.shape[1])):
        here = np.asarray(rows[block], dtype=np.float32) - offset
        squared = lengths - 2.0 * (here @ targets.T)
        least[block] = squared.min(axis=1) + np.einsum("ij,ij->i", here, here)
    return np.maximum(least, 0.0)  # rounding leaves a little below 0 where they are equal


def nearest(rows: FloatArray, index: int, candidates: BoolArray, size: int) -> IndexArray:
    """Return at most `size` of the `candidates` (n,), nearest to row `index` first; of equals the first in the pool."""
    chosen = np.flatnonzero(candidates)
    distances = squared_distances(rows, index)[chosen]
    if len(chosen) > size > 0:
        bound = np.partition(distances, size - 1)[size - 1]
        close = distances <= bound  # with all that tie for the last place: which one gets it must not hang on chance
        chosen, distances = chosen[close], distances[close]
    return chosen[np.argsort(distances, kind="stable")][:size].astype(np.int64)


def nearest_target(rows: FloatArray, targets: FloatArray) -> IndexArray:
    """Return for each row (n, d) the position of its nearest target (m, d), by Euclidean distance: (n,) int64."""
    if len(targets) == 1:
        return np.zeros(len(rows), dtype=np.int64)
    offset = targets.mean(axis=0)
    rows, targets = rows - offset, targets - offset
    # |row|^2 is left out: it is the same for every target
    return np.asarray((np.square(targets).sum(axis=1) - 2.0 * (rows @ targets.T)).argmin(axis=1), dtype=np.int64)
