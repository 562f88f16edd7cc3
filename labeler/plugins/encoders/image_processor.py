"""The processor of an image model's input, as its ``preprocessor_config.json`` declares it.

The steps and their order are those of the image processors of Hugging Face's transformers: resize, crop from the
center, multiply, less the mean, divided by the deviation; each as it is done there by Pillow, on bytes.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from labeler.core.types import ByteArray, FloatArray
from labeler.plugins.encoders.base import Images

KNOWN = {"do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb", "do_flip_channel_order"}
"""Steps that are done here; one that is not, and is asked for, changes the pixels in a way nobody would notice."""
LARGEST = 2048
"""Pixels a side at most: no encoder is larger, and features of every image at that size would take days."""
CROPPED_BELOW = 384
"""Models with ``crop_pct`` (ConvNeXt) cut off the margin below this size, and stretch from it on."""


@dataclass(frozen=True, slots=True)
class ImageProcessor:
    """The way to a model's input: `resize` to (height, width) or the shorter edge, then `side` pixels from the center.

    `mean` and `std` (1,) or (3,) float32 are of the values times `factor`.
    """

    resize: tuple[int, int] | int
    side: int
    resample: Image.Resampling
    factor: float
    mean: FloatArray
    std: FloatArray
    is_bgr: bool = False

    @property
    def looks_at(self) -> int:
        """Pixels on the longer side at which an image is decoded: enough for one twice as long as it is wide."""
        return 2 * (self.resize if isinstance(self.resize, int) else max(self.resize))

    def framed(self, image: ByteArray) -> ByteArray:
        """The part of an image (h, w[, 3]) that the model sees, at its size: (side, side, 3) uint8."""
        picture = Image.fromarray(image).convert("RGB")
        picture = picture.resize(self._size(picture.width, picture.height), self.resample)
        left, top = (picture.width - self.side) // 2, (picture.height - self.side) // 2
        return np.asarray(picture.crop((left, top, left + self.side, top + self.side)))

    def _size(self, width: int, height: int) -> tuple[int, int]:
        if not isinstance(self.resize, int):
            return self.resize[1], self.resize[0]
        short = min(width, height)
        # rounded down, as transformers does it; a strip a thousand times as long as it is wide stays a strip
        longer = max(1, min(int(self.resize * max(width, height) / short), 1000 * self.resize))
        return (self.resize, longer) if width <= height else (longer, self.resize)

    def numbers(self, images: Images) -> FloatArray:
        """The model's input (n, 3, side, side) float32 for images (n, h, w[, 3]) uint8, framed where they are not."""
        if images.shape[1:] != (self.side, self.side, 3):
            images = np.stack([self.framed(image) for image in images])
        values = images.astype(np.float32) * np.float32(self.factor)
        if self.is_bgr:
            values = values[..., ::-1]
        return np.ascontiguousarray(((values - self.mean) / self.std).transpose(0, 3, 1, 2))


def read(content: bytes) -> ImageProcessor:
    """Read the bytes of a ``preprocessor_config.json``.

    Raises
    ------
    ValueError
        It is none, or asks for something that is not done here; the message says what.
    """
    try:
        config = json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    if not isinstance(config, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 - of the file, as all that is wrong with it
    unknown = [name for name in sorted(config) if name.startswith("do_") and config[name] and name not in KNOWN]
    if unknown or config.get("rescale_offset"):
        raise ValueError(f"it asks for {', '.join(unknown) or 'rescale_offset'}, which is not done here")
    if not config.get("do_resize", True):
        raise ValueError("it does not resize, so images of several sizes do not fit")
    resize, side = _sizes(config)
    mean, std = (_numbers(config, name, default) for name, default in (("image_mean", 0.0), ("image_std", 1.0)))
    if not (std > 0).all():
        raise ValueError("image_std is not above 0")
    factor = _number(config, "rescale_factor", 1 / 255) if config.get("do_rescale", True) else 1.0
    return ImageProcessor(resize, side, _resample(config), factor, mean, std, bool(config.get("do_flip_channel_order")))


def _sizes(config: dict[str, Any]) -> tuple[tuple[int, int] | int, int]:
    """Return what an image is resized to, and the side of what is cut out of it."""
    resize = _resize(config)
    shorter = resize if isinstance(resize, int) else min(resize)
    if "crop_pct" in config and isinstance(resize, int):
        if resize >= CROPPED_BELOW:
            return (resize, resize), resize
        share = _number(config, "crop_pct", 1.0)
        if not 0.1 <= share <= 1:
            raise ValueError(f"crop_pct is {config['crop_pct']!r}")
        return int(resize / share), resize
    if not config.get("do_center_crop", False):
        if isinstance(resize, int) or resize[0] != resize[1]:
            raise ValueError("it gives images that are not square")
        return resize, resize[0]
    side = _square(config.get("crop_size"), "crop_size")
    if side > shorter:
        raise ValueError(f"crop_size is {side}, larger than the {shorter} it resizes to")
    return resize, side


def _resize(config: dict[str, Any]) -> tuple[int, int] | int:
    size = config.get("size")
    if isinstance(size, dict):
        if set(size) == {"shortest_edge"}:
            return _pixels(size["shortest_edge"], "size")
        if set(size) == {"height", "width"}:
            return _pixels(size["height"], "size"), _pixels(size["width"], "size")
        raise ValueError(f"size is given by {', '.join(sorted(map(str, size))) or 'nothing'}, which is not known here")
    side = _pixels(size, "size")
    # older files say a number: the shorter edge where a crop follows, else both sides
    return side if config.get("do_center_crop") or "crop_pct" in config else (side, side)


def _square(value: Any, name: str) -> int:
    if isinstance(value, dict) and set(value) == {"height", "width"}:
        height, width = (_pixels(value[axis], name) for axis in ("height", "width"))
        if height != width:
            raise ValueError(f"{name} is {height} x {width}, not a square")
        return height
    return _pixels(value, name)


def _pixels(value: Any, name: str) -> int:
    if type(value) is not int or not 1 <= value <= LARGEST:
        raise ValueError(f"{name} is {str(value)[:40]!r}, not from 1 to {LARGEST} pixels")
    return value


def _number(config: dict[str, Any], name: str, default: float) -> float:
    value = config.get(name, default)
    if type(value) not in (int, float) or not math.isfinite(value) or value <= 0:
        raise ValueError(f"{name} is {str(value)[:40]!r}, not a number above 0")
    return float(value)


def _numbers(config: dict[str, Any], name: str, default: float) -> FloatArray:
    """One number a channel, or one for all."""
    if not config.get("do_normalize", name in config):
        return np.full(1, default, dtype=np.float32)
    value = config.get(name)
    values: list[Any] = value if isinstance(value, list) else [value]
    if len(values) not in (1, 3) or any(type(each) not in (int, float) or not abs(each) < 1e6 for each in values):
        raise ValueError(f"{name} is {str(value)[:40]!r}, not three numbers")
    return np.array(values, dtype=np.float32)


def _resample(config: dict[str, Any]) -> Image.Resampling:
    value = config.get("resample", Image.Resampling.BILINEAR.value)
    if type(value) is not int or value not in [each.value for each in Image.Resampling]:
        raise ValueError(f"resample is {str(value)[:40]!r}, not one of Pillow's filters")
    return Image.Resampling(value)
