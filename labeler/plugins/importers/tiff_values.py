"""The values of a TIFF that Pillow does not read, or not in full: bands of 16 bits, fractions, more than four bands."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeler.core.errors import UnreadableInstance
from labeler.core.text import display_safe
from labeler.plugins.importers import tiff
from labeler.plugins.importers.decode_limits import MOST_BYTES
from labeler.plugins.importers.tiff import Page

_NONE, _DEFLATE, _OF_LIBTIFF = 1, (8, 32946), (5, 32773, 34925, 50000)
"""Packings; libtiff unpacks LZW, runs, LZMA and Zstandard."""
_COPIES = {1: 1, 2: 3, 3: 4}
"""Predictor -> copies of a strip while its differences are summed."""
_GREYS = (0, 1)
_RGB = 2
Bytes = bytes | memoryview
# unsigned, signed, fractions, as SampleFormat counts them
_KINDS = {1: "u", 2: "i", 3: "f"}


def is_for_us(page: Page) -> bool:
    """Whether a page is more than bytes of grey or color: Pillow opens, halves, swaps or guesses at these by kind."""
    sample, bits, bands = page.number(tiff.FORMAT, 1), page.bits, page.bands
    photometric = page.number(tiff.PHOTOMETRIC, 1)
    if photometric not in (*_GREYS, _RGB) or sample not in _KINDS or bits not in (8, 16, 32, 64):
        return False
    if bands == 1:
        return bits > 8 or sample != 1
    of_bytes = bits == 8 and sample == 1 and photometric == _RGB
    return not (of_bytes and (bands == 3 or (bands == 4 and tiff.EXTRA in page.tags)))


def values_of(content: bytes, page: Page) -> NDArray[Any]:
    """(h, w, bands) numbers, what was not measured as NaN.

    Raises
    ------
    UnreadableInstance
        It is packed in a way that is not read here, cut short, or too large; the message says which.
    """
    _check_packing(page)
    layout = _layout_of(page)
    out = np.zeros((layout.height, layout.width, page.bands), layout.dtype.newbyteorder("="))
    strips = _strips(content, page, layout)
    for part, plain in zip(layout.parts(), strips, strict=False):
        if len(plain) < part.rows * part.columns * layout.depth:
            raise UnreadableInstance("damaged image: the file is cut short")
        values = _summed(plain, (part.rows, part.columns, layout.bands), layout.dtype, page.number(tiff.PREDICTOR, 1))
        last = part.plane + layout.bands
        place = out[part.top : part.top + part.rows, part.left : part.left + part.columns, part.plane : last]
        place[:] = values[: place.shape[0], : place.shape[1]]
    return out if page.no_data is None or page.bits == 8 else _without(out, page.no_data)


class Part(NamedTuple):
    """The place of a strip or tile; `plane` is its first band."""

    top: int
    left: int
    rows: int
    columns: int
    plane: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a page whose values are cut into strips or tiles of `rows` x `columns` pixels of `bands` values."""

    width: int
    height: int
    planes: int
    bands: int
    rows: int
    columns: int
    is_tiled: bool
    dtype: np.dtype[Any]

    @property
    def depth(self) -> int:
        """Bytes of one pixel in a strip."""
        return self.bands * self.dtype.itemsize

    def parts(self) -> Iterator[Part]:
        """Strips and tiles in the order of the file; tiles reach over the edge, the last strip does not."""
        for plane, top in product(range(self.planes), range(0, self.height, self.rows)):
            rows = self.rows if self.is_tiled else min(self.rows, self.height - top)
            yield from (Part(top, left, rows, self.columns, plane) for left in range(0, self.width, self.columns))


def _layout_of(page: Page) -> Layout:
    """Raises UnreadableInstance where it is of no size, or of more than memory is to hold."""
    width, height, bands = page.number(tiff.WIDTH), page.number(tiff.HEIGHT), page.bands
    dtype = np.dtype(f"{page.order}{_KINDS[page.number(tiff.FORMAT, 1)]}{page.bits // 8}")
    is_tiled, is_separate = tiff.TILES in page.tags, page.number(tiff.PLANAR, 1) == 2
    rows = page.number(tiff.TILE_HEIGHT) if is_tiled else min(page.number(tiff.ROWS, height), height)
    columns = page.number(tiff.TILE_WIDTH) if is_tiled else width
    if min(width, height, bands, rows, columns) < 1 or max(rows, columns) > 1 << 20:
        raise UnreadableInstance("its pixels have no size")
    layout = Layout(
        width, height, bands if is_separate else 1, 1 if is_separate else bands, rows, columns, is_tiled, dtype
    )
    whole, part = width * height * bands * dtype.itemsize, rows * columns * layout.depth
    packing, copies = page.number(tiff.PACKING, 1), _COPIES[page.number(tiff.PREDICTOR, 1)]
    besides = 2 * whole if packing in _OF_LIBTIFF else part
    if packing == _NONE and copies == 1:
        besides = 0
    if whole + besides + (copies - 1) * part > MOST_BYTES:
        raise UnreadableInstance(
            f"{width} x {height} pixels of {bands} bands take more than {MOST_BYTES // 1_000_000} MB to read",
            "shrink it and open the folder again",
        )
    return layout


