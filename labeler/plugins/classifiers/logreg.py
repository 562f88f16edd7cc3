"""Multinomial logistic regression: scikit-learn's."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import ThreadpoolController

from labeler.core.model import Model
from labeler.core.numeric.largest import largest
from labeler.core.types import FloatArray, IntArray

_LIBRARIES = ThreadpoolController()
"""The numeric libraries, looked up once: that takes 5 ms, as long as a fit on 50 answers."""


class LogReg:
    """Multinomial logistic regression with an L2 penalty: scikit-learn's, fitted by L-BFGS.

    Features are divided by one number, their overall root mean square, so that `C` means the same for pixels in
    [0, 1], in [0, 255] or for an embedding; columns keep their relative scale.

    Parameters
    ----------
    C
        Inverse strength of the penalty.
    max_iter
        Iterations at most.
    class_weight
        ``balanced`` = rare classes count for as much as frequent ones; ``none`` = by their answers.
    """

    def __init__(self, C: float = 1.0, max_iter: int = 100, class_weight: str | None = None) -> None:
        if C <= 0 or max_iter < 1:
            raise ValueError("C is above 0 and max_iter at least 1")
        if class_weight not in (None, "balanced"):
            raise ValueError(f"class_weight is balanced or none, not {class_weight}")
        self.C, self.max_iter, self.class_weight = C, max_iter, class_weight
        self.classes_: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def fit(self, X: FloatArray, y: IntArray, sample_weight: FloatArray | None = None) -> LogReg:
        """Fit on `X` (n, d) and class ids `y` (n,); with a single class there is nothing to fit."""
        self.classes_ = np.unique(y).astype(np.int64)
        self._width = X.shape[1]
        if len(self.classes_) > 1:
            scale = np.float32(np.sqrt(np.mean(np.square(X, dtype=np.float64))) or 1.0)
            self._regression = LogisticRegression(C=self.C, max_iter=self.max_iter, class_weight=self.class_weight)
            with warnings.catch_warnings(), _LIBRARIES.limit(limits=1):
                # few iterations are a choice, and a class an answer is how every project begins
                warnings.simplefilter("ignore", UserWarning)
                self._regression.fit(np.asarray(X, dtype=np.float32) / scale, y, sample_weight)
            # put into the weights, so that predictions take features as they come
            self._regression.coef_ /= scale
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Return class probabilities (n, k) float32, columns in the order of `classes_`."""
        if len(self.classes_) < 2:
            return np.ones((len(X), len(self.classes_)), dtype=np.float32)
        X = np.asarray(X, dtype=np.float32)
        if len(self.classes_) == 2:
            return np.asarray(self._regression.predict_proba(X), dtype=np.float32)
        # scikit-learn's own sums in its order, to the bit: it searches rows for the largest three times as long
        shares = X @ self._regression.coef_.T + self._regression.intercept_
        shares -= largest(shares)[:, None]
        np.exp(shares, out=shares)
        shares /= shares.sum(axis=1, keepdims=True)
        return np.asarray(shares, dtype=np.float32)

    def model(self) -> Model:
        """The fitted weights as arrays."""
        classes = self.classes_.astype(np.int32)
        slopes = np.zeros((self._width, len(classes)), dtype=np.float32)
        offsets = np.zeros(len(classes), dtype=np.float32)
        if len(classes) > 1:
            # of two classes scikit-learn fits the second one's weights, against zeros
            fitted = slice(1 if len(classes) == 2 else 0, None)
            slopes[:, fitted], offsets[fitted] = self._regression.coef_.T, self._regression.intercept_
        return Model("linear", classes, {"slopes": slopes, "offsets": offsets})
