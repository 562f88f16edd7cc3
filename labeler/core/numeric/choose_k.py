"""The number of clusters: inertia, silhouette, BIC and AIC over a range, and what is odd about a clustering."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np

from labeler.core.protocols import Clustering
from labeler.core.types import FloatArray, IndexArray, IntArray, Progress

SAMPLE = 2_000
"""Instances whose silhouettes are computed, at most: they are compared all with all."""
TINY, HUGE = 0.2, 4.0
"""Shares of the mean size below and above which a cluster is called tiny or huge."""
LOW = 0.0
"""A cluster whose members are, in the mean, nearer to another one has a lower silhouette."""
ELBOW_BY = "farthest below the line from the first to the last: Satopää et al. 2011, Kneedle"


@dataclass(frozen=True, slots=True)
class Tried:
    """One number of clusters: `k` asked for, `n_clusters` found; None = not defined (one cluster, no likelihood)."""

    k: int
    n_clusters: int
    inertia: float
    silhouette: float | None
    bic: float | None = None
    aic: float | None = None


@dataclass(frozen=True, slots=True)
class Silhouettes:
    """Silhouettes of the `rows` (s,) looked at: `values` (s,) from -1 to 1, `clusters` (s,), and their mean `score`."""

    rows: IndexArray
    values: FloatArray
    clusters: IntArray
    score: float | None

    def of(self, cluster: int) -> float | None:
        """The mean of a cluster; None where none of its instances was looked at."""
        values = self.values[self.clusters == cluster]
        return float(values.mean()) if len(values) else None


def compare(
    points: FloatArray,
    cluster: Callable[[int], Generator[Progress, None, Clustering]],
    ks: Sequence[int],
    random_state: int = 0,
) -> Generator[Progress | Tried, None, list[Tried]]:
    """Yield progress and each number of clusters when it is tried; return them all.

    Parameters
    ----------
    points
        (n, d) that silhouettes are computed on.
    cluster
        k -> a clustering of `points`, by steps.
    """
    comparison: list[Tried] = []
    for done, k in enumerate(ks):
        yield Progress("comparing numbers of clusters", done, len(ks))
        clustering = yield from cluster(k)
        yield Progress("comparing numbers of clusters", done, len(ks))
        score = silhouettes(points, clustering, random_state).score
        bic, aic = clustering.facts.get("bic"), clustering.facts.get("aic")
        tried = Tried(k, len(clustering.centers), clustering.inertia, score, bic, aic)
        comparison.append(tried)
        yield tried
    return comparison


def silhouettes(points: FloatArray, clustering: Clustering, random_state: int = 0, most: int = SAMPLE) -> Silhouettes:
    """Silhouette of each instance of a sample (Rousseeuw 1987): (b - a) / max(a, b), where a is the mean distance to
    its own cluster and b that to the nearest other one. Whom no cluster holds is left out."""
    rows = np.arange(len(points))
    if len(clustering.outliers):
        rows = rows[~clustering.outliers]
    if len(rows) > most:
        # in order: a mapped file is read once through
        rows = np.sort(np.random.default_rng(random_state).choice(rows, most, replace=False))
    clusters = clustering.clusters[rows]
    if not 2 <= len(np.unique(clusters)) < len(rows):  # not defined for one cluster, nor where each is alone
        return Silhouettes(rows, np.zeros(len(rows), dtype=np.float32), clusters, None)
    from sklearn.metrics import silhouette_samples  # start-up: 1 s, and the worker loads this file

    values = silhouette_samples(np.asarray(points[rows], dtype=np.float32), clusters).astype(np.float32)
    return Silhouettes(rows, values, clusters, float(values.mean()))


def elbow(tried: Sequence[Tried]) -> int | None:
    """The k at which more clusters stop paying: the point of the inertia curve that lies farthest below the line from
    its first to its last (Satopää et al., "Finding a 'Kneedle' in a haystack", 2011); None where there is none."""
    if len(tried) < 3:
        return None
    x = np.array([entry.k for entry in tried], dtype=np.float64)
    y = np.array([entry.inertia for entry in tried])
    if y[0] <= y[-1] or x[0] == x[-1]:
        return None
    below = (x[-1] - x) / (x[-1] - x[0]) - (y - y[-1]) / (y[0] - y[-1])
    return int(tried[int(below.argmax())].k) if below.max() > 0 else None


def best_by(tried: Sequence[Tried], criterion: str) -> int | None:
    """The k of the largest silhouette, or the lowest bic or aic; None where none is defined."""
    known = [entry for entry in tried if getattr(entry, criterion) is not None]
    if not known:
        return None
    sign = 1.0 if criterion == "silhouette" else -1.0
    return max(known, key=lambda entry: sign * getattr(entry, criterion)).k


def oddities(sizes: Sequence[int], scores: Sequence[float | None]) -> list[tuple[str, ...]]:
    """Return for each cluster what is odd about it: "tiny", "huge", "low silhouette"."""
    mean = sum(sizes) / max(len(sizes), 1)
    lists = []
    for size, score in zip(sizes, scores, strict=True):
        words = ["tiny"] if size < TINY * mean else ["huge"] if size > HUGE * mean else []
        words += ["low silhouette"] if score is not None and score < LOW else []
        lists.append(tuple(words))
    return lists
