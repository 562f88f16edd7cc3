"""The values of 16 bits that Pillow would cut to their upper byte: color PNG, grey PNG with alpha, color PPM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from labeler.importers.bounded import MOST_BYTES, Bounded

if TYPE_CHECKING:
    from PIL import Image, ImageFile

_LOWER = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L", "LA;16B": "RGBA"}
"""How a PNG's values lie -> how to read them so that the lower bytes come: as if their order were the other one."""
_BYTES = 11
"""A pixel of both halves, and of what is made of them."""


def values_of(image: ImageFile.ImageFile, content: bytes) -> tuple[NDArray[Any], int | None] | None:
    """The values (h, w, bands) uint16 of an opened image and which band is alpha; None for images that lose nothing.

    Very large ones keep their upper bytes: both halves of them are more than memory is to hold.
    """
    if image.format == "PPM":
        values = ppm_values(image, content)
        return (values, None) if values is not None and values.dtype == np.uint16 else None
    raw = image.tile[0][3] if image.format == "PNG" and image.tile else ""
    if raw not in _LOWER or image.width * image.height * _BYTES > MOST_BYTES:
        return None
    if raw == "LA;16B":
        pairs = _read_as(content, "RGBA", "RGBA")
        return np.stack((_joined(pairs[..., 0], pairs[..., 1]), _joined(pairs[..., 2], pairs[..., 3])), axis=2), 1
    image.load()
    values = _joined(np.asarray(image), _read_as(content, image.mode, _LOWER[str(raw)]))
    return values, 3 if image.mode == "RGBA" else None


def _read_as(content: bytes, mode: str, raw: str) -> NDArray[Any]:
    from PIL import Image

    file = Bounded(content)
    with Image.open(file, formats=("PNG",)) as image:
        file.begin_pixels()
        opened: Any = image
        opened.tile = [(*opened.tile[0][:3], raw)]
        opened._mode = mode
        image.load()
        return np.array(image)


def _joined(upper: NDArray[Any], lower: NDArray[Any]) -> NDArray[np.uint16]:
    joined: NDArray[np.uint16] = upper.astype(np.uint16) << 8 | lower
    return joined


def ppm_values(image: Image.Image, content: bytes) -> NDArray[Any] | None:
    """The values (h, w, bands) of a PPM that Pillow takes one by one in Python; None for others.

    Of more than 8 bits as they are, uint16; below scaled to 0..255, uint8, by what the file says is white.
    """
    tile = cast(Any, image).tile
    if not tile or tile[0][0] != "ppm":
        return None
    offset, (_, most) = tile[0][2], cast(tuple[str, int], tile[0][3])
    bands = len(image.getbands())
    shape = (image.height, image.width, bands)
    count = image.height * image.width * bands
    if most > 255:
        return np.frombuffer(content, dtype=">u2", count=count, offset=offset).reshape(shape).astype(np.uint16)
    table = np.minimum(np.rint(np.arange(256) / most * 255), 255).astype(np.uint8)
    return table[np.frombuffer(content, dtype=np.uint8, count=count, offset=offset)].reshape(shape)
