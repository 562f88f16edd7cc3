"""One-class SVM: odd is what lies outside a smooth boundary around the rest."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.svm import OneClassSVM

from labeler.core.types import FloatArray
from labeler.plugins.outliers.reduced import Reduced

MOST_ROWS = 5_000
"""Rows fitted at most, drawn at random: the time grows with their square."""


class OneClassSvm(Reduced):
    """Distance outside the boundary of a one-class support vector machine with a Gaussian kernel (scikit-learn's).

    Schölkopf et al., Neural Computation 13 (2001). Made for novelty: a pool known to be in order.

    Parameters
    ----------
    nu
        Share of the rows that may lie outside, above 0 and at most 1.
    n_components
        Principal components looked at, at most.
    """

    def __init__(self, nu: float = 0.1, n_components: int = 50) -> None:
        super().__init__(n_components)
        if not 0.0 < nu <= 1.0:
            raise ValueError(f"nu is a share above 0 and at most 1, not {nu}")
        self.nu = float(nu)

    def _learn(self, Z: FloatArray, random_state: int) -> None:
        if len(Z) > MOST_ROWS:
            Z = Z[np.sort(np.random.default_rng(random_state).choice(len(Z), MOST_ROWS, replace=False))]
        # the kernel's width follows the variance of the columns
        self._model: Any = OneClassSVM(nu=self.nu, gamma="scale").fit(Z)

    def _say(self, Z: FloatArray) -> FloatArray:
        # scikit-learn's is above 0 inside of the boundary
        return np.asarray(-self._model.decision_function(Z))
