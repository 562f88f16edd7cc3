"""Local outlier factor: odd is what lies in a thinner place than its neighbors do."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neighbors import LocalOutlierFactor as Lof

from labeler.core.types import FloatArray
from labeler.plugins.outliers.reduced import Reduced, bounded


class LocalOutlierFactor(Reduced):
    """Scores an instance by how much thinner its place is than those of its neighbors; about 1 inside (scikit-learn's).

    Breunig, Kriegel, Ng & Sander, SIGMOD 2000. Judges each cluster by its own density.

    Parameters
    ----------
    n_neighbors
        Neighbors asked.
    n_components
        Principal components looked at, at most.
    """

    def __init__(self, n_neighbors: int = 20, n_components: int = 50) -> None:
        super().__init__(n_components)
        if n_neighbors < 1:
            raise ValueError(f"n_neighbors must be at least 1, not {n_neighbors}")
        self.n_neighbors = n_neighbors

    def _learn(self, Z: FloatArray, random_state: int) -> None:
        # for novelty: otherwise scikit-learn judges only what it was fitted on
        self._model: Any = Lof(n_neighbors=min(self.n_neighbors, len(Z) - 1), novelty=True).fit(Z)

    def _say(self, Z: FloatArray) -> FloatArray:
        # scikit-learn's score is the factor with its sign turned
        return np.asarray(-self._model.score_samples(Z))

    def anomalies(self, X: FloatArray, random_state: int = 0) -> FloatArray:
        """Return how odd each row is among the others: nobody is its own neighbor."""
        self.fit(X, random_state)
        return self.score(X) if self._plain else bounded(-self._model.negative_outlier_factor_)
