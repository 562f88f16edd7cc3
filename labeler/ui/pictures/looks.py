"""Ways to look at a picture: fit, zoomed, with more contrast, in few colors. Pure functions on uint8 arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from labeler.core.types import ByteArray, FloatArray, IndexArray
from labeler.ui.pictures.half_blocks import fitted, resampled

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

    @property
    def words(self) -> str:
        """The way in words for the person; "" for the whole picture as it is."""
        if self.zoom > 1:
            return f"zoom ×{self.zoom}"
        return "contrast" if self.contrast else f"{self.colors} colors" if self.colors else ""

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
    colors = np.unique(sample, axis=0)
    if len(colors) > k:
        order = np.argsort(sample.sum(axis=1), kind="stable")
        centers = sample[order[((np.arange(k) + 0.5) * len(sample) / k).astype(np.int64)]]
        for _ in range(ROUNDS):
            near = _nearest(sample, centers)
            for place in np.unique(near):  # a center that nobody is near stays where it is
                centers[place] = sample[near == place].mean(axis=0)
        colors = centers
    return np.rint(colors[_nearest(pixels, colors)]).astype(np.uint8).reshape(image.shape)


def _nearest(pixels: FloatArray, centers: FloatArray) -> IndexArray:
    squares = np.square(centers).sum(axis=1) - 2.0 * (pixels @ centers.T)
    return np.asarray(squares.argmin(axis=1), dtype=np.int64)
