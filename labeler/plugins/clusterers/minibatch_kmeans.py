"""Mini-batch k-means: scikit-learn's, for pools that are read in a stream."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import MiniBatchKMeans as Sklearn

from labeler.core.numeric.kmeans import assign
from labeler.core.protocols import Clustering
from labeler.core.types import FloatArray
from labeler.plugins.clusterers.common import one_of, whole
from labeler.plugins.clusterers.initial_centers import STARTS, start


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
    init
        ``labels`` = at the mean of each class that has imported labels, the rest by k-means++, which is all of them
        where nothing was imported; ``k-means++``; ``random`` = instances drawn at random.
    """

    def __init__(self, batch_size: int = 1024, n_init: int = 3, max_iter: int = 100, init: str = "labels") -> None:
        whole(batch_size=batch_size, n_init=n_init, max_iter=max_iter)
        one_of(STARTS, init=init)
        self.batch_size, self.n_init, self.max_iter, self.init = batch_size, n_init, max_iter, init
        self._given: FloatArray | None = None

    def start_at(self, centers: FloatArray) -> None:
        """Begin at `centers` (m, d) from here on, unless the person asked for other ones."""
        if self.init == "labels":
            self._given = centers

    def cluster(self, X: FloatArray, n_clusters: int, random_state: int) -> Clustering:
        """Cluster into `n_clusters`, a mini-batch at a time."""
        begin = start(self._given, X, n_clusters, random_state)
        otherwise = "random" if self.init == "random" else "k-means++"
        model = Sklearn(
            n_clusters=len(begin) if begin is not None else min(n_clusters, len(X)),
            batch_size=self.batch_size,
            # from given centers every seeding is the same
            n_init=1 if begin is not None else self.n_init,
            init=begin if begin is not None else otherwise,
            max_iter=self.max_iter,
            random_state=random_state,
        ).fit(X)
        centers = np.asarray(model.cluster_centers_, dtype=np.float32)
        centers = centers[np.sort(np.unique(centers, axis=0, return_index=True)[1])]  # in the order they began in
        clusters, distances = assign(X, centers)
        used, positions = np.unique(clusters, return_inverse=True)
        inertia = float(np.square(distances, dtype=np.float64).sum())
        return Clustering(positions.astype(np.int32), distances, centers[used], inertia)
