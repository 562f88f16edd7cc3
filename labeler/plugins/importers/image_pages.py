"""Every page of a TIFF as an instance: ``scan.tif#3``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labeler.core.errors import UnreadableInstance
from labeler.core.text import counted
from labeler.plugins.importers import tiff
from labeler.plugins.importers.base import FileSource, ImageFiles, PlainSource, digest
from labeler.plugins.importers.files import MAX_FILE_BYTES
from labeler.plugins.importers.tiff import Read

ENDINGS = (".tif", ".tiff")


class PagedFiles(ImageFiles, PlainSource):
    """The images of another source, with an instance for each page of a TIFF that has several."""

    def __init__(self, source: FileSource, rows: list[tuple[int, int | None]], ids: list[str]) -> None:
        super().__init__(source.path, ids, digest((source.fingerprint(), "pages", *ids)))
        self.kind, self.unreadable, self.notes = source.kind, source.unreadable, source.notes
        self._source = source
        self._rows = rows  # the file of each instance, and where in it the page is; None = the file is the image

    def content_bytes(self, index: int) -> bytes:
        """The file's bytes, or those of the page as a file of its own; raises UnreadableInstance."""
        row, at = self._rows[index]
        if at is None:
            return self._source.content_bytes(row)
        with self._source.reader(row) as read:
            return tiff.extracted(read, tiff.page_at(read, at), MAX_FILE_BYTES)

    @contextmanager
    def reader(self, index: int) -> Iterator[Read]:
        """Yield a function that reads parts of the file, or of the page."""
        row, at = self._rows[index]
        if at is None:
            with self._source.reader(row) as read:
                yield read
        else:
            content = self.content_bytes(index)
            yield lambda start, size: content[start : start + size]

    def location(self, index: int) -> Path | None:
        """The file, where it is this image and no other."""
        row, at = self._rows[index]
        return self._source.location(row) if at is None else None

    def truth(self) -> dict[str, str]:
        """A page has the label of its file."""
        labels = self._source.truth()
        named = ((name, labels.get(self._source.ids[row])) for name, (row, _) in zip(self.ids, self._rows, strict=True))
        return {name: label for name, label in named if label is not None}

    def close(self) -> None:
        """Close what the pages are read from."""
        self._source.close()


def in_pages(source: FileSource) -> FileSource:
    """`source` with an instance a page; itself where no file has several."""
    rows: list[tuple[int, int | None]] = []
    ids: list[str] = []
    files = 0
    for row, name in enumerate(source.ids):
        places = _places(source, row) if name.lower().endswith(ENDINGS) else []
        # a file of one page keeps its id, so that labels given without --pages still fit it
        if len(places) < 2:
            rows.append((row, None))
            ids.append(name)
            continue
        files += 1
        rows += [(row, at) for at in places]
        ids += [f"{name}#{number}" for number in range(1, len(places) + 1)]
    if not files:
        return source
    paged = PagedFiles(source, rows, ids)
    pages = len(ids) - len(source.ids) + files
    paged.notes.append(f"{counted(pages, 'page')} of {counted(files, 'TIFF file')} opened, each as an instance")
    return paged


def _places(source: FileSource, row: int) -> list[int]:
    try:
        with source.reader(row) as read:
            # by their places in the file: a number would mean to walk through all pages before it at each reading
            return [page.at for page in tiff.pages(read)]
    except UnreadableInstance:
        return []
