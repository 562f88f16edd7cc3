"""The neighbors of clusters: the nearest instance outside of each, and how much every instance belongs to its own."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np

from labeler.core import steps
from labeler.core.protocols import Clustering
from labeler.core.types import FloatArray, IntArray, Progress

STEEPEST, HARD = 60.0, 1e30  # beyond them, in float32, belonging is a matter of yes or no


@dataclass(frozen=True, slots=True)
class ClusterNeighbors:
    """Neighbors: `foreign` (k,) int32 = for each cluster the instance of another one nearest to its center (-1
    where there is no other); `shares` (n,) float32 in [0, 1] = how much each instance belongs to its own cluster;
    `seconds` (n,) int32 = the cluster it belongs to most of the others (-1 = none)."""

    foreign: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    shares: FloatArray = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    seconds: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int32))


def cluster_neighbors(points: FloatArray, clustering: Clustering) -> ClusterNeighbors:
    """The result of :func:`neighbors_by_steps`, at once."""
    return steps.run(neighbors_by_steps(points, clustering))


def neighbors_by_steps(points: FloatArray, clustering: Clustering) -> Generator[Progress, None, ClusterNeighbors]:
    """Look around the clusters of `points` (n, d).

    Where the clusterer gave no soft scores of its own, they follow from the distances: an instance's similarity to a
    center is exp(-rate d^2), its share the similarity to its own over the sum of all (Géron, Hands-On Machine Learning,
    ch. 9: the distance, or a Gaussian RBF of it, is the soft score of k-means). The rate is that of a Gaussian whose
    squared distances have the mean and the variance of those found, mean / variance (Satterthwaite 1946): it knows that
    few of many dimensions count.
    """
    centers, clusters = clustering.centers, clustering.clusters
    n, k = len(points), len(centers)
    foreign = np.full(k, -1, dtype=np.int32)
    shares, seconds = np.ones(n, dtype=np.float32), np.full(n, -1, dtype=np.int32)
    if k < 2:
        return ClusterNeighbors(foreign, shares, seconds)
    rate = _rate(clustering.distances)
    offset = centers.mean(axis=0)
    shifted = centers - offset
    norms = np.square(shifted).sum(axis=1)
    nearest = np.full(k, np.inf, dtype=np.float32)
    done = 0
    for block in steps.blocks(n, k + points.shape[1]):
        chunk = np.asarray(points[block], dtype=np.float32) - offset
        apart = chunk @ shifted.T
        apart *= np.float32(-2.0)
        apart += np.square(chunk).sum(axis=1)[:, None]
        apart += norms
        rows, own = np.arange(len(chunk)), clusters[block]
        to_own = apart[rows, own]
        apart[rows, own] = np.inf
        closest = apart.argmin(axis=0)
        least = apart[closest, np.arange(k)]
        closer = least < nearest  # strictly: of equals the first instance stays, whatever the blocks
        nearest[closer], foreign[closer] = least[closer], block.start + closest[closer]
        seconds[block] = apart.argmin(axis=1)
        apart -= to_own[:, None]
        apart *= np.float32(-min(rate, HARD))
        np.clip(apart, -STEEPEST, STEEPEST, out=apart)
        shares[block] = 1.0 / (1.0 + np.exp(apart, out=apart).sum(axis=1))
        done += len(chunk) * centers.size
        if done > steps.WORK:
            done = 0
            yield Progress("looking around clusters")
    if len(clustering.shares):  # those of a mixture are its own, and exact
        shares = clustering.shares
    return ClusterNeighbors(foreign, shares, clustering.seconds if len(clustering.seconds) else seconds)


def shares_of_all(points: FloatArray, clustering: Clustering) -> FloatArray:
    """Return how much each of `points` (n, d) belongs to each cluster (n, k) float32; rows sum to 1.

    A mixture's own; else by the distances to the centers, as :func:`neighbors_by_steps` has it.
    """
    centers = clustering.centers
    out = np.ones((len(points), len(centers)), dtype=np.float32)
    rate = min(_rate(clustering.distances), HARD)
    for block in steps.blocks(len(points), len(centers) + points.shape[1]):
        rows = np.asarray(points[block], dtype=np.float32)
        if clustering.mixture is not None:
            out[block] = clustering.mixture.shares(rows)
            continue
        offset = centers.mean(axis=0)
        apart = np.square(rows - offset).sum(axis=1)[:, None] - 2.0 * (rows - offset) @ (centers - offset).T
        apart += np.square(centers - offset).sum(axis=1)
        apart -= apart.min(axis=1, keepdims=True)
        similar = np.exp(np.clip(-rate * apart.astype(np.float64), -STEEPEST, 0.0))
        out[block] = similar / similar.sum(axis=1, keepdims=True)
    return out


def _rate(distances: FloatArray) -> float:
    """The rate of a Gaussian whose squared distances have the mean and the variance of those found."""
    squares = np.square(distances, dtype=np.float64)
    # where all lie on their centers, or all as far from them, belonging is a matter of yes or no
    return float(squares.mean() / squares.var()) if squares.var() > 1e-12 * squares.mean() ** 2 > 0 else HARD
