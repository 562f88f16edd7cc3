"""A part of a source that travels: names or rows, never an open file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from labeler.core.errors import SourceError
from labeler.core.recipe import Reading
from labeler.core.text import display_safe
from labeler.core.types import IndexArray
from labeler.plugins.importers import remote
from labeler.plugins.importers.base import ImageFiles, PlainSource, Source
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.files import read_bytes
from labeler.plugins.importers.folder import FolderSource
from labeler.plugins.importers.remote import RemoteSource
from labeler.plugins.importers.scaling import ValueRange, parse_range
from labeler.worker.work import range_of_files


@dataclass(frozen=True, slots=True)
class FilesPart:
    """Files by name, below `base`, or by address; nobody lists a folder of millions again for them."""

    base: str
    names: tuple[str, ...]
    shown: str
    reading: Reading

    def open(self) -> tuple[Source, IndexArray]:
        """Return a source, and the rows of it that are the part."""
        is_remote = bool(self.names) and remote.ADDRESS.match(self.names[0]) is not None
        source = RemoteSource("", self.names) if is_remote else _Files(self.base, self.names)
        source.shown = parse_range(self.shown) or ValueRange()
        return source, np.arange(len(self.names), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class RowsPart:
    """Rows of a source that each worker opens once: an array, an archive."""

    path: str
    reading: Reading
    fingerprint: str
    rows: tuple[int, ...]

    def open(self) -> tuple[Source, IndexArray]:
        """Return the source, and the rows of it that are the part; raises SourceError where it has changed."""
        return _opened(self.path, self.reading, self.fingerprint), np.array(self.rows, dtype=np.int64)


Part = FilesPart | RowsPart


def part_of(source: Source, reading: Reading, rows: Sequence[int]) -> Part:
    """Return the part of a source that has these rows."""
    shown = range_of_files(source)
    if shown is None or not (isinstance(source, RemoteSource) or _is_of_files(source)):
        return RowsPart(os.path.abspath(source.path), reading, source.fingerprint(), tuple(rows))
    ids = tuple(source.ids[row] for row in rows)
    if isinstance(source, FolderSource) and ids:  # at once: whoever makes these keeps all workers busy
        return FilesPart(os.path.abspath(source.location(rows[0])).removesuffix(ids[0]), ids, shown, reading)
    # from the root: workers are at work in other folders
    places = [source.ids[row] if (at := source.location(row)) is None else os.path.abspath(at) for row in rows]
    return FilesPart("", tuple(places), shown, reading)


def _is_of_files(source: Source) -> bool:
    """Whether each instance is a file of its own, or an address."""
    first = source.location(0) if len(source.ids) else None
    return first is not None or bool(len(source.ids) and remote.ADDRESS.match(source.ids[0]))


class _Files(ImageFiles, PlainSource):
    """The files of a part."""

    def __init__(self, base: str, names: Sequence[str]) -> None:
        super().__init__(Path(base), names, "")

    def content_bytes(self, index: int) -> bytes:
        """Return the bytes; raises UnreadableInstance."""
        name = self.ids[index]
        if remote.ADDRESS.match(name):  # a list may name both
            return RemoteSource("", [name]).content_bytes(0)
        # whoever listed them passed over the links that are not meant
        return read_bytes(os.path.join(self.path, name) if str(self.path) != "." else name, is_link=True)


@lru_cache(maxsize=2)
def _opened(path: str, reading: Reading, fingerprint: str) -> Source:
    source = open_source(Path(path), reading)
    if source.fingerprint() != fingerprint:
        source.close()
        what = f"{display_safe(path)} is another one for a worker, or has changed since the command began"
        raise SourceError(what, "let nothing write to it meanwhile, and give all machines the same files")
    return source
