"""The clustering in force: a level with the clusters a person divided, and what lies just outside each of them."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from labeler.core.clustering import kmeans
from labeler.core.protocols import Clustering
from labeler.core.representatives import Level
from labeler.core.steps import WORK, blocks, finished
from labeler.core.vocabulary import FloatArray, IndexArray, IntArray, Progress


class Partition:
    """Divides levels of `points` (n, d) and looks outside clusters; remembers the latest of both."""

    def __init__(self, points: FloatArray, random_state: int = 0) -> None:
        self._points, self._random_state = points, random_state
        self._divided: tuple[Level, bytes, Level] | None = None
        self._outside: tuple[Level, IntArray] | None = None

    def divided(self, level: Level, splits: IndexArray) -> Level:
        """`level` after the `splits` (representatives, in order)."""
        if not len(splits):
            return level
        known = self._divided
        if known is None or known[0] is not level or known[1] != splits.tobytes():
            found = level
            for representative in splits.tolist():
                found = divide(found, self._points, representative, self._random_state)
            known = self._divided = level, splits.tobytes(), found
        return known[2]

    def foreign(self, level: Level) -> IntArray:
        """See :func:`foreign`."""
        return finished(self.foreign_by_steps(level))

    def foreign_by_steps(self, level: Level) -> Generator[Progress, None, IntArray]:
        """:meth:`foreign`, with signs of life."""
        known = self._outside
        if known is None or known[0] is not level:
            known = self._outside = level, (yield from _foreign(self._points, level.clustering))
        return known[1]


def divide(level: Level, points: FloatArray, representative: int, random_state: int = 0) -> Level:
    """`level` with the cluster of `representative` divided in two by k-means, its parts in that one's place.

    Where it represents no cluster of this level (a finer one has divided that group already), or the cluster's
    instances are all alike, nothing changes.
    """
    where = np.flatnonzero(level.representatives == representative)
    if not len(where):
        return level
    old, k = level.clustering, level.size
    cluster = int(old.clusters[representative])
    members = np.flatnonzero(old.clusters == cluster)
    halves = kmeans(np.asarray(points[members], dtype=np.float32), 2, random_state, n_init=10)
    if len(halves.centers) < 2:
        return level
    clusters, distances = old.clusters.copy(), old.distances.copy()
    clusters[members[halves.clusters == 1]] = k
    distances[members] = halves.distances
    centers = np.concatenate((old.centers, halves.centers[1:]))
    centers[cluster] = halves.centers[0]
    inertia = old.inertia + halves.inertia - float(np.square(old.distances[members], dtype=np.float64).sum())
    order = np.lexsort((halves.distances, halves.clusters))
    _, first = np.unique(halves.clusters[order], return_index=True)
    both = members[order[first]][np.argsort(-np.bincount(halves.clusters), kind="stable")]  # the larger part first
    place = int(where[0])
    return Level(
        Clustering(clusters, distances, centers, inertia),
        np.concatenate((level.representatives[:place], both, level.representatives[place + 1 :])).astype(np.int64),
        np.concatenate((both, level.parts[level.parts != representative])).astype(np.int64),
    )


def foreign(points: FloatArray, clustering: Clustering) -> IntArray:
    """For each cluster (k,) the instance of another one nearest to its center; -1 where there is no other."""
    return finished(_foreign(points, clustering))


def _foreign(points: FloatArray, clustering: Clustering) -> Generator[Progress, None, IntArray]:
    centers, clusters = clustering.centers, clustering.clusters
    found = np.full(len(centers), -1, dtype=np.int32)
    if len(centers) < 2:
        return found
    offset = centers.mean(axis=0)
    shifted = centers - offset
    nearest = np.full(len(centers), np.inf, dtype=np.float32)
    done = 0
    for block in blocks(len(points), len(centers) + points.shape[1]):
        chunk = np.asarray(points[block], dtype=np.float32) - offset
        # squared distances but for the norm of the center, which is the same for all instances
        apart = chunk @ shifted.T
        apart *= np.float32(-2.0)
        apart += np.square(chunk).sum(axis=1)[:, None]
        apart[np.arange(len(chunk)), clusters[block]] = np.inf
        rows = apart.argmin(axis=0)
        least = apart[rows, np.arange(len(centers))]
        closer = least < nearest
        nearest[closer], found[closer] = least[closer], block.start + rows[closer]
        done += len(chunk) * centers.size
        if done > WORK:
            done = 0
            yield Progress("looking around clusters")
    return found
