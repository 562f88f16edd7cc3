"""Kernels."""

from __future__ import annotations

import numpy as np

from labeler.core.types import FloatArray


def gaussian(points: FloatArray, landmarks: FloatArray, gamma: float) -> FloatArray:
    """The Gaussian kernel (len(points), len(landmarks)) float32."""
    norms = np.square(landmarks).sum(axis=1)
    squared = points @ landmarks.T
    squared *= np.float32(-2.0)
    squared += norms
    squared += np.square(points).sum(axis=1)[:, None]
    np.maximum(squared, 0.0, out=squared)  # rounding leaves a little below 0 where they are equal: no kernel is above 1
    squared *= np.float32(-gamma)
    return np.asarray(np.exp(squared, out=squared), dtype=np.float32)
