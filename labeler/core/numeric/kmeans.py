"""k-means on a sample, then one assignment pass over everything."""

from __future__ import annotations

from collections.abc import Generator

import faiss
import numpy as np
from numpy.typing import NDArray

from labeler.core import steps
from labeler.core.protocols import Clustering
from labeler.core.types import FloatArray, IndexArray, IntArray, Progress

POINTS_PER_CENTER = 256
"""k-means learns its centers on at most this many instances a center; more gain < 0.1 % inertia."""
POINTS_PER_CENTER_OF_MANY = 64
MANY = 100
"""Centers from which on fewer instances a center must do: the time grows with the square of the centers."""
SEEDS_PER_CENTER = 16
SEEDED_ON = 8_192
"""k-means++ draws its seeds from a share of the sample where that is larger than this."""
SEED_WORK = 50_000_000
"""Numbers read between two signs of life while seeds are drawn."""
STANDSTILL = 1e-4
"""Lloyd's iterations end where a step lowers the inertia by less than this share of it."""
CHUNK = 8192


def kmeans(
    X: FloatArray,
    n_clusters: int,
    random_state: int,
    n_init: int = 3,
    max_iter: int = 30,
    init: FloatArray | None = None,
    thorough: bool = False,
) -> Clustering:
    """The clustering of :func:`kmeans_by_steps`, at once."""
    return steps.run(kmeans_by_steps(X, n_clusters, random_state, n_init, max_iter, init, thorough))


def kmeans_by_steps(
    X: FloatArray,
    n_clusters: int,
    random_state: int,
    n_init: int = 3,
    max_iter: int = 30,
    init: FloatArray | None = None,
    thorough: bool = False,
) -> Generator[Progress, None, Clustering]:
    """Lloyd's k-means (Lloyd 1982) seeded by k-means++ (Arthur & Vassilvitskii 2007).

    Parameters
    ----------
    X
        (n, d) float32, maybe memory-mapped.
    n_clusters
        Lowered to the number of distinct rows of the sample where there are fewer.
    init
        (k, d) centers to start from in place of k-means++; one run then.
    thorough
        Centers are learned on all rows, and seeds are drawn by the greedy k-means++.

    Returns
    -------
    Clustering
        Every instance's nearest center and its distance (not squared); the best of `n_init` runs by inertia.
    """
    rng = np.random.default_rng(random_state)
    most = len(X) if thorough else max(n_clusters * _points_per_center(n_clusters), 1000)
    sample = _drawn(X, most, rng)
    offset = sample.mean(axis=0)  # faiss expands (a - b)^2: a common offset costs float32 digits
    sample = np.subtract(sample, offset, out=None if np.shares_memory(sample, X) else sample)
    best: FloatArray | None = None
    best_inertia = np.inf
    for _ in range(1 if init is not None else n_init):
        if init is None:
            drawn_from = _drawn(sample, max(n_clusters * SEEDS_PER_CENTER, SEEDED_ON), rng)
            draw = _greedy_plus_plus if thorough else _plus_plus
            seeds = yield from draw(drawn_from, n_clusters, rng)
        else:
            seeds = (init - offset).astype(np.float32)
        centers, inertia = yield from lloyd(sample, seeds, max_iter)
        if inertia < best_inertia:
            best, best_inertia = centers, inertia
        yield Progress("clustering")
    assert best is not None  # noqa: S101 - the loop ran at least once
    centers = best + offset
    clusters, distances = yield from _assign(X, centers)
    used, positions = np.unique(clusters, return_inverse=True)  # a center that nobody is nearest to is no cluster
    return Clustering(
        positions.astype(np.int32), distances, centers[used], float(np.square(distances, dtype=np.float64).sum())
    )


def _points_per_center(n_clusters: int) -> int:
    return POINTS_PER_CENTER if n_clusters < MANY else POINTS_PER_CENTER_OF_MANY


def _drawn(X: FloatArray, size: int, rng: np.random.Generator) -> FloatArray:
    """Draw at most `size` rows of `X`, in their order, float32 and contiguous."""
    chosen = np.sort(rng.choice(len(X), size, replace=False)) if size < len(X) else slice(None)
    return np.ascontiguousarray(X[chosen], dtype=np.float32)


def assign(X: FloatArray, centers: FloatArray) -> tuple[IntArray, FloatArray]:
    """Nearest center (n,) int32 and the distance to it (n,) float32, in chunks of bounded memory."""
    return steps.run(_assign(X, centers))


