"""Images written as rows of numbers in a CSV: MNIST as it is shared, ``label,784 pixels``, with a first line or none.

A table is one of pixels where its columns are called so (``pixel0``, ``28x28``, ``pixel_0_7``), or have no names, or
count from 0, and hold whole numbers from 0 to 255; and they are as many as a square has, or three squares. One column
more is the label.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeler.core.errors import SourceError
from labeler.core.text import plain_text
from labeler.core.types import ByteArray, FloatArray
from labeler.plugins.importers.array_source import ImageRows
from labeler.plugins.importers.base import PlainSource, digest
from labeler.plugins.importers.files import file_state
from labeler.plugins.importers.label_tables import ID_COLUMNS, LABEL_COLUMNS, column
from labeler.plugins.importers.label_words import LabelWords
from labeler.plugins.importers.names import row_ids
from labeler.plugins.importers.scaling import byte_range, to_bytes

SMALLEST = 8
"""Pixels on a side at least, where nothing but their number says that columns are pixels."""
# an id, a label, and the index that pandas has written
_MOST_BESIDE = 3
_CALLED = re.compile(r"(?:pixel|pix|px)[ _.-]?\d+(?:[ _x.-]\d+)*|\d+x\d+(?:x\d+)?", re.IGNORECASE)


class PixelTable(ImageRows, PlainSource):
    """The rows of a CSV as images."""

    kind = "csv"

    def __init__(self, path: Path, ids: Sequence[str], pixels: ByteArray, truth: dict[str, str]) -> None:
        super().__init__(path, ids, digest(("pixels", *file_state(path))))
        self._pixels, self._truth = pixels, truth

    def table(self) -> FloatArray:
        """The pixels as the rows they came in, (n, d) float32: what they are as images is `content`."""
        return self._pixels.reshape(len(self._pixels), -1).astype(np.float32)

    def truth(self) -> dict[str, str]:
        """id -> class from the column of labels; empty without one."""
        return self._truth


class Layout(NamedTuple):
    """The place of the pixels: their columns, the side of the square, channels; and the columns of label and id."""

    pixels: list[int]
    side: int
    channels: int
    label: int | None
    key: int | None
    named: bool


class NoPixels(Exception):
    """A row further on holds what no pixel is: it was a table of features after all."""


def layout_of(header: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> Layout | None:
    """Return how the rows of a table are images, by the names of its columns (None = no first line) and some rows."""
    named = header is not None and any(map(_CALLED.fullmatch, header))
    if header is not None and named:
        pixels = [place for place, name in enumerate(header) if _CALLED.fullmatch(name)]
    elif header is not None:
        pixels = [place for place, name in enumerate(header) if name.isascii() and name.isdigit()]
    else:
        pixels = _pixels_without_names(rows)
    side, channels = _square(len(pixels))
    width = len(header) if header is not None else len(rows[0]) if rows else 0
    if not side or width - len(pixels) > _MOST_BESIDE or (not named and side < SMALLEST):
        return None
    if not named and not _are_bytes(rows, pixels):
        return None
    beside = [place for place in range(width) if place not in set(pixels)]
    key, label = _beside(header, beside)
    return Layout(pixels, side, channels, label, key, named)


class PixelReading:
    """A table of pixels while it is read."""

    def __init__(self, layout: Layout, shown: str) -> None:
        self._layout, self._shown = layout, shown
        self._parts: list[NDArray[Any]] = []
        self._labels: list[str] = []
        self._keys: list[str] = []

    def feed(self, rows: Sequence[Sequence[str]]) -> None:
        """Add some rows; raises NoPixels where a value is none, SourceError where the columns are called pixels."""
        layout = self._layout
        try:
            values = np.array([[row[place] for place in layout.pixels] for row in rows], dtype=np.float32)
        except ValueError:
            # a cell that does not parse is refused below like one that is missing
            values = np.full((1, 1), np.nan, np.float32)
        if not np.isfinite(values).all():
            raise self._refused("is no number")
        whole = bool(((values >= 0) & (values <= 255)).all() and (values == np.floor(values)).all())
        if not whole and not layout.named:
            raise NoPixels
        self._parts.append(values.astype(np.uint8) if whole else values)
        if layout.label is not None:
            self._labels += [row[layout.label] for row in rows]
        if layout.key is not None:
            self._keys += [row[layout.key].strip() for row in rows]

    def source(self, path: Path, header: Sequence[str] | None) -> PixelTable:
        """Return the source of what was read."""
        n, layout = sum(map(len, self._parts)), self._layout
        if not n:
            raise SourceError(f"{self._shown} holds no rows", "give one row of pixels an instance")
        keys = [plain_text(key).replace("\0", "") for key in self._keys]
        ids = keys if keys and all(keys) and len(set(keys)) == n else row_ids(n)
        values = np.concatenate(self._parts)
        pixels = _as_images(values, layout)
        words = LabelWords()
        labels = [words.text(label) for label in self._labels]
        # not strict: where there is no column of labels the list is empty
        source = PixelTable(path, ids, pixels, {i: label for i, label in zip(ids, labels, strict=False) if label})
        source.notes.append(_note_on(layout, header))
        source.notes += words.odd_notes()
        return source

    def _refused(self, why: str) -> Exception:
        if not self._layout.named:
            return NoPixels()
        return SourceError(f"{self._shown}: one of the pixels {why}", "fill or drop the row")


def _note_on(layout: Layout, header: Sequence[str] | None) -> str:
    size = f"{layout.side} x {layout.side}" + (" in color" if layout.channels == 3 else "")
    line = f"rows are read as images of {size} pixels"
    if layout.label is not None:
        name = repr(header[layout.label]) if header is not None else f"{layout.label + 1:,}"
        line += f"; the column {name} is no pixel: --truth y simulates with it"
    return line if layout.named else f"{line} (as features, if the first line names the columns)"


def _square(count: int) -> tuple[int, int]:
    """(side, channels) of a square of so many pixels; (0, 0) where there is none."""
    for channels in (1, 3):
        side = math.isqrt(count // channels)
        if side > 1 and side * side * channels == count:
            return side, channels
    return 0, 0


def _pixels_without_names(rows: Sequence[Sequence[str]]) -> list[int]:
    """The columns but for the label, which is the first or the last: the one that is not a corner of the picture."""
    width = len(rows[0]) if rows else 0
    if _square(width)[0] or not _square(width - 1)[0] or not all(len(row) == width for row in rows):
        return list(range(width))
    first, last = ({row[place] for row in rows} for place in (0, -1))
    label_is_last = len(first) == 1 < len(last) or (len(last) > 1 and _largest(last) < _largest(first))
    return list(range(width - 1)) if label_is_last else list(range(1, width))


def _largest(cells: set[str]) -> float:
    try:
        return max(map(float, cells))
    except ValueError:  # a class that is a word
        return -1.0


def _are_bytes(rows: Sequence[Sequence[str]], places: Sequence[int]) -> bool:
    try:
        values = np.array([[row[place] for place in places] for row in rows], dtype=np.float64)
    except (ValueError, IndexError):
        return False
    fits = values.size > 0 and bool((values == np.floor(values)).all()) and values.min() >= 0 and values.max() <= 255
    # nothing but 0 and 1 is more often answers to yes-or-no questions than a drawing
    return bool(fits and values.max() > 1)


def _beside(header: Sequence[str] | None, places: list[int]) -> tuple[int | None, int | None]:
    """(column of ids, column of labels) among those that are no pixels."""
    if header is None:
        return None, places[0] if places else None
    # from the last to the first: of two columns of one name the first stays
    names = {header[place].strip().lower(): place for place in reversed(places)}
    label = column(list(names), LABEL_COLUMNS)
    key = column(list(names), ID_COLUMNS)
    rest = [place for name, place in names.items() if name not in (label, key, "") and not name.startswith("unnamed:")]
    at = names[label] if label is not None else rest[0] if len(rest) == 1 else None
    return (names[key] if key is not None else None), at


def _as_images(values: NDArray[Any], layout: Layout) -> ByteArray:
    """(n, d) numbers -> (n, h, w) or (n, h, w, 3) uint8."""
    low, high = float(values.min()), float(values.max())
    if values.dtype == np.uint8 and high > 16:
        pixels: ByteArray = values
    else:
        pixels = to_bytes(values, *byte_range(low, high, whole=bool((values == np.floor(values)).all())))
    side = layout.side
    if layout.channels == 1:
        return pixels.reshape(-1, side, side)
    # three planes as in CIFAR, or colors side by side: no header says which, but neighbors in a picture are alike
    by_plane = pixels.reshape(-1, 3, side, side)
    by_pixel = pixels.reshape(-1, side, side, 3)
    some = slice(0, 32)
    planes = np.moveaxis(by_plane, 1, 3)
    return np.ascontiguousarray(planes) if _roughness(planes[some]) < _roughness(by_pixel[some]) else by_pixel


def _roughness(images: ByteArray) -> float:
    """Measure how much neighbors differ: less in the order that the pixels have been written in."""
    return float(np.abs(np.diff(images.astype(np.int16), axis=2)).mean())
