"""Density: odd is what a mixture of Gaussians gives a low one."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.mixture import GaussianMixture

from labeler.core.types import FloatArray
from labeler.plugins.outliers.reduced import Reduced

LEAST = 0.2
"""A Gaussian that holds less than this part of an even share stands on odd ones: it makes nothing usual."""


class Density(Reduced):
    """Minus the log density under a Gaussian mixture (scikit-learn's), fitted on the leading components.

    Géron, Hands-On Machine Learning, ch. 9: "anomaly detection using Gaussian mixtures".

    Parameters
    ----------
    n_clusters
        Gaussians in the mixture, at most one for twenty rows.
    n_components
        Principal components looked at, at most.
    """

    def __init__(self, n_clusters: int = 10, n_components: int = 10) -> None:
        super().__init__(n_components)
        if n_clusters < 1:
            raise ValueError(f"n_clusters must be at least 1, not {n_clusters}")
        self.n_clusters = n_clusters

    def _learn(self, Z: FloatArray, random_state: int) -> None:
        k = max(1, min(self.n_clusters, len(Z) // 20))
        # the columns have a root mean square of 1: no Gaussian may shrink onto a few repeats
        model: Any = GaussianMixture(k, reg_covar=1e-3, random_state=random_state).fit(Z.astype(np.float64))
        usual = model.weights_ * k >= LEAST
        # all arrays that are by component: one left behind would speak of another one
        for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
            setattr(model, name, getattr(model, name)[usual])
        model.weights_ /= model.weights_.sum()
        self._model = model

    def _say(self, Z: FloatArray) -> FloatArray:
        # a density is high where all is usual: the sign makes it oddness
        return np.asarray(-self._model.score_samples(Z.astype(np.float64)))
