"""The image store: every image of a pool at one small size, uint8, in one array.

Decoding is the slow part of reading a folder; it happens once, and encoders re-read the store 100 times faster.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from labeler.core.errors import UnreadableInstance
from labeler.core.types import ByteArray, Progress
from labeler.plugins.importers.base import Source

LARGEST = 64
"""Side of the store's images: larger or uneven ones are fitted into a square of this side."""
N_LOOKED_AT = 48
CHUNK = 256  # images between two signs of life
COLOR_DIFFERENCE = 12
"""Channels further apart than this in 1 % of an image's pixels make it a color image; below, it is grey."""


@dataclass(frozen=True, slots=True)
class ImagePlan:
    """The shape of one stored image: (h, w) grey or (h, w, 3) color; `exact` = the source's own size."""

    shape: tuple[int, ...]
    exact: bool


class Framing(Protocol):
    """A way of an encoder's own to bring images to its size."""

    @property
    def looks_at(self) -> int:
        """Pixels on the longer side at which images are decoded for it."""

    def framed(self, image: ByteArray) -> ByteArray:
        """The part of an image (h, w[, 3]) that it sees: (side, side, 3) uint8."""


def plan_images(source: Source) -> ImagePlan:
    """Look at some images of the source, evenly spread, and choose the store's shape.

    They are decoded at a size that tells small ones from all others: a photo is never decoded whole for it.
    """
    whole = source.uniform_images()
    n = len(source.ids)
    looked_at = []
    for index in np.unique(np.linspace(0, max(n - 1, 0), min(N_LOOKED_AT, n)).astype(int)):
        try:
            looked_at.append(np.asarray(whole[index]) if whole is not None else _at_a_glance(source, int(index)))
        except UnreadableInstance:
            continue
    if not looked_at:
        return ImagePlan((LARGEST, LARGEST), False)
    sizes = {image.shape[:2] for image in looked_at}
    colored = any(_is_colored(image) for image in looked_at)
    height, width = sizes.pop()
    exact = not sizes and max(height, width) <= LARGEST  # of one size and small: kept as they are, to the pixel
    side = min(LARGEST, max(max(image.shape[:2]) for image in looked_at))
    size = (height, width) if exact else (side, side)
    return ImagePlan((*size, 3) if colored else size, exact)


def _at_a_glance(source: Source, index: int) -> ByteArray:
    return source.decoded(index, source.content_bytes(index), LARGEST + 1)


def blank_rows(images: ByteArray, rows: NDArray[np.int64], unreadable: dict[int, str]) -> list[int]:
    """The rows of the store (n, h, w[, 3]) that hold one single value, of what is there and was read."""
    blank: list[int] = []
    for start in range(0, len(images), CHUNK * 4):
        part = images[start : start + CHUNK * 4]
        pixels = part.reshape(len(part), -1, *part.shape[3:])
        flat = (pixels == pixels[:, :1]).reshape(len(part), -1).all(axis=1)
        blank += [start + int(row) for row in np.flatnonzero(flat)]
    return [row for row in blank if rows[row] >= 0 and row not in unreadable]


def fill_images(
    source: Source, rows: NDArray[np.int64], plan: ImagePlan, target: ByteArray, framing: Framing | None = None
) -> Generator[Progress, None, tuple[ByteArray, dict[int, str]]]:
    """Write every image into `target`; yield progress, return sha256 (n, 32) and what could not be read.

    `rows` gives the position in the source of each row of `target`, -1 where it has none. `framing` makes an image of
    the target's shape of a decoded one; without it they are fitted as the store holds them.
    """
    hashes = np.zeros((len(rows), 32), dtype=np.uint8)
    unreadable: dict[int, str] = {}
    fit, framed = way_of(plan, framing)
    whole = source.uniform_images()
    if framing is None and whole is not None and whole.shape[1:] == target.shape[1:]:
        yield from _copy(whole, rows, target, hashes)
        return hashes, unreadable
    for start in range(0, len(rows), CHUNK):
        yield Progress("reading", start, len(rows))
        for row in range(start, min(start + CHUNK, len(rows))):
            position = int(rows[row])
            if position < 0:
                continue
            try:
                content = source.content_bytes(position)
                hashes[row] = np.frombuffer(hashlib.sha256(content).digest(), dtype=np.uint8)
                target[row] = framed(source.decoded(position, content, fit))
            except UnreadableInstance as error:
                unreadable[row] = str(error)
    yield Progress("reading", len(rows), len(rows))
    return hashes, unreadable


def way_of(plan: ImagePlan, framing: Framing | None) -> tuple[int, Callable[[ByteArray], ByteArray]]:
    """Return the pixels at most to which an image is decoded for a plan, and what brings it to the plan's shape."""
    fit = max(LARGEST, *plan.shape[:2])  # an encoder may want to see more than the store holds
    if framing is None:
        return fit, lambda image: fit_image(image, plan)
    return max(fit, framing.looks_at), framing.framed


def _copy(
    whole: ByteArray, rows: NDArray[np.int64], target: ByteArray, hashes: ByteArray
) -> Generator[Progress, None, None]:
    """The short way for a source that is one array of the store's shape."""
    for start in range(0, len(rows), CHUNK * 16):
        yield Progress("reading", start, len(rows))
        part = np.arange(start, min(start + CHUNK * 16, len(rows)))
        part = part[rows[part] >= 0]
        images = np.ascontiguousarray(whole[rows[part]])
        target[part] = images
        digests = b"".join(hashlib.sha256(image.data).digest() for image in images)
        hashes[part] = np.frombuffer(digests, dtype=np.uint8).reshape(-1, 32)
    yield Progress("reading", len(rows), len(rows))


def fit_image(image: ByteArray, plan: ImagePlan) -> ByteArray:
    """One decoded image in the store's shape.

    A grey image keeps its proportions on a ground of its own border's color (ink must not be stretched); a color
    image is stretched (a frame around a photo would be an edge that no photo has).
    """
    colored = len(plan.shape) == 3
    if image.ndim == 3 and not colored:
        image = np.rint(image @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)  # ITU-R 601, as PIL does it
    elif image.ndim == 2 and colored:
        image = np.repeat(image[:, :, None], 3, axis=2)
    height, width = plan.shape[:2]
    if image.shape[:2] == (height, width):
        return image
    if colored:
        return _resized(image, width, height)
    scale = min(height / image.shape[0], width / image.shape[1])
    inner = _resized(image, max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    border = np.concatenate((inner[0], inner[-1], inner[:, 0], inner[:, -1]))
    out = np.full((height, width), int(np.median(border)), dtype=np.uint8)
    top, left = (height - inner.shape[0]) // 2, (width - inner.shape[1]) // 2
    out[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return out


def _resized(image: ByteArray, width: int, height: int) -> ByteArray:
    from PIL import Image  # start-up: a source that is one array of the store's size needs none

    return np.asarray(
        Image.fromarray(image).resize(
            (width, height), Image.Resampling.BOX if image.shape[0] > 2 * height else Image.Resampling.BILINEAR
        )
    )


def _is_colored(image: ByteArray) -> bool:
    if image.ndim == 2:
        return False
    wide = image.astype(np.int16)  # differences of uint8 would wrap around
    difference = wide.max(axis=2) - wide.min(axis=2)
    return bool((difference > COLOR_DIFFERENCE).mean() > 0.01)
