"""k-means: the default clusterer."""

from __future__ import annotations

from labeler.core.clustering import kmeans
from labeler.core.protocols import Clustering
from labeler.core.vocabulary import FloatArray


class KMeans:
    """Lloyd's k-means on a sample of 256 instances a center, then one assignment pass.

    Parameters
    ----------
    n_init
        Runs from different k-means++ seeds; the one with the lowest inertia is kept.
    max_iter
        Iterations a run at most.
    """

    def __init__(self, n_init: int = 3, max_iter: int = 30) -> None:
        if n_init < 1 or max_iter < 1:
            raise ValueError("n_init and max_iter are at least 1")
        self.n_init, self.max_iter = n_init, max_iter

    def cluster(self, X: FloatArray, n_clusters: int, random_state: int) -> Clustering:
        """See :class:`labeler.core.protocols.Clusterer`."""
        return kmeans(X, n_clusters, random_state, self.n_init, self.max_iter)
