"""`.npz` and `.npy`: `X` as images (n, h, w[, c]) or features (n, d), with optional `y` and `ids`, or in parts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.core.errors import SourceError
from labeler.core.mapped import let_go
from labeler.core.pool import RowIds
from labeler.core.text import display_safe, plain_text
from labeler.core.types import ByteArray, FloatArray
from labeler.plugins.importers.array_layouts import Part, label_texts, notes_on, parts_of
from labeler.plugins.importers.background import laid
from labeler.plugins.importers.base import PlainSource, digest
from labeler.plugins.importers.decode import MAX_PIXELS
from labeler.plugins.importers.files import file_state, first_bytes
from labeler.plugins.importers.names import row_ids
from labeler.plugins.importers.npy import ArrayFile, text_array
from labeler.plugins.importers.scaling import Span, ValueRange, byte_range, parse_range, to_bytes

_CHUNK_BYTES = 16 << 20
_NOT_LABELS = ("", "-1", "-2", "-100", "nan", "None")  # unlabeled in scikit-learn, ignored, left out by torch


class ImageRows:
    """The part of a source whose images are the rows of one array."""

    _pixels: ByteArray  # (n, h, w) or (n, h, w, 3) uint8

    def image(self, index: int) -> ByteArray:
        """One row: (h, w) or (h, w, 3) uint8."""
        return np.asarray(self._pixels[index])

    def decoded(self, index: int, content: bytes, fit: int) -> ByteArray:
        """Row `index` whole: nothing was decoded to begin with."""
        return self.image(index)

    def content_bytes(self, index: int) -> bytes:
        """The row's pixels."""
        return bytes(self._pixels[index].tobytes())

    def uniform_images(self) -> ByteArray:
        """The array itself, (n, h, w) or (n, h, w, 3) uint8; not to be written to."""
        return self._pixels


class ArrayImages(ImageRows, PlainSource):
    """The images of a `.npz` or `.npy`."""

    kind = "npz"

    def __init__(self, pool: Pool, pixels: ByteArray) -> None:
        super().__init__(pool.file.path, pool.ids, pool.fingerprint)
        self._pool, self._pixels = pool, pixels

    def truth(self) -> dict[str, str]:
        """id -> class from the array `y`; empty without one. Raises SourceError where `y` cannot be used."""
        return self._pool.truth()


class TableRows:
    """The part of a source whose instances are the rows of a table of features."""

    content = "table"
    _rows: FloatArray  # (n, d) float32, finite

    def image(self, index: int) -> ByteArray:
        """The row as a strip of grey, (1, d) uint8: its smallest value is black, its largest white."""
        row = self._rows[index : index + 1]
        return to_bytes(row, float(row.min()), float(row.max()))

    def decoded(self, index: int, content: bytes, fit: int) -> ByteArray:
        """Row `index` whole: nothing was decoded to begin with."""
        return self.image(index)

    def content_bytes(self, index: int) -> bytes:
        """The row's float32 values."""
        return bytes(self._rows[index].tobytes())

    def table(self) -> FloatArray:
        """The features, (n, d) float32, finite (memory-mapped where the file holds just that)."""
        return self._rows


class ArrayTable(TableRows, PlainSource):
    """The feature rows of a `.npz` or `.npy`."""

    kind = "npz"

    def __init__(self, pool: Pool, rows: FloatArray) -> None:
        super().__init__(pool.file.path, pool.ids, pool.fingerprint)
        self._pool, self._rows = pool, rows

    def truth(self) -> dict[str, str]:
        """id -> class from the array `y`; empty without one. Raises SourceError where `y` cannot be used."""
        return self._pool.truth()


