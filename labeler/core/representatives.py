"""Whom to ask first: the instance nearest each cluster's center, in the order in which they cover the pool.

Clusterings of growing fineness are laid over each other: when the first ones are asked and classes still turn up,
the order goes on with finer clusters that hold no representative yet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labeler.core.clustering import kmeans
from labeler.core.protocols import Clustering
from labeler.core.vocabulary import FloatArray, IndexArray

FIRST_CLUSTERS = 20
GROWTH = 3
MAX_CLUSTERS = 600


@dataclass(frozen=True, slots=True)
class Level:
    """One clustering and its `representatives` (k,) in coverage order."""

    clustering: Clustering
    representatives: IndexArray

    @property
    def size(self) -> int:
        """How many clusters."""
        return len(self.representatives)


def levels(points: FloatArray, n_clusters: int | None = None, random_state: int = 0) -> list[Level]:
    """Clusterings of `points` (n, d), coarse to fine; with `n_clusters` the first has that many."""
    n = len(points)
    size = min(n_clusters if n_clusters else min(FIRST_CLUSTERS, max(n // 5, 2)), n)
    found: list[Level] = []
    while True:
        clustering = kmeans(points, size, random_state, n_init=3 if not found else 1)
        nearest = nearest_to_center(clustering)
        sizes = np.bincount(clustering.clusters, minlength=len(nearest))
        found.append(Level(clustering, nearest[coverage_order(points[nearest], sizes)]))
        if size >= min(MAX_CLUSTERS, max(n // 5, 2)):
            return found
        size = min(size * GROWTH, max(n // 5, 2), n)


def nearest_to_center(clustering: Clustering) -> IndexArray:
    """The instance nearest each center (k,); the first one where several are as near."""
    order = np.lexsort((clustering.distances, clustering.clusters))
    _, first = np.unique(clustering.clusters[order], return_index=True)
    return order[first].astype(np.int64)


def coverage_order(points: FloatArray, sizes: IndexArray) -> IndexArray:
    """Greedy facility location over `points` (k, d) weighted by `sizes` (k,): the order in which to open them.

    Nemhauser, Wolsey & Fisher (1978): each next one brings the rest of the weight nearest to an open one.
    """
    squared = np.square(points[:, None, :] - points[None, :, :]).sum(axis=2) if len(points) <= 128 else _squared(points)
    distances = np.sqrt(squared)
    nearest = np.full(len(points), float(distances.max(initial=0.0)) + 1e-9)
    left = np.ones(len(points), dtype=np.bool_)
    order = []
    for _ in range(len(points)):
        gain = (np.maximum(nearest[None, :] - distances, 0.0) * sizes[None, :]).sum(axis=1)
        gain[~left] = -1.0
        opened = int(gain.argmax())
        order.append(opened)
        left[opened] = False
        nearest = np.minimum(nearest, distances[opened])
    return np.array(order, dtype=np.int64)


def _squared(points: FloatArray) -> FloatArray:
    norms = np.square(points).sum(axis=1)
    squared = norms[:, None] + norms[None, :] - 2.0 * (points @ points.T)
    np.fill_diagonal(squared, 0.0)
    return np.asarray(np.maximum(squared, 0.0), dtype=np.float32)


def nested_order(found: list[Level]) -> IndexArray:
    """All representatives, coarse to fine; of a finer level only those whose cluster holds none so far."""
    order = list(found[0].representatives)
    for level in found[1:]:
        clusters = level.clustering.clusters
        taken = set(clusters[np.array(order, dtype=np.int64)].tolist())
        order.extend(index for index in level.representatives if int(clusters[index]) not in taken)
    return np.array(order, dtype=np.int64)
