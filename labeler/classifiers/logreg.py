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
        if len(self.classes_) > 1:
            from sklearn.exceptions import ConvergenceWarning
            from sklearn.linear_model import LogisticRegression

            scale = np.float32(np.sqrt(np.mean(np.square(X, dtype=np.float64))) or 1.0)
            scaled = X / scale
            # an L2-penalized linear model's weights lie in the span of the rows: with fewer rows than columns the fit
            # is smaller in its coordinates, and the answer the same
            axes = np.linalg.qr(scaled.T)[0] if len(X) < X.shape[1] else None
            model = LogisticRegression(C=self.C, max_iter=self.max_iter)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # the last steps change no label worth a warning
                model.fit(scaled if axes is None else scaled @ axes, y, sample_weight=sample_weight)
            slopes, offsets = model.coef_, model.intercept_
            if len(self.classes_) == 2:  # scikit-learn keeps the second class alone
                slopes, offsets = np.vstack((0.0 * slopes, slopes)), np.r_[0.0, offsets]
            slopes = slopes.T if axes is None else axes @ slopes.T
            self._slopes, self._offsets = (slopes / scale).astype(np.float32), offsets.astype(np.float32)
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """See :class:`labeler.core.protocols.Classifier`."""
        if len(self.classes_) < 2:
            return np.ones((len(X), len(self.classes_)), dtype=np.float32)
        proba = self._slopes.T @ np.asarray(X, dtype=np.float32).T  # a row for each class: sums over classes are fast
        proba += self._offsets[:, None]
        proba -= proba.max(axis=0)
        np.exp(proba, out=proba)
        proba /= proba.sum(axis=0)
        return np.ascontiguousarray(proba.T, dtype=np.float32)
