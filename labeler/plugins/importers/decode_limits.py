"""Limits of what reading one image may cost: small reads, bytes of header, tags, memory of its pixels.

Pillow's readers are Python loops around small reads, and believe what a header says: 50 MB of comment are 50 million
reads, and each of 65,000 tags may name the whole file as its value.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

from labeler.core.errors import UnreadableInstance

if TYPE_CHECKING:
    from PIL import Image

HEADER_READS, GIF_HEADER_READS = 20_000, 2_000
"""Reads until the pixels begin; a GIF's comment is put together block by block, each time as a whole."""
JPEG_HEADER = 16_000_000
"""Bytes of a JPEG until its pixels begin: a color profile and a thumbnail are below one million."""
PIXEL_READS = 400_000
"""Reads of the pixels: about a second, in Python. A PNG of 50 MB in its usual chunks takes 25,000."""
MOST_BYTES = 240_000_000
"""Of memory for decoding one image, the file itself not counted."""
_MOST_VALUES = 200_000
"""Of one tag of numbers: the places of so many strips, each of which becomes an object."""
_MOST_EXIF = 64
"""Segments of metadata of one JPEG: each is joined to those before it."""
_JPEG = b"\xff\xd8"
_PLAIN = (b"P1", b"P2", b"P3")
_MOST_PLAIN, _MOST_COMMENTS = 4_000_000, 1_000
"""Bytes of a PPM whose pixels are written in letters, which are taken apart in Python."""


class Bounded(io.BytesIO):
    """An image file that counts what its reader asks for."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._reads = GIF_HEADER_READS if content[:3] == b"GIF" else HEADER_READS
        self._size = len(content)
        most = JPEG_HEADER if content[:2] == _JPEG else 2 * self._size
        self._bytes = most + 1_000_000
        self._where = "header"

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as a file does. Raises UnreadableInstance where it was asked too often."""
        data = super().read(size)
        self._reads -= 1
        self._bytes -= len(data)
        if self._reads < 0 or self._bytes < 0:
            raise UnreadableInstance(f"its {self._where} is made to take long")
        return data

    def begin_pixels(self) -> None:
        """Allow for the pixels what they take."""
        self._reads, self._bytes, self._where = PIXEL_READS, 4 * self._size + 1_000_000, "file"


def check_head(content: bytes) -> None:
    """Refuse a file whose header would take long before a single read shows it. Raises UnreadableInstance."""
    if content[:2] in _PLAIN and (len(content) > _MOST_PLAIN or content.count(b"#") > _MOST_COMMENTS):
        raise UnreadableInstance(f"{len(content) / 1e6:.0f} MB of pixels in letters: save it in another format")
    if content[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+") and not tags_fit(content):
        raise UnreadableInstance("its header is made to take long")
    if content[:2] == _JPEG and not tags_fit(_exif_of_jpeg(content)):
        raise UnreadableInstance("its header is made to take long")


def tags_fit(blob: bytes) -> bool:
    """Whether the tags of a TIFF, or of metadata in its form, hold no more in all than there is; True for others."""
    # a JPEG keeps its metadata as a TIFF after this mark
    blob = blob.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(blob[:2])
    if order is None or len(blob) < 16:
        return True
    # 43 in place of 42 is BigTIFF: places of 8 bytes, tags of 20
    is_big = blob[2:4] in (b"+\0", b"\0+")
    try:
        (start,) = struct.unpack_from(order + ("Q" if is_big else "I"), blob, 8 if is_big else 4)
        (count,) = struct.unpack_from(order + ("Q" if is_big else "H"), blob, start)
    except (struct.error, OverflowError):
        return True  # Pillow says what is wrong
    total, at, size = 0, start + (8 if is_big else 2), 20 if is_big else 12
    for place in range(at, min(at + count * size, len(blob) - size + 1), size):
        kind, values = struct.unpack_from(order + ("HQ" if is_big else "HI"), blob, place + 2)
        if kind not in (1, 2, 6, 7) and values > _MOST_VALUES:
            return False
        total += values * _SIZES.get(kind, 0)
        if total > 2 * len(blob):
            return False
    return True


_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Type of a TIFF's tag -> bytes of a value."""


def _exif_of_jpeg(content: bytes) -> bytes:
    """The metadata of a JPEG as a reader puts them together. Raises UnreadableInstance where they are of many parts."""
    mark = b"Exif\0\0"
    parts: list[bytes] = []
    at = content.find(mark)
    while at >= 0:
        if len(parts) == _MOST_EXIF:
            raise UnreadableInstance("its header is made to take long")
        length = int.from_bytes(content[max(at - 2, 0) : at], "big")
        parts.append(content[at + len(mark) : at - 2 + length])
        at = content.find(mark, at + 1)
    return b"".join(parts)


def pixel_bytes(image: Image.Image, scale: int = 1) -> int:
    """Bytes that Pillow holds of an image once it is decoded, reduced by `scale`: of a row at least eight."""
    width, height = -(-image.width // scale), -(-image.height // scale)
    # Pillow holds grey in one byte, its 16-bit modes in two and all others, RGB among them, in four
    depth = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}.get(image.mode, 4)
    # each row is filled up to four bytes, and has a pointer of eight
    held = height * (8 + (width * depth + 3) // 4 * 4)
    return _COPIES.get(image.format or "", 1) * held


_COPIES = {"WEBP": 4, "AVIF": 2, "HEIF": 2}
"""The picture, the one before, and a copy on the way."""


def coefficient_bytes(image: Image.Image) -> int:
    """Bytes of a progressive JPEG's coefficients, all of which are kept until its last scan, however it is reduced.

    To be asked before its size is that of a draft.
    """
    layers = getattr(image, "layer", None)
    if not image.info.get("progressive") or not layers:
        return 0
    most = max(across * down for _, across, down, _ in layers)
    # libjpeg keeps a coefficient in two bytes
    return int(sum(across * down for _, across, down, _ in layers) / max(most, 1) * image.width * image.height * 2)
