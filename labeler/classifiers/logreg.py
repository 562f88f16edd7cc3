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

    def __init__(self, C: float = 1.0, max_iter: int = 100) -> None:
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
                self._model.fit(self._project(X, fit=True), y, sample_weight=sample_weight)
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """See :class:`labeler.core.protocols.Classifier`."""
        if len(self.classes_) < 2:
            return np.ones((len(X), len(self.classes_)), dtype=np.float32)
        return np.asarray(self._model.predict_proba(self._project(X)), dtype=np.float32)

    def _project(self, X: FloatArray, fit: bool = False) -> FloatArray:
        """Scaled rows; with fewer rows than columns, in the coordinates of the span of the fitted rows.

        An L2-penalized linear model's weights lie in that span, so the answer is the same and the fit smaller.
        """
        X = X / np.float32(self._scale)
        if fit:
            self._axes = np.linalg.qr(X.T)[0] if len(X) < X.shape[1] else None
        return X if self._axes is None else np.asarray(X @ self._axes, dtype=np.float32)
