"""Distances for strategies that look at where candidates lie."""

from __future__ import annotations

import numpy as np

from labeler.core import steps
from labeler.core.numeric.pca import principal_axes
from labeler.core.types import BoolArray, FloatArray, IndexArray

N_COMPONENTS = 50


def drawn(candidates: BoolArray, most: int, rng: np.random.Generator) -> IndexArray:
    """The candidates (c,), or `most` of them drawn by `rng` where there are more; in pool order."""
    indices = np.flatnonzero(candidates).astype(np.int64)
    return indices if len(indices) <= most else np.sort(rng.choice(indices, most, replace=False))


def reduced(X: FloatArray, rows: IndexArray, n_components: int = N_COMPONENTS) -> FloatArray:
    """The leading principal components (r, m) of some rows of `X`: distances cost less, and differ little."""
    points = np.asarray(X[rows], dtype=np.float32)
    if points.shape[1] <= n_components or not len(points):
        return points - (points.mean(axis=0) if len(points) else 0)
    return steps.run(principal_axes(points, n_components)).project(points)


def to_each(points: FloatArray, row: int) -> FloatArray:
    """Squared Euclidean distance (n,) of each point to the one in `row`."""
    # the plain difference: expanded squares lose digits where points are close
    offset = points - points[row]
    return np.asarray(np.einsum("ij,ij->i", offset, offset), dtype=np.float32)
