from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits
from sklearn.neighbors import kneighbors_graph

from labeler.plugins.encoders.deskew import ink, upright
from labeler.plugins.encoders.hog import DeskewHog
from labeler.plugins.encoders.pixels import Pixels


def letter(side: int = 60, slant: float = 0.0, scale: float = 1.0, move: tuple[float, float] = (0, 0)) -> np.ndarray:
    """A drawn F, dark on light, uint8 (side, side), leaning by `slant`."""
    image = Image.new("L", (4 * side, 4 * side), 255)
    pen = ImageDraw.Draw(image)

    def place(x: float, y: float) -> tuple[float, float]:
        x, y = x + slant * y, y
        return (
            4 * side * (0.5 + scale * x + move[0]),
            4 * side * (0.5 + scale * y + move[1]),
        )

    for a, b in (((-0.12, -0.25), (-0.12, 0.25)), ((-0.12, -0.25), (0.15, -0.25)), ((-0.12, 0.0), (0.1, 0.0))):
        pen.line([place(*a), place(*b)], fill=0, width=int(0.28 * side * scale))
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def as_unit(*images: np.ndarray) -> np.ndarray:
    return np.stack(images).astype(np.float32) / 255


def test_dark_on_light_is_light_on_dark() -> None:
    image = letter()[None]
    np.testing.assert_allclose(ink(as_unit(image[0])), ink(as_unit(255 - image[0])), atol=1e-5)
    np.testing.assert_allclose(DeskewHog().transform(image), DeskewHog().transform(255 - image), atol=1e-3)


def test_ink_is_padded_to_a_square_and_keeps_the_input() -> None:
    images = as_unit(letter(40)[:, 10:30])
    before = images.copy()
    assert ink(images).shape == (1, 40, 40)
    assert ink(images)[0, :, :10].max() == 0
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize(
    "changed",
    [{"slant": 0.4}, {"slant": -0.3}, {"scale": 0.7}, {"scale": 1.3}, {"move": (0.1, -0.08)}, {"side": 64}],
    ids=str,
)
def test_slant_size_and_place_are_taken_away(changed: dict[str, float]) -> None:
    side = int(changed.pop("side", 60))
    straight, other = letter(60), letter(side, **changed)  # type: ignore[arg-type]
    a, b = upright(as_unit(straight), 28)[0], upright(as_unit(other), 28)[0]
    assert likeness(a, b) > 0.9


def test_centre_of_mass_is_the_centre() -> None:
    glyph = upright(as_unit(letter(move=(0.15, 0.1))), 28)[0]
    steps = np.arange(28) - 13.5
    assert abs((glyph.sum(axis=0) @ steps) / glyph.sum()) < 0.3
    assert abs((glyph.sum(axis=1) @ steps) / glyph.sum()) < 0.3


def test_nothing_drawn_stays_nothing() -> None:
    assert upright(np.full((2, 28, 28), 0.7, np.float32), 28).max() == 0


def test_a_dot_stays_small() -> None:
    dot = np.zeros((1, 28, 28), np.float32)
    dot[0, 3:5, 20:22] = 1
    glyph = upright(dot, 28)[0]
    assert 0 < (glyph > 0.5).sum() <= 40


@pytest.mark.slow
def test_neighbours_of_small_digits_share_their_class() -> None:
    digits = load_digits()
    images, y = np.round(digits.images * 255 / 16).astype(np.uint8), digits.target

    def agreement(features: np.ndarray) -> float:
        graph = kneighbors_graph(features, 10).indices.reshape(len(y), 10)
        return float((y[graph] == y[:, None]).mean())

    assert agreement(DeskewHog().fit(images).transform(images)) > 0.985 > agreement(Pixels().transform(images))


def test_noise_and_uneven_paper_hardly_move_the_glyph() -> None:
    rng = np.random.default_rng(0)
    clean = as_unit(*(letter(40, slant) for slant in (-0.3, 0.0, 0.3)))
    noisy = np.clip(0.2 + 0.6 * clean + rng.normal(0, 0.03, clean.shape), 0, 1).astype(np.float32)
    uneven = np.clip(0.6 * clean + np.linspace(0, 0.25, 40, dtype=np.float32), 0, 1)
    for changed in (noisy, uneven):
        for before, after in zip(upright(clean, 28), upright(changed, 28), strict=True):
            assert likeness(before, after) > 0.85