class ArrayImporter:
    """Recognizes numpy's files by ending or first bytes; `range`: see :class:`Reading`."""

    range = ""

    def accepts(self, path: Path) -> bool:
        """Whether it is called .npz or .npy, or begins like a .npy."""
        return path.is_file() and (path.suffix.lower() in (".npz", ".npy") or first_bytes(path, 6) == b"\x93NUMPY")

    def open(self, path: Path) -> ArrayImages | ArrayTable:
        """Open the array `X` (or the only array there is), or the parts ``x_train``, ``x_test``, ... as one pool.

        Raises
        ------
        SourceError
            Damaged, lying or pickled; no `X`; a shape that is neither images nor a table; parts of different shapes;
            values that are NaN or infinite; `ids` that are not unique or not as many.
        """
        file = ArrayFile(path)
        parts = parts_of(file)
        kind, counts = _judge_all(file, parts)
        pool = Pool(file, parts, counts)
        values = pool.values()
        source: ArrayImages | ArrayTable
        if kind == "table":
            source = ArrayTable(pool, finite_table(values, file.shown))
        else:
            pixels, (black, white) = _as_pixels(values, file.shown, self.range)
            source = ArrayImages(pool, pixels)
            if (black, white) != (0, 255):
                source.notes.append(f"pixel values {black:g} to {white:g} are shown as 0 to 255")
                source.shown = _remembered(values.dtype, (black, white), self.range)
        source.notes += notes_on(parts, counts)
        source.notes += [
            f"the array {display_safe(part.labels, 40)!r} is not used: it is damaged or holds Python objects"
            for part in parts
            if part.labels is not None and not file.usable(part.labels)
        ]
        return source


class Pool:
    """The instances of a file: their ids, and what it says of them."""

    def __init__(self, file: ArrayFile, parts: Sequence[Part], counts: Sequence[int]) -> None:
        self.file, self._parts, self._counts = file, parts, counts
        # an array `ids` beside several parts does not say of which part it is
        numbered = RowIds([(part.split, count) for part, count in zip(parts, counts, strict=True)])
        self.ids = _ids(file, counts[0]) if len(parts) == 1 and not parts[0].split else numbered
        self.fingerprint = digest(("npz", *file_state(file.path)))

    def values(self) -> NDArray[Any]:
        """All of them (n, ...), mapped where they are one array of a `.npy`."""
        arrays = [self.file.read(part.content) for part in self._parts]
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)

    def truth(self) -> dict[str, str]:
        """id -> class, for those that have a label; raises SourceError where an array of labels cannot be used."""
        names: list[str] = []
        for part, count in zip(self._parts, self._counts, strict=True):
            names += label_texts(self.file, part.labels, count) if part.labels is not None else [""] * count
        return {i: plain_text(name) for i, name in zip(self.ids, names, strict=True) if name not in _NOT_LABELS}


def main_array(file: ArrayFile) -> str:
    """``X``, or the name of the only array beside `y` and `ids`; raises SourceError naming what there is."""
    parts = parts_of(file)
    if len(parts) > 1:
        names = ", ".join(display_safe(part.content, 30) for part in parts)
        raise SourceError(f"{file.shown} holds several arrays: {names}", "save one of them: numpy.savez(file, X=...)")
    return parts[0].content


def finite_table(values: NDArray[Any], shown: str) -> FloatArray:
    """`values` (n, d) as float32, not copied where it is that already.

    Raises
    ------
    SourceError
        A value is NaN, infinite or beyond float32: the message names its row and column.
    """
    # float32 stays as it is: a mapped file may be larger than memory
    rows: FloatArray = values if values.dtype == np.float32 else np.empty(values.shape, np.float32)
    for part in _chunks(values):
        if rows is not values:
            with np.errstate(over="ignore", invalid="ignore"):
                rows[part] = values[part]
        # after the conversion: 1e300 is finite in float64 and infinite in float32
        finite = np.isfinite(rows[part])
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            value = values[part][row, column]
            raise SourceError(
                f"{shown}: row {part.start + int(row)}, column {int(column)} is {value}",
                "rows and columns count from 0; fill or drop such values first",
            )
    return rows


