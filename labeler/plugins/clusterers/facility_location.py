"""Facility location: clusters around the instances that together lie nearest to all others."""

from __future__ import annotations

import numpy as np

from labeler.core.numeric.kmeans import assign
from labeler.core.protocols import Clustering
from labeler.core.types import FloatArray

# candidates at once: their distances to 10,000 instances take 20 MB
CHUNK = 512


class FacilityLocation:
    """Greedy facility location over instances: each next one brings the rest nearest to an open one.

    Nemhauser, Wolsey & Fisher, "An analysis of approximations for maximizing submodular set functions" (1978). The
    centers are instances, which makes it sure of its representatives and slow: the cost is instances x candidates.

    Parameters
    ----------
    candidates
        Instances, drawn at random, that may become a center.
    most
        Instances of the pool that gains are counted on, drawn at random where it has more.
    """

    def __init__(self, candidates: int = 1_000, most: int = 10_000) -> None:
        if candidates < 1 or most < 1:
            raise ValueError("candidates and most are at least 1")
        self.candidates, self.most = candidates, most

    def cluster(self, X: FloatArray, n_clusters: int, random_state: int) -> Clustering:
        """Choose `n_clusters` exemplars; every instance belongs to the nearest one."""
        rng = np.random.default_rng(random_state)
        rows = rng.permutation(len(X))[: self.most]
        points = np.ascontiguousarray(X[rows], dtype=np.float32)
        # each place once: a second facility on the same place would serve nobody
        candidates = np.unique(points[: max(self.candidates, n_clusters)], axis=0)
        centers = candidates[_opened(_distances(points, candidates), min(n_clusters, len(candidates)))]
        clusters, distances = assign(X, centers)
        used, own = np.unique(clusters, return_inverse=True)
        inertia = float(np.square(distances, dtype=np.float64).sum())
        return Clustering(own.astype(np.int32), distances, centers[used], inertia)


def _distances(points: FloatArray, candidates: FloatArray) -> FloatArray:
    """Distances (len(candidates), len(points))."""
    norms = np.square(points).sum(axis=1)
    out = np.empty((len(candidates), len(points)), dtype=np.float32)
    for start in range(0, len(candidates), CHUNK):
        some = candidates[start : start + CHUNK]
        squared = norms[None, :] - 2.0 * (some @ points.T) + np.square(some).sum(axis=1)[:, None]
        out[start : start + CHUNK] = np.sqrt(np.maximum(squared, 0.0))
    return out


def _opened(distances: FloatArray, wanted: int) -> list[int]:
    """The rows of `distances` to open, in their order; gains only shrink, so most are looked at again but rarely."""
    # nobody is served yet: farther off than any candidate, but finite, so that gains can be summed
    nearest = np.full(distances.shape[1], float(distances.max(initial=0.0)) * 1.001 + 1e-9, dtype=np.float32)
    # a gain once computed bounds all later ones (lazy greedy, Minoux 1978)
    bounds = np.array([float((nearest - row).sum(dtype=np.float64)) for row in distances])
    opened: list[int] = []
    while len(opened) < wanted:
        best = int(bounds.argmax())
        gain = float(np.maximum(nearest - distances[best], 0.0).sum(dtype=np.float64))
        bounds[best] = -np.inf
        if gain >= bounds.max(initial=-np.inf):
            opened.append(best)
            nearest = np.minimum(nearest, distances[best])
        else:
            bounds[best] = gain
    return opened
