"""Clusters as dense regions: DBSCAN, HDBSCAN and mean-shift. They find by themselves how many there are."""

from __future__ import annotations

import numpy as np

from labeler.clusterers.shaping import COMPONENTS, few_places, one_of, positive, refuse_more, seen, shaped, whole
from labeler.core.protocols import Clustering
from labeler.core.steps import blocks
from labeler.core.vocabulary import BoolArray, FloatArray, IndexArray, IntArray

NEIGHBORS = 5
"""Whose vote decides the cluster of an instance that is not in the core of one."""
TRIED = tuple(range(10, 100, 5))
"""Percentiles of the distance to the last neighbour among which `eps` is chosen where it is not given."""


class Dbscan:
    """Dense regions (DBSCAN, Ester et al. 1996; scikit-learn's), and beyond them anomalies, which take no label.

    A representative is a core instance. The rest are counted to a cluster by the vote of their 5 nearest instances of
    `predict_from`, unless the nearest of these is farther than `max_distance`: then they are anomalies.

    Parameters
    ----------
    eps
        How near a neighbour is, in the unit of what is looked at; ``none`` = chosen among percentiles of the distance
        to the `min_samples`-th neighbour: the one with the largest entropy of instances over clusters.
    min_samples
        Neighbours, itself among them, that make an instance a core instance.
    predict_from
        ``core`` instances alone, or ``all`` instances in a cluster.
    max_distance
        ``none`` = `eps`, as DBSCAN itself.
    pca
        Principal components looked at; ``none`` = the features as they are.
    limit
        More instances than that are refused.
    """

    def __init__(
        self,
        eps: float | None = None,
        min_samples: int = 5,
        predict_from: str = "core",
        max_distance: float | None = None,
        pca: int | None = COMPONENTS,
        limit: int = 20_000,
    ) -> None:
        positive(eps=eps, max_distance=max_distance)
        whole(min_samples=min_samples, pca=pca, limit=limit)
        one_of(("core", "all"), predict_from=predict_from)
        self.eps, self.min_samples, self.predict_from = eps, min_samples, predict_from
        self.max_distance, self.pca, self.limit = max_distance, pca, limit

    def cluster(self, X: FloatArray, n_clusters: int, random_state: int) -> Clustering:
        """See :class:`labeler.core.protocols.Clusterer`."""
        refuse_more("dbscan", len(X), self.limit)
        points = seen(X, self.pca, random_state)
        eps = self.eps or self._chosen(points)
        labels, core = self._found(points, eps)
        if not core.any():
            return shaped(X, labels, facts={"eps": eps, "anomalies": len(X)})
        labels = self._counted(points, labels, core, self.max_distance or eps)
        facts = {"eps": round(eps, 6), "anomalies": int((labels < 0).sum()), "core": int(core.sum())}
        return shaped(X, labels, exemplars=_nearest_to_means(points, labels, core), facts=facts)

    def _found(self, points: FloatArray, eps: float) -> tuple[IntArray, BoolArray]:
        """Labels (n,), -1 = noise, and who is a core instance (n,)."""
        from sklearn.cluster import DBSCAN

        model = DBSCAN(eps=eps, min_samples=self.min_samples).fit(points)
        core = np.zeros(len(points), dtype=np.bool_)
        core[model.core_sample_indices_] = True
        return model.labels_.astype(np.int32), core

    def _chosen(self, points: FloatArray) -> float:
        from sklearn.neighbors import NearestNeighbors

        wanted = min(self.min_samples, len(points))
        distances = NearestNeighbors(n_neighbors=wanted).fit(points).kneighbors(points)[0][:, -1]
        tried = [float(eps) for eps in np.unique(np.percentile(distances, TRIED)) if eps > 0]
        if not tried:
            return float(distances.max(initial=0.0)) or 1.0
        found = [_entropy(self._found(points, eps)[0]) for eps in tried]
        return tried[int(np.argmax(found))]

    def _counted(self, points: FloatArray, labels: IntArray, core: BoolArray, most: float) -> IntArray:
        """Labels of all (n,): who is not of `predict_from` by the vote of the nearest who are; -1 beyond `most`."""
        from sklearn.neighbors import NearestNeighbors

        voters = np.flatnonzero(core if self.predict_from == "core" else labels >= 0)
        rest = np.setdiff1d(np.arange(len(points)), voters)
        out = labels.copy()
        if not len(rest):
            return out
        model = NearestNeighbors(n_neighbors=min(NEIGHBORS, len(voters))).fit(points[voters])
        for block in blocks(len(rest), points.shape[1] + NEIGHBORS):
            distances, nearest = model.kneighbors(points[rest[block]])
            out[rest[block]] = np.where(distances[:, 0] <= most, _vote(labels[voters][nearest]), -1)
        return out


