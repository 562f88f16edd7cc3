"""Principal components of the pixels (or of a table)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.core.numeric.pca import PrincipalAxes, axes_of_sample
from labeler.core.types import FloatArray
from labeler.plugins.encoders.base import Images
from labeler.plugins.encoders.pixels import Pixels

_SIDE = 2048  # the eigenproblem is never larger: about a second on one core
_ROWS = 1024  # pixels become float32 a part at a time: a pool may be larger than the memory


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
        self._fitted: PrincipalAxes | None = None

    def fit(self, images: Images) -> Pca:
        """Find mean and axes of a sample: by the covariance or, where rows are fewer than columns, the Gram matrix."""
        if len(images) == 0:
            raise ValueError("needs at least one row to fit")
        if images[0].size > _SIDE and len(images) > _SIDE:
            images = images[np.linspace(0, len(images) - 1, _SIDE).astype(np.int64)]
        X = self._pixels.transform(images)
        mean = X.mean(axis=0, dtype=np.float64).astype(np.float32)
        self._fitted = PrincipalAxes(mean, axes_of_sample(X - mean, self.n_components))
        return self

    def learned(self) -> dict[str, NDArray[Any]]:
        """Return mean (d,) and axes (d, k)."""
        if self._fitted is None:
            raise ValueError("fit comes before learned")
        return {"mean": self._fitted.mean, "axes": self._fitted.axes}

    def take_over(self, learned: Mapping[str, NDArray[Any]]) -> None:
        """Take what another one has learned."""
        self._fitted = PrincipalAxes(learned["mean"], learned["axes"])

    def transform(self, images: Images) -> FloatArray:
        """Return features (n, k) float32, k <= n_components."""
        if self._fitted is None:
            raise ValueError("fit comes before transform")
        width, n_components = self._fitted.axes.shape
        if images[:0].reshape(0, int(np.prod(images.shape[1:]))).shape[1] != width:
            raise ValueError(f"was fitted on {width} values a row, not on rows of shape {images.shape[1:]}")
        out = np.empty((len(images), n_components), dtype=np.float32)
        for start in range(0, len(images), _ROWS):
            rows = self._pixels.transform(images[start : start + _ROWS])
            out[start : start + _ROWS] = self._fitted.project(rows)
        return out
