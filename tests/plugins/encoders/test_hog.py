from __future__ import annotations

import numpy as np
import pytest
from skimage.feature import hog

from labeler.plugins.encoders.hog import DeskewHog, Hog, hog_features, pooled_directions


@pytest.mark.parametrize(
    ("shape", "cell", "bins"), [((28, 28), 4, 9), ((30, 33), 4, 9), ((32, 32), 7, 6), ((8, 8), 2, 9)]
)
def test_classic_gives_scikit_images_figures(shape: tuple[int, int], cell: int, bins: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, *shape)).astype(np.float32) / 255
    images[0] = 0
    images[1, 5:, :] = 0.5
    expected = [
        hog(image, bins, (cell, cell), (2, 2), "L2-Hys", feature_vector=True) for image in images.astype(np.float64)
    ]
    ours = hog_features(images, cell, bins)
    # Rounding may put a gradient on the border of two bins on either side of it.
    assert np.mean(np.abs(ours - np.array(expected)) > 1e-5) < 1e-3


def test_shape_of_the_features() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)
    assert Hog().fit(images).transform(images).shape == (3, 7 * 7 * 12)
    assert Hog(classic=True).fit(images).transform(images).shape == (3, 6 * 6 * 4 * 9)
    assert Hog(cell=8, bins=6, size=32).fit(images).transform(images).shape == (3, 4 * 4 * 6)
    assert DeskewHog().fit(images).transform(images).shape == (3, 7 * 7 * 12)


def test_rows_have_unit_length_or_are_zero() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)
    images[2] = 7
    lengths = np.linalg.norm(Hog().transform(images), axis=1)
    np.testing.assert_allclose(lengths, [1, 1, 0], atol=1e-3)


def test_a_ramp_has_one_direction() -> None:
    ramp = np.broadcast_to(np.linspace(0, 1, 16, dtype=np.float32), (1, 16, 16))
    maps = pooled_directions(np.ascontiguousarray(ramp), 4, 8)[0].sum(axis=(0, 1))
    assert maps[0] > 0
    np.testing.assert_allclose(maps[1:], 0, atol=1e-6)
    falling = pooled_directions(np.ascontiguousarray(ramp[:, :, ::-1]), 4, 8)[0].sum(axis=(0, 1))
    np.testing.assert_allclose(falling[4], maps[0], rtol=1e-5)


def test_a_pixel_of_shift_changes_less_than_with_hard_cells() -> None:
    rng = np.random.default_rng(0)
    images = np.zeros((40, 28, 28), np.uint8)
    for image in images:
        y, x = rng.integers(6, 18, 2)
        image[y : y + 6, x - 4 : x + 2] = 255
    shifted = np.roll(images, 1, axis=2)

    def change(encoder: Hog) -> float:
        a, b = encoder.transform(images), encoder.transform(shifted)
        return float(np.mean(np.linalg.norm(a - b, axis=1) / np.linalg.norm(a, axis=1)))

    assert change(Hog()) < 0.8 * change(Hog(classic=True))
