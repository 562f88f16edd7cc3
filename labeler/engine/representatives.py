"""Representatives, asked first: the instance nearest each cluster's center, in the order in which they cover the pool.

Clusterings of growing fineness are laid over each other: when the first ones are asked and classes still turn up,
the order goes on with finer clusters that hold no representative yet.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np

from labeler.core.numeric.kmeans import assign, kmeans_by_steps
from labeler.core.protocols import Clustering
from labeler.core.steps import blocks
from labeler.core.types import BoolArray, FloatArray, IndexArray, IntArray, Progress

FIRST_CLUSTERS = 20  # so few that the first answers come from all over the pool
GROWTH = 3  # each finer clustering has three times as many
MAX_CLUSTERS = 540  # three times finer thrice: 20, 60, 180, 540


@dataclass(frozen=True, slots=True)
class Level:
    """One clustering and its `representatives` (k,) in coverage order.

    `parts`: those of clusters that a person divided, the latest first (:mod:`labeler.engine.splitting`).
    """

    clustering: Clustering
    representatives: IndexArray
    parts: IndexArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def size(self) -> int:
        """The number of clusters."""
        return len(self.representatives)


def first_level(
    points: FloatArray, n_clusters: int | None = None, random_state: int = 0
) -> Generator[Progress, None, Level]:
    """Yield signs of life; return the coarsest clustering of `points` (n, d), None = as many as suit the pool."""
    n = len(points)
    # in pools below a hundred five instances a cluster, or hardly anything would be left to spread to
    size = n_clusters if n_clusters else min(FIRST_CLUSTERS, max(n // 5, 2))
    # all first questions rest on it: ten runs
    return (yield from _level(points, min(size, n), random_state, n_init=10))


@dataclass(frozen=True, slots=True)
class Given:
    """A clustering from elsewhere: `clusters` (n,), -1 = not known, and the `nearest` (k,) to each of its centroids."""

    clusters: IntArray
    nearest: IndexArray


def given_level(points: FloatArray, given: Given) -> Level:
    """Return a clustering from elsewhere as the coarsest one of `points` (n, d).

    Centers and distances are those of its clusters in these points, whatever space it was found in.
    """
    own = given.clusters[given.nearest]
    centers = np.stack([points[given.clusters == cluster].mean(axis=0) for cluster in own])
    clusters = np.full(len(points), -1, dtype=np.int32)
    distances = np.empty(len(points), dtype=np.float32)
    positions = np.full(int(given.clusters.max(initial=0)) + 1, -1, dtype=np.int32)
    positions[own] = np.arange(len(own))
    known = given.clusters >= 0
    clusters[known] = positions[given.clusters[known]]
    unknown = np.flatnonzero(clusters < 0)
    if len(unknown):
        clusters[unknown], _ = assign(points[unknown], centers)
    for rows in blocks(*points.shape):
        distances[rows] = np.sqrt(np.square(points[rows] - centers[clusters[rows]]).sum(axis=1))
    sizes = np.bincount(clusters, minlength=len(own))
    order = coverage_order(np.asarray(points[given.nearest]), sizes)
    return Level(Clustering(clusters, distances, centers), given.nearest[order])


def given_levels(points: FloatArray, given: Given) -> list[Level]:
    """Return a clustering from elsewhere, and before it, where its clusters are many, a coarser one of the same.

    Labels spread once the coarsest is asked through: of 50 clusters that took digits 50 answers in place of 20. Those
    that cover the points best stay, and each other one joins the nearest of them.
    """
    level = given_level(points, given)
    if level.size <= FIRST_CLUSTERS:
        return [level]
    first, clusters = level.representatives[:FIRST_CLUSTERS], level.clustering.clusters
    joined, _ = assign(level.clustering.centers, level.clustering.centers[clusters[first]])
    return [given_level(points, Given(joined[clusters], first)), level]


def finer_levels(points: FloatArray, first: Level, random_state: int = 0) -> Generator[Progress, None, list[Level]]:
    """Yield signs of life; return clusterings finer than `first`, each GROWTH times as fine as the one before."""
    n = len(points)
    most = min(MAX_CLUSTERS, max(n // 5, 2))
    levels: list[Level] = []
    size = first.size * GROWTH
    while size < most * GROWTH and first.size < most:
        # these only continue an order: one run
        levels.append((yield from _level(points, min(size, most), random_state, n_init=1)))
        size *= GROWTH
    return levels


def _level(points: FloatArray, size: int, random_state: int, n_init: int) -> Generator[Progress, None, Level]:
    clustering = yield from kmeans_by_steps(points, size, random_state, n_init=n_init)
    nearest = nearest_to_center(clustering)
    sizes = np.bincount(clustering.clusters, minlength=len(nearest))
    return Level(clustering, nearest[coverage_order(points[nearest], sizes)])


def nearest_to_center(clustering: Clustering) -> IndexArray:
    """The instance nearest each center (k,); the first one where several are as near."""
    order = np.lexsort((clustering.distances, clustering.clusters))
    _, first = np.unique(clustering.clusters[order], return_index=True)
    return order[first].astype(np.int64)


def coverage_order(points: FloatArray, sizes: IndexArray) -> IndexArray:
    """Greedy facility location over `points` (k, d) weighted by `sizes` (k,): the order in which to open them.

    Nemhauser, Wolsey & Fisher (1978): each next one brings the rest of the weight nearest to an open one.
    """
    norms = np.square(points).sum(axis=1)
    squared = norms[:, None] + norms[None, :] - 2.0 * (points @ points.T)
    np.fill_diagonal(squared, 0.0)
    distances = np.sqrt(np.maximum(squared, 0.0)).astype(np.float32)
    weights = sizes.astype(np.float32)
    # beyond any distance: the first to open gains from every point
    nearest = np.full(len(points), float(distances.max(initial=0.0)) * 1.001 + 1e-9, dtype=np.float32)
    bounds = (nearest - distances) @ weights
    order: list[int] = []
    while len(order) < len(points):  # gains only shrink: look again at the best bound until it stays the best
        opened = int(bounds.argmax())
        gain = float(np.maximum(nearest - distances[opened], 0.0) @ weights)
        bounds[opened] = -np.inf
        if gain >= bounds.max(initial=-np.inf):
            order.append(opened)
            nearest = np.minimum(nearest, distances[opened])
        else:
            bounds[opened] = gain
    return np.array(order, dtype=np.int64)


def nested_order(levels: list[Level]) -> IndexArray:
    """All representatives, coarse to fine; of a finer level only those whose cluster holds none so far."""
    order = list(levels[0].representatives)
    for level in levels[1:]:
        clusters = level.clustering.clusters
        taken = set(clusters[np.array(order, dtype=np.int64)].tolist())
        order.extend(index for index in level.representatives if int(clusters[index]) not in taken)
    return np.array(order, dtype=np.int64)


def unguarded(level: Level, answered: IndexArray, candidates: BoolArray) -> IndexArray:
    """Return for each cluster with one answer alone, largest first, the candidate nearest its center.

    One wrong answer on a large cluster costs more than any other: a second one in the same place would show it.
    """
    clusters = level.clustering.clusters
    sizes = np.bincount(clusters, minlength=level.size)
    alone = np.bincount(clusters[answered], minlength=level.size) == 1
    rows = np.flatnonzero(candidates & alone[clusters])
    distances, of = level.clustering.distances[rows], clusters[rows]
    least = np.full(level.size, np.inf, dtype=np.float32)
    np.minimum.at(least, of, distances)
    rows = rows[distances == least[of]]
    guarded_once, first = np.unique(clusters[rows], return_index=True)
    return np.asarray(rows[first][np.argsort(-sizes[guarded_once], kind="stable")], dtype=np.int64)
