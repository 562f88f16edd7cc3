"""A picture as rows of half-blocks, and the ways to look at it: pure functions from a uint8 array to strips.

Each character cell shows two pixels, one above the other: ``▀`` in the color of the upper on the color of the
lower. Small pictures are enlarged by a whole number (every pixel stays a square), large ones are averaged down.
What the terminal cannot show is approximated on purpose, here, rather than by whatever the terminal would do. A person
looks at a picture as a whole, zoomed, with more contrast or in few colors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from labeler.core.types import ByteArray, FloatArray, IndexArray

UPPER = "▀"
# the more ink, the lighter: terminals mostly have a dark ground
RAMP = " .:-=+*#%@"
NOTHING = -1
"""A pixel outside the picture (an odd height leaves half a row): the ground of the widget shows."""

GREYS = np.array([0, *range(8, 248, 10), 255], dtype=np.int16)
"""Black, the 24 greys of the 256-color palette, white."""
_GREY_CODES = np.array([0, *(round(step * 10.2) for step in range(1, 25)), 255], dtype=np.int16)
"""What to hand Rich so that it picks that grey: its own rounding is off by one in the brighter half."""
CUBE = np.array([0, 95, 135, 175, 215, 255], dtype=np.int16)
"""The steps of a channel in the color cube of the 256-color palette."""
FEW_GREYS = np.array([0, 85, 170, 255], dtype=np.int16)
"""The greys among the 16 colors every terminal has."""
_SPREAD = 36.0
"""How far the dither pattern moves a channel: about the step between two colors of the cube."""
_WEIGHTS = np.array([0.55, 0.77, 0.33], dtype=np.float32)
"""How much the eye minds an error in red, green and blue."""


class Depth(StrEnum):
    """The colors that a terminal can show."""

    TRUE = "truecolor"
    PALETTE = "256"
    FEW = "16"
    ASCII = "ascii"


Packed = NDArray[np.int32]
"""Pixels as 0xRRGGBB, or NOTHING."""


def depth_for(color_system: str | None, images: str = "auto") -> Depth:
    """The depth for a terminal that announces `color_system` (Rich's names) and a person who wants `images`."""
    if images == "ascii" or color_system is None:
        return Depth.ASCII
    return {"truecolor": Depth.TRUE, "256": Depth.PALETTE}.get(color_system, Depth.FEW)


def fitted(height: int, width: int, columns: int, rows: int) -> tuple[int, int]:
    """Height and width in pixels of a picture of `height` x `width` shown in `columns` x `rows` cells."""
    room_high, room_wide = max(rows * 2, 1), max(columns, 1)
    height, width = max(height, 1), max(width, 1)
    if height <= room_high and width <= room_wide:
        # a whole number: every pixel becomes a square, and all squares are alike
        factor = min(room_high // height, room_wide // width)
        return height * factor, width * factor
    scale = min(room_high / height, room_wide / width)
    return max(1, min(room_high, round(height * scale))), max(1, min(room_wide, round(width * scale)))


def resampled(image: ByteArray, height: int, width: int) -> ByteArray:
    """`image` at another size: nearest neighbor where it grows, the mean of the covered area where it shrinks."""
    return _along(_along(image, height, 0), width, 1)


def shrunk(image: ByteArray, longest: int) -> ByteArray:
    """`image` with its longer side at most `longest` pixels, so that a photo is kept at the size of a screen."""
    height, width = image.shape[:2]
    if max(height, width) <= longest:
        return image
    scale = longest / max(height, width)
    # boxes of whole pixels: a photo of 12 megapixels takes neither fractions nor their memory
    for axis, size in enumerate((height, width)):
        edges = np.arange(max(1, round(size * scale))) * size // max(1, round(size * scale))
        counts = np.diff(edges, append=size).astype(np.uint32)
        sums = np.add.reduceat(image, edges, axis=axis, dtype=np.uint32)
        shape = [1] * image.ndim
        shape[axis] = len(edges)
        image = ((sums + counts.reshape(shape) // 2) // counts.reshape(shape)).astype(np.uint8)
    return image


def _along(image: ByteArray, size: int, axis: int) -> ByteArray:
    have = image.shape[axis]
    if have == size:
        return image
    if have < size:
        picked: ByteArray = np.take(image, np.arange(size) * have // size, axis=axis)
        return picked
    # running sums, read at fractional edges: each output pixel is the exact mean of what it covers
    sums = np.cumsum(image, axis=axis, dtype=np.float64)
    sums = np.concatenate([np.zeros_like(np.take(sums, [0], axis=axis)), sums], axis=axis)
    edges = np.linspace(0, have, size + 1)
    whole = np.minimum(edges.astype(np.int64), have - 1)
    shape = [1] * image.ndim
    shape[axis] = size + 1
    part = (edges - whole).reshape(shape)
    low, high = np.take(sums, whole, axis=axis), np.take(sums, whole + 1, axis=axis)
    means = np.diff(low + (high - low) * part, axis=axis) * (size / have)
    averaged: ByteArray = np.clip(np.rint(means), 0, 255).astype(np.uint8)
    return averaged


def is_grey(image: ByteArray) -> bool:
    """Whether a picture has no color."""
    if image.ndim == 2 or image.shape[2] < 3:
        return True
    return bool((image[..., 0] == image[..., 1]).all() and (image[..., 1] == image[..., 2]).all())


def to_terminal(image: ByteArray, depth: Depth) -> Packed:
    """The colors the terminal is to show, as (height, width) packed pixels.

    Greys take the nearest grey there is, unharmed; colors that the palette lacks are dithered in a fixed pattern,
    so that the same picture always looks the same.
    """
    if is_grey(image):
        grey = image if image.ndim == 2 else image[..., 0]
        return _packed_grey(_grey_levels(grey, depth))
    rgb = image[..., :3].astype(np.int16)
    if depth is Depth.TRUE:
        return _packed(rgb)
    # the luma of ITU-R BT.601
    lightness = np.rint(rgb @ np.array([0.299, 0.587, 0.114])).astype(np.int16)
    if depth is not Depth.PALETTE:
        return _packed_grey(_grey_levels(lightness, depth))
    height, width = lightness.shape
    # 5 bits a channel are enough for so few colors, and keep the table at 32,768 entries
    moved = np.clip(rgb + (_pattern(height, width)[..., None] - 0.5) * _SPREAD, 0, 255).astype(np.int32) >> 3
    dithered: Packed = _nearest_colors()[moved[..., 0] << 10 | moved[..., 1] << 5 | moved[..., 2]]
    return dithered


def picture_strips(image: ByteArray, columns: int, rows: int, depth: Depth) -> list[Strip]:
    """The whole picture as strips, as large as it fits into `columns` x `rows` cells (not padded to them)."""
    height, width = fitted(image.shape[0], image.shape[1], columns, rows)
    sized = resampled(image, height, width)
    if depth is Depth.ASCII:
        return _ascii_strips(sized)
    pixels = to_terminal(sized, depth)
    if height % 2:
        pixels = np.vstack([pixels, np.full((1, width), NOTHING, dtype=np.int32)])
    return [
        Strip(_segments(upper, lower), width)
        for upper, lower in zip(pixels[::2].tolist(), pixels[1::2].tolist(), strict=True)
    ]


def _segments(upper: list[int], lower: list[int]) -> Iterator[Segment]:
    """One row of cells, neighbors of the same two colors in one segment."""
    start = 0
    pairs = list(zip(upper, lower, strict=True))
    for end in range(1, len(pairs) + 1):
        if end == len(pairs) or pairs[end] != pairs[start]:
            yield Segment(UPPER * (end - start), _style(*pairs[start]))
            start = end


# for terminals that have neither colors nor half-blocks
def _ascii_strips(image: ByteArray) -> list[Strip]:
    grey = image if image.ndim == 2 else np.rint(image[..., :3].mean(axis=2)).astype(np.uint8)
    rows = (grey.shape[0] + 1) // 2
    # a character stands for two pixels, one above the other
    cells = _along(grey, rows, 0).astype(np.int32) * len(RAMP) // 256
    return [Strip([Segment("".join(RAMP[step] for step in line))], len(line)) for line in cells.tolist()]


# making a style is dear, and pictures share most of their pairs of colors
@lru_cache(maxsize=16384)
def _style(upper: int, lower: int) -> Style:
    return Style(color=_color(upper), bgcolor=None if lower == NOTHING else _color(lower))


def _color(packed: int) -> Color:
    return Color.from_rgb(packed >> 16, packed >> 8 & 255, packed & 255)


def _grey_levels(grey: NDArray[np.integer], depth: Depth) -> NDArray[np.int16]:
    if depth is Depth.PALETTE:
        return _palette_greys(grey.astype(np.int16))
    if depth is Depth.FEW:
        return _dithered(grey.astype(np.int16), FEW_GREYS)
    return grey.astype(np.int16)


def _palette_greys(values: NDArray[np.int16]) -> NDArray[np.int16]:
    middles = (GREYS[1:] + GREYS[:-1] + 1) // 2
    return _GREY_CODES[np.searchsorted(middles, values, side="right")]


def _bayer(order: int) -> NDArray[np.float64]:
    """A threshold matrix of 2**order x 2**order, values evenly over (0, 1)."""
    matrix = np.zeros((1, 1))
    for _ in range(order):
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    return (matrix + 0.5) / matrix.size


_THRESHOLDS = _bayer(2)


def _dithered(values: NDArray[np.int16], levels: NDArray[np.int16]) -> NDArray[np.int16]:
    below = np.clip(np.searchsorted(levels, values, side="right") - 1, 0, len(levels) - 2)
    low, high = levels[below], levels[below + 1]
    return np.where((values - low) > _pattern(*values.shape) * (high - low), high, low).astype(np.int16)


def _pattern(height: int, width: int) -> NDArray[np.float64]:
    return np.tile(_THRESHOLDS, (height // 4 + 1, width // 4 + 1))[:height, :width]


@lru_cache(maxsize=1)
def _nearest_colors() -> Packed:
    """The nearest of the 256-color palette to each color of 5 bits a channel, as the code that Rich maps to it."""
    cube = np.stack(np.meshgrid(CUBE, CUBE, CUBE, indexing="ij"), axis=-1).reshape(-1, 3)
    cube = cube[np.ptp(cube, axis=1) > 0]  # the cube's greys are among the greys
    shown = np.concatenate([cube, GREYS[:, None].repeat(3, axis=1)]).astype(np.float32) * _WEIGHTS
    codes = np.concatenate([_packed(cube), _packed_grey(_GREY_CODES)])
    # the middle of each step, so that rounding down to 5 bits errs to both sides alike
    steps = np.arange(32, dtype=np.float32) * 8 + 4
    nearest = [
        ((np.stack(np.meshgrid([red], steps, steps, indexing="ij"), axis=-1).reshape(-1, 1, 3) * _WEIGHTS - shown) ** 2)
        .sum(axis=2)
        .argmin(axis=1)
        for red in steps
    ]
    table: Packed = codes[np.concatenate(nearest)]
    return table


def _packed(rgb: NDArray[np.int16]) -> Packed:
    wide = rgb.astype(np.int32)
    return wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]


def _packed_grey(grey: NDArray[np.int16]) -> Packed:
    return grey.astype(np.int32) * 0x010101


# -- ways to look at a picture ----------------------------------------------------------------------------------------

LOW, HIGH = 1, 99
"""Percentiles that become black and white when the contrast is stretched."""
SAMPLE = 4096
"""Pixels that choose the few colors, at most."""
ROUNDS = 10
STEPS = 4
"""Steps it takes to move a zoomed picture by one window."""


@dataclass(frozen=True, slots=True)
class Look:
    """A way to draw the large picture; `down` and `right` = steps from its middle when it is zoomed."""

    zoom: int = 1
    contrast: bool = False
    colors: int = 0  # 0 = all
    down: int = 0
    right: int = 0
    page: int = 0  # of a card or text, which has no other way to be looked at
    words: str = field(init=False, compare=False)  # the way for the person; "" for the whole picture as it is

    def __post_init__(self) -> None:
        """Say it once: every question that is drawn asks for the words."""
        words = "contrast" if self.contrast else f"{self.colors} colors" if self.colors else ""
        object.__setattr__(self, "words", f"zoom ×{self.zoom}" if self.zoom > 1 else words)

    def moved(self, down: int, right: int) -> Look:
        """Moved over a zoomed picture, to its edge at most."""
        most = (self.zoom - 1) * STEPS // 2
        return replace(
            self,
            down=min(max(self.down + down, -most), most),
            right=min(max(self.right + right, -most), most),
        )


FIT = Look()
LOOKS = (FIT, Look(zoom=2), Look(zoom=4), Look(contrast=True), Look(colors=8), Look(colors=3))
"""In the order in which one key goes through them."""


def following(look: Look) -> Look:
    """The next way to look."""
    place = LOOKS.index(replace(look, down=0, right=0, page=0))
    return LOOKS[(place + 1) % len(LOOKS)]


def seen(image: ByteArray, look: Look, columns: int, rows: int) -> ByteArray:
    """Return the part of `image` (h, w[, 3]) that is drawn into `columns` x `rows` cells, in the way of `look`."""
    if look.zoom > 1:
        image = cropped(image, look, columns, rows)
    if look.contrast:
        image = stretched(image)
    if look.colors:
        height, width = fitted(image.shape[0], image.shape[1], columns, rows)
        if height < image.shape[0]:  # few colors of what is shown, not of what is averaged away
            image = resampled(image, height, width)
        image = quantized(image, look.colors)
    return image


def cropped(image: ByteArray, look: Look, columns: int, rows: int) -> ByteArray:
    """The part that fills the cells when the picture is `look.zoom` times as large as it fits."""
    height, width = image.shape[:2]
    scale = max(fitted(height, width, columns, rows)[0] / height, 1e-6) * look.zoom
    scale = float(int(scale)) if scale >= 1 else scale  # pixels stay squares
    parts = []
    for size, room, steps in ((height, rows * 2, look.down), (width, columns, look.right)):
        window = min(size, max(int(room / scale), 1))
        start = round((size - window) / 2 + steps * window / STEPS)
        start = min(max(start, 0), size - window)
        parts.append(slice(start, start + window))
    return image[parts[0], parts[1]]


def stretched(image: ByteArray) -> ByteArray:
    """The gray values between the first and last percent stretched over the whole range; a flat picture as it is."""
    low, high = np.percentile(image, (LOW, HIGH))
    if high <= low:
        return image
    values = (image.astype(np.float32) - low) * (255.0 / (high - low))
    whole: ByteArray = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return whole


def quantized(image: ByteArray, k: int) -> ByteArray:
    """`image` in its `k` most telling colors: k-means of its pixels, the same every time."""
    pixels = image.reshape(image.shape[0] * image.shape[1], -1).astype(np.float32)
    sample = pixels[:: -(-len(pixels) // SAMPLE)]
    # a picture of few colors keeps its own
    colors = np.unique(sample, axis=0)
    if len(colors) > k:
        # centers begin evenly over the brightness: without chance a picture looks the same every time
        order = np.argsort(sample.sum(axis=1), kind="stable")
        centers = sample[order[((np.arange(k) + 0.5) * len(sample) / k).astype(np.int64)]]
        for _ in range(ROUNDS):
            near = _nearest_centers(sample, centers)
            for place in np.unique(near):  # a center that nobody is near stays where it is
                centers[place] = sample[near == place].mean(axis=0)
        colors = centers
    return np.rint(colors[_nearest_centers(pixels, colors)]).astype(np.uint8).reshape(image.shape)


def _nearest_centers(pixels: FloatArray, centers: FloatArray) -> IndexArray:
    squares = np.square(centers).sum(axis=1) - 2.0 * (pixels @ centers.T)
    return np.asarray(squares.argmin(axis=1), dtype=np.int64)
