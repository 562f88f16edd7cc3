"""A large decoded picture in strips of rows: flattened and reduced part by part, so that there is one copy of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from labeler.core.types import ByteArray

if TYPE_CHECKING:
    from PIL import Image

AT_ONCE = 8_000_000
"""Pixels up to which a picture is taken at once: about 30 bytes each."""
WHOLE = 32_000_000
"""Pixels up to which a picture asked for whole comes whole; above, a half or less on each side."""
_STRIP = 1_000_000


def in_strips(image: Image.Image, fit: int | None, flatten: Callable[[Image.Image], Image.Image]) -> ByteArray:
    """The pixels of a loaded image, flattened, and reduced to `fit` on the longer side, or where they are too many."""
    factor = math.ceil(math.sqrt(image.width * image.height / WHOLE))
    if fit:
        # to twice the size wanted: from there the last step resamples smoothly
        factor = max(factor, max(image.size) // (2 * fit))
    out: ByteArray | None = None
    for top, part in _parts(image, factor):
        flat = flatten(part)
        pixels = np.asarray(flat.reduce(factor) if factor > 1 else flat, dtype=np.uint8)
        if out is None:
            out = np.empty((-(-image.height // factor), *pixels.shape[1:]), dtype=np.uint8)
        if pixels.ndim < out.ndim:  # a palette is grey or is not, as a whole; a strip is no other
            pixels = np.repeat(pixels[:, :, None], 3, axis=2)
        out[top // factor : top // factor + len(pixels)] = pixels
    assert out is not None  # noqa: S101 - an image has a row
    return shrunk(out, fit) if fit else out


def _parts(image: Image.Image, factor: int) -> Iterator[tuple[int, Image.Image]]:
    # a multiple of the factor, so that no reduced pixel lies across two strips
    rows = max(_STRIP // image.width // factor, 1) * factor
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def shrunk(pixels: ByteArray, fit: int) -> ByteArray:
    """Pixels (h, w) or (h, w, 3) with at most `fit` on the longer side; smaller ones as they are."""
    if max(pixels.shape[:2]) <= fit:
        return pixels
    from PIL import Image  # start-up: before the first frame

    picture = Image.fromarray(pixels)
    picture.thumbnail((fit, fit), reducing_gap=2.0)
    return np.array(picture, dtype=np.uint8)


def turned(pixels: ByteArray, turn: Image.Transpose) -> ByteArray:
    """Turn pixels as Pillow's transpose does, without a copy."""
    from PIL.Image import Transpose  # start-up: before the first frame

    if turn in (Transpose.TRANSPOSE, Transpose.TRANSVERSE, Transpose.ROTATE_90, Transpose.ROTATE_270):
        pixels = pixels.swapaxes(0, 1)
    if turn in (Transpose.FLIP_TOP_BOTTOM, Transpose.ROTATE_180, Transpose.ROTATE_90, Transpose.TRANSVERSE):
        pixels = pixels[::-1]
    if turn in (Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.ROTATE_270, Transpose.TRANSVERSE):
        pixels = pixels[:, ::-1]
    return pixels
