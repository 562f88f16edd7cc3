"""Numbers of any kind -> the 0..255 of a grey or colour image, by one range for the whole of a source."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.core.errors import UnreadableInstance, UsageError
from labeler.core.types import ByteArray

Span = tuple[float, float]
"""Least and largest value, or what is black and what is white."""

_WHOLE = (1.0, 3.0, 7.0, 16.0, 31.0, 63.0, 127.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""What white is for whole numbers: a bit depth below 8 (16: the digits' 17 levels), 8 bits, sensors of 10 to 16."""
_FRACTIONS = (1.0, 16.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
_NARROW = 8.0
"""Values that span less than this part of the range up to white, far from black, are one grey: they get their own."""
_MOST_BELOW = 0.9
"""Of ten images, one that goes far beyond the others' range does not make the others black."""
_STRAY = 10_000
"""Of so many pixels, one at each end may be a hot or a dead one: it tells nothing of the range."""
# values of one image: a larger one shows its range by a part of them as well
_LOOKED_AT = 1 << 22
_NO_DATA = 1e30
"""Beyond are the marks of what was not measured: maps in floats have them."""
_AT_ONCE = 1 << 20
_HINT = "write LOW:HIGH, the values that are black and white, such as 0:4095; or auto"


@dataclass(frozen=True, slots=True)
class ValueRange:
    """The values of a source that are black and white: of whole numbers and of fractions, None where not decided.

    `is_given`: a person said so; else it was decided from the data.
    """

    whole: Span | None = None
    fractions: Span | None = None
    is_given: bool = False

    @property
    def text(self) -> str:
        """The range as a project remembers it, and :func:`parse_range` reads it."""
        if self.is_given and self.whole:
            return _text_of(self.whole)
        return f"auto {_text_of(self.whole)},{_text_of(self.fractions)}"

    def span_for(self, values: NDArray[Any]) -> Span:
        """Black and white for an image's values: those of its source, else what its own values suggest.

        Raises
        ------
        UnreadableInstance
            None of them is finite.
        """
        of_source = self.fractions if values.dtype.kind == "f" else self.whole
        return of_source or byte_range(*finite_span(values), whole=values.dtype.kind != "f")

    @property
    def for_bytes(self) -> Span | None:
        """Black and white for images of 8 bits, which are as they are unless a person says otherwise."""
        return self.whole if self.is_given and self.whole is not None and self.whole[1] <= 255 else None


class Survey:
    """Takes the place of a :class:`ValueRange` while images are looked at, and takes note of what they span."""

    for_bytes: Span | None = None

    def __init__(self) -> None:
        self.whole: list[Span] = []
        self.fractions: list[Span] = []

    def span_for(self, values: NDArray[Any]) -> Span:
        """Return the span of the values of one image, as :meth:`ValueRange.span_for` does."""
        span = finite_span(values)
        (self.fractions if values.dtype.kind == "f" else self.whole).append(span)
        return span

    def decided(self, before: ValueRange | None = None) -> ValueRange:
        """One range for all that was looked at; what was decided `before` stays."""
        before = before or ValueRange()
        return ValueRange(
            before.whole or decided(self.whole, whole=True), before.fractions or decided(self.fractions, whole=False)
        )

    def beyond(self, shown: ValueRange) -> int:
        """Count the images that go beyond a range, and are cut off there."""
        pairs = [(span, shown.whole) for span in self.whole] + [(span, shown.fractions) for span in self.fractions]
        return sum(span[0] < of[0] or span[1] > of[1] * 1.001 for span, of in pairs if of is not None)


Ranges = ValueRange | Survey


def parse_range(text: str) -> ValueRange | None:
    """``LOW:HIGH`` as a person gives it, or what a project remembers; None for "" and ``auto``: to be decided.

    Raises
    ------
    UsageError
        It is none of these.
    """
    text = text.strip()
    if text in ("", "auto"):
        return None
    try:
        if not text.startswith("auto "):
            return ValueRange(span := _span(text), span, is_given=True)
        whole, fractions = (None if part == "-" else _span(part) for part in text.removeprefix("auto ").split(","))
    except ValueError:
        raise UsageError(f"{text!r} is no range of values", _HINT) from None
    return ValueRange(whole, fractions)


def _span(text: str) -> Span:
    low, high = map(float, text.split(":"))
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError
    return low, high


def _text_of(span: Span | None) -> str:
    return "-" if span is None else ":".join(str(int(v)) if v.is_integer() else repr(v) for v in span)


def byte_range(low: float, high: float, *, whole: bool = True) -> Span:
    """(black, white) for values that span `low` to `high`: the narrowest customary range that holds them.

    Values below zero, above 16 bits, or that would all be one grey have no customary range: their own extremes become
    black and white. So does the largest of fractions that are no quarter of what is customary: 1.2 is no 255.
    """
    if low == high == 0:
        return 0.0, 255.0  # black whatever the range
    if low < 0:
        return low, high
    customary = _WHOLE if whole else _FRACTIONS
    white = next((white for white in customary if high <= white * 1.001), None)  # a float may be a hair above
    if white is None:
        return low, high
    if not whole and high < white / 4:
        white = high
    if 0 < high - low < white / _NARROW and low > 0:
        return low, high
    return 0.0, white


def decided(spans: Sequence[Span], *, whole: bool) -> Span | None:
    """(black, white) for all of a source, from the spans of some of its images; None without any."""
    if not spans:
        return None
    highs = sorted(high for _, high in spans)
    low, most = min(low for low, _ in spans), highs[math.ceil(_MOST_BELOW * len(highs)) - 1]
    black, white = byte_range(low, highs[-1], whole=whole)
    if 0 <= low < most < white / _NARROW:
        return byte_range(low, most, whole=whole)
    return black, white


def span_of(values: NDArray[Any]) -> Span | None:
    """The least and largest value, but for one in ten thousand at each end; None where nothing is finite."""
    step = math.ceil(math.sqrt(values.size / _LOOKED_AT))
    flat = values[::step, ::step].reshape(-1) if step > 1 and values.ndim > 1 else values.reshape(-1)
    if flat.dtype.kind == "f":
        known = np.isfinite(flat)
        # half floats cannot hold 1e30, so none of theirs can be beyond it
        flat = flat[known & (np.abs(flat) < _NO_DATA) if flat.dtype.itemsize > 2 else known]
    if not flat.size:
        return None
    stray = flat.size // _STRAY
    if not stray:
        return float(flat.min()), float(flat.max())
    # no sorting: only what stands at two places is asked for
    parted = np.partition(flat, (stray, flat.size - 1 - stray))
    return float(parted[stray]), float(parted[-1 - stray])


def finite_span(values: NDArray[Any]) -> Span:
    """:func:`span_of`; raises UnreadableInstance where no value is finite."""
    span = span_of(values)
    if span is None:
        raise UnreadableInstance("holds no finite pixel value")
    return span


def to_bytes(values: NDArray[Any], black: float, white: float) -> ByteArray:
    """Scale linearly so that `black` -> 0 and `white` -> 255, rounded; NaN is black. Same shape, uint8."""
    factor = 255.0 / ((white - black) or 1.0)
    scaled: ByteArray = np.empty(values.shape, np.uint8)
    step = max(1, _AT_ONCE * len(values) // max(values.size, 1))
    for start in range(0, len(values), step):  # in parts: the steps between need eight times the memory
        part = values[start : start + step]
        with np.errstate(over="ignore", invalid="ignore"):
            # float32 is exact for 16 bits, not for 32
            wide: NDArray[Any] = part.astype(np.float64 if part.dtype.itemsize > 2 else np.float32)
            scaled[start : start + step] = np.clip(np.rint(np.nan_to_num((wide - black) * factor)), 0, 255)
    return scaled