def _strips(content: bytes, page: Page, layout: Layout) -> Iterator[Bytes]:
    """The bytes of every strip or tile, unpacked, in the order of the file."""
    places, lengths = (tiff.TILES, tiff.TILE_SIZES) if layout.is_tiled else (tiff.STRIPS, tiff.STRIP_SIZES)
    offsets, sizes = page.numbers(places), page.numbers(lengths)
    across = -(-layout.width // layout.columns)
    count = layout.planes * across * -(-layout.height // layout.rows)
    if min(len(offsets), len(sizes)) < count:
        raise UnreadableInstance("its pixels are not where it says")
    view, packing = memoryview(content), page.number(tiff.PACKING, 1)
    packed = [view[at : at + size] for at, size in zip(offsets[:count], sizes, strict=False)]
    if packing in _OF_LIBTIFF:
        for first in range(0, count, count // layout.planes):
            yield from _by_libtiff(packed[first : first + count // layout.planes], packing, layout)
        return
    part = layout.rows * layout.columns * layout.depth
    for strip in packed:
        yield strip if packing == _NONE else _inflated(strip, part)


def _summed(plain: Bytes, shape: tuple[int, int, int], dtype: np.dtype[Any], predictor: int) -> NDArray[Any]:
    """The values of a strip (rows, columns, bands), of which only differences may have been written."""
    rows, columns, bands = shape
    count = rows * columns * bands
    if predictor == 3:  # of floats: of their bytes, sorted by rank
        lines = np.frombuffer(plain, np.uint8, count * dtype.itemsize).reshape(rows, -1, bands)
        ranked = np.cumsum(lines, axis=1, dtype=np.uint8).reshape(rows, dtype.itemsize, columns * bands)
        joined = np.ascontiguousarray(np.moveaxis(ranked, 1, 2))
        return joined.view(np.dtype(f">f{dtype.itemsize}")).reshape(shape)
    values = np.frombuffer(plain, dtype, count).reshape(shape)
    if predictor == 2 and dtype.kind in "ui":
        # of the same width: that differences run over the edge and around is how they were written
        return np.cumsum(values, axis=1, dtype=dtype.newbyteorder("="))
    return values


def _without(values: NDArray[Any], no_data: float) -> NDArray[Any]:
    """Put NaN for what was not measured; so whole numbers become fractions, in every image of such a set."""
    fractions = values if values.dtype.kind == "f" else values.astype(np.float32)
    fractions[values == no_data] = np.nan
    return fractions


def _check_packing(page: Page) -> None:
    packing = page.number(tiff.PACKING, 1)
    what = f"a TIFF of {page.bands} {'band' if page.bands == 1 else 'bands'} of {page.bits} bits"
    if packing not in (_NONE, *_DEFLATE, *_OF_LIBTIFF):
        raise UnreadableInstance(f"{what} packed by method {packing} is not read: save it with deflate or unpacked")
    if page.number(tiff.PREDICTOR, 1) not in (1, 2, 3):
        raise UnreadableInstance(f"{what}: its predictor is not known")


def _inflated(packed: Bytes, wanted: int) -> bytes:
    try:
        # no more than a strip can hold, whatever the file would grow to
        return zlib.decompressobj().decompress(packed, wanted)
    except zlib.error as error:
        raise UnreadableInstance(f"damaged image: its pixels cannot be unpacked ({error})") from None


def _by_libtiff(packed: Sequence[Bytes], packing: int, layout: Layout) -> Iterator[Bytes]:
    """Yield the strips or tiles of a plane as libtiff unpacks them: shown to it as one column of grey."""
    from PIL import Image  # start-up: before the first frame

    row, rows = layout.columns * layout.depth, layout.rows
    height = len(packed) * rows if layout.is_tiled else layout.height
    numbers = {tiff.WIDTH: row, tiff.HEIGHT: height, tiff.ROWS: rows, tiff.PACKING: packing}
    try:
        with Image.open(io.BytesIO(tiff.grey_file(packed, numbers)), formats=("TIFF",)) as image:
            pixels = np.asarray(image)
    except Exception as error:  # codecs that this build lacks, damaged strips: libtiff says it in many ways
        reason = display_safe(str(error), 60) or type(error).__name__
        raise UnreadableInstance(f"damaged image: its pixels cannot be unpacked ({reason})") from None
    for top in range(0, height, rows):
        yield pixels[top : top + rows].reshape(-1).data


def rest_of(page: Page) -> int:
    """Bands that are not shown: beyond red, green, blue and alpha, or beyond grey and alpha."""
    bands = page.bands
    shown = 3 if bands >= 3 else 1
    return bands - shown - (1 if alpha_of(page) is not None else 0)


def alpha_of(page: Page) -> int | None:
    """Return the band that is alpha, as the file says; a fourth band that it says nothing of is none."""
    extra = page.numbers(tiff.EXTRA)
    colors = 3 if page.number(tiff.PHOTOMETRIC, 1) == _RGB else 1
    place = next((number for number, kind in enumerate(extra) if kind in (1, 2)), None)
    return None if place is None or colors + place >= page.bands else colors + place
