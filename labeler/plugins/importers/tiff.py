"""The directories of a TIFF: which pages it has, what each holds, and one page as a file of its own.

Read as a stranger's file is: each directory once, tags no longer than there is, nothing that is not asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from labeler.core.errors import UnreadableInstance

MOST_PAGES = 10_000
_MOST_TAGS, _MOST_VALUES = 200, 200_000
_MOST_BYTES = 64_000_000
"""Of all directories together: ten thousand pages of a scanner take a quarter of it."""
# type -> bytes of a value; 16 to 18 came with BigTIFF
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}

# numbers of tags in TIFF 6.0, but for the last, which is GDAL's
SUBFILE, WIDTH, HEIGHT, BITS, PACKING, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
STRIPS, BANDS, ROWS, STRIP_SIZES, PLANAR, PREDICTOR = 273, 277, 278, 279, 284, 317
TILE_WIDTH, TILE_HEIGHT, TILES, TILE_SIZES, EXTRA, FORMAT, NO_DATA = 322, 323, 324, 325, 338, 339, 42113
_REDUCED, _MASK = 1, 4  # bits of SUBFILE
_POINTERS = frozenset({330, 513, 514, 34665, 34853, 40965})
"""Tags that lead to what is elsewhere in the file: other directories, the data of JPEGs of long ago."""

Read = Callable[[int, int], bytes]
"""(offset, size) -> bytes of the file, fewer at its end."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of a directory: numpy-like kind, how many values, and their bytes in the file's order."""

    kind: int
    count: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """One directory of a TIFF."""

    at: int  # where it is in the file
    order: str  # "<" or ">"
    is_big: bool
    tags: dict[int, Tag]

    def numbers(self, tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """The whole numbers of a tag; `default` where it is not there or is none of them."""
        entry = self.tags.get(tag)
        code = _CODES.get(entry.kind) if entry is not None else None
        if entry is None or code is None:
            return default
        return struct.unpack(f"{self.order}{entry.count}{code}", entry.content)

    def number(self, tag: int, default: int = 0) -> int:
        """The first number of a tag."""
        return next(iter(self.numbers(tag)), default)

    @property
    def is_picture(self) -> bool:
        """Whether it is a page: no smaller copy of one, and no mask."""
        return not self.number(SUBFILE) & (_REDUCED | _MASK)

    @property
    def bands(self) -> int:
        """Values of one pixel."""
        return self.number(BANDS, 1)

    @property
    def bits(self) -> int:
        """Bits of one value; 0 where its bands differ."""
        depths = set(self.numbers(BITS, (1,)))
        return depths.pop() if len(depths) == 1 else 0

    @property
    def no_data(self) -> float | None:
        """The value that stands for what was not measured, as GDAL writes it."""
        entry = self.tags.get(NO_DATA)
        try:
            return float(entry.content.rstrip(b"\0 ")) if entry is not None and entry.kind == 2 else None
        except ValueError:
            return None


def is_tiff(head: bytes) -> bool:
    """Whether a file begins like a TIFF, or one of more than 4 GB."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def pages(read: Read, most: int = MOST_PAGES) -> Iterator[Page]:
    """The pictures of a TIFF in their order, `most` at most; what is broken ends it."""
    head = read(0, 16)
    if not is_tiff(head):
        return
    order, is_big = ("<" if head[:2] == b"II" else ">"), head[2:4] in (b"+\0", b"\0+")
    seen: set[int] = set()
    left = _MOST_BYTES
    try:
        (at,) = struct.unpack_from(order + ("Q" if is_big else "I"), head, 8 if is_big else 4)
        # each directory says where the next one is: one that leads back would never end
        while at and at not in seen and len(seen) < 2 * MOST_PAGES and most > 0 and left > 0:
            seen.add(at)
            page, at = _directory(read, at, order, is_big)
            left -= sum(len(tag.content) for tag in page.tags.values())
            if page.is_picture:
                most -= 1
                yield page
    except (struct.error, OverflowError):
        return


def page_at(read: Read, at: int) -> Page:
    """The page whose directory is at `at`. Raises UnreadableInstance where there is none (any more)."""
    head = read(0, 4)
    try:
        return _directory(read, at, "<" if head[:2] == b"II" else ">", head[2:4] in (b"+\0", b"\0+"))[0]
    except (struct.error, OverflowError):
        raise UnreadableInstance("this page is not there any more") from None


def _directory(read: Read, at: int, order: str, is_big: bool) -> tuple[Page, int]:
    """One directory, and where the next one is; raises struct.error where it is broken."""
    lead, size, link = (8, 20, 8) if is_big else (2, 12, 4)
    (count,) = struct.unpack(order + ("Q" if is_big else "H"), read(at, lead))
    if count > _MOST_TAGS:
        raise struct.error
    block = read(at + lead, count * size + link)
    tags: dict[int, Tag] = {}
    for place in range(0, count * size, size):
        name, kind, values = struct.unpack_from(order + ("HHQ" if is_big else "HHI"), block, place)
        length = values * _SIZES.get(kind, 0)
        if not length or values > _MOST_VALUES:
            continue
        # values that are no longer than a place in the file stand in its stead
        inline = block[place + size - link : place + size]
        if length <= link:
            content = inline[:length]
        else:
            content = read(struct.unpack(order + ("Q" if is_big else "I"), inline)[0], length)
        if len(content) == length:
            tags[name] = Tag(kind, values, content)
    (following,) = struct.unpack_from(order + ("Q" if is_big else "I"), block, count * size)
    return Page(at, order, is_big, tags), following


def extracted(read: Read, page: Page, limit: int) -> bytes:
    """One page as a TIFF of its own, packed as it was.

    Raises
    ------
    UnreadableInstance
        It has no pixels, or more than `limit` bytes of them.
    """
    places, lengths = (TILES, TILE_SIZES) if TILES in page.tags else (STRIPS, STRIP_SIZES)
    offsets, sizes = page.numbers(places), page.numbers(lengths)
    if not offsets or len(offsets) != len(sizes):
        raise UnreadableInstance("this page holds no pixels")
    if sum(sizes) > limit:
        raise UnreadableInstance(f"this page holds {sum(sizes):,} bytes, more than the limit of {limit:,}")
    parts = [read(at, size) for at, size in zip(offsets, sizes, strict=True)]
    tags = {name: _short(tag, page.order) for name, tag in page.tags.items() if name not in _POINTERS}
    tags[lengths] = Tag(4, len(parts), struct.pack(f"{page.order}{len(parts)}I", *map(len, parts)))
    # held free: where pixels begin is known only when the length of all tags is
    tags[places] = Tag(4, len(parts), bytes(4 * len(parts)))
    # readers may count on tags in ascending order
    ordered = sorted(tags.items())
    tail = 8 + 2 + 12 * len(ordered) + 4  # header, directory, the values that do not fit into it, then the pixels
    begin = tail + sum(len(tag.content) + len(tag.content) % 2 for _, tag in ordered if len(tag.content) > 4)
    starts = accumulate(map(len, parts[:-1]), initial=begin)
    tags[places] = Tag(4, len(parts), struct.pack(f"{page.order}{len(parts)}I", *starts))
    return _written(page.order, sorted(tags.items()), tail) + b"".join(parts)


def _short(tag: Tag, order: str) -> Tag:
    """A tag as files below 4 GB have it."""
    if tag.kind != 16:
        return tag
    numbers = struct.unpack(f"{order}{tag.count}Q", tag.content)
    return Tag(4, tag.count, struct.pack(f"{order}{tag.count}I", *(min(number, 2**32 - 1) for number in numbers)))


def grey_file(strips: Sequence[bytes | memoryview], numbers: dict[int, int]) -> bytes:
    """A TIFF of grey bytes, packed as they are in `strips`; `numbers`: tag -> what its directory says of them."""
    sizes = list(map(len, strips))
    single = {BITS: 8, PHOTOMETRIC: 1, BANDS: 1} | numbers
    begin = 8 + 2 + 12 * (len(single) + 2) + 4 + (8 * len(sizes) if len(sizes) > 1 else 0)
    starts = accumulate(sizes[:-1], initial=begin)
    tags = {name: Tag(4, 1, struct.pack("<I", number)) for name, number in single.items()}
    tags[STRIPS] = Tag(4, len(sizes), struct.pack(f"<{len(sizes)}I", *starts))
    tags[STRIP_SIZES] = Tag(4, len(sizes), struct.pack(f"<{len(sizes)}I", *sizes))
    return b"".join((_written("<", sorted(tags.items()), 8 + 2 + 12 * len(tags) + 4), *strips))


def _written(order: str, tags: list[tuple[int, Tag]], tail: int) -> bytes:
    """The header, the directory and its values."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    directory, values = struct.pack(order + "H", len(tags)), b""
    for name, tag in tags:
        directory += struct.pack(order + "HHI", name, tag.kind, tag.count)
        if len(tag.content) <= 4:
            directory += tag.content.ljust(4, b"\0")
        else:
            directory += struct.pack(order + "I", tail + len(values))
            # values begin at even places
            values += tag.content + bytes(len(tag.content) % 2)
    return head + directory + struct.pack(order + "I", 0) + values
