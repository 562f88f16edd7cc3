"""Sources of instances and their importers: the protocols, and the defaults that concrete sources build on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

from labeler.core.types import ByteArray, FloatArray
from labeler.plugins.importers.decode import decode
from labeler.plugins.importers.names import classes_of_folders
from labeler.plugins.importers.scaling import ValueRange
from labeler.plugins.importers.tiff import Read


class Source(Protocol):
    """An opened source: knows its instances' ids at once, reads their content on demand. Holds no label.

    `ids` are stable, unique strings: paths relative to the source with forward slashes (bytes that are not UTF-8
    as surrogates, as `os.fsdecode` gives them), or ``train:00012`` for rows of an array.
    """

    path: Path
    kind: str  # the importer's name: "folder", "zip", "npz", "idx"
    content: str  # "images", "table" or "text"
    ids: Sequence[str]
    unreadable: dict[str, str]  # id -> why, for what the listing already shows (zero bytes, ...); not in `ids`
    notes: list[str]  # one line each: what was passed over (links, other files), for the person

    def fingerprint(self) -> str:
        """A cheap hex digest that changes when the content does (names, sizes, mtimes): a cache key."""
        ...

    def image(self, index: int) -> ByteArray:
        """Decode one image whole: (h, w) or (h, w, 3) uint8, EXIF orientation applied.

        Raises
        ------
        UnreadableInstance
            The bytes are no image this program reads; the message says why in one line.
        """
        ...

    def decoded(self, index: int, content: bytes, fit: int) -> ByteArray:
        """The image of which `content` are the bytes, at most `fit` pixels on the longer side: no second reading.

        Raises as :meth:`image`.
        """
        ...

    def content_bytes(self, index: int) -> bytes:
        """The bytes that `sha256` is computed of: the file's, or the row's pixels or values."""
        ...

    def uniform_images(self) -> ByteArray | None:
        """All images as one (n, h, w[, 3]) uint8 array (maybe memory-mapped) where the source is one; else None."""
        ...

    def table(self) -> FloatArray | None:
        """Features (n, d) float32 (maybe memory-mapped) where `content` is "table"; of images that were rows of a
        table, these; else None."""
        ...

    def texts(self) -> list[str] | None:
        """The texts, one an instance, where `content` is "text"; else None."""
        ...

    def column_names(self) -> list[str]:
        """Names of the table's columns; empty for images or where there are none."""
        ...

    def location(self, index: int) -> Path | None:
        """The file of one instance where it is a file of its own; else None."""
        ...

    def folder_labels(self) -> dict[str, str]:
        """id -> name of the sub-folder it lies in, where the source has sub-folders; offered, never used silently."""
        ...

    def truth(self) -> dict[str, str]:
        """id -> class name for the labels a source carries (the `y` of an npz): for simulation and the demo only."""
        ...

    def close(self) -> None:
        """Let go of open files."""
        ...


@runtime_checkable
class TakesRange(Protocol):
    """An importer whose instances are scaled as they are opened; `range` is set before: see :class:`Reading`."""

    range: str


class FileSource(Source, Protocol):
    """A source whose instances are image files: their values may be deeper than 8 bits, and be read in parts."""

    shown: ValueRange | None

    def reader(self, index: int) -> AbstractContextManager[Read]:
        """Return a function that reads parts of a file, while the context lasts."""
        ...


class Importer(Protocol):
    """Recognizes a path and opens it."""

    def accepts(self, path: Path) -> bool:
        """Whether this importer is the one for `path` (looks at the name and at most the first bytes)."""
        ...

    def open(self, path: Path) -> Source:
        """Open it.

        Raises
        ------
        SourceError
            It cannot be used; the message is one line, the hint says what to do.
        """
        ...


class PlainSource:
    """Defaults of :class:`Source` for a source without table, truth, folders or open files."""

    kind = ""
    content = "images"
    shown: ValueRange | None = None
    """What is black and white of values deeper than 8 bits; None where that was not decided or means nothing."""

    def __init__(self, path: Path, ids: Sequence[str], fingerprint: str) -> None:
        self.path = path
        self.ids = ids
        self.unreadable: dict[str, str] = {}
        self.notes: list[str] = []
        self._fingerprint = fingerprint

    def fingerprint(self) -> str:
        """Hex digest of what the listing saw when the source was opened."""
        return self._fingerprint

    def uniform_images(self) -> ByteArray | None:
        """None: the images are not one array."""
        return None

    def table(self) -> FloatArray | None:
        """None: the instances are images."""
        return None

    def texts(self) -> list[str] | None:
        """None: the instances are no texts."""
        return None

    def column_names(self) -> list[str]:
        """Empty: there is no table."""
        return []

    def location(self, index: int) -> Path | None:
        """None: the instance is no file of its own."""
        return None

    def folder_labels(self) -> dict[str, str]:
        """Empty: there are no folders."""
        return {}

    def truth(self) -> dict[str, str]:
        """Empty: the source carries no labels."""
        return {}

    def close(self) -> None:
        """Do nothing: no file is open."""


class ImageFiles:
    """The part of a source whose instances are image files, in a folder or in an archive; ids are their paths.

    Stands before :class:`PlainSource` among the bases of a source, as the other parts do: two bases side by side say
    where a method comes from, a chain of them does not.
    """

    ids: Sequence[str]
    shown: ValueRange | None

    def content_bytes(self, index: int) -> bytes:
        """The file's bytes."""
        raise NotImplementedError

    def image(self, index: int) -> ByteArray:
        """Decode one file: (h, w) or (h, w, 3) uint8; raises UnreadableInstance."""
        return decode(self.content_bytes(index), shown=self.shown or ValueRange())

    @contextmanager
    def reader(self, index: int) -> Iterator[Read]:
        """Yield a function that reads parts of a file; raises UnreadableInstance where it cannot be read."""
        content = self.content_bytes(index)
        yield lambda at, size: content[at : at + size]

    def decoded(self, index: int, content: bytes, fit: int) -> ByteArray:
        """Decode bytes at hand to at most `fit` pixels on the longer side; raises UnreadableInstance."""
        return decode(content, fit, self.shown or ValueRange())

    def folder_labels(self) -> dict[str, str]:
        """id -> path of its folder relative to the source, where there are at least two different ones."""
        return classes_of_folders(self.ids)


def digest(parts: Iterable[object]) -> str:
    """A hex digest of a listing: names (as bytes), sizes, times."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        # names that are not UTF-8 hold surrogates, which a plain encode() refuses
        state.update(part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass"))
        # an end for each part: else `ab`, `c` and `a`, `bc` were one listing
        state.update(b"\0")
    return state.hexdigest()
