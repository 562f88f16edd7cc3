"""ProbCover: ask what has most neighbors that no answer covers."""

from __future__ import annotations

import numpy as np

from labeler.core.numeric.kmeans import kmeans
from labeler.core.protocols import PoolView
from labeler.core.steps import blocks
from labeler.core.types import BoolArray, FloatArray, IndexArray, IntArray
from labeler.plugins.query_strategies.distances import drawn, reduced

MOST = 3_000
"""Candidates looked at, at most: every pair of them is."""
FEWEST_CLUSTERS = 10
TRIED = 12


class ProbCover:
    """The candidate whose ball covers most that no answer's ball covers, again and again.

    Yehuda, Dekel, Hacohen & Weinshall, "Active learning through a covering lens", NeurIPS 2022. The radius is the
    largest at which a ball is pure: at least the share `purity` of the balls hold one cluster of k-means alone, with as
    many clusters as there are classes by now, at least ten.

    Parameters
    ----------
    purity
        Share of the balls that must be pure, above 0 and below 1 (the paper's alpha).
    most
        Candidates looked at, at most; drawn at random where there are more.
    """

    from_the_start = True

    def __init__(self, purity: float = 0.95, most: int = MOST) -> None:
        if not 0.0 < purity < 1.0:
            raise ValueError(f"purity is a share above 0 and below 1, not {purity}")
        if most < 1:
            raise ValueError(f"most must be at least 1, not {most}")
        self.purity, self.most = float(purity), most

    def rank(self, pool: PoolView, size: int, rng: np.random.Generator) -> IndexArray:
        """Choose at most `size` candidates, each with the most neighbors that no answer covers."""
        rows = drawn(pool.candidates, self.most, rng)
        if not len(rows):
            return rows
        points = reduced(pool.X, np.concatenate((rows, pool.answered)))
        squared = _pairs(points[: len(rows)])
        n_clusters = min(max(pool.proba.shape[1], FEWEST_CLUSTERS), len(rows))
        # k-means takes a seed: drawn, so that every ranking has its own
        own = kmeans(points[: len(rows)], n_clusters, int(rng.integers(2**31)), n_init=1).clusters
        near = squared <= self._radius(squared, own)
        covered = np.zeros(len(rows), dtype=np.bool_)
        radius = float(np.sqrt(squared[near].max(initial=0.0)))
        for block in blocks(len(pool.answered), len(rows)):
            here = points[len(rows) :][block]
            covered |= (_between(here, points[: len(rows)]) <= radius**2).any(axis=0)
        return rows[_greedy(near, covered, size)]

    def _radius(self, squared: FloatArray, own: IntArray) -> float:
        """The largest of TRIED squared radii whose balls are pure enough; else the least."""
        other = own[:, None] != own[None, :]
        strangers = np.where(other, squared, np.inf).min(axis=1)  # a ball is pure up to its nearest stranger
        radii = np.quantile(squared, np.linspace(0.001, 0.2, TRIED))
        pure = [float(radius) for radius in radii if (strangers > radius).mean() >= self.purity]
        return max(pure, default=float(radii[0]))


def _pairs(points: FloatArray) -> FloatArray:
    return _between(points, points)


def _between(rows: FloatArray, columns: FloatArray) -> FloatArray:
    """Squared distances (r, c) between two sets of points."""
    lengths = np.einsum("ij,ij->i", rows, rows)[:, None] + np.einsum("ij,ij->i", columns, columns)
    # expanded squares of equal points may come out a little below 0
    return np.asarray(np.maximum(lengths - 2.0 * (rows @ columns.T), 0.0), dtype=np.float32)


def _greedy(near: BoolArray, covered: BoolArray, size: int) -> IndexArray:
    """Places in the order in which they cover most that is not covered yet."""
    gains = (near & ~covered).sum(axis=1)
    chosen: list[int] = []
    for _ in range(min(size, len(near))):
        place = int(gains.argmax())
        chosen.append(place)
        new = np.flatnonzero(near[place] & ~covered)
        covered[new] = True
        gains = gains - near[:, new].sum(axis=1)
        # never twice, not even when nothing is left to gain
        gains[chosen] = -1
    return np.array(chosen, dtype=np.int64)
