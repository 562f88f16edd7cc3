from __future__ import annotations

import numpy as np
import pytest

from labeler.plugins.encoders.scattering import Scattering
from labeler.plugins.encoders.wavelets import FilterBank


def grating(angle: float, side: int = 32, wavelength: float = 4.0) -> np.ndarray:
    ys, xs = np.mgrid[:side, :side]
    wave = np.cos(2 * np.pi / wavelength * (xs * np.cos(angle) + ys * np.sin(angle)))
    return (0.5 + 0.4 * wave).astype(np.float32)


@pytest.mark.slow
def test_shape_and_number_of_channels() -> None:
    bank = FilterBank.make(32, 2, 8)
    images = np.random.default_rng(0).random((3, 32, 32), dtype=np.float32)
    assert bank.scatter(images).shape == (3, bank.channels(2), 8, 8) == (3, 81, 8, 8)
    assert bank.scatter(images, orders=1).shape[1] == bank.channels(1) == 17
    assert FilterBank.make(64, 3, 8).channels(2) == 217


def test_wavelets_have_no_mean_and_the_average_keeps_it() -> None:
    bank = FilterBank.make(32, 2, 4)
    assert max(abs(float(wavelet[0][0, 0])) for scale in bank.wavelets for wavelet in scale) < 1e-5
    flat = bank.scatter(np.full((1, 32, 32), 0.6, np.float32))
    np.testing.assert_allclose(flat[0, 0], 0.6, atol=1e-3)
    np.testing.assert_allclose(flat[0, 1:], 0, atol=1e-3)


def test_a_grating_wakes_the_wavelet_of_its_direction() -> None:
    bank = FilterBank.make(32, 2, 4)
    images = np.stack([grating(k * np.pi / 4) for k in range(4)])
    first = bank.scatter(images, orders=1)[:, 1:].mean(axis=(2, 3)).reshape(4, bank.scales, 4)
    strongest = first.sum(axis=1).argmax(axis=1)
    assert sorted(strongest) == [0, 1, 2, 3]


def test_lighting_and_contrast_matter_little() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(60, 190, (60, 8, 8)).repeat(4, axis=1).repeat(4, axis=2).astype(np.uint8)
    encoder = Scattering().fit(images)
    a, b = encoder.transform(images), encoder.transform((images * 0.6 + 50).astype(np.uint8))
    others = np.linalg.norm(a - np.roll(a, 1, axis=0), axis=1)
    assert np.median(np.linalg.norm(a - b, axis=1) / others) < 0.25


def test_colour_tells_images_of_one_form_apart() -> None:
    rng = np.random.default_rng(0)
    form = rng.integers(60, 190, (40, 32, 32, 1)).astype(np.float32)
    tint = np.where(np.arange(40)[:, None, None, None] % 2, [1.2, 1.0, 0.6], [0.7, 1.0, 1.5])
    images = np.clip(form * tint, 0, 255).astype(np.uint8)
    features = Scattering().fit(images).transform(images)
    leading = features[:, 0] > np.median(features[:, 0])
    assert abs(leading[::2].mean() - leading[1::2].mean()) > 0.9


def test_larger_images_are_read_at_64_with_three_scales() -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 50, 60)).astype(np.uint8)
    encoder = Scattering().fit(images)
    assert encoder._bank is not None
    assert (encoder._bank.scales, encoder._size) == (3, 64)
