"""The view that outlier methods have of a pool of images: the features, and the pictures themselves beside them.

Features say what a thing is and are blind to much that makes a picture unusable: outlines do not change where black and
white are exchanged, and a picture without any lies among the faint ones (benchmarks/outliers.md).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.core.types import FloatArray
from labeler.plugins.encoders.base import Images
from labeler.plugins.encoders.raster import resize, to_unit

SIDE = 16  # with pictures beside them 22 of 26 planted ones are found among digits, 15 without (benchmarks/outliers.md)
"""Pixels a side that are looked at, at most."""
SAMPLE = 2_000
"""Rows that tell how far a part spreads."""


class Beside:
    """Features (n, d) and small pictures, each part of the same total variance; rows are made when they are asked for.

    Parameters
    ----------
    features
        (n, d), maybe memory-mapped.
    images
        (n, h, w) or (n, h, w, 3) uint8, maybe memory-mapped.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, features: FloatArray, images: Images) -> None:
        self._features, self._images = features, images
        # evenly, not at random: a view of the same pool is the same each time
        rows = np.unique(np.linspace(0, max(len(features) - 1, 0), min(len(features), SAMPLE)).astype(np.int64))
        self._scales = [_scale(part) for part in self._parts(rows)] if len(rows) else [np.float32(1.0)] * 2
        width = sum(part.shape[1] for part in self._parts(rows[:1]))
        self.shape = (len(features), width)

    def __len__(self) -> int:
        return len(self._features)

    def __getitem__(self, rows: Any) -> FloatArray:
        parts = zip(self._parts(rows), self._scales, strict=True)
        return np.concatenate([part * scale for part, scale in parts], axis=1)

    def _parts(self, rows: Any) -> tuple[FloatArray, FloatArray]:
        return np.asarray(self._features[rows], dtype=np.float32), _small(np.asarray(self._images[rows]))


def view_of(features: FloatArray, raw: NDArray[Any], encoder: str) -> FloatArray | Beside:
    """Return what odd ones are looked for in: features alone without images, or where they are the pixels."""
    if raw.ndim < 3 or encoder.partition(":")[0] == "pixels":
        return features
    return Beside(features, raw)


def _small(images: Images) -> FloatArray:
    """Pictures of at most SIDE pixels a side as rows (n, h * w [* 3]) in [0, 1]."""
    unit = to_unit(images)
    height, width = (min(side, SIDE) for side in unit.shape[1:3])
    if unit.ndim == 3:
        return resize(unit, height, width).reshape(len(unit), height * width)
    channels = [resize(np.ascontiguousarray(unit[..., channel]), height, width) for channel in range(unit.shape[3])]
    return np.stack(channels, axis=-1).reshape(len(unit), height * width * len(channels))


def _scale(part: FloatArray) -> np.float32:
    """Return what brings the rows of a part (n, d) to a total variance of 1; 1 where all are alike."""
    spread = float(np.sqrt(part.var(axis=0, dtype=np.float64).sum()))
    return np.float32(1.0 / spread if spread > 1e-12 else 1.0)
