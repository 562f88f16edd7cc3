"""Fast-MCD: odd is what lies far from the bulk, measured by the bulk's own covariance."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.covariance import MinCovDet

from labeler.core.types import FloatArray
from labeler.plugins.outliers.reduced import Reduced

ROWS_A_COLUMN = 5
"""Rows that a column needs at least for a covariance that says something."""


class FastMcd(Reduced):
    """Mahalanobis distance from the minimum covariance determinant (scikit-learn's) of the leading components.

    Rousseeuw & Van Driessen, Technometrics 41 (1999). Made for one bulk: where a pool falls into clusters, the others
    see more.

    Parameters
    ----------
    n_components
        Principal components looked at, at most, and at most one for five rows.
    support
        Share of the rows that counts as the bulk, from 0.5 to 1.
    """

    def __init__(self, n_components: int = 10, support: float = 0.75) -> None:
        super().__init__(n_components)
        if not 0.5 <= support <= 1.0:
            raise ValueError(f"support is a share from 0.5 to 1, not {support}")
        self.support = float(support)

    def _learn(self, Z: FloatArray, random_state: int) -> None:
        # the length of the rest is the last column, so it is the first to go
        self._width = max(1, min(Z.shape[1], len(Z) // ROWS_A_COLUMN))
        rng = np.random.default_rng(random_state)
        table = Z[:, : self._width].astype(np.float64)
        table += rng.normal(0.0, 1e-3, table.shape)  # a bulk of repeats has no volume, so no distance either
        self._model: Any = MinCovDet(support_fraction=self.support, random_state=random_state).fit(table)

    def _say(self, Z: FloatArray) -> FloatArray:
        return np.asarray(np.sqrt(self._model.mahalanobis(Z[:, : self._width].astype(np.float64))))
