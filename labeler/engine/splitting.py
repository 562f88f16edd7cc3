"""The clustering in force: a level with the clusters a person divided, and what lies around them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import numpy as np

from labeler.core import steps
from labeler.core.numeric.kmeans import kmeans
from labeler.core.protocols import Clustering
from labeler.core.types import FloatArray, IndexArray, Progress
from labeler.engine.cluster_neighbors import ClusterNeighbors, neighbors_by_steps
from labeler.engine.representatives import Level


class Partition:
    """Divides levels of `points` (n, d) and looks outside clusters; remembers the latest of both."""

    def __init__(self, points: FloatArray, random_state: int = 0) -> None:
        self._points, self._random_state = points, random_state
        self._divided: tuple[Level, bytes, Level] | None = None
        self._around: tuple[Level, ClusterNeighbors] | None = None

    def divided(self, level: Level, splits: IndexArray) -> Level:
        """`level` after the `splits` (representatives, in order)."""
        if not len(splits):
            return level
        known = self._divided
        if known is None or known[0] is not level or known[1] != splits.tobytes():
            divided = level
            for representative in splits.tolist():
                divided = divide(divided, self._points, representative, self._random_state)
            known = self._divided = level, splits.tobytes(), divided
        return known[2]

    def around(self, level: Level) -> ClusterNeighbors:
        """Return what lies around the clusters of a level."""
        return steps.run(self.around_by_steps(level))

    def around_by_steps(self, level: Level) -> Generator[Progress, None, ClusterNeighbors]:
        """:meth:`around`, with signs of life."""
        known = self._around
        if known is None or known[0] is not level:
            known = self._around = level, (yield from neighbors_by_steps(self._points, level.clustering))
        return known[1]


def divide(level: Level, points: FloatArray, representative: int, random_state: int = 0) -> Level:
    """`level` with the cluster of `representative` divided in two, its parts in that one's place.

    By k-means; a cluster of a hierarchy by taking its last merge back.

    Where it represents no cluster of this level (a finer one has divided that group already), or the cluster's
    instances are all alike, nothing changes.
    """
    where = np.flatnonzero(level.representatives == representative)
    if not len(where):
        return level
    old, k = level.clustering, level.size
    cluster = int(old.clusters[representative])
    members = np.flatnonzero(old.clusters == cluster)
    rows = np.asarray(points[members], dtype=np.float32)
    halves = _unmerged(old.tree, members, rows) if len(old.tree) else kmeans(rows, 2, random_state, n_init=10)
    if len(halves.centers) < 2:
        return level
    clusters, distances = old.clusters.copy(), old.distances.copy()
    clusters[members[halves.clusters == 1]] = k
    distances[members] = halves.distances
    # the first half keeps the cluster's number: all other clusters stay what they are called
    centers = np.concatenate((old.centers, halves.centers[1:]))
    centers[cluster] = halves.centers[0]
    inertia = old.inertia + halves.inertia - float(np.square(old.distances[members], dtype=np.float64).sum())
    order = np.lexsort((halves.distances, halves.clusters))
    _, first = np.unique(halves.clusters[order], return_index=True)
    both = members[order[first]][np.argsort(-np.bincount(halves.clusters), kind="stable")]  # the larger part first
    place = int(where[0])
    return Level(
        replace(old, clusters=clusters, distances=distances, centers=centers, inertia=inertia),
        np.concatenate((level.representatives[:place], both, level.representatives[place + 1 :])).astype(np.int64),
        np.concatenate((both, level.parts[level.parts != representative])).astype(np.int64),
    )


def _unmerged(tree: IndexArray, members: IndexArray, rows: FloatArray) -> Clustering:
    """The two groups that were merged last into the cluster of `members` (m,), by the features of its `rows` (m, d)."""
    inside = set(members.tolist())
    n, top = len(tree) + 1, int(members[0])
    for number, (left, right) in enumerate(tree.tolist()):
        if top in (left, right):
            other = right if top == left else left
            # merges only grow: the first from outside is beyond the cluster
            if not inside.issuperset(_leaves(tree, other)):
                break
            top = n + number
    labels = np.zeros(len(members), dtype=np.int32)
    if top >= n:
        labels[np.isin(members, _leaves(tree, int(tree[top - n, 1])))] = 1
    centers = np.stack([rows[labels == half].mean(axis=0) for half in np.unique(labels)])
    distances = np.sqrt(np.square(rows - centers[labels]).sum(axis=1)).astype(np.float32)
    return Clustering(labels, distances, centers, float(np.square(distances, dtype=np.float64).sum()))


def _leaves(tree: IndexArray, node: int) -> list[int]:
    """The instances below a node of a tree of merges."""
    n, leaves, open_ = len(tree) + 1, [], [node]
    while open_:
        at = open_.pop()
        if at < n:
            leaves.append(at)
        else:
            open_.extend(int(child) for child in tree[at - n])
    return leaves
