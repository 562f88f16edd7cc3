"""Initial centers of a clusterer: given ones, or the means of the classes that have imported labels."""

from __future__ import annotations

import numpy as np

from labeler.core.errors import EngineError
from labeler.core.numeric.kmeans import plus_plus
from labeler.core.types import FloatArray

STARTS = ("labels", "k-means++", "random")
# as many a center as k-means itself learns on
SAMPLE_PER_CENTER, SAMPLE = 256, 1_000


def start(given: FloatArray | None, X: FloatArray, n_clusters: int, random_state: int) -> FloatArray | None:
    """The `given` centers (m, d) and k-means++'s (Arthur & Vassilvitskii 2007) for those that are missing (<= k, d).

    None where none were given.

    Raises
    ------
    EngineError
        They are of another space than `X` (n, d).
    """
    if given is None:
        return None
    if given.shape[1] != X.shape[1]:
        raise EngineError(
            f"the given centers have {given.shape[1]} columns, the features {X.shape[1]}",
            "give centers in the encoder's features, one a row",
        )
    rng = np.random.default_rng(random_state)
    rows = drawn(X, max(n_clusters * SAMPLE_PER_CENTER, SAMPLE), random_state)
    given = np.ascontiguousarray(given, dtype=np.float32)
    # given centers are never dropped for the others: they come first and the cut is at the end
    return plus_plus(np.ascontiguousarray(rows), max(n_clusters, len(given)), rng, given)[: max(n_clusters, 1)]


def drawn(X: FloatArray, size: int, random_state: int) -> FloatArray:
    """Draw at most `size` rows at random, in their order."""
    chosen = np.random.default_rng(random_state).permutation(len(X))[:size]
    return np.asarray(X[np.sort(chosen)], dtype=np.float32)
