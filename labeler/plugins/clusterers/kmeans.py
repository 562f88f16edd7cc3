"""k-means: the default clusterer."""

from __future__ import annotations

import warnings

import numpy as np

from labeler.core.numeric.kmeans import assign, kmeans
from labeler.core.protocols import Clustering
from labeler.core.types import FloatArray
from labeler.plugins.clusterers.common import one_of, whole
from labeler.plugins.clusterers.initial_centers import STARTS, drawn, start

ALGORITHMS = ("lloyd", "elkan")
THOROUGH_UP_TO = 10_000
"""Instances up to which runs and rows are not spared."""
RUNS, RUNS_OF_MANY = 10, 3
ITERATIONS, ITERATIONS_OF_MANY = 300, 30


class KMeans:
    """k-means, Lloyd's or Elkan's; the run with the lowest inertia is kept.

    Up to 10,000 instances Lloyd's goes over all of them, from the best of several seeds at each step (greedy k-means++,
    as scikit-learn's); of more it learns on a sample of 256 instances a center, and one pass assigns the rest.

    Parameters
    ----------
    n_init
        Runs from different seeds; ``none`` = 10, and 3 where there are more than 10,000 instances.
    max_iter
        Iterations a run at most; ``none`` = 300, and 30 where there are more than 10,000 instances.
    init
        Where a run begins: ``labels`` = at the mean of each class that has imported labels, the rest by k-means++
        (Arthur & Vassilvitskii 2007), which is all of them where nothing was imported; ``k-means++``; ``random`` =
        instances drawn at random; or a .npy file of centers, one a row.
    algorithm
        ``lloyd``; or ``elkan``: scikit-learn's, which spares distances by the triangle inequality (Elkan 2003) on all
        instances, and takes memory for instances x clusters.
    """

    def __init__(
        self, n_init: int | None = None, max_iter: int | None = None, init: str = "labels", algorithm: str = "lloyd"
    ) -> None:
        whole(n_init=n_init, max_iter=max_iter)
        one_of(ALGORITHMS, algorithm=algorithm)
        self._given = None if init in STARTS else _centers(init)
        self.n_init, self.max_iter, self.init, self.algorithm = n_init, max_iter, init, algorithm

    def start_at(self, centers: FloatArray) -> None:
        """Begin at `centers` (m, d) from here on, unless the person asked for other ones."""
        if self.init == "labels":
            self._given = centers

    def cluster(self, X: FloatArray, n_clusters: int, random_state: int) -> Clustering:
        """Cluster into `n_clusters` by the best of several runs."""
        begin = start(self._given, X, n_clusters, random_state)
        if self.algorithm == "elkan":
            return self._elkan(X, n_clusters, random_state, begin)
        thorough = len(X) <= THOROUGH_UP_TO
        n_init, max_iter = self._effort(len(X))
        if begin is None and self.init == "random":
            # another draw for each run, and the same ones whenever it is repeated
            starts = (drawn(X, n_clusters, random_state + run) for run in range(n_init))
            runs = [kmeans(X, n_clusters, random_state, 1, max_iter, rows, thorough) for rows in starts]
            return min(runs, key=lambda run: run.inertia)
        return kmeans(X, n_clusters, random_state, n_init, max_iter, begin, thorough)

    def _effort(self, n: int) -> tuple[int, int]:
        """Runs, and iterations of each, for `n` instances."""
        many = n > THOROUGH_UP_TO
        runs, iterations = (RUNS_OF_MANY, ITERATIONS_OF_MANY) if many else (RUNS, ITERATIONS)
        return self.n_init or runs, self.max_iter or iterations

    def _elkan(self, X: FloatArray, n_clusters: int, random_state: int, begin: FloatArray | None) -> Clustering:
        from sklearn.cluster import KMeans as Sklearn  # start-up: 1 s, and Lloyd's does without

        n_init, max_iter = self._effort(len(X))

        init = begin if begin is not None else "random" if self.init == "random" else "k-means++"
        model = Sklearn(
            n_clusters=len(begin) if begin is not None else min(n_clusters, len(X)),
            # from given centers every run is the same
            n_init=1 if begin is not None else n_init,
            max_iter=max_iter,
            init=init,
            algorithm="elkan",
            random_state=random_state,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # fewer distinct points than clusters
            model.fit(np.asarray(X, dtype=np.float32))
        # with fewer distinct points than clusters a center comes twice
        centers = np.unique(np.asarray(model.cluster_centers_, dtype=np.float32), axis=0)
        clusters, distances = assign(X, centers)
        used, positions = np.unique(clusters, return_inverse=True)
        inertia = float(np.square(distances, dtype=np.float64).sum())
        facts = {"iterations": int(model.n_iter_)}
        return Clustering(positions.astype(np.int32), distances, centers[used], inertia, facts=facts)


def _centers(path: str) -> FloatArray:
    """The centers (m, d) of a .npy file; a ValueError where there are none."""
    if not path.endswith(".npy"):
        raise ValueError(f"init is one of {', '.join(STARTS)} or a .npy file of centers, not {path!r}")
    try:
        # never unpickled: the file may come from anywhere
        centers = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"cannot read the centers {path!r}: {error}") from error
    if centers.ndim != 2 or not len(centers) or not np.issubdtype(centers.dtype, np.number):
        raise ValueError(f"{path!r} holds no centers: one a row, as many columns as there are features")
    return np.ascontiguousarray(centers, dtype=np.float32)