class Hdbscan:
    """Dense regions at every density (HDBSCAN, Campello et al. 2013; scikit-learn's).

    Instances in none of them are anomalies, which take no label; the others' strength is their soft score.

    Parameters
    ----------
    min_cluster_size
        Fewer instances are no cluster.
    min_samples
        Neighbours that make a place dense; ``none`` = `min_cluster_size`.
    cluster_selection_method
        ``eom`` = the clusters that persist longest; ``leaf`` = the finest.
    pca
        Principal components looked at; ``none`` = the features as they are.
    limit
        More instances than that are refused.
    """

    def __init__(
        self,
        min_cluster_size: int = 5,
        min_samples: int | None = 3,
        cluster_selection_method: str = "eom",
        pca: int | None = COMPONENTS,
        limit: int = 20_000,
    ) -> None:
        whole(min_cluster_size=min_cluster_size, min_samples=min_samples, pca=pca, limit=limit)
        one_of(("eom", "leaf"), cluster_selection_method=cluster_selection_method)
        self.min_cluster_size, self.min_samples = max(min_cluster_size, 2), min_samples
        self.cluster_selection_method, self.pca, self.limit = cluster_selection_method, pca, limit

    def cluster(self, X: FloatArray, n_clusters: int, random_state: int) -> Clustering:
        """See :class:`labeler.core.protocols.Clusterer`."""
        refuse_more("hdbscan", len(X), self.limit)
        points = seen(X, self.pca, random_state)
        few = few_places(X, points, min(n_clusters, 2))
        if few is not None or len(X) < max(self.min_cluster_size, self.min_samples or 1) + 1:
            return few if few is not None else shaped(X, np.zeros(len(X), dtype=np.int32))
        from sklearn.cluster import HDBSCAN

        model = HDBSCAN(
            min_cluster_size=self.min_cluster_size,
            min_samples=self.min_samples,
            cluster_selection_method=self.cluster_selection_method,
            copy=True,
        ).fit(points)
        facts = {"anomalies": int((model.labels_ < 0).sum())}
        return shaped(X, model.labels_, shares=np.nan_to_num(model.probabilities_), facts=facts)


class MeanShift:
    """Hills of density: every instance climbs to the top of one (Comaniciu & Meer 2002; scikit-learn's).

    Parameters
    ----------
    bandwidth
        How wide an instance looks around, in the unit of what is looked at; ``none`` = as far as half a cluster's
        share of the instances lies, as scikit-learn estimates it.
    max_iter
        Steps uphill at most.
    pca
        Principal components looked at; ``none`` = the features as they are.
    limit
        More instances than that are refused.
    """

    def __init__(
        self,
        bandwidth: float | None = None,
        max_iter: int = 300,
        pca: int | None = COMPONENTS,
        limit: int = 10_000,
    ) -> None:
        positive(bandwidth=bandwidth)
        whole(max_iter=max_iter, pca=pca, limit=limit)
        self.bandwidth, self.max_iter, self.pca, self.limit = bandwidth, max_iter, pca, limit

    def cluster(self, X: FloatArray, n_clusters: int, random_state: int) -> Clustering:
        """See :class:`labeler.core.protocols.Clusterer`."""
        refuse_more("mean-shift", len(X), self.limit)
        points = seen(X, self.pca, random_state)
        few = few_places(X, points, n_clusters)
        if few is not None:
            return few
        from sklearn.cluster import MeanShift as Sklearn
        from sklearn.cluster import estimate_bandwidth

        share = min(0.5 / n_clusters, 0.3)
        bandwidth = self.bandwidth or float(estimate_bandwidth(points, quantile=share, random_state=random_state))
        if not bandwidth > 0:  # more than that share of the instances are all alike
            bandwidth = float(points.std()) or 1.0
        model = Sklearn(bandwidth=bandwidth, bin_seeding=True, max_iter=self.max_iter).fit(points)
        return shaped(X, model.labels_, facts={"bandwidth": round(bandwidth, 6)})


def _entropy(labels: IntArray) -> float:
    """Of the instances over clusters, times the share that is in one: high = many in many clusters of like size."""
    sizes = np.bincount(labels[labels >= 0]).astype(np.float64)
    if not sizes.sum():
        return 0.0
    shares = sizes / sizes.sum()
    return float(-(shares * np.log(shares)).sum() * sizes.sum() / len(labels))


def _vote(nearest: IntArray) -> IntArray:
    """The commonest label of each row (m, v), the nearest first; ties go to the nearest."""
    votes = (nearest[:, :, None] == nearest[:, None, :]).sum(axis=2)
    return np.asarray(nearest[np.arange(len(nearest)), votes.argmax(axis=1)], dtype=np.int32)


def _nearest_to_means(points: FloatArray, labels: IntArray, core: BoolArray) -> IndexArray:
    """For each label from 0 up the core instance nearest to the mean of its core instances."""
    found = []
    for label in range(int(labels.max()) + 1):
        members = np.flatnonzero((labels == label) & core)
        apart = np.square(points[members] - points[members].mean(axis=0)).sum(axis=1)
        found.append(int(members[apart.argmin()]))
    return np.array(found, dtype=np.int64)
