"""The ground that a transparent drawing is seen on: white, or black where it would not show on white."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.core.types import ByteArray

WHITE, BLACK, NONE = 255, 0, -1
"""Grounds; NONE: the alpha hides everything, so it means something else and is not looked at."""
_HIDDEN = 8
"""An alpha that is below this everywhere shows nothing on any ground."""
_BETTER = 4.0
"""So many times the contrast makes a drawing one for a black ground: white lines, not a photo with a bright sky."""
# the weights of ITU-R 601, by which Pillow turns color to grey
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


def grounds_of(pixels: ByteArray) -> NDArray[np.int16]:
    """The ground (n,) of each image of (n, h, w, 2) grey or (n, h, w, 4) color with alpha."""
    return np.array([_ground_of(image) for image in pixels], dtype=np.int16)


def _ground_of(image: ByteArray) -> int:
    alpha = image[..., -1]
    if int(alpha.max()) < _HIDDEN:
        return NONE
    light: NDArray[Any] = image[..., 0].astype(np.float32) if image.shape[-1] == 2 else image[..., :3] @ _LUMINANCE
    share = alpha.astype(np.float32) / 255
    seen = light * share
    # contrast is the spread of light: a drawing that does not show on its ground spreads little
    on_black, on_white = float(seen.std()), float((seen + 255 * (1 - share)).std())
    return BLACK if on_white * _BETTER < on_black else WHITE


def laid(pixels: ByteArray) -> ByteArray:
    """(n, h, w, 2) or (n, h, w, 4) -> (n, h, w) or (n, h, w, 3): each image on its own ground."""
    grounds = grounds_of(pixels).reshape(-1, 1, 1, 1)
    alpha = np.where(grounds == NONE, 255, pixels[..., -1:]).astype(np.uint16)
    # NONE is negative, and where it stands alpha was just set to opaque: nothing of the ground is seen
    under = np.maximum(grounds, 0).astype(np.uint16)
    # whole numbers, rounded: 255 * 255 + 127 still fits 16 bits, where floats would take twice the memory
    out = ((pixels[..., :-1] * alpha + under * (255 - alpha) + 127) // 255).astype(np.uint8)
    return out[..., 0] if out.shape[-1] == 1 else out
