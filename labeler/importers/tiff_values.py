"""The values of a TIFF that Pillow does not read, or not in full: bands of 16 bits, fractions, more than four bands."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.core.vocabulary import ByteArray
from labeler.display import display_safe
from labeler.errors import UnreadableInstance
from labeler.importers import tiff
from labeler.importers.bounded import MOST_BYTES
from labeler.importers.tiff import Page

_NONE, _DEFLATE, _PACKBITS, _OF_LIBTIFF = 1, (8, 32946), 32773, (5, 34925, 50000)
"""Packings; libtiff unpacks LZW, LZMA and Zstandard."""
_GREYS = (0, 1)
_RGB = 2
_KINDS = {1: "u", 2: "i", 3: "f"}


def is_for_us(page: Page) -> bool:
    """Whether Pillow does not open such a page, keeps but the upper half of its values, or guesses at its bands."""
    sample, bits, bands = page.number(tiff.FORMAT, 1), page.bits, page.bands
    photometric = page.number(tiff.PHOTOMETRIC, 1)
    if photometric not in (*_GREYS, _RGB) or sample not in _KINDS or bits not in (8, 16, 32, 64):
        return False
    if bands == 1:
        return bits == 64 or (sample, bits) in ((3, 16), (2, 8), (1, 32))
    of_bytes = bits == 8 and sample == 1 and photometric == _RGB
    return not (of_bytes and (bands == 3 or (bands == 4 and tiff.EXTRA in page.tags)))


def values_of(content: bytes, page: Page) -> NDArray[Any]:
    """(h, w, bands) numbers, what was not measured as NaN or the least value.

    Raises
    ------
    UnreadableInstance
        It is packed in a way that is not read here, cut short, or too large; the message says which.
    """
    width, height, bands = page.number(tiff.WIDTH), page.number(tiff.HEIGHT), page.bands
    dtype = np.dtype(f"{page.order}{_KINDS[page.number(tiff.FORMAT, 1)]}{page.bits // 8}")
    if width * height * bands * dtype.itemsize > MOST_BYTES or not width * height * bands:
        raise UnreadableInstance(
            f"{width} x {height} pixels of {bands} bands take more than {MOST_BYTES // 1_000_000} MB to read",
            "shrink it and open the folder again",
        )
    _check_packing(page)
    out = np.zeros((height, width, bands), dtype.newbyteorder("="))
    separate = page.number(tiff.PLANAR, 1) == 2 and bands > 1
    for number, (top, left, rows, columns, plane) in enumerate(_parts(page, width, height, bands, separate)):
        part = _part(content, page, number, (rows, columns, 1 if separate else bands), dtype)
        place = out[top : top + rows, left : left + columns, plane : plane + 1 if separate else bands]
        place[:] = part[: place.shape[0], : place.shape[1]]
    if page.no_data is not None and dtype.kind == "f":
        out[out == page.no_data] = np.nan
    return out


def _check_packing(page: Page) -> None:
    packing = page.number(tiff.PACKING, 1)
    what = f"a TIFF of {page.bands} {'band' if page.bands == 1 else 'bands'} of {page.bits} bits"
    if packing not in (_NONE, *_DEFLATE, _PACKBITS, *_OF_LIBTIFF):
        raise UnreadableInstance(f"{what} packed by method {packing} is not read: save it with deflate or unpacked")
    if page.number(tiff.PREDICTOR, 1) not in (1, 2, 3):
        raise UnreadableInstance(f"{what}: its predictor is not known")


def _parts(page: Page, width: int, height: int, bands: int, separate: bool) -> Iterator[tuple[int, int, int, int, int]]:
    """(top, left, rows, columns, band) of every strip or tile, in the order of the file."""
    planes = range(bands) if separate else range(1)
    if tiff.TILES in page.tags:
        across, down = page.number(tiff.TILE_WIDTH), page.number(tiff.TILE_HEIGHT)
        if not 0 < across <= 1 << 15 or not 0 < down <= 1 << 15:
            raise UnreadableInstance("its tiles have no size")
        for plane, top in product(planes, range(0, height, down)):
            yield from ((top, left, down, across, plane) for left in range(0, width, across))
    else:
        rows = min(page.number(tiff.ROWS, height) or height, height)
        for plane, top in product(planes, range(0, height, rows)):
            yield top, 0, min(rows, height - top), width, plane


def _part(content: bytes, page: Page, number: int, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
    is_tiled = tiff.TILES in page.tags
    offsets = page.numbers(tiff.TILES if is_tiled else tiff.STRIPS)
    sizes = page.numbers(tiff.TILE_SIZES if is_tiled else tiff.STRIP_SIZES)
    wanted = shape[0] * shape[1] * shape[2] * dtype.itemsize
    if number >= len(offsets) or number >= len(sizes) or wanted > MOST_BYTES:
        raise UnreadableInstance("its pixels are not where it says")
    packed = content[offsets[number] : offsets[number] + sizes[number]]
    plain = _unpacked(packed, page.number(tiff.PACKING, 1), shape[0], wanted // shape[0])
    if len(plain) < wanted:
        raise UnreadableInstance("damaged image: the file is cut short")
    values = np.frombuffer(plain, np.uint8, wanted).reshape(shape[0], -1)
    predictor = page.number(tiff.PREDICTOR, 1)
    if predictor == 3:
        return _fractions(values, shape, dtype)
    native = values.view(dtype).reshape(shape).astype(dtype.newbyteorder("="))
    if predictor == 2 and dtype.kind in "ui":
        return np.cumsum(native, axis=1, dtype=native.dtype)
    return native


def _fractions(values: ByteArray, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Undo the predictor of floats: differences of bytes that were sorted by their rank."""
    rows, columns, bands = shape
    summed = np.cumsum(values.reshape(rows, -1, bands), axis=1, dtype=np.uint8).reshape(rows, -1)
    ranked = summed.reshape(rows, dtype.itemsize, columns * bands)
    joined = np.ascontiguousarray(np.moveaxis(ranked, 1, 2))
    return joined.view(np.dtype(f">f{dtype.itemsize}")).reshape(shape).astype(dtype.newbyteorder("="))


