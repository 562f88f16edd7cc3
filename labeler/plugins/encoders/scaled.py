"""Columns of a table brought to one scale."""

from __future__ import annotations

import numpy as np

from labeler.core.types import FloatArray
from labeler.plugins.encoders.base import Images
from labeler.plugins.encoders.raster import check_table


class Scaled:
    """Each column to mean 0 and variance 1; a constant column becomes 0, a missing value the column's mean (0).

    Parameters
    ----------
    clip : float
        Values are kept within this many standard deviations, so that one wild entry cannot rule every distance.
    """

    version = 1
    takes: tuple[str, ...] = ("table",)

    def __init__(self, clip: float = 10.0) -> None:
        if not clip > 0:
            raise ValueError(f"clip must be positive, not {clip}")
        self.clip = float(clip)
        self._mean: np.ndarray | None = None
        self._scale: np.ndarray | None = None

    def fit(self, images: Images) -> Scaled:
        """Mean and standard deviation of each column, over its finite entries, in float64."""
        check_table(images)
        table = images.astype(np.float64)
        known = np.isfinite(table)
        counts = np.maximum(known.sum(axis=0), 1)
        self._mean = np.where(known, table, 0.0).sum(axis=0) / counts
        spread = np.where(known, table - self._mean, 0.0)
        deviation = np.sqrt((spread**2).sum(axis=0) / counts)
        # A deviation that is only the rounding of a large constant is none.
        varies = deviation > 1e-7 * np.maximum(np.abs(self._mean), 1e-30)
        self._scale = np.where(varies, 1.0 / np.where(varies, deviation, 1.0), 0.0)
        return self

    def transform(self, images: Images) -> FloatArray:
        """Features (n, d) float32 within +-clip."""
        check_table(images)
        if self._mean is None or self._scale is None:
            raise ValueError("fit comes before transform")
        if images.shape[1] != len(self._mean):
            raise ValueError(f"was fitted on {len(self._mean)} columns, not {images.shape[1]}")
        table = np.where(np.isfinite(images), images, self._mean).astype(np.float64)
        scaled = np.clip((table - self._mean) * self._scale, -self.clip, self.clip)
        return np.ascontiguousarray(scaled, dtype=np.float32)

    def log_widths(self) -> float:
        """The sum of the logarithms of the standard deviations that columns were divided by: a density of the features
        is one of the columns times exp(this)."""
        if self._scale is None:
            raise ValueError("fit comes before log_widths")
        return float(-np.log(self._scale[self._scale > 0]).sum())

    def restore(self, features: FloatArray) -> FloatArray:
        """The columns (n, d) float32 that have these `features` (n, d); a constant column has its constant."""
        if self._mean is None or self._scale is None:
            raise ValueError("fit comes before restore")
        widths = np.where(self._scale > 0, 1.0 / np.where(self._scale > 0, self._scale, 1.0), 0.0)
        return (self._mean + features.astype(np.float64) * widths).astype(np.float32)
