"""k-means patch features: small patches of the images are clustered, an image says where it holds which."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labeler.core.numeric.kmeans import kmeans
from labeler.core.types import FloatArray
from labeler.plugins.encoders.base import Images
from labeler.plugins.encoders.raster import check_images, in_chunks, resize, to_unit

_LEAST, _MOST = 16, 32
"""Sides that images are brought to where they are smaller or larger."""
_LEARNED_FROM = 40_000
_CONTRAST = 10.0 / 255.0**2
_FLATNESS = 0.1
"""Added to a patch's variance and to the eigenvalues of whitening (the paper's values, for pixels in [0, 1])."""


class Patches:
    """Coates, Lee & Ng, "An analysis of single-layer networks in unsupervised feature learning" (2011).

    Patches are normalised, whitened (ZCA) and clustered by k-means. For every place of an image and every center the
    "triangle" activation max(0, mean distance to all centers - distance to this one) is taken, and averaged over each
    quarter of the image.

    Parameters
    ----------
    k
        Centers; there are four times as many features.
    size
        Side of a patch in pixels.
    stride
        Pixels from one patch to the next.
    """

    version = 1
    takes: tuple[str, ...] = ("images",)

    def __init__(self, k: int = 128, size: int = 6, stride: int = 1) -> None:
        if k < 1 or size < 1 or stride < 1:
            raise ValueError("k, size and stride are at least 1")
        if size > _LEAST // 2:
            raise ValueError(f"size is at most {_LEAST // 2}: half of the smallest image")
        self.k, self.size, self.stride = k, size, stride
        self._mean: FloatArray = np.empty(0, dtype=np.float32)
        self._whitening: FloatArray
        self._centers: FloatArray

    def fit(self, images: Images) -> Patches:
        """Whitening and centers of patches drawn at random from a sample."""
        check_images(images)
        rng = np.random.default_rng(0)
        each = max(_LEARNED_FROM // max(len(images), 1), 1)
        chosen = images[np.sort(rng.permutation(len(images))[:_LEARNED_FROM])]
        drawn = []
        for start in range(0, len(chosen), 512):
            patches = self._normalised(chosen[start : start + 512])
            places = rng.integers(patches.shape[1], size=(len(patches), min(each, patches.shape[1])))
            drawn.append(np.take_along_axis(patches, places[:, :, None], axis=1).reshape(-1, patches.shape[2]))
        rows: FloatArray = np.concatenate(drawn)
        self._mean = rows.mean(axis=0, dtype=np.float32)
        # reshaped, because cov() of patches of a single value is no matrix
        values, vectors = np.linalg.eigh(np.cov((rows - self._mean).T.astype(np.float64)).reshape(2 * (rows.shape[1],)))
        roots = 1.0 / np.sqrt(np.maximum(values, 0.0) + _FLATNESS)
        self._whitening = (vectors * roots @ vectors.T).astype(np.float32)
        white = np.asarray((rows - self._mean) @ self._whitening, dtype=np.float32)
        self._centers = kmeans(white, self.k, 0, n_init=1).centers
        return self

    def transform(self, images: Images) -> FloatArray:
        """Features (n, 4 k) float32, at most `k` centers."""
        check_images(images)
        if not len(self._mean):
            raise ValueError("fit comes before transform")
        height, width = _sides(images)
        places = (height - self.size + 1) * (width - self.size + 1) // self.stride**2
        return in_chunks(self._activations, images, places * (len(self._mean) + len(self._centers)))

    def _activations(self, images: Images) -> FloatArray:
        patches = self._normalised(images)
        patches -= self._mean
        # one product an image, so that a row does not depend on what it is computed beside
        white = np.matmul(patches, self._whitening)
        squared = np.matmul(white, self._centers.T)
        squared *= -2.0
        squared += np.square(white).sum(axis=2)[:, :, None]
        squared += np.square(self._centers).sum(axis=1)
        distances = np.sqrt(np.maximum(squared, 0.0, out=squared), out=squared)
        active = distances.mean(axis=2)[:, :, None] - distances
        np.maximum(active, 0.0, out=active)
        down, across = self._grid(images)
        field = active.reshape(len(images), down, across, -1)
        # an odd row or column in the middle belongs to both halves
        halves = (
            (slice(0, (down + 1) // 2), slice(down // 2, down)),
            (slice(0, (across + 1) // 2), slice(across // 2, across)),
        )
        quarters = [field[:, rows, columns].mean(axis=(1, 2)) for rows in halves[0] for columns in halves[1]]
        return np.concatenate(quarters, axis=1)

    def _grid(self, images: Images) -> tuple[int, int]:
        """Places of patches, down and across."""
        height, width = ((side - self.size) // self.stride + 1 for side in _sides(images))
        return height, width

    def _normalised(self, images: Images) -> FloatArray:
        """Every patch (n, places, values) of images brought to size, with mean 0 and of one contrast."""
        image = _sized(images)
        windows = np.lib.stride_tricks.sliding_window_view(image, (self.size, self.size), axis=(1, 2))
        windows = windows[:, :: self.stride, :: self.stride]
        patches = windows.reshape(len(images), windows.shape[1] * windows.shape[2], -1).copy()
        patches -= patches.mean(axis=2, keepdims=True)
        patches /= np.sqrt(np.square(patches).mean(axis=2, keepdims=True) + np.float32(_CONTRAST))
        return patches


def _sides(images: Images) -> tuple[int, int]:
    """Height and width that images are brought to."""
    height, width = (min(max(side, _LEAST), _MOST) for side in images.shape[1:3])
    return height, width


def _sized(images: Images) -> NDArray[np.float32]:
    """Images (n, h, w, channels) in [0, 1] of :func:`_sides`."""
    unit = to_unit(images)
    unit = unit[..., None] if unit.ndim == 3 else unit
    sides = _sides(images)
    if unit.shape[1:3] == sides:
        return unit
    channels = np.ascontiguousarray(unit.transpose(3, 0, 1, 2)).reshape(-1, *unit.shape[1:3])
    sized = resize(channels, *sides).reshape(unit.shape[3], len(unit), *sides)
    return np.ascontiguousarray(sized.transpose(1, 2, 3, 0))