def _judge(file: ArrayFile, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[str, int]:
    """("images" or "table", n) for the header of the array `name`."""
    called = f"{file.shown}: {display_safe(name, 40)}"
    size = "x".join(map(str, shape)) or "a single value"
    if dtype.kind not in "biuf":
        raise SourceError(f"{called} holds {dtype.name}, not numbers", "save X as uint8 images or floats")
    if len(shape) not in (2, 3, 4):
        raise SourceError(
            f"{called} is {size}, neither images nor features",
            "X is (n, height, width), (n, height, width, 3) or (n, features)",
        )
    # from the header alone: nothing of the size that it claims was allocated so far
    if math.prod(shape) == 0:
        raise SourceError(f"{called} is empty ({size})", "save at least one instance")
    if len(shape) > 2 and shape[1] * shape[2] > MAX_PIXELS:
        raise SourceError(f"{file.shown}: images of {shape[1]} x {shape[2]} are too large", "shrink them first")
    return ("table" if len(shape) == 2 else "images"), shape[0]


def _judge_all(file: ArrayFile, parts: Sequence[Part]) -> tuple[str, list[int]]:
    """("images" or "table", rows of every part); raises SourceError where they are not alike."""
    headers = [file.header(part.content) for part in parts]
    judged = [
        _judge(file, part.content, header.shape, header.dtype) for part, header in zip(parts, headers, strict=True)
    ]
    if len({header.shape[1:] for header in headers}) > 1:
        sizes = ", ".join(
            f"{display_safe(part.content, 30)} {'x'.join(map(str, header.shape))}"
            for part, header in zip(parts, headers, strict=True)
        )
        raise SourceError(f"{file.shown}: the parts are of different shapes: {sizes}", "save those of one shape")
    return judged[0][0], [count for _, count in judged]


def _as_pixels(values: NDArray[Any], shown: str, shown_by: str = "") -> tuple[ByteArray, Span]:
    """(n, h, w[, c]) numbers -> (n, h, w) or (n, h, w, 3) uint8, and the values that are black and white."""
    if values.ndim == 4 and values.shape[3] not in (1, 3, 4) and values.shape[1] in (1, 3, 4):
        values = np.moveaxis(values, 1, 3)  # channels first, as torch has them
    if values.ndim == 4 and values.shape[3] not in (1, 3, 4):
        raise SourceError(
            f"{shown}: X has {values.shape[3]} channels", "images have 1 (grey), 3 (colour) or 4 (with alpha)"
        )
    if values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    low, high = _extremes(values, shown)
    given = parse_range(shown_by)
    black, white = _range_of(low, high, values.dtype, given)
    as_it_is = values.dtype == np.uint8 and white == 255
    if as_it_is and values.shape[3:] != (4,):
        return values, (black, white)
    channels = (3,) if values.ndim == 4 else ()
    pixels: ByteArray = np.empty((*values.shape[:3], *channels), np.uint8)
    for part in _chunks(values):
        scaled = values[part] if as_it_is else to_bytes(values[part], black, white)
        pixels[part] = laid(scaled) if scaled.shape[3:] == (4,) else scaled
    return pixels, (black, white)


def _range_of(low: float, high: float, dtype: np.dtype[Any], given: ValueRange | None) -> Span:
    """Return the given range, if it is for values of this kind; else the one that the values suggest."""
    is_fraction = dtype.kind == "f"
    span = (given.fractions if is_fraction else given.whole) if given is not None else None
    # a remembered range would cut off values that lie beyond it now; what a person gave holds whatever the values
    if span is not None and given is not None and (given.is_given or span[0] <= low <= high <= span[1] * 1.001):
        return span
    return byte_range(low, high, whole=not is_fraction)


def _remembered(dtype: np.dtype[Any], span: Span, given: str) -> ValueRange:
    """The range as a project remembers it: as a person gave it, or as the values of this array suggest."""
    before = parse_range(given)
    if before is not None and before.is_given:
        return before
    return ValueRange(fractions=span) if dtype.kind == "f" else ValueRange(whole=span)


def _extremes(values: NDArray[Any], shown: str) -> tuple[float, float]:
    low, high = np.inf, -np.inf
    for part in _chunks(values):
        chunk = values[part]
        low, high = min(low, float(chunk.min())), max(high, float(chunk.max()))
        if values.dtype == np.uint8 and high > 16:
            return 0, 255  # bytes as they are: a mapped file need not be read to the end
        if not math.isfinite(low + high):
            row = np.argwhere(~np.isfinite(chunk))[0][0]
            raise SourceError(
                f"{shown}: image {part.start + int(row)} holds NaN or infinite values", "fill such values first"
            )
    return low, high


def _chunks(values: NDArray[Any]) -> Iterator[slice]:
    """Slices over the rows, a few megabytes each, so that a mapped file never comes into memory whole."""
    step = max(1, _CHUNK_BYTES // max(1, values.nbytes // len(values)))
    for start in range(0, len(values), step):
        yield slice(start, start + step)
        let_go(values)


def _ids(file: ArrayFile, count: int) -> Sequence[str]:
    if "ids" not in file.names:
        return row_ids(count)
    ids = text_array(file, "ids", count)
    if len(set(ids)) == count and all(ids):
        return ids
    twice = "" if "" in ids else Counter(ids).most_common(1)[0][0]
    raise SourceError(
        f"{file.shown}: the id {display_safe(twice)!r} is {'given twice' if twice else 'empty'}",
        "ids name instances: make them unique, or leave 'ids' out",
    )
