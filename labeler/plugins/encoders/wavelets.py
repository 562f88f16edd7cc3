"""The scattering transform of batches of grey images by FFT: who responds to which Morlet wavelets, averaged.

Bruna & Mallat, "Invariant scattering convolution networks" (IEEE PAMI 35, 2013); the filters are those of Kymatio
(Andreux et al., JMLR 21, 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from labeler.core.types import FloatArray


@dataclass(frozen=True)
class FilterBank:
    """Fourier-domain filters for padded images of `side` px: ``wavelets[j][l][r]`` at a resolution of 2^-r."""

    side: int
    scales: int  # J: the average spans 2^J pixels
    angles: int  # L: orientations in half a turn
    wavelets: list[list[list[FloatArray]]]
    averages: list[FloatArray]  # by resolution 2^-r: (s, side / 2^r), the low-pass along one axis, padding cut off

    @classmethod
    def make(cls, size: int, scales: int, angles: int) -> FilterBank:
        """Filters for images of `size` x `size`, padded by 2^scales on every side."""
        side = size + 2 * 2**scales
        wavelets = [
            [_resolutions(_morlet(side, 2.0**j, angle * np.pi / angles, 4 / angles), j) for angle in range(angles)]
            for j in range(scales)
        ]
        average = _gabor(side, 0.8 * 2 ** (scales - 1), 0.0, 0.0, 1.0)
        averages = [
            _along_one_axis(low, scales - r) for r, low in enumerate(_resolutions(fft.fft2(average).real, scales))
        ]
        return cls(side, scales, angles, wavelets, averages)

    def channels(self, orders: int) -> int:
        """Number of averaged maps up to and with `orders`."""
        j, angles = self.scales, self.angles
        return 1 + (j * angles if orders > 0 else 0) + (angles**2 * j * (j - 1) // 2 if orders > 1 else 0)

    def scatter(self, images: FloatArray, orders: int = 2) -> FloatArray:
        """Coefficients (n, channels, s, s) float32 of images (n, size, size); s = size / 2^scales."""
        pad = 2**self.scales
        # a reflection longer than the image would repeat it: then its edge is drawn out
        padded = np.pad(images, ((0, 0), (pad, pad), (pad, pad)), mode="reflect" if images.shape[1] > pad else "edge")
        spectrum = fft.fft2(padded)
        maps = [self._average(padded, 0)]
        for j in range(self.scales if orders else 0):
            for first in self.wavelets[j]:
                response = np.abs(fft.ifft2(_fold(spectrum * first[0], j), overwrite_x=True))
                maps.append(self._average(response, j))
                if orders < 2 or j + 1 == self.scales:
                    continue
                respectrum = fft.fft2(response)
                for j2 in range(j + 1, self.scales):
                    for second in self.wavelets[j2]:
                        deeper = np.abs(fft.ifft2(_fold(respectrum * second[j], j2 - j), overwrite_x=True))
                        maps.append(self._average(deeper, j2))
        coefficients: FloatArray = np.stack(maps, axis=1)
        return coefficients

    def _average(self, response: FloatArray, resolution: int) -> FloatArray:
        """Low-pass, subsample to 2^-scales, cut the padding off, no negative rounding.

        The Gaussian is a product of one along each axis: two thin matrix products in place of two transforms.
        """
        along = self.averages[resolution]
        low: FloatArray = along @ response.astype(np.float32, copy=False) @ along.T
        return np.maximum(low, 0, out=low)


def _fold(spectrum: NDArray[np.complex64], octaves: int) -> NDArray[np.complex64]:
    """The spectrum of the image subsampled by 2^octaves: its periods averaged."""
    for _ in range(octaves):  # slices of slices: three times faster than a mean over four axes
        h, w = spectrum.shape[1] // 2, spectrum.shape[2] // 2
        rows = spectrum[:, :h] + spectrum[:, h:]
        spectrum = np.asarray((rows[:, :, :w] + rows[:, :, w:]) * np.float32(0.25), dtype=spectrum.dtype)
    return spectrum


def _along_one_axis(low_hat: FloatArray, octaves: int) -> FloatArray:
    """The separable low-pass `low_hat` as a matrix (s, side): circular, every 2^octaves-th row, the outer two cut."""
    axis_hat = low_hat[0].astype(np.float64) / np.sqrt(float(low_hat[0, 0]))
    kernel = fft.ifft(axis_hat).real
    side = len(axis_hat)
    places = np.arange(0, side, 2**octaves)[1:-1]
    return np.asarray(kernel[(places[:, None] - np.arange(side)[None, :]) % side], dtype=np.float32)


def _resolutions(filter_hat: NDArray[np.float64], coarsest: int) -> list[FloatArray]:
    """A filter as seen by images subsampled by 2^0 .. 2^coarsest (its periods summed in the Fourier domain)."""
    side = len(filter_hat)
    folded = []
    for r in range(coarsest + 1):
        k = 2**r
        folded.append(filter_hat.reshape(k, side // k, k, side // k).sum(axis=(0, 2)).astype(np.float32))
    return folded


def _morlet(side: int, dilation: float, angle: float, slant: float) -> NDArray[np.float64]:
    """Fourier transform (real) of a Morlet wavelet: a Gabor with its mean taken out."""
    # Kymatio's width and center frequency
    sigma, frequency = 0.8 * dilation, 0.75 * np.pi / dilation
    wave = _gabor(side, sigma, angle, frequency, slant)
    envelope = _gabor(side, sigma, angle, 0.0, slant)
    return np.asarray(fft.fft2(wave - wave.sum() / envelope.sum() * envelope).real)


def _gabor(side: int, sigma: float, angle: float, frequency: float, slant: float) -> NDArray[np.complex128]:
    """Gaussian of width `sigma` (and sigma / slant across) times a wave along `angle`, periodised to `side`."""
    slant = slant or 1.0
    # five periods: beyond them nothing is left of the Gaussian
    offsets = np.arange(-2, 3) * side
    grid = (np.arange(side)[:, None] + offsets[None, :]).ravel()
    y, x = grid[:, None], grid[None, :]
    along, across = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    values = np.exp(-(along**2 + (slant * across) ** 2) / (2 * sigma**2) + 1j * frequency * along)
    values *= slant / (2 * np.pi * sigma**2)
    return np.asarray(values.reshape(side, 5, side, 5).sum(axis=(1, 3)))
