"""Distances to the centers of k-means: the data set of k dimensions of the source."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from labeler.core.numeric.kmeans import kmeans
from labeler.core.types import FloatArray
from labeler.plugins.encoders.base import Images
from labeler.plugins.encoders.pixels import Pixels


class KMeansDistances:
    """The distance of every instance to each of k centers, which k-means finds in the pixels or the table.

    Géron, Hands-On Machine Learning, ch. 9: soft clustering by distances, and a way to reduce dimensions that is not
    linear.

    Parameters
    ----------
    k
        Centers, fewer where there are fewer distinct instances.
    n_init
        Runs of k-means; the one with the lowest inertia is kept.
    """

    version = 1
    takes: tuple[str, ...] = ("images", "table")

    def __init__(self, k: int = 50, n_init: int = 3) -> None:
        if k < 1 or n_init < 1:
            raise ValueError("k and n_init are at least 1")
        self.k, self.n_init = k, n_init
        self._pixels = Pixels()
        self._centers: NDArray[np.float64] | None = None

    def fit(self, images: Images) -> KMeansDistances:
        """Find the centers on a sample."""
        X = self._pixels.transform(images)
        # always the same seed: features are cached by what an encoder is called, and have to come out the same
        self._centers = kmeans(X, self.k, 0, self.n_init).centers.astype(np.float64)
        return self

    def transform(self, images: Images) -> FloatArray:
        """Distances (n, k) float32, at most `k` columns."""
        if self._centers is None:
            raise ValueError("fit comes before transform")
        X = self._pixels.transform(images)
        if X.shape[1] != self._centers.shape[1]:
            raise ValueError(f"was fitted on {self._centers.shape[1]} values a row, not {X.shape[1]}")
        return np.ascontiguousarray(cdist(X.astype(np.float64), self._centers), dtype=np.float32)
