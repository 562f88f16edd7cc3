"""Clusters as dense regions: DBSCAN, HDBSCAN and mean-shift. They find by themselves how many there are."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import DBSCAN, HDBSCAN, estimate_bandwidth
from sklearn.cluster import MeanShift as Sklearn
from sklearn.neighbors import NearestNeighbors

from labeler.core.numeric.kmeans import assign
from labeler.core.protocols import Clustering
from labeler.core.steps import blocks
from labeler.core.types import BoolArray, FloatArray, IndexArray, IntArray
from labeler.plugins.clusterers.common import (
    COMPONENTS,
    few_places,
    one_of,
    positive,
    reduced,
    refuse_more,
    shaped,
    sight,
    whole,
)
from labeler.plugins.clusterers.density_width import Guide, Tried

NEIGHBORS = 5
"""Whose vote decides the cluster of an instance that is not in the core of one."""
TRIED = (*range(20, 90, 5), 90, 92, 94, 95, 96, 97, 98, 99, 99.5)
"""Percentiles of the distance to the last neighbour among which `eps` is chosen where it is not given."""
SAMPLE, CLIMBERS, STEPS = 2_000, 100, 50
"""Instances among which a bandwidth is chosen, at most, how many of them climb to find the hills, and in how
many steps."""
QUANTILES = (0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.14, 0.16, 0.2, 0.25, 0.3)
"""Shares of the instances that a bandwidth looks at, as scikit-learn estimates it, among which it is chosen."""
GUIDED_BY = 5
"""Neighbours that make a place dense for whom a bandwidth is chosen by."""
AGREED = 0.5
"""Agreement below which the hills are something else than the dense regions: these say nothing of a bandwidth."""
FOOTHILL = 0.25
"""A hill below this share of the smallest cluster is none of its own where the bandwidth was chosen."""


class Dbscan:
    """Dense regions (DBSCAN, Ester et al. 1996; scikit-learn's), and beyond them anomalies, which take no label.

    A representative is a core instance. The rest are counted to a cluster by the vote of their 5 nearest instances of
    `predict_from`, unless the nearest of these is farther than `max_distance`: then they are anomalies. In the source's
    chain the classifier ``knn`` learns from core instances, if none is named.

    Parameters
    ----------
    eps
        How near a neighbour is, in the unit of what is looked at; ``none`` = chosen on the curve of distances to the
        `min_samples`-th neighbour: its percentile whose clusters agree most with those that HDBSCAN sees.
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

    names_core = True

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
        """Cluster by DBSCAN; `n_clusters` is not asked: the density decides."""
        refuse_more("dbscan", len(X), self.limit)
        axes = sight(X, self.pca, random_state)
        points = np.ascontiguousarray(X, dtype=np.float32) if axes is None else axes.project(X)
        eps = self.eps or self._chosen(points)
        labels, core = self._labels_and_core(points, eps)
        if not core.any():
            return shaped(X, labels, facts={"eps": eps, "anomalies": len(X)})
        # DBSCAN itself reaches as far from a core instance as `eps`
        most = self.max_distance or eps
        voters = core if self.predict_from == "core" else labels >= 0
        labels = _counted(points, labels, voters, most)
        facts = {"eps": round(eps, 6), "anomalies": int((labels < 0).sum()), "core": int(core.sum())}
        exemplars = _nearest_to_means(points, labels, core)
        return shaped(X, labels, exemplars=exemplars, facts=facts, core=voters, cut=most, sight=axes)

    def _labels_and_core(self, points: FloatArray, eps: float) -> tuple[IntArray, BoolArray]:
        """Labels (n,), -1 = noise, and who is a core instance (n,)."""
        model = DBSCAN(eps=eps, min_samples=self.min_samples).fit(points)
        core = np.zeros(len(points), dtype=np.bool_)
        core[model.core_sample_indices_] = True
        return model.labels_.astype(np.int32), core

    def _chosen(self, points: FloatArray) -> float:
        wanted = min(self.min_samples, len(points))
        distances = NearestNeighbors(n_neighbors=wanted).fit(points).kneighbors(points)[0][:, -1]
        widths = [float(eps) for eps in np.unique(np.percentile(distances, TRIED)) if eps > 0]
        if not widths:
            return float(distances.max(initial=0.0)) or 1.0
        if len(points) <= self.min_samples:
            return widths[-1]
        guide = Guide(points, self.min_samples)
        tried: list[Tried] = []
        for eps in widths:
            labels = guide.at(eps)
            # counted are clusters with a core instance: to DBSCAN the others are noise
            tried.append(Tried(eps, labels, len(np.unique(labels[distances <= eps]))))
        return guide.best(tried) or _knee(distances)


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

    names_core = True

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
        """Cluster by HDBSCAN; `n_clusters` is not asked: the densities decide."""
        refuse_more("hdbscan", len(X), self.limit)
        axes = sight(X, self.pca, random_state)
        points = np.ascontiguousarray(X, dtype=np.float32) if axes is None else axes.project(X)
        few = few_places(X, points, min(n_clusters, 2))
        if few is not None or len(X) < max(self.min_cluster_size, self.min_samples or 1) + 1:
            return few if few is not None else shaped(X, np.zeros(len(X), dtype=np.int32))
        model = HDBSCAN(
            min_cluster_size=self.min_cluster_size,
            min_samples=self.min_samples,
            cluster_selection_method=self.cluster_selection_method,
            # scikit-learn may write distances over the points
            copy=True,
        ).fit(points)
        facts = {"anomalies": int((model.labels_ < 0).sum())}
        core = model.labels_ >= 0
        shares = np.nan_to_num(model.probabilities_)
        # HDBSCAN has no width: as far from the core as its own instances are from each other is near enough
        cut = _farthest_step(points[core])
        return shaped(X, model.labels_, shares=shares, facts=facts, core=core, cut=cut, sight=axes)


class MeanShift:
    """Hills of density: every instance climbs to the top of one (Comaniciu & Meer 2002; scikit-learn's).

    Parameters
    ----------
    bandwidth
        How wide an instance looks around, in the unit of what is looked at; ``none`` = of several of scikit-learn's
        estimates the one whose hills agree most with the clusters that HDBSCAN sees; a hill of few is then counted to
        the nearest one. Where none agrees, as far as half a cluster's share of the instances lies.
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
        """Cluster by hills of density; `n_clusters` is not asked: the bandwidth decides."""
        refuse_more("mean-shift", len(X), self.limit)
        points = reduced(X, self.pca, random_state)
        few = few_places(X, points, n_clusters)
        if few is not None:
            return few
        bandwidth, least = self.bandwidth or 0.0, 0
        if not bandwidth:
            bandwidth, least = self._chosen(points, n_clusters, random_state)
        # seeds lie on a grid: far fewer climbs than one from every instance
        model = Sklearn(bandwidth=bandwidth, bin_seeding=True, max_iter=self.max_iter).fit(points)
        labels = _without_foothills(model.labels_, model.cluster_centers_, least)
        return shaped(X, labels, facts={"bandwidth": round(bandwidth, 6)})

    def _chosen(self, points: FloatArray, n_clusters: int, random_state: int) -> tuple[float, int]:
        """A bandwidth, and how many instances a hill has at least."""
        rng = np.random.default_rng(random_state)
        sample = points[np.sort(rng.permutation(len(points))[:SAMPLE])]
        climbers = sample[rng.permutation(len(sample))[:CLIMBERS]]

        def width(quantile: float) -> float:
            return float(estimate_bandwidth(sample, quantile=quantile, n_samples=500, random_state=random_state))

        guide = Guide(sample, GUIDED_BY) if len(sample) > 2 * GUIDED_BY else None
        if guide is not None and guide.n_clusters:
            least = int(FOOTHILL * guide.smallest())
            widths = [wide for wide in sorted({width(quantile) for quantile in QUANTILES}) if wide > 0]
            best = guide.best([_tried(sample, climbers, wide, least) for wide in widths], AGREED)
            if best is not None:
                return best, int(least * len(points) / len(sample))
        share = width(min(0.5 / n_clusters, 0.3))  # 0 where more than that share of the instances are all alike
        return share or float(points.std()) or 1.0, 0


def _tried(points: FloatArray, climbers: FloatArray, width: float, least: int) -> Tried:
    """The hills of `points` (n, d) for one width, those of fewer than `least` instances counted to others."""
    tops = _tops(points, climbers, width)
    return Tried(width, _without_foothills(assign(points, tops)[0], tops, least), len(tops))


def _tops(points: FloatArray, climbers: FloatArray, width: float) -> FloatArray:
    """Return the tops (h, d) that `climbers` (m, d) reach, the highest first: step by step they go to the mean of the
    `points` (n, d) within `width` of them."""
    at, most = climbers, np.float32(width**2)
    norms = np.square(points).sum(axis=1)
    for _ in range(STEPS):
        near = (norms - 2.0 * (at @ points.T) + np.square(at).sum(axis=1)[:, None] <= most).astype(np.float32)
        counts = near.sum(axis=1)
        moved = np.where(counts[:, None] > 0, (near @ points) / np.maximum(counts, 1.0)[:, None], at)
        still = float(np.abs(moved - at).max()) < 1e-3 * width
        at = moved
        if still:
            break
    # of climbers that ended on one hill the one with most around it stands for it
    tops: list[int] = []
    for row in np.argsort(-counts, kind="stable").tolist():
        if all(np.square(at[row] - at[other]).sum() > most for other in tops):
            tops.append(row)
    return np.asarray(at[tops], dtype=np.float32)


def _without_foothills(labels: IntArray, tops: FloatArray, least: int) -> IntArray:
    """`labels` (n,) with every hill of fewer than `least` instances counted to the nearest larger one by `tops`."""
    sizes = np.bincount(labels, minlength=len(tops))
    large = np.flatnonzero(sizes >= least)
    if not len(large):
        return np.asarray(labels, dtype=np.int32)
    apart = np.square(tops[:, None, :] - tops[None, large, :]).sum(axis=2)
    return np.asarray(large[apart.argmin(axis=1)][labels], dtype=np.int32)


def _knee(distances: FloatArray) -> float:
    """The distance at the knee of the sorted `distances` (n,): farthest below the line from the first to the last."""
    curve = np.sort(distances).astype(np.float64)
    rise = (curve - curve[0]) / max(float(curve[-1] - curve[0]), 1e-30)
    return float(curve[int((np.linspace(0, 1, len(curve)) - rise).argmax())]) or float(curve[-1]) or 1.0


def _counted(points: FloatArray, labels: IntArray, voters: BoolArray, most: float) -> IntArray:
    """Labels of all (n,): of others than the `voters` by the vote of the nearest voters; -1 beyond `most`."""
    chosen, rest = np.flatnonzero(voters), np.flatnonzero(~voters)
    out = labels.copy()
    if not len(rest):
        return out
    model = NearestNeighbors(n_neighbors=min(NEIGHBORS, len(chosen))).fit(points[chosen])
    for block in blocks(len(rest), points.shape[1] + NEIGHBORS):
        distances, nearest = model.kneighbors(points[rest[block]])
        out[rest[block]] = np.where(distances[:, 0] <= most, _vote(labels[chosen][nearest]), -1)
    return out


def _farthest_step(points: FloatArray) -> float:
    """The largest distance of one of `points` (n, d) to its nearest other one."""
    if len(points) < 2:
        return 0.0
    return float(NearestNeighbors(n_neighbors=2).fit(points).kneighbors(points)[0][:, 1].max())


def _vote(nearest: IntArray) -> IntArray:
    """The commonest label of each row (m, v), the nearest first; ties go to the nearest."""
    votes = (nearest[:, :, None] == nearest[:, None, :]).sum(axis=2)
    return np.asarray(nearest[np.arange(len(nearest)), votes.argmax(axis=1)], dtype=np.int32)


def _nearest_to_means(points: FloatArray, labels: IntArray, core: BoolArray) -> IndexArray:
    """Return for each label from 0 up the core instance nearest to the mean of its core instances."""
    exemplars = []
    for label in range(int(labels.max()) + 1):
        members = np.flatnonzero((labels == label) & core)
        apart = np.square(points[members] - points[members].mean(axis=0)).sum(axis=1)
        exemplars.append(int(members[apart.argmin()]))
    return np.array(exemplars, dtype=np.int64)
