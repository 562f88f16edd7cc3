"""Sets drawn by a program, for kinds of data that no set here stands for: signs of hands, characters, small digits.

They are no substitute for the real ones; they show whether a default that was chosen on handwriting holds where size,
pose, light and number of classes differ.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Images = np.ndarray[Any, np.dtype[np.uint8]]
Names = np.ndarray[Any, np.dtype[np.str_]]

FINGERS = ("00000", "01000", "01100", "01110", "01111", "11111", "10001", "10000", "01001", "11000")
"""Which fingers of a hand are up, thumb first: one sign each."""
ANGLES = np.deg2rad([-70.0, -25.0, -5.0, 15.0, 38.0])
LENGTHS = (0.62, 0.95, 1.05, 0.97, 0.78)


def signs(each: int = 206, side: int = 64, seed: int = 11) -> tuple[Images, Names]:
    """Colour images (n, side, side, 3) of hands that show ten signs, in many skins, sizes, poses and lights."""
    rng = np.random.default_rng(seed)
    images = [_hand(fingers, side, rng) for fingers in FINGERS for _ in range(each)]
    order = rng.permutation(len(images))
    names = np.repeat([str(sign) for sign in range(len(FINGERS))], each)
    return np.stack(images)[order], names[order]


def _hand(fingers: str, side: int, rng: np.random.Generator) -> Images:
    size = 256
    y, x = np.mgrid[:size, :size] / size - 0.5
    ground = rng.uniform(190, 235) * np.array([1, 0.97, 0.92]) + rng.normal(0, 4, 3)
    slope = rng.normal(0, 20, 2)
    light = np.clip(ground + (slope[0] * x + slope[1] * y)[..., None], 0, 255)
    image = Image.fromarray(light.astype(np.uint8))
    pen = ImageDraw.Draw(image)
    red = rng.uniform(150, 240)
    green = red * rng.uniform(0.68, 0.82)
    skin = (int(red), int(green), int(green * rng.uniform(0.7, 0.85)))
    edge = (int(0.75 * skin[0]), int(0.75 * skin[1]), int(0.75 * skin[2]))
    at_x, at_y = size * rng.normal(0.5, 0.05), size * rng.normal(0.62, 0.05)
    palm, turn = size * rng.normal(0.15, 0.015), rng.normal(0, np.deg2rad(10))
    wrist = (at_x + np.sin(turn) * size / 2, at_y + np.cos(turn) * size / 2)
    pen.line([(at_x, at_y), wrist], fill=skin, width=int(1.3 * palm))
    pen.ellipse([at_x - palm, at_y - 1.1 * palm, at_x + palm, at_y + 1.1 * palm], fill=skin)
    width = palm * rng.normal(0.42, 0.04)
    for finger in range(5):
        angle = ANGLES[finger] * rng.normal(1, 0.12) + turn + rng.normal(0, 0.05)
        reach = palm * (1 + (1.5 * LENGTHS[finger] if fingers[finger] == "1" else 0.25)) * rng.normal(1, 0.06)
        tip = (at_x + np.sin(angle) * reach, at_y - np.cos(angle) * reach)
        root = (at_x + np.sin(angle) * 0.6 * palm, at_y - np.cos(angle) * 0.6 * palm)
        pen.line([root, tip], fill=edge, width=int(1.15 * width))
        pen.line([root, tip], fill=skin, width=int(width))
        pen.ellipse([tip[0] - width / 2, tip[1] - width / 2, tip[0] + width / 2, tip[1] + width / 2], fill=skin)
    small = image.filter(ImageFilter.GaussianBlur(1.5)).resize((side, side), Image.Resampling.BILINEAR)
    y, x = np.mgrid[:side, :side] / side - 0.5
    slope = rng.normal(0, 0.2, 2)
    lit = np.asarray(small) * (1 + slope[0] * x + slope[1] * y)[..., None] * rng.uniform(0.85, 1.05)
    return np.clip(lit + rng.normal(0, 2, lit.shape), 0, 255).astype(np.uint8)


def characters(classes: int = 120, each: int = 20, side: int = 105, seed: int = 5) -> tuple[Images, Names]:
    """Dark strokes on white (n, side, side): `classes` invented characters, drawn `each` times by unsteady hands."""
    rng = np.random.default_rng(seed)
    images, names = [], []
    for character in range(classes):
        strokes = [rng.uniform(15, 90, (rng.integers(3, 6), 2)) for _ in range(rng.integers(2, 5))]
        for _ in range(each):
            image = Image.new("L", (105, 105), 255)
            pen = ImageDraw.Draw(image)
            bend, move = np.eye(2) + rng.normal(0, 0.1, (2, 2)), rng.normal(0, 5, 2)
            for stroke in strokes:
                points = (stroke + rng.normal(0, 4, stroke.shape) - 52) @ bend + 52 + move
                pen.line([tuple(point) for point in _curve(points)], fill=0, width=3)
            images.append(np.asarray(image.resize((side, side))))
            names.append(f"alphabet{character // 24}/character{character % 24:02}")
    return np.stack(images), np.array(names)


def _curve(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A smooth line through `points` (Catmull & Rom 1974)."""
    ends = np.vstack([points[0], points, points[-1]])
    t = np.linspace(0, 1, 12)[:, None]
    parts = []
    for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        parts.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.vstack(parts)


def small(images: Images, side: int = 16) -> Images:
    """`images` (n, h, w) shrunk to `side` px, as postal digits were scanned."""
    shrunk = [np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR)) for image in images]
    return np.stack(shrunk)