def _unpacked(packed: bytes, packing: int, rows: int, row: int) -> bytes:
    if packing == _NONE:
        return packed
    if packing == _PACKBITS:
        return _of_packbits(packed, rows * row)
    if packing not in _DEFLATE:
        return _by_libtiff(packed, packing, rows, row)
    try:
        return zlib.decompressobj().decompress(packed, rows * row)
    except zlib.error as error:
        raise UnreadableInstance(f"damaged image: its pixels cannot be unpacked ({error})") from None


def _of_packbits(packed: bytes, wanted: int) -> bytes:
    out, at = bytearray(), 0
    while at < len(packed) and len(out) < wanted:
        count = packed[at]
        if count < 128:
            out += packed[at + 1 : at + 2 + count]
            at += 2 + count
        else:
            out += packed[at + 1 : at + 2] * (257 - count if count > 128 else 0)
            at += 2 if count > 128 else 1
    return bytes(out)


def _by_libtiff(packed: bytes, packing: int, rows: int, row: int) -> bytes:
    """What libtiff unpacks: the same bytes, presented to it as `rows` of `row` grey pixels."""
    from PIL import Image

    grey = tiff.file_of(packed, {tiff.WIDTH: row, tiff.HEIGHT: rows, tiff.BITS: 8, tiff.PACKING: packing})
    try:
        with Image.open(io.BytesIO(grey), formats=("TIFF",)) as image:
            return image.tobytes()
    except Exception as error:  # codecs that this build lacks, damaged strips: libtiff says it in many ways
        reason = display_safe(str(error), 60) or type(error).__name__
        raise UnreadableInstance(f"damaged image: its pixels cannot be unpacked ({reason})") from None


def rest_of(page: Page) -> int:
    """Bands that are not shown: beyond red, green, blue and alpha, or beyond grey and alpha."""
    bands = page.bands
    shown = 3 if bands >= 3 else 1
    return bands - shown - (1 if alpha_of(page) is not None else 0)


def alpha_of(page: Page) -> int | None:
    """Which band is alpha, as the file says; a fourth band that it says nothing of is none."""
    extra = page.numbers(tiff.EXTRA)
    colors = 3 if page.number(tiff.PHOTOMETRIC, 1) == _RGB else 1
    place = next((number for number, kind in enumerate(extra) if kind in (1, 2)), None)
    return None if place is None or colors + place >= page.bands else colors + place
