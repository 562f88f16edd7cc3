"""Scattering coefficients with local contrast removed, for photos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.core.numeric.pca import axes_of_sample
from labeler.core.types import FloatArray
from labeler.plugins.encoders.base import Images
from labeler.plugins.encoders.raster import check_images, in_chunks, resize, to_grey, to_unit
from labeler.plugins.encoders.wavelets import FilterBank

_FIT_ROWS = 1024
_FLOOR = 0.02  # wavelet energy of a barely visible texture: plain areas stay near zero
_CHROMA_GRID = 4
_CHROMA_SHARE = 0.06  # of the whole variance: colour helps, but must not outvote form


class Scattering:
    """Wavelet scattering of the luminance, orders 1 and 2, and coarse colour; projected on principal components.

    Every coefficient is divided by the sum of those of its place (contrast and lighting go), the root taken, and
    scaled to unit variance over the pool. Photos up to 40 px are read at 32 px with 2 scales, larger ones at 64 px
    with 3.

    Parameters
    ----------
    scales : int
        Octaves J of the wavelets: averages span 2^J pixels; 0 = by the size of the images.
    angles : int
        Orientations in half a turn; 0 = 8 with 2 scales, 6 with more.
    standardise : bool
        Scale each coefficient to unit variance; off, the strong ones rule.
    n_components : int
        Upper limit of the principal components kept.
    """

    version = 2
    takes: tuple[str, ...] = ("images",)
    rows_a_step = 40  # whole blocks of both sizes: the bits do not depend on where a step ends

    def __init__(self, scales: int = 0, angles: int = 0, standardise: bool = True, n_components: int = 200) -> None:
        if not 0 <= scales <= 4:
            raise ValueError(f"scales must be between 1 and 4, or 0 (automatic), not {scales}")
        if not 0 <= angles <= 16:
            raise ValueError(f"angles must be between 1 and 16, or 0 (automatic), not {angles}")
        if n_components < 1:
            raise ValueError(f"n_components must be at least 1, not {n_components}")
        self.scales = scales
        self.angles = angles
        self.standardise = bool(standardise)
        self.n_components = n_components
        self._bank: FilterBank | None = None
        self._size = 32
        self._mean: FloatArray = np.zeros(0, dtype=np.float32)
        self._scale: FloatArray = np.zeros(0, dtype=np.float32)
        self._axes: FloatArray = np.zeros((0, 0), dtype=np.float32)

    def fit(self, images: Images) -> Scattering:
        """Filters for the size of the images; mean, scale and axes of the coefficients of at most 1,024 of them."""
        check_images(images)
        if len(images) == 0:
            raise ValueError("needs at least one image to fit")
        self._prepare(64 if max(images.shape[1:3]) > 40 else 32)
        # evenly spread, as a pool often comes sorted by class
        rows = np.linspace(0, len(images) - 1, min(len(images), _FIT_ROWS)).astype(np.int64)
        coefficients = self._coefficients(images[rows])
        self._mean = coefficients.mean(axis=0, dtype=np.float64).astype(np.float32)
        coefficients -= self._mean
        self._scale = self._scales_of(coefficients, chroma=2 * _CHROMA_GRID**2 if images.ndim == 4 else 0)
        self._axes = axes_of_sample(coefficients * self._scale, self.n_components)
        return self

    def _prepare(self, size: int) -> None:
        self._size = size
        scales = self.scales or (3 if size == 64 else 2)
        self._bank = FilterBank.make(size, scales, self.angles or (8 if scales <= 2 else 6))

    def learned(self) -> dict[str, NDArray[Any]]:
        """Size, mean (d,), scale (d,) and axes (d, k)."""
        return {"size": np.array([self._size]), "mean": self._mean, "scale": self._scale, "axes": self._axes}

    def take_over(self, learned: Mapping[str, NDArray[Any]]) -> None:
        """Take what another one has learned."""
        self._prepare(int(learned["size"][0]))
        self._mean, self._scale, self._axes = (learned[name] for name in ("mean", "scale", "axes"))

    def transform(self, images: Images) -> FloatArray:
        """Features (n, k) float32, k <= n_components."""
        check_images(images)
        if self._bank is None:
            raise ValueError("fit comes before transform")
        return in_chunks(self._project, images, 16 * self._bank.side**2)

    def _project(self, images: Images) -> FloatArray:
        coefficients = self._coefficients(images)
        if coefficients.shape[1] != len(self._mean):
            raise ValueError(f"was fitted on other images than these of shape {images.shape[1:]}")
        return np.asarray(((coefficients - self._mean) * self._scale) @ self._axes, dtype=np.float32)

    def _coefficients(self, images: Images) -> FloatArray:
        return in_chunks(self._encode, images, 16 * (self._size + 16) ** 2)

    def _encode(self, images: Images) -> FloatArray:
        """Relative coefficients, then (colour images) red and blue differences on a coarse grid: (n, d)."""
        assert self._bank is not None  # noqa: S101 - fit made it
        n = len(images)
        grey = resize(to_grey(images), self._size, self._size)
        # without the plain average, which is the lighting
        waves = self._bank.scatter(grey)[:, 1:]
        shares: FloatArray = np.sqrt(waves / (waves.sum(axis=1, keepdims=True) + np.float32(_FLOOR))).reshape(n, -1)
        if images.ndim == 3:
            return shares
        unit = to_unit(images)
        luminance = to_grey(images)
        # red and blue against the luminance: together with it they tell green
        colours = [
            resize(unit[..., channel] - luminance, _CHROMA_GRID, _CHROMA_GRID).reshape(n, -1) for channel in (0, 2)
        ]
        return np.asarray(np.concatenate([shares, *colours], axis=1), dtype=np.float32)

    def _scales_of(self, centered: FloatArray, chroma: int) -> FloatArray:
        """Factor of each column (d,): unit variance if asked; the last `chroma` columns get their share of the whole.

        Columns that (nearly) never vary get 0: their noise is not to be blown up.
        """
        deviation = centered.std(axis=0)
        varies = deviation > 1e-4
        scale = np.where(varies, 1 / np.where(varies, deviation, 1), 0).astype(np.float32)
        waves = centered.shape[1] - chroma
        if not self.standardise:
            scale[:waves] = varies[:waves]
        if chroma:
            energy = float(np.square(deviation[:waves] * scale[:waves]).sum())
            share = _CHROMA_SHARE / (1 - _CHROMA_SHARE) * energy / chroma
            scale[waves:] *= np.float32(np.sqrt(share)) if energy > 0 else np.float32(1)
        return scale
