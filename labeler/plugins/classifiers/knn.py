"""The nearest instances that have a label: their votes, and how far they reach."""

from __future__ import annotations

import faiss
import numpy as np
from numpy.typing import NDArray

from labeler.core.protocols import Clustering
from labeler.core.steps import blocks
from labeler.core.types import BoolArray, FloatArray, IndexArray, IntArray

LEAST = 5
"""Neighbours that vote where there are few labels: more would let the largest class win everywhere."""
OWN_SAY = 1e-3
"""What the nearest one's vote counts more, so that a tie is its own."""


class Knn:
    """Votes of the nearest labeled instances (Cover & Hart 1967); beyond the last of them there may be a cut.

    In ``--engine book`` it follows a clusterer that names core instances, and is the default there (Géron, ch. 9): it
    learns the labels of clusters from their core, the class is that of the nearest, and what lies beyond a cluster's
    own reach is of no class.

    Parameters
    ----------
    n_neighbors
        Who votes; fewer where there are few labels a class.
    max_distance
        How far the nearest may be; ``none`` = as far as a cluster reaches, or any.
    """

    def __init__(self, n_neighbors: int = 50, max_distance: float | None = None) -> None:
        if not isinstance(n_neighbors, int) or n_neighbors < 1:
            raise ValueError(f"n_neighbors is a whole number from 1 up, not {n_neighbors}")
        if max_distance is not None and (not isinstance(max_distance, (int, float)) or not max_distance > 0):
            raise ValueError(f"max_distance is a number above 0, or none, not {max_distance}")
        self.n_neighbors, self.max_distance = n_neighbors, max_distance
        self.classes_: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._followed: Clustering | None = None

    def follow(self, clustering: Clustering) -> None:
        """Look where `clustering` looked, and no farther from the core than it reaches; for every fit from here on."""
        self._followed = clustering

    def fit(self, X: FloatArray, y: IntArray, sample_weight: FloatArray | None = None) -> Knn:
        """Remember the labeled rows `X` (n, d), of class ids `y` (n,); one class alone is allowed."""
        self.classes_ = np.unique(y).astype(np.int64)
        self._positions = np.searchsorted(self.classes_, y)
        self._weights = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        points = self._seen(X)
        self._offset = points.mean(axis=0)  # squares are expanded: a common offset would cost digits
        self._points = np.ascontiguousarray(points - self._offset)
        # exact: among the few rows that have a label an approximate index would gain little
        self._index = faiss.IndexFlatL2(self._points.shape[1])
        self._index.add(self._points)
        # with more voters than a class has labels the largest class would always win
        few = max(len(y) // len(self.classes_), LEAST)
        self._voters = min(self.n_neighbors, few, len(y))
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Return the shares (n, k) of the neighbors' votes; where a clustering is followed, the nearest one decides."""
        proba = np.empty((len(X), len(self.classes_)), dtype=np.float32)
        for block in blocks(len(X), max(X.shape[1], len(self._points))):
            proba[block] = self._shares(self._nearest(self._seen(X[block]), self._voters))
        return proba

    def beyond(self, X: FloatArray) -> BoolArray:
        """Return which of `X` (n, d) are farther from all that was learned than a cluster reaches."""
        out = np.zeros(len(X), dtype=np.bool_)
        cut = self.max_distance or (self._followed.cut if self._followed is not None else np.inf)
        if not np.isfinite(cut):
            return out
        for block in blocks(len(X), max(X.shape[1], len(self._points))):
            points = self._seen(X[block])
            # computed anew: the distances of the index are expanded squares, which lose digits where they are small
            apart = points - self._offset - self._points[self._nearest(points, 1)[:, 0]]
            out[block] = np.sqrt(np.square(apart, dtype=np.float64).sum(axis=1)) > cut
        return out

    def _seen(self, X: FloatArray) -> FloatArray:
        """Return `X` as neighbours are looked for in it: as the clusterer looked."""
        axes = self._followed.sight if self._followed is not None else None
        return np.ascontiguousarray(X, dtype=np.float32) if axes is None else axes.project(X)

    def _nearest(self, points: FloatArray, many: int) -> IndexArray:
        """The positions (n, many) of the nearest that were learned, nearest first."""
        positions: IndexArray = self._index.search(np.ascontiguousarray(points - self._offset), many)[1]
        return positions

    def _shares(self, nearest: IndexArray) -> FloatArray:
        """Shares of the votes (n, k)."""
        n, k = len(nearest), len(self.classes_)
        cells = np.arange(n)[:, None] * k + self._positions[nearest]
        counts = np.bincount(cells.ravel(), self._weights[nearest].ravel(), n * k).reshape(n, k)
        # voters of no weight: no class is likelier than another
        counts[counts.sum(axis=1) <= 0] = 1.0
        votes = counts / counts.sum(axis=1, keepdims=True)
        # above 1 no majority outvotes the nearest one
        own = 1.0 + OWN_SAY if self._followed is not None else OWN_SAY
        votes[np.arange(n), self._positions[nearest[:, 0]]] += own
        return np.asarray(votes / (1.0 + own), dtype=np.float32)
