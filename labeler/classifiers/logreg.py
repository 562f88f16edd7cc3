"""Multinomial logistic regression."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from labeler.core.vocabulary import FloatArray, IntArray


class LogReg:
    """Multinomial logistic regression with an L2 penalty, fitted by L-BFGS (scikit-learn's).

    Features are divided by one number, their overall root mean square, so that `C` means the same for pixels in
    [0, 1], in [0, 255] or for an embedding; columns keep their relative scale.

    Parameters
    ----------
    C
        Inverse strength of the penalty.
    max_iter
        Iterations at most.
    """

    def __init__(self, C: float = 1.0, max_iter: int = 200) -> None:
        if C <= 0 or max_iter < 1:
            raise ValueError("C is above 0 and max_iter at least 1")
        self.C, self.max_iter = C, max_iter
        self.classes_: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def fit(self, X: FloatArray, y: IntArray, sample_weight: FloatArray | None = None) -> LogReg:
        """See :class:`labeler.core.protocols.Classifier`."""
        self.classes_ = np.unique(y).astype(np.int64)
        self._scale = float(np.sqrt(np.mean(np.square(X, dtype=np.float64)))) or 1.0
        if len(self.classes_) > 1:
            from sklearn.exceptions import ConvergenceWarning
            from sklearn.linear_model import LogisticRegression

            self._model = LogisticRegression(C=self.C, max_iter=self.max_iter)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # the last steps change no label worth a warning
                self._model.fit(X / np.float32(self._scale), y, sample_weight=sample_weight)
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """See :class:`labeler.core.protocols.Classifier`."""
        if len(self.classes_) < 2:
            return np.ones((len(X), len(self.classes_)), dtype=np.float32)
        return np.asarray(self._model.predict_proba(X / np.float32(self._scale)), dtype=np.float32)
