"""TypiClust: with few answers ask what is typical, one of each cluster."""

from __future__ import annotations

import faiss
import numpy as np

from labeler.core.numeric.kmeans import kmeans
from labeler.core.protocols import PoolView
from labeler.core.types import FloatArray, IndexArray
from labeler.plugins.query_strategies.distances import drawn, reduced

MOST = 10_000
MOST_CLUSTERS = 500
LEAST_MEMBERS = 5
"""Clusters smaller than this come last, as in the paper: what is alone is typical of nothing."""


class TypiClust:
    """The most typical instance of the largest cluster that holds fewest answers, again and again.

    Hacohen, Dekel & Weinshall, "Active learning on a budget: opposite strategies suit high and low budgets", ICML 2022.
    k-means into as many clusters as there are answers and questions to come, at most 500; typical is what lies near to
    its nearest neighbors in its own cluster.

    Parameters
    ----------
    n_neighbors
        Neighbors that say how typical an instance is.
    batch
        Questions that the clusters are counted for.
    most
        Candidates looked at, at most; drawn at random where there are more.
    """

    from_the_start = True

    def __init__(self, n_neighbors: int = 20, batch: int = 10, most: int = MOST) -> None:
        for name, value in (("n_neighbors", n_neighbors), ("batch", batch), ("most", most)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        self.n_neighbors, self.batch, self.most = n_neighbors, batch, most

    def rank(self, pool: PoolView, size: int, rng: np.random.Generator) -> IndexArray:
        """Choose at most `size` candidates, typical of the clusters asked least."""
        rows = drawn(pool.candidates, self.most, rng)
        if not len(rows):
            return rows
        points = reduced(pool.X, np.concatenate((rows, pool.answered)))
        n_clusters = min(len(pool.answered) + min(self.batch, size), MOST_CLUSTERS, len(points))
        # k-means takes a seed: drawn, so that every ranking has its own
        clusters = kmeans(points, n_clusters, int(rng.integers(2**31)), n_init=1).clusters
        own, asked = clusters[: len(rows)], np.bincount(clusters[len(rows) :], minlength=n_clusters)
        groups = [np.flatnonzero(own == cluster) for cluster in range(n_clusters)]
        sizes = np.bincount(clusters, minlength=n_clusters)
        ordered = [group[np.argsort(-self._typical(points[group]), kind="stable")] for group in groups]
        # compared from the left: small clusters last, then those with the fewest answers, then the largest
        turns = [
            (sizes[cluster] < LEAST_MEMBERS, asked[cluster] + turn, -sizes[cluster], cluster, int(place))
            for cluster, group in enumerate(ordered)
            for turn, place in enumerate(group[:size])
        ]
        return rows[[place for *_, place in sorted(turns)[:size]]]

    def _typical(self, points: FloatArray) -> FloatArray:
        """Return how typical each of a cluster's points (m, d) is: 1 / the mean distance to its neighbors there."""
        # one more, as each is its own nearest
        k = min(self.n_neighbors + 1, len(points))
        if k < 2:
            return np.zeros(len(points), dtype=np.float32)
        index = faiss.IndexFlatL2(points.shape[1])
        index.add(np.ascontiguousarray(points))
        squared, _ = index.search(np.ascontiguousarray(points), k)
        distances = np.sqrt(np.maximum(squared, 0.0)).sum(axis=1) / (k - 1)  # itself lies at 0
        return np.asarray(1.0 / (distances + 1e-9), dtype=np.float32)
