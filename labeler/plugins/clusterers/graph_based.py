"""Clusters by who is alike to whom: affinity propagation and spectral clustering."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn import cluster

from labeler.core.protocols import Clustering
from labeler.core.types import FloatArray
from labeler.plugins.clusterers.common import COMPONENTS, few_places, one_of, reduced, refuse_more, shaped, whole


class AffinityPropagation:
    """Instances vote for the one that stands for them (Frey & Dueck 2007; scikit-learn's).

    Those elected, the exemplars, are the representatives. How many there are follows from the preference.

    Parameters
    ----------
    preference
        How much an instance wants to be one: minus a squared distance; ``none`` = the median of all, which elects many.
    damping
        From 0.5 to 1: how slowly votes change.
    max_iter
        Ballots at most.
    pca
        Principal components looked at; ``none`` = the features as they are.
    limit
        More instances than that are refused.
    """

    def __init__(
        self,
        preference: float | None = None,
        damping: float = 0.7,
        max_iter: int = 300,
        pca: int | None = COMPONENTS,
        limit: int = 5_000,
    ) -> None:
        whole(max_iter=max_iter, pca=pca, limit=limit)
        if not isinstance(damping, (int, float)) or not 0.5 <= damping < 1:
            raise ValueError(f"damping is a number from 0.5 to below 1, not {damping}")
        if preference is not None and not isinstance(preference, (int, float)):
            raise ValueError(f"preference is a number, not {preference}")
        self.preference, self.damping, self.max_iter, self.pca, self.limit = preference, damping, max_iter, pca, limit

    def cluster(self, X: FloatArray, n_clusters: int, random_state: int) -> Clustering:
        """Let instances elect exemplars; `n_clusters` is not asked: the preference decides."""
        refuse_more("affinity-propagation", len(X), self.limit)
        points = reduced(X, self.pca, random_state)
        few = few_places(X, points, n_clusters)
        if few is not None:
            return few
        model = cluster.AffinityPropagation(
            preference=self.preference, damping=self.damping, max_iter=self.max_iter, random_state=random_state
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whether it converged is in the facts
            labels = model.fit_predict(points)
        # scikit-learn does not say whether it converged: who used the last ballot did not
        facts = {"iterations": int(model.n_iter_), "converged": int(model.n_iter_) < self.max_iter}
        return shaped(X, labels, exemplars=np.asarray(model.cluster_centers_indices_, dtype=np.int64), facts=facts)


class Spectral:
    """k-means in the leading eigenvectors of the neighbour graph (Shi & Malik 2000; scikit-learn's).

    Parameters
    ----------
    n_neighbors
        Neighbours of the graph.
    assign_labels
        ``cluster_qr`` = directly from the eigenvectors (Damle et al. 2019), ``kmeans`` or ``discretize``.
    pca
        Principal components looked at; ``none`` = the features as they are.
    limit
        More instances than that are refused.
    """

    def __init__(
        self,
        n_neighbors: int = 10,
        assign_labels: str = "kmeans",
        pca: int | None = COMPONENTS,
        limit: int = 10_000,
    ) -> None:
        whole(n_neighbors=n_neighbors, pca=pca, limit=limit)
        one_of(("kmeans", "cluster_qr", "discretize"), assign_labels=assign_labels)
        # two at least, as an instance is its own first neighbor
        self.n_neighbors, self.assign_labels, self.pca, self.limit = max(n_neighbors, 2), assign_labels, pca, limit

    def cluster(self, X: FloatArray, n_clusters: int, random_state: int) -> Clustering:
        """Cluster the leading eigenvectors of the neighbour graph into `n_clusters`."""
        refuse_more("spectral", len(X), self.limit)
        points = reduced(X, self.pca, random_state)
        few = few_places(X, points, n_clusters)
        if few is not None:
            return few
        model = cluster.SpectralClustering(
            n_clusters=min(n_clusters, len(X) - 1),  # the solver finds fewer eigenvectors than there are rows
            affinity="nearest_neighbors",
            n_neighbors=min(self.n_neighbors, len(X)),
            assign_labels=self.assign_labels,
            random_state=random_state,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a graph of several parts is what well separated clusters give
            return shaped(X, model.fit_predict(points))
