"""Multinomial logistic regression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labeler.core.model import Model
from labeler.core.types import FloatArray, IntArray

TOLERANCE = 1e-4
"""Largest entry of the gradient at which the fit is done."""


class LogReg:
    """Multinomial logistic regression with an L2 penalty, fitted by L-BFGS: what scikit-learn's fits.

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
        self._width = X.shape[1]
        if len(self.classes_) > 1:
            scale = np.float32(np.sqrt(np.mean(np.square(X, dtype=np.float64))) or 1.0)
            rows = X / scale
            # an L2-penalized linear model's weights lie in the span of the rows: with fewer rows than columns the fit
            # is smaller in its coordinates, and the answer the same
            axes = np.linalg.qr(rows.T)[0] if len(X) < X.shape[1] else None
            weights = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
            positions = np.searchsorted(self.classes_, y)
            found = self._minimized(rows if axes is None else rows @ axes, positions, weights)
            slopes = found[:-1] if axes is None else axes @ found[:-1]
            self._slopes, self._offsets = (slopes / scale).astype(np.float32), found[-1].astype(np.float32)
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

    def model(self) -> Model:
        """The fitted weights as arrays."""
        classes = self.classes_.astype(np.int32)
        if len(classes) < 2:
            nothing = np.zeros((self._width, len(classes)), dtype=np.float32)
            return Model("linear", classes, {"slopes": nothing, "offsets": np.zeros(len(classes), dtype=np.float32)})
        return Model("linear", classes, {"slopes": self._slopes, "offsets": self._offsets})

    def _minimized(self, X: FloatArray, positions: NDArray[np.intp], weights: NDArray[np.float64]) -> FloatArray:
        """Slopes and, in the last row, offsets (d + 1, k): the mean log loss and the penalty of the slopes at their
        least, from zero on. Of two classes the first one's are 0, as usual: a penalty on both would count half."""
        from scipy.optimize import minimize

        n, d = X.shape
        k, fixed = len(self.classes_), 1 if len(self.classes_) == 2 else 0
        wide = np.concatenate((X, np.ones((n, 1), dtype=np.float32)), axis=1)
        share = (weights / weights.sum()).astype(np.float32)
        penalty, at = 1.0 / (self.C * weights.sum()), np.arange(n)
        logits = np.zeros((k, n), dtype=np.float32)

        def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            found = flat.reshape(d + 1, k - fixed)
            logits[:fixed] = 0.0
            np.matmul(found.T.astype(np.float32), wide.T, out=logits[fixed:])
            np.subtract(logits, logits.max(axis=0), out=logits)
            own = logits[positions, at]
            np.exp(logits, out=logits)
            sums = logits.sum(axis=0)
            value = float(share @ (np.log(sums) - own)) + 0.5 * penalty * float(np.square(found[:-1]).sum())
            np.multiply(logits, share / sums, out=logits)
            logits[positions, at] -= share
            slope = (logits[fixed:] @ wide).T.astype(np.float64)
            slope[:-1] += penalty * found[:-1]
            return value, slope.ravel()

        options = {"maxiter": self.max_iter, "gtol": TOLERANCE, "maxls": 50}
        best = minimize(loss, np.zeros((d + 1) * (k - fixed)), method="L-BFGS-B", jac=True, options=options).x
        found = best.reshape(d + 1, k - fixed).astype(np.float32)
        return np.concatenate((np.zeros((d + 1, fixed), dtype=np.float32), found), axis=1)
