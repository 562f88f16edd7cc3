"""Isolation forest: odd is what few random cuts set apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest as Forest

from labeler.core.types import FloatArray
from labeler.plugins.outliers.reduced import Reduced


class IsolationForest(Reduced):
    """Scores an instance by how few random cuts set it apart, from 0 to 1 (scikit-learn's isolation forest).

    Liu, Ting & Zhou, ICDM 2008.

    Parameters
    ----------
    n_estimators
        Trees.
    n_components
        Principal components looked at, at most.
    """

    def __init__(self, n_estimators: int = 200, n_components: int = 20) -> None:
        super().__init__(n_components)
        if n_estimators < 1:
            raise ValueError(f"n_estimators must be at least 1, not {n_estimators}")
        self.n_estimators = n_estimators

    def _learn(self, Z: FloatArray, random_state: int) -> None:
        self._model: Any = Forest(n_estimators=self.n_estimators, random_state=random_state).fit(Z)

    def _say(self, Z: FloatArray) -> FloatArray:
        # scikit-learn's score is the paper's with its sign turned
        return np.asarray(-self._model.score_samples(Z))
