"""The guide to a density clusterer's width where none is given: the clusters that hold at every density."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.cluster import HDBSCAN
from sklearn.metrics import adjusted_rand_score

from labeler.core.types import FloatArray, IntArray

SMALLEST_SHARE = 0.02
"""Share of the instances that is a cluster, at least."""
OFF = 0.1
"""What the agreement is lowered by where there are twice as many clusters as the guide's, or half as many."""


class Tried(NamedTuple):
    """One width: the clusters (n,) it gives, and how many there are."""

    width: float
    labels: IntArray
    n_clusters: int


class Guide:
    """HDBSCAN (Campello et al. 2013) of `points` (n, d): it needs no width, and the clusters of a width are held
    against its own by the adjusted Rand index (Hubert & Arabie 1985)."""

    def __init__(self, points: FloatArray, min_samples: int) -> None:
        smallest = max(min_samples, int(SMALLEST_SHARE * len(points)), 2)
        model = HDBSCAN(min_cluster_size=smallest, min_samples=min(min_samples, len(points)), copy=True)
        self._model: Any = model.fit(points)
        self.labels: IntArray = np.asarray(model.labels_, dtype=np.int32)

    @property
    def n_clusters(self) -> int:
        """The number of clusters it sees; 0 where it sees but one."""
        return int(self.labels.max(initial=-1)) + 1

    def smallest(self) -> int:
        """Instances of its smallest cluster."""
        return int(np.bincount(self.labels[self.labels >= 0], minlength=1).min())

    def at(self, eps: float) -> IntArray:
        """The clusters (n,) that it has at one width alone; who is near nobody is a cluster of one."""
        return np.asarray(self._model.dbscan_clustering(eps, min_cluster_size=1), dtype=np.int32)

    def best(self, tried: list[Tried], least: float = 0.0) -> float | None:
        """The width that agrees best, of equals the middle one; None where none agrees by at least `least`.

        Another number of clusters than the guide's lowers the agreement.
        """
        if not tried or not self.n_clusters:
            return None
        agreements = [float(adjusted_rand_score(self.labels, trial.labels)) for trial in tried]
        if max(agreements) < least:
            return None
        # by the logarithm: twice as many clusters are as wrong as half as many
        off = [OFF * abs(np.log2(max(trial.n_clusters, 1) / self.n_clusters)) for trial in tried]
        # two digits, so that widths that hardly differ are equals
        scores = [round(agreement - less, 2) for agreement, less in zip(agreements, off, strict=True)]
        equals = [trial.width for trial, score in zip(tried, scores, strict=True) if score == max(scores)]
        return equals[len(equals) // 2]
