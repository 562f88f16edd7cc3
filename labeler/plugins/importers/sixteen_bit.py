"""The values of 16 bits that Pillow would cut to their upper byte: color PNG, grey PNG with alpha, color PPM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from labeler.plugins.importers.decode_limits import MOST_BYTES, Bounded

if TYPE_CHECKING:
    from PIL import Image, ImageFile

_LOWER = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L", "LA;16B": "RGBA"}
"""How a PNG's values lie -> how to read them so that the lower bytes come: as if their order were the other one."""
_BYTES = 17
"""A pixel: both halves as Pillow has them, the values, and what is made of them."""
_STRIP = 1_000_000


def values_of(image: ImageFile.ImageFile, content: bytes) -> tuple[NDArray[Any], int | None] | None:
    """The values (h, w, bands) uint16 of an opened image and which band is alpha; None for images that lose nothing.

    Very large ones keep their upper bytes: both halves of them are more than memory is to hold.
    """
    if image.format == "PPM":
        values = ppm_values(image, content)
        return (values, None) if values is not None and values.dtype.itemsize == 2 else None
    raw = image.tile[0][3] if image.format == "PNG" and image.tile else ""
    if raw not in _LOWER or image.width * image.height * _BYTES > MOST_BYTES:
        return None
    if raw == "LA;16B":
        pairs = _read_as(content, "RGBA", "RGBA")  # upper and lower byte of the grey, then of the alpha
        return _joined(pairs, (0, 2), pairs, (1, 3)), 1
    image.load()
    bands = tuple(range(len(image.getbands())))
    lower = _read_as(content, image.mode, _LOWER[str(raw)])
    return _joined(image, bands, lower, bands), 3 if image.mode == "RGBA" else None


def _read_as(content: bytes, mode: str, raw: str) -> Image.Image:
    from PIL import Image  # start-up: before the first frame

    file = Bounded(content)
    with Image.open(file, formats=("PNG",)) as image:
        file.begin_pixels()
        opened: Any = image
        opened.tile = [(*opened.tile[0][:3], raw)]
        # a private name, but nothing public says in which order the bytes of a mode are read
        opened._mode = mode
        image.load()
        return image


def _joined(
    upper: Image.Image, of_upper: tuple[int, ...], lower: Image.Image, of_lower: tuple[int, ...]
) -> NDArray[np.uint16]:
    """(h, w, bands) of both halves, in strips: a whole image of each would be three times as much."""
    values = np.empty((upper.height, upper.width, len(of_upper)), np.uint16)
    rows = max(1, _STRIP // upper.width)
    for top in range(0, upper.height, rows):
        box = (0, top, upper.width, min(top + rows, upper.height))
        strip = values[top : top + rows]
        strip[:] = np.asarray(upper.crop(box))[..., of_upper]
        strip <<= 8
        strip |= np.asarray(lower.crop(box))[..., of_lower]
    return values


def ppm_values(image: Image.Image, content: bytes) -> NDArray[Any] | None:
    """The values (h, w, bands) of a PPM that Pillow takes one by one in Python; None for others.

    Of more than 8 bits as they are; below scaled to 0..255, uint8, by what the file says is white.
    """
    tile = cast(Any, image).tile
    if not tile or tile[0][0] != "ppm":
        return None
    offset, (_, most) = tile[0][2], cast(tuple[str, int], tile[0][3])
    bands = len(image.getbands())
    shape = (image.height, image.width, bands)
    count = image.height * image.width * bands
    if most > 255:
        return np.frombuffer(content, dtype=">u2", count=count, offset=offset).reshape(shape)
    table = np.minimum(np.rint(np.arange(256) / most * 255), 255).astype(np.uint8)
    return table[np.frombuffer(content, dtype=np.uint8, count=count, offset=offset)].reshape(shape)
