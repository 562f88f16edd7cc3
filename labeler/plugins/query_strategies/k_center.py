"""k-center: cover the pool with as small balls as can be."""

from __future__ import annotations

import numpy as np

from labeler.core.numeric.nearest import nearest_of
from labeler.core.protocols import PoolView
from labeler.core.types import IndexArray
from labeler.plugins.query_strategies.distances import drawn, reduced, to_each

MOST = 10_000


class KCenter:
    """The candidate farthest from all that were asked, again and again (k-center greedy).

    Sener & Savarese, "Active learning for convolutional neural networks: a core-set approach", ICLR 2018. The greedy
    start of their core set, which is within a factor of two of the best cover. It meets rare kinds early, and much that
    is only odd.

    Parameters
    ----------
    most
        Candidates looked at, at most; drawn at random where there are more.
    """

    from_the_start = True

    def __init__(self, most: int = MOST) -> None:
        if most < 1:
            raise ValueError(f"most must be at least 1, not {most}")
        self.most = most

    def rank(self, pool: PoolView, size: int, rng: np.random.Generator) -> IndexArray:
        """Choose at most `size` candidates, each the farthest from all that were asked."""
        rows = drawn(pool.candidates, self.most, rng)
        if not len(rows):
            return rows
        points = reduced(pool.X, np.concatenate((rows, pool.answered)))
        points, asked = points[: len(rows)], points[len(rows) :]
        far = nearest_of(points, asked)
        chosen: list[int] = []
        for _ in range(min(size, len(rows))):
            # without an answer the first is the one nearest to the middle
            middle = np.einsum("ij,ij->i", points, points)
            place = int(far.argmax()) if np.isfinite(far[0]) else int(middle.argmin())
            chosen.append(place)
            far = np.minimum(far, to_each(points, place))
            far[chosen] = -1.0  # repeats of what was chosen lie at 0 and are still to be had
        return rows[chosen]
