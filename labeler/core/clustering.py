"""k-means on a sample, then one assignment pass over everything."""

from __future__ import annotations

import faiss
import numpy as np

from labeler.core.protocols import Clustering
from labeler.core.vocabulary import FloatArray, IntArray

POINTS_PER_CENTER = 256
"""k-means learns its centers on at most this many instances a center; more gain < 0.1 % inertia."""
CHUNK = 8192


def kmeans(
    X: FloatArray,
    n_clusters: int,
    random_state: int,
    n_init: int = 3,
    max_iter: int = 30,
    init: FloatArray | None = None,
) -> Clustering:
    """Lloyd's k-means (Lloyd 1982) seeded by k-means++ (Arthur & Vassilvitskii 2007).

    Parameters
    ----------
    X
        (n, d) float32, maybe memory-mapped.
    n_clusters
        Lowered to the number of distinct rows of the sample where there are fewer.
    init
        (k, d) centers to start from in place of k-means++; one run then.

    Returns
    -------
    Clustering
        Every instance's nearest center and its distance (not squared); the best of `n_init` runs by inertia.
    """
    rng = np.random.default_rng(random_state)
    n_sample = min(len(X), max(n_clusters * POINTS_PER_CENTER, 1000))
    chosen = np.sort(rng.choice(len(X), n_sample, replace=False)) if n_sample < len(X) else slice(None)
    sample = np.ascontiguousarray(X[chosen], dtype=np.float32)
    offset = sample.mean(axis=0)  # faiss expands (a - b)^2: a common offset costs float32 digits
    sample = sample - offset
    best: FloatArray | None = None
    best_inertia = np.inf
    for _ in range(1 if init is not None else n_init):
        seeds = plus_plus(sample, n_clusters, rng) if init is None else (init - offset).astype(np.float32)
        centers, inertia = _lloyd(sample, seeds, max_iter)
        if inertia < best_inertia:
            best, best_inertia = centers, inertia
    assert best is not None  # noqa: S101 - the loop ran at least once
    centers = best + offset
    clusters, distances = assign(X, centers)
    used, positions = np.unique(clusters, return_inverse=True)
    return Clustering(
        positions.astype(np.int32), distances, centers[used], float(np.square(distances, dtype=np.float64).sum())
    )


def assign(X: FloatArray, centers: FloatArray) -> tuple[IntArray, FloatArray]:
    """Nearest center (n,) int32 and the distance to it (n,) float32, in chunks of bounded memory."""
    clusters = np.empty(len(X), dtype=np.int32)
    distances = np.empty(len(X), dtype=np.float32)
    offset = centers.mean(axis=0)
    shifted = centers - offset
    norms = np.square(shifted).sum(axis=1)
    for start in range(0, len(X), CHUNK):
        chunk = np.asarray(X[start : start + CHUNK], dtype=np.float32) - offset
        nearest = (norms - 2.0 * (chunk @ shifted.T)).argmin(axis=1)
        clusters[start : start + CHUNK] = nearest
        distances[start : start + CHUNK] = np.sqrt(np.square(chunk - shifted[nearest]).sum(axis=1))
    return clusters, distances


def plus_plus(X: FloatArray, n_clusters: int, rng: np.random.Generator) -> FloatArray:
    """k-means++ seeds (<= n_clusters, d): each next one drawn by its squared distance to those before."""
    norms = np.square(X).sum(axis=1)
    chosen = [int(rng.integers(len(X)))]
    nearest = np.full(len(X), np.inf, dtype=np.float64)
    floor = 1e-9 * max(float(norms.max(initial=0.0)), 1e-12)
    while len(chosen) < n_clusters:
        latest = X[chosen[-1]]
        nearest = np.minimum(nearest, np.maximum(norms - 2.0 * (X @ latest) + latest @ latest, 0.0))
        nearest[nearest <= floor] = 0.0
        total = nearest.sum()
        if total <= 0.0:  # every distinct row is a seed already
            break
        chosen.append(int(np.searchsorted(np.cumsum(nearest), rng.random() * total, side="right").clip(0, len(X) - 1)))
    return X[chosen].copy()


def _lloyd(sample: FloatArray, seeds: FloatArray, max_iter: int) -> tuple[FloatArray, float]:
    n_clusters, dimension = seeds.shape
    if len(sample) <= n_clusters:
        return seeds, 0.0
    runner = faiss.Kmeans(
        dimension,
        n_clusters,
        niter=max_iter,
        min_points_per_centroid=1,
        max_points_per_centroid=len(sample) + 1,
        seed=1,
    )
    runner.train(sample, init_centroids=seeds)
    return np.asarray(runner.centroids, dtype=np.float32), float(runner.obj[-1])
