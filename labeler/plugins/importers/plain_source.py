"""What most sources answer alike: nothing. Concrete sources say only what differs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from labeler.core.types import ByteArray, FloatArray
from labeler.plugins.importers.decode import decode
from labeler.plugins.importers.names import classes_of_folders
from labeler.plugins.importers.scaling import ValueRange
from labeler.plugins.importers.tiff import Read


class PlainSource:
    """Defaults of the `Source` protocol for a source without table, truth, folders or open files."""

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
        """Nothing is open."""


class ImageFiles(PlainSource):
    """Instances that are image files, in a folder or in an archive; ids are their paths."""

    def content_bytes(self, index: int) -> bytes:
        """The file's bytes."""
        raise NotImplementedError

    def image(self, index: int) -> ByteArray:
        """Decode one file: (h, w) or (h, w, 3) uint8; raises UnreadableInstance."""
        return decode(self.content_bytes(index), shown=self.shown or ValueRange())

    @contextmanager
    def reader(self, index: int) -> Iterator[Read]:
        """What reads parts of a file; raises UnreadableInstance where it cannot be read."""
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
        state.update(part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass"))
        state.update(b"\0")
    return state.hexdigest()
