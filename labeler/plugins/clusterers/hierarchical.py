"""Clusters by merging: agglomerative clustering, and BIRCH, which reads a pool of any size in a stream."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn import cluster
from sklearn.neighbors import NearestNeighbors

from labeler.core import steps
from labeler.core.numeric.pca import principal_axes
from labeler.core.protocols import Clustering
from labeler.core.types import FloatArray
from labeler.plugins.clusterers.common import COMPONENTS, one_of, positive, reduced, refuse_more, shaped, whole

LINKAGES = ("ward", "average", "complete", "single")
CHUNK = 8_192
SUBCLUSTERS = 4_000
"""Subclusters of BIRCH at most; past them it begins again with a wider threshold."""
SAMPLED = 1_000
WIDER = 1.5


class Agglomerative:
    """The two nearest groups are merged, again and again (scikit-learn's); the tree of merges is kept.

    Dividing a cluster in the application takes its last merge back.

    Parameters
    ----------
    linkage
        What near means: ``ward`` = the growth of inertia, ``average``, ``complete``, ``single``.
    pca
        Principal components looked at; ``none`` = the features as they are.
    limit
        More instances than that are refused.
    """

    def __init__(self, linkage: str = "ward", pca: int | None = COMPONENTS, limit: int = 10_000) -> None:
        one_of(LINKAGES, linkage=linkage)
        whole(pca=pca, limit=limit)
        self.linkage, self.pca, self.limit = linkage, pca, limit

    def cluster(self, X: FloatArray, n_clusters: int, random_state: int) -> Clustering:
        """Merge the nearest groups until `n_clusters` are left; `facts` hold the distances of the last merges."""
        refuse_more("agglomerative", len(X), self.limit)
        if len(X) < 2:
            return shaped(X, np.zeros(len(X), dtype=np.int32))
        points = reduced(X, self.pca, random_state)
        model = cluster.AgglomerativeClustering(
            n_clusters=min(n_clusters, len(X)), linkage=self.linkage, compute_distances=True
        ).fit(points)
        merges = [round(float(height), 6) for height in model.distances_[-max(n_clusters - 1, 1) :]]
        return shaped(X, model.labels_, tree=model.children_.astype(np.int64), facts={"last_merges": merges})


class Birch:
    """BIRCH (Zhang et al. 1996; scikit-learn's): a tree of small subclusters, built row by row, then Ward's of these.

    Reads the features in chunks, so that the memory is bounded whatever the pool.

    Parameters
    ----------
    threshold
        Radius of a subcluster, in the unit of what is looked at; ``none`` = half the median distance of 1,000
        instances to their nearest one. Where there are more than 4,000 subclusters it is widened by half.
    branching_factor
        Subclusters in a node of the tree.
    pca
        Principal components looked at; ``none`` = the features as they are.
    """

    def __init__(
        self, threshold: float | None = None, branching_factor: int = 50, pca: int | None = COMPONENTS
    ) -> None:
        positive(threshold=threshold)
        whole(branching_factor=branching_factor, pca=pca)
        if branching_factor < 2:
            raise ValueError("branching_factor is at least 2")
        self.threshold, self.branching_factor, self.pca = threshold, branching_factor, pca

    def cluster(self, X: FloatArray, n_clusters: int, random_state: int) -> Clustering:
        """Gather subclusters in a stream, then merge them into `n_clusters`."""
        reading = _Reading(X, self.pca, random_state)
        threshold = self.threshold or reading.half_of_a_step()
        chunks = range(0, len(X), CHUNK)
        while True:
            # subclusters alone (None): they are merged below, where few of them do no harm
            model = cluster.Birch(threshold=threshold, branching_factor=self.branching_factor, n_clusters=None)
            for start in chunks:
                model.partial_fit(reading.rows(start))
                if len(model.subcluster_centers_) > SUBCLUSTERS:
                    break
            else:
                break
            # from the start again: a tree cannot be widened once it is built
            threshold *= WIDER
        centers = np.asarray(model.subcluster_centers_, dtype=np.float32)
        ward = cluster.AgglomerativeClustering(n_clusters=min(n_clusters, len(centers)))
        groups = ward.fit_predict(centers) if len(centers) > 1 else np.zeros(1, dtype=np.int64)
        labels = np.empty(len(X), dtype=np.int32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for start in chunks:
                labels[start : start + CHUNK] = groups[model.predict(reading.rows(start))]
        return shaped(X, labels, facts={"threshold": round(float(threshold), 6), "subclusters": len(centers)})


class _Reading:
    """The rows of `X` (n, d) as BIRCH looks at them, a chunk at a time."""

    def __init__(self, X: FloatArray, pca: int | None, random_state: int) -> None:
        self._X, self._random_state = X, random_state
        self._axes = steps.run(principal_axes(X, pca, random_state)) if pca is not None and pca < X.shape[1] else None

    def rows(self, start: int) -> FloatArray:
        """The chunk from `start` on."""
        return self._seen(self._X[start : start + CHUNK])

    def half_of_a_step(self) -> float:
        """Half the median distance of a sample's instances to their nearest."""
        chosen = np.random.default_rng(self._random_state).permutation(len(self._X))[:SAMPLED]
        # without repeats, whose distance of 0 would make a threshold of 0
        sample = np.unique(self._seen(self._X[np.sort(chosen)]), axis=0)
        if len(sample) < 2:
            return 1.0
        # the first neighbor of each is itself
        distances = NearestNeighbors(n_neighbors=2).fit(sample).kneighbors(sample)[0][:, 1]
        return float(np.median(distances)) / 2.0

    def _seen(self, rows: FloatArray) -> FloatArray:
        plain = np.ascontiguousarray(rows, dtype=np.float32)
        return plain if self._axes is None else self._axes.project(plain)
