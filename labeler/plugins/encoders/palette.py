"""The dominant colors of a pool, found by k-means over its pixels, and how much of each an image holds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from labeler.core.numeric.kmeans import kmeans
from labeler.core.types import FloatArray
from labeler.plugins.encoders.base import Images
from labeler.plugins.encoders.raster import check_images, in_chunks, to_unit

_IMAGES, _PIXELS = 1_000, 64
"""Images, and pixels of each, that choose the palette."""
_SEEN = 1_024
"""Pixels of an image that are counted, at most."""


class Palette:
    """Image segmentation by color as features: the share of an image's pixels that is nearest to each color.

    The palette is the pool's: k-means of the pixels of a sample (Géron, Hands-On Machine Learning, ch. 9). Square roots
    of the shares, so that Euclidean distances are Hellinger's. Where things are does not count.

    Parameters
    ----------
    colors
        Of the palette, fewer where the pool has fewer.
    """

    version = 1
    takes: tuple[str, ...] = ("images",)

    def __init__(self, colors: int = 32) -> None:
        if colors < 1:
            raise ValueError(f"colors is at least 1, not {colors}")
        self.colors = colors
        self._palette: NDArray[np.float64] | None = None

    def fit(self, images: Images) -> Palette:
        """Find the palette on a sample."""
        check_images(images)
        rng = np.random.default_rng(0)
        chosen = images[np.sort(rng.permutation(len(images))[:_IMAGES])]
        pixels = _pixels(chosen)
        places = np.sort(rng.permutation(pixels.shape[1])[:_PIXELS])
        sample = np.ascontiguousarray(pixels[:, places].reshape(-1, pixels.shape[2]))
        self._palette = kmeans(sample, self.colors, 0).centers.astype(np.float64)
        return self

    def transform(self, images: Images) -> FloatArray:
        """Roots of shares (n, colors) float32."""
        check_images(images)
        if self._palette is None:
            raise ValueError("fit comes before transform")
        channels = 1 if images.ndim == 3 else images.shape[3]
        if channels != self._palette.shape[1]:
            raise ValueError(f"was fitted on images of {self._palette.shape[1]} channels, not {channels}")
        return in_chunks(self._shares, images, _SEEN * len(self._palette))

    def _shares(self, images: Images) -> FloatArray:
        assert self._palette is not None  # noqa: S101 - transform looked
        pixels, k = _pixels(images), len(self._palette)
        near = cdist(pixels.reshape(-1, pixels.shape[2]).astype(np.float64), self._palette).argmin(axis=1)
        image = np.repeat(np.arange(len(images)), pixels.shape[1])
        counts = np.bincount(image * k + near, minlength=len(images) * k).reshape(len(images), k)
        return np.asarray(np.sqrt(counts / pixels.shape[1]), dtype=np.float32)


def _pixels(images: Images) -> FloatArray:
    """The pixels (n, p, channels) in [0, 1], evenly thinned to `_SEEN` at most."""
    height, width = images.shape[1:3]
    step = int(np.ceil(np.sqrt(height * width / _SEEN)))
    # from the middle of each step, so that no border counts for more
    thinned = to_unit(np.ascontiguousarray(images[:, step // 2 :: step, step // 2 :: step]))
    return thinned.reshape(len(images), -1, 1 if images.ndim == 3 else images.shape[3])
