"""BADGE: questions whose gradients are large and differ from each other."""

from __future__ import annotations

import numpy as np

from labeler.core.protocols import PoolView
from labeler.core.types import FloatArray, IndexArray
from labeler.plugins.query_strategies.distances import drawn, reduced

MOST = 10_000


class Badge:
    """k-means++ seeding among the gradients of the last layer, each by the label that the model itself would give.

    Ash, Zhang, Krishnamurthy, Langford & Agarwal, "Deep batch active learning by diverse, uncertain gradient lower
    bounds", ICLR 2020. The last layer is the linear rule: the gradient of its log loss at an instance x is the outer
    product of (p - the likeliest class) and (x, 1). It is never written out: the scalar product of two of them is the
    product of two short ones.

    Parameters
    ----------
    most
        Candidates looked at, at most; drawn at random where there are more.
    """

    from_the_start = False

    def __init__(self, most: int = MOST) -> None:
        if most < 1:
            raise ValueError(f"most must be at least 1, not {most}")
        self.most = most

    def rank(self, pool: PoolView, size: int, rng: np.random.Generator) -> IndexArray:
        """Choose at most `size` candidates whose gradients are large and differ."""
        rows = drawn(pool.candidates, self.most, rng)
        if not len(rows):
            return rows
        inputs = reduced(pool.X, rows)
        # of one size with the 1 that is put beside them: the offset counts as a feature does
        inputs = inputs / np.float32(np.sqrt(np.square(inputs).mean()) or 1.0)
        inputs = np.concatenate((inputs, np.ones((len(rows), 1), dtype=np.float32)), axis=1)
        errors = pool.proba[rows].astype(np.float32)
        if errors.shape[1]:
            errors[np.arange(len(rows)), errors.argmax(axis=1)] -= 1.0
        return rows[_seeds(errors, inputs, min(size, len(rows)), rng)]


def _seeds(errors: FloatArray, inputs: FloatArray, size: int, rng: np.random.Generator) -> IndexArray:
    """Places of `size` seeds: the largest gradient first, then drawn by the squared distance to the nearest seed.

    Where nothing is left that differs (one class alone, or all is certain), the rest follows at random.
    """
    lengths = np.einsum("ij,ij->i", errors, errors) * np.einsum("ij,ij->i", inputs, inputs)
    nearest = np.full(len(errors), np.inf, dtype=np.float64)
    chosen: list[int] = []
    place = int(lengths.argmax())
    while len(chosen) < size:
        chosen.append(place)
        products = (errors @ errors[place]) * (inputs @ inputs[place])
        nearest = np.minimum(nearest, np.maximum(lengths + lengths[place] - 2.0 * products, 0.0))
        # rounding may leave a little, and no seed is to be drawn twice
        nearest[chosen] = 0.0
        total = float(nearest.sum())
        if total <= 1e-9 * max(float(lengths.sum()), 1e-30):
            break
        drawn_at = int(np.searchsorted(np.cumsum(nearest), rng.random() * total))
        # rounding may carry the draw past the last sum
        place = min(drawn_at, len(nearest) - 1)
    left = np.setdiff1d(np.arange(len(errors)), chosen)
    return np.array([*chosen, *rng.permutation(left)[: size - len(chosen)].tolist()], dtype=np.int64)
