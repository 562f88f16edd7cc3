"""Batched image arithmetic under the encoders: luminance, resizing, work in chunks. No loops over images."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from labeler.core.types import FloatArray
from labeler.plugins.encoders.base import Images

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601, as Pillow's convert("L")
_CHUNK_PIXELS = 1 << 20  # 4 MB of float32: the temporaries of a chunk stay near the caches


def check_images(images: Images) -> None:
    """Refuse with a ValueError what is not a stack of images (n, h, w) or (n, h, w, 3)."""
    if (images.ndim == 3 or (images.ndim == 4 and images.shape[3] == 3)) and min(images.shape[1:3]) > 0:
        return
    raise ValueError(f"takes images (n, h, w) or (n, h, w, 3), not an array of shape {images.shape}")


def check_table(images: Images) -> None:
    """Refuse with a ValueError what is not a table (n, d)."""
    if images.ndim != 2:
        raise ValueError(f"takes a table (n, d), not an array of shape {images.shape}")


def to_unit(images: Images) -> FloatArray:
    """Integer images as float32 in [0, 1]; floats are taken to be there already."""
    if np.issubdtype(images.dtype, np.integer):
        return images.astype(np.float32) * np.float32(1.0 / np.iinfo(images.dtype).max)
    return images.astype(np.float32)


def to_grey(images: Images) -> FloatArray:
    """Luminance (n, h, w) float32 in [0, 1] of grey or colour images."""
    check_images(images)
    unit = to_unit(images)
    return unit if unit.ndim == 3 else np.ascontiguousarray(unit @ _LUMA)


def resize(images: FloatArray, height: int, width: int) -> FloatArray:
    """Resample (n, h, w) to (n, height, width): Catmull-Rom upwards, widened triangle downwards (as Pillow's)."""
    n, h, w = images.shape
    if w != width:
        flat = images.reshape(n * h, w) @ _resampling(w, width).T
        images = flat.reshape(n, h, width)
    if h != height:
        images = np.matmul(_resampling(h, height), images)
    return np.ascontiguousarray(images, dtype=np.float32)


@lru_cache(maxsize=64)
def _resampling(source: int, target: int) -> FloatArray:
    """Weights (target, source): each row says how one output pixel mixes the input pixels."""
    scale = source / target
    centers = (np.arange(target) + 0.5) * scale - 0.5
    if scale > 1:
        weights = np.maximum(0.0, 1.0 - np.abs(centers[:, None] - np.arange(source)) / scale)
        weights /= weights.sum(axis=1, keepdims=True)
        return np.asarray(weights, dtype=np.float32)
    weights = np.zeros((target, source))
    first = np.floor(centers).astype(int)
    for offset in range(-1, 3):
        taps = _catmull_rom(centers - (first + offset))
        np.add.at(weights, (np.arange(target), np.clip(first + offset, 0, source - 1)), taps)
    return weights.astype(np.float32)


def _catmull_rom(t: np.ndarray) -> np.ndarray:
    """Keys' cubic kernel with a = -1/2 (IEEE Trans. ASSP 29, 1981): interpolates, without bilinear's blur."""
    t = np.abs(t)
    near = (1.5 * t - 2.5) * t * t + 1
    far = ((-0.5 * t + 2.5) * t - 4) * t + 2
    return np.where(t < 1, near, np.where(t < 2, far, 0.0))


def in_chunks(function: Callable[[Images], FloatArray], images: Images, pixels_each: int) -> FloatArray:
    """`function` applied to blocks of rows, results stacked: (n, d) float32, C-contiguous.

    `pixels_each` is what one image costs in working pixels. No images give (0, d) with the right d.
    """
    return in_batches(function, images, max(1, _CHUNK_PIXELS // max(1, pixels_each)))


def in_batches(function: Callable[[Images], FloatArray], images: Images, rows: int) -> FloatArray:
    """`function` applied to `rows` images at a time, results stacked as :func:`in_chunks` does."""
    if len(images) == 0:
        return function(np.zeros((1, *images.shape[1:]), dtype=images.dtype))[:0]
    first = function(images[:rows])
    if len(images) <= rows:
        return np.ascontiguousarray(first, dtype=np.float32)
    out = np.empty((len(images), first.shape[1]), dtype=np.float32)
    out[:rows] = first
    for start in range(rows, len(images), rows):
        out[start : start + rows] = function(images[start : start + rows])
    return out
