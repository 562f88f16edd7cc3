from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.feature import hog

import labeler
from labeler.core.errors import LabelerError
from labeler.core.types import ByteArray, FloatArray
from labeler.plugins.encoders.hog import DeskewHog, Hog, pooled_directions
from labeler.store.store import Store


def test_shape_of_the_features() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)
    assert Hog().fit(images).transform(images).shape == (3, 7 * 7 * 12)
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

    def change(a: FloatArray, b: FloatArray) -> float:
        return float(np.mean(np.linalg.norm(a - b, axis=1) / np.linalg.norm(a, axis=1)))

    def hard_cells(many: ByteArray) -> FloatArray:
        return np.array([hog(image, 9, (4, 4), (2, 2), "L2-Hys") for image in many / 255])

    soft = change(Hog().transform(images), Hog().transform(shifted))
    assert soft < 0.8 * change(hard_cells(images), hard_cells(shifted))


@pytest.mark.slow
def test_a_project_that_stored_the_classic_variant_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for number in range(12):
        Image.new("L", (16, 16), 20 * number).save(tmp_path / "images" / f"{number}.png")
    path = tmp_path / "p.labeler.db"
    with labeler.open(tmp_path / "images", path, encoder="hog", classes=["a", "b"]) as project:
        project.answer("a")
    store = Store.open(path)
    store.remember(options=store.project()["options"] | {"encoder": "hog:classic=True"})
    store.close()
    with labeler.open(path) as project, pytest.raises(LabelerError) as caught:
        project.round()
    assert caught.value.message == "encoder 'hog' has no parameter 'classic'"
    assert caught.value.hint == "it takes: cell, bins, size"
