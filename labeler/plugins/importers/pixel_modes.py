"""Pixels of any depth, with or without alpha -> grey or color of 8 bits: decided once for the whole of an image."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labeler.core.types import ByteArray
from labeler.plugins.importers import background
from labeler.plugins.importers.scaling import Ranges, ValueRange, to_bytes

if TYPE_CHECKING:
    from PIL import Image

Flatten = Callable[["Image.Image"], "Image.Image"]
"""An image, or a strip of it, to L or RGB."""

DATA = ValueRange()
"""Nothing decided: every image by its own values."""
_SAMPLED = 1 << 20
"""Pixels of a large image that are looked at for what its whole is like."""


def flattener(image: Image.Image, shown: Ranges = DATA) -> Flatten:
    """Return a function that turns a loaded image, and any strip of it, into L (if grey) or RGB by the range `shown`.

    Raises
    ------
    UnreadableInstance
        It holds no finite value.
    """
    from PIL import Image  # start-up: before the first frame

    # Pillow's own conversion to grey cuts off at 255: 16 bits would be white all over
    if image.mode == "F" or image.mode.startswith("I"):
        black, white = shown.span_for(np.asarray(_sampled(image)))
        return lambda part: Image.fromarray(to_bytes(np.asarray(part), black, white))
    mode = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    if image.has_transparency_data:
        return _spread(_over_ground(image, mode), shown)
    if image.mode == "P" and _grey_palette(image):  # how GIF stores grey
        mode = "L"
    return _spread(lambda part: part.convert(mode), shown)


def bytes_of(values: NDArray[Any], shown: Ranges, alpha: int | None = None) -> ByteArray:
    """(h, w, bands) of any depth -> (h, w) or (h, w, 3): the first band as grey, the first three as color.

    `alpha`: the band that says what is transparent. Raises UnreadableInstance where nothing is finite.
    """
    bands = values.shape[2] - (alpha is not None)
    seen = values[..., : 3 if bands >= 3 else 1]
    if values.dtype == np.uint8:
        span = shown.for_bytes or (0.0, 255.0)
    else:
        span = shown.span_for(seen)
    pixels = to_bytes(seen, *span)
    if alpha is not None:
        layer = values[..., alpha : alpha + 1]
        full = float(np.iinfo(layer.dtype).max) if layer.dtype.kind in "ui" else 1.0
        if layer.dtype.itemsize == 2 and float(layer.max()) <= span[1]:
            full = span[1]  # as deep as the colors are
        layered = np.concatenate((pixels, to_bytes(layer, 0, full)), axis=2)
        return np.asarray(background.laid(layered[None])[0])
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels


def _spread(flatten: Flatten, shown: Ranges) -> Flatten:
    """The same, with the values of 8 bits spread to what a person said is black and white."""
    span = shown.for_bytes
    if span is None:
        return flatten
    table = to_bytes(np.arange(256), *span).tolist()

    def spread(part: Image.Image) -> Image.Image:
        flat = flatten(part)
        # Pillow wants 256 entries for each band
        return flat.point(table * len(flat.getbands()))

    return spread


def _over_ground(image: Image.Image, mode: str) -> Flatten:
    """Lay what is transparent over the ground on which it is seen; an alpha that hides everything is no alpha."""
    from PIL import Image  # start-up: before the first frame

    layers = "LA" if mode == "L" else "RGBA"
    sample = np.asarray(_sampled(image).convert(layers))
    under = int(background.grounds_of(sample[None])[0])

    def flatten(part: Image.Image) -> Image.Image:
        layered = part.convert(layers)
        if under == background.NONE:
            return layered.convert(mode)
        paper = Image.new(mode, part.size, under if mode == "L" else (under, under, under))
        paper.paste(layered, mask=layered.getchannel("A"))
        return paper

    return flatten


def _sampled(image: Image.Image) -> Image.Image:
    """The image, or every so many of its pixels where it is large."""
    from PIL.Image import Resampling  # start-up: before the first frame

    factor = int((image.width * image.height / _SAMPLED) ** 0.5)
    if factor < 2:
        return image
    # the nearest, not a mean: a mean would hide the extremes that are looked for
    return image.resize((max(1, image.width // factor), max(1, image.height // factor)), Resampling.NEAREST)


def _grey_palette(image: Image.Image) -> bool:
    # without a palette take it for one with a color: keeping three channels loses nothing
    colors = np.array(image.getpalette("RGB") or [0, 0, 1]).reshape(-1, 3)
    return bool((colors == colors[:, :1]).all())
