"""k-means in a UMAP embedding: the fewest clicks of all on sets that fall into groups, if the extra is installed."""

from __future__ import annotations

import warnings

import numpy as np

from labeler.core.numeric.kmeans import kmeans
from labeler.core.protocols import Clustering
from labeler.core.types import FloatArray
from labeler.plugins.clusterers.common import shaped

SMALLEST = 16
"""Below so many instances there is no neighbourhood to embed: plain k-means."""


class UmapKMeans:
    """UMAP (McInnes, Healy & Melville 2018) to a few dimensions, then k-means there.

    Centers and distances are reported in the features. Embedding costs 10 s of compilation once, and then some 2 s for
    1,000 instances.

    Parameters
    ----------
    n_components
        Dimensions of the embedding.
    n_neighbors
        Neighbours of the graph that is embedded.
    n_init
        Runs of k-means.
    """

    def __init__(self, n_components: int = 10, n_neighbors: int = 15, n_init: int = 3) -> None:
        for name, value in (("n_components", n_components), ("n_neighbors", n_neighbors), ("n_init", n_init)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} is a whole number from 1 up")
        self.n_components, self.n_neighbors, self.n_init = n_components, max(n_neighbors, 2), n_init

    def cluster(self, X: FloatArray, n_clusters: int, random_state: int) -> Clustering:
        """Cluster the UMAP embedding of `X` into `n_clusters`."""
        if len(X) < SMALLEST or not np.ptp(X, axis=0).any():
            return kmeans(X, n_clusters, random_state, self.n_init)
        import umap  # an extra

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "n_jobs overridden": one thread is what the seed asks for
            embedding = umap.UMAP(
                n_components=min(self.n_components, len(X) - 2),
                n_neighbors=min(self.n_neighbors, len(X) - 1),
                min_dist=0.0,  # as close as they like: groups are wanted, not a picture of them
                random_state=random_state,
                # the spectral start needs clearly more instances than dimensions
                init="spectral" if len(X) > 4 * self.n_components else "random",
            ).fit_transform(np.asarray(X, dtype=np.float32))
        clustering = kmeans(np.ascontiguousarray(embedding, dtype=np.float32), n_clusters, random_state, self.n_init)
        return shaped(X, clustering.clusters)
