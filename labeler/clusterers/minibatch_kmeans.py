"""Mini-batch k-means: scikit-learn's, for pools that are read in a stream."""

from __future__ import annotations

import numpy as np

from labeler.core.clustering import assign
from labeler.core.protocols import Clustering
from labeler.core.vocabulary import FloatArray


class MiniBatchKMeans:
    """k-means by stochastic updates on small batches (Sculley 2010).

    Parameters
    ----------
    batch_size
        Instances a batch.
    n_init
        Random seedings tried on small samples before the one run.
    max_iter
        Passes over the data at most.
    """

    def __init__(self, batch_size: int = 1024, n_init: int = 3, max_iter: int = 100) -> None:
        if min(batch_size, n_init, max_iter) < 1:
            raise ValueError("batch_size, n_init and max_iter are at least 1")
        self.batch_size, self.n_init, self.max_iter = batch_size, n_init, max_iter

    def cluster(self, X: FloatArray, n_clusters: int, random_state: int) -> Clustering:
        """See :class:`labeler.core.protocols.Clusterer`."""
        from sklearn.cluster import MiniBatchKMeans as Sklearn

        model = Sklearn(
            n_clusters=min(n_clusters, len(X)),
            batch_size=self.batch_size,
            n_init=self.n_init,
            max_iter=self.max_iter,
            random_state=random_state,
        ).fit(X)
        centers = np.unique(np.asarray(model.cluster_centers_, dtype=np.float32), axis=0)
        clusters, distances = assign(X, centers)
        used, positions = np.unique(clusters, return_inverse=True)
        inertia = float(np.square(distances, dtype=np.float64).sum())
        return Clustering(positions.astype(np.int32), distances, centers[used], inertia)
