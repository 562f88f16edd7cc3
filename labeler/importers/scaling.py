"""Numbers of any kind -> the 0..255 of a grey or colour image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.core.vocabulary import ByteArray

_WHITES = (1.0, 16.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""What white is in practice: unit range, the digits' 17 levels, 8 bits, and sensors of 10 to 16 bits."""


_AT_ONCE = 1 << 20


def byte_range(low: float, high: float) -> tuple[float, float]:
    """(black, white) for values that span `low` to `high`: the narrowest customary range that holds them.

    Values below zero or above 16 bits have no customary range: their own extremes become black and white.
    """
    if low == high == 0:
        return 0.0, 255.0  # black whatever the range
    if low >= 0:
        for white in _WHITES:
            if high <= white * 1.001:  # float32 rounding may put a maximum a hair above
                return 0.0, white
    return low, high


def to_bytes(values: NDArray[Any], black: float, white: float) -> ByteArray:
    """Scale linearly so that `black` -> 0 and `white` -> 255, rounded; NaN is black. Same shape, uint8."""
    factor = 255.0 / ((white - black) or 1.0)
    scaled: ByteArray = np.empty(values.shape, np.uint8)
    step = max(1, _AT_ONCE * len(values) // max(values.size, 1))
    for start in range(0, len(values), step):  # in parts: the steps between need eight times the memory
        part = values[start : start + step]
        wide: NDArray[Any] = part.astype(np.float64 if part.dtype.itemsize > 2 else np.float32)
        scaled[start : start + step] = np.clip(np.rint(np.nan_to_num((wide - black) * factor)), 0, 255)
    return scaled