def _assign(X: FloatArray, centers: FloatArray) -> Generator[Progress, None, tuple[IntArray, FloatArray]]:
    clusters = np.empty(len(X), dtype=np.int32)
    distances = np.empty(len(X), dtype=np.float32)
    offset = centers.mean(axis=0)
    shifted = centers - offset
    norms = np.square(shifted).sum(axis=1)
    chunk = min(steps.rows_at_once(centers.size, 256, CHUNK), max(steps.NUMBERS // (len(centers) + X.shape[1]), 1))
    for start in range(0, len(X), chunk):
        rows = slice(start, start + chunk)
        points = np.asarray(X[rows], dtype=np.float32) - offset
        # |point - center|^2 less |point|^2, which is the same for every center: enough to find the nearest
        apart = points @ shifted.T
        apart *= np.float32(-2.0)
        apart += norms
        nearest = apart.argmin(axis=1)
        clusters[rows] = nearest
        # once more by differences: the expansion above has lost digits of small distances
        distances[rows] = np.sqrt(np.square(points - shifted[nearest]).sum(axis=1))
        if start + chunk < len(X):
            yield Progress("clustering")
    return clusters, distances


def plus_plus(X: FloatArray, n_clusters: int, rng: np.random.Generator, given: FloatArray | None = None) -> FloatArray:
    """k-means++ seeds (<= n_clusters, d): each next one drawn by its squared distance to those before.

    `given` (m, d) are the first of them; without, the first is drawn evenly.
    """
    return steps.run(_plus_plus(X, n_clusters, rng, given))


def _plus_plus(
    X: FloatArray, n_clusters: int, rng: np.random.Generator, given: FloatArray | None = None
) -> Generator[Progress, None, FloatArray]:
    norms = np.square(X).sum(axis=1)
    seeds = [X[int(rng.integers(len(X)))]] if given is None else list(given)
    nearest = np.full(len(X), np.inf, dtype=np.float64)
    for seed in seeds[:-1]:
        nearest = np.minimum(nearest, np.maximum(norms - 2.0 * (X @ seed) + seed @ seed, 0.0))
    floor = 1e-9 * max(float(norms.max(initial=0.0)), 1e-12)
    while len(seeds) < n_clusters:
        latest = seeds[-1]
        nearest = np.minimum(nearest, np.maximum(norms - 2.0 * (X @ latest) + latest @ latest, 0.0))
        # rounding leaves seeds at a small distance from themselves: they would be drawn again
        nearest[nearest <= floor] = 0.0
        total = nearest.sum()
        if total <= 0.0:  # every distinct row is a seed already
            break
        if len(seeds) % max(1, SEED_WORK // max(X.size, 1)) == 0:
            yield Progress("clustering")
        seeds.append(
            X[int(np.searchsorted(np.cumsum(nearest), rng.random() * total, side="right").clip(0, len(X) - 1))]
        )
    return np.stack(seeds)


def _greedy_plus_plus(
    X: FloatArray, n_clusters: int, rng: np.random.Generator
) -> Generator[Progress, None, FloatArray]:
    """k-means++ seeds (<= n_clusters, d), each the best of 2 + log k that are drawn: as scikit-learn's."""
    norms = np.square(X).sum(axis=1)
    trials = 2 + int(np.log(n_clusters))
    chosen = [int(rng.integers(len(X)))]
    nearest = _squared(X, norms, np.array(chosen))[0]
    while len(chosen) < n_clusters and (total := nearest.sum()) > 0.0:
        drawn = np.searchsorted(np.cumsum(nearest), rng.random(trials) * total, side="right").clip(0, len(X) - 1)
        closer = np.minimum(nearest, _squared(X, norms, drawn))
        best = int(closer.sum(axis=1).argmin())
        chosen.append(int(drawn[best]))
        nearest = closer[best]
        if len(chosen) % max(1, SEED_WORK // max(X.size * trials, 1)) == 0:
            yield Progress("clustering")
    return X[chosen]


def _squared(X: FloatArray, norms: FloatArray, rows: IndexArray) -> NDArray[np.float64]:
    """Squared distances (m, n) of all rows of `X` (n, d) to some of them; what is only rounding is 0."""
    apart = norms - 2.0 * (X[rows] @ X.T) + norms[rows][:, None]
    floor = 1e-9 * max(float(norms.max(initial=0.0)), 1e-12)
    return np.where(apart > floor, apart, 0.0).astype(np.float64)


def lloyd(sample: FloatArray, seeds: FloatArray, max_iter: int) -> Generator[Progress, None, tuple[FloatArray, float]]:
    """Yield signs of life; return the centers (k, d) that Lloyd's iterations reach from `seeds`, and their inertia."""
    n_clusters, dimension = seeds.shape
    if len(sample) <= n_clusters:
        return seeds, 0.0
    at_once = max(1, min(steps.WORK // (len(sample) * n_clusters * dimension), max_iter))
    centers, inertia = seeds, np.inf
    for done in range(0, max_iter, at_once):
        # faiss gives no sign of life: a few iterations a call, begun at the centers of the last one
        runner = faiss.Kmeans(
            dimension,
            n_clusters,
            niter=min(at_once, max_iter - done),
            min_points_per_centroid=1,  # below its own 39 faiss prints a warning
            max_points_per_centroid=len(sample) + 1,  # beyond its own 256 it would draw a sample
            seed=1,  # nothing is drawn: seeds and rows are given
        )
        runner.train(sample, init_centroids=centers)
        centers, before, inertia = np.asarray(runner.centroids, dtype=np.float32), inertia, float(runner.obj[-1])
        if before - inertia <= STANDSTILL * inertia * at_once:
            break
        if done + at_once < max_iter:
            yield Progress("clustering")
    return centers, inertia
