"""Principal components of the pixels (or of a table)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from labeler.core.types import FloatArray
from labeler.plugins.encoders.base import Images
from labeler.plugins.encoders.pixels import Pixels

_SIDE = 2048  # the eigenproblem is never larger: about a second on one core
_ROWS = 1024


class Pca:
    """Projection on the leading principal components, without whitening (whitened pixels cluster worse).

    Parameters
    ----------
    n_components : int
        Upper limit of the components kept; a small or flat sample has fewer.
    """

    version = 1
    takes: tuple[str, ...] = ("images", "table")

    def __init__(self, n_components: int = 100) -> None:
        if n_components < 1:
            raise ValueError(f"n_components must be at least 1, not {n_components}")
        self.n_components = n_components
        self._pixels = Pixels()
        self._mean: FloatArray | None = None
        self._axes: FloatArray | None = None  # (d, k)

    def fit(self, images: Images) -> Pca:
        """Mean and axes of a sample: through the covariance or, where rows are fewer than columns, the Gram matrix."""
        if len(images) == 0:
            raise ValueError("needs at least one row to fit")
        if images[0].size > _SIDE and len(images) > _SIDE:
            images = images[np.linspace(0, len(images) - 1, _SIDE).astype(np.int64)]
        X = self._pixels.transform(images)
        self._mean = X.mean(axis=0, dtype=np.float64).astype(np.float32)
        self._axes = principal_axes(X - self._mean, self.n_components)
        return self

    def transform(self, images: Images) -> FloatArray:
        """Features (n, k) float32, k <= n_components."""
        if self._mean is None or self._axes is None:
            raise ValueError("fit comes before transform")
        if images[:0].reshape(0, int(np.prod(images.shape[1:]))).shape[1] != len(self._mean):
            raise ValueError(f"was fitted on {len(self._mean)} values a row, not on rows of shape {images.shape[1:]}")
        out = np.empty((len(images), self._axes.shape[1]), dtype=np.float32)
        for start in range(0, len(images), _ROWS):
            rows = self._pixels.transform(images[start : start + _ROWS])
            out[start : start + _ROWS] = (rows - self._mean) @ self._axes
        return out


def principal_axes(centered: FloatArray, n_components: int) -> FloatArray:
    """Orthonormal axes (d, k) float32 of centered rows (n, d), largest variance first; k = 1 at least.

    Axes whose variance is lost in float32 rounding are left out; the sign makes the largest loading positive, so
    that the same data give the same features on every machine.
    """
    n, d = centered.shape
    # Neither the squares of huge values nor those of tiny ones leave float32.
    centered = centered / max(float(np.abs(centered).max(initial=0.0)), 1e-30)
    by_gram = n < d
    small: NDArray[np.float32] = centered @ centered.T if by_gram else centered.T @ centered
    side = len(small)
    k = min(n_components, side)
    values, vectors = eigh(small.astype(np.float64), subset_by_index=(side - k, side - 1))
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = max(1, int(np.count_nonzero(values > 1e-6 * max(float(values[0]), 1e-30))))
    axes = vectors[:, :kept]
    if by_gram:
        axes = centered.T.astype(np.float64) @ axes
        axes = axes / np.maximum(np.linalg.norm(axes, axis=0), 1e-12)
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return np.ascontiguousarray(axes * np.where(largest < 0, -1.0, 1.0), dtype=np.float32)
