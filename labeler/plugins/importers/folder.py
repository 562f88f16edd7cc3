"""A folder of image files, with its sub-folders."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labeler.core.errors import SourceError
from labeler.core.text import counted, display_safe
from labeler.plugins.importers.base import ImageFiles, PlainSource, digest
from labeler.plugins.importers.files import opened, pread, read_bytes
from labeler.plugins.importers.folder_listing import Listing, list_folder
from labeler.plugins.importers.names import ENDINGS_IN_WORDS
from labeler.plugins.importers.nested_archives import ShardSource
from labeler.plugins.importers.other_formats import ways_into
from labeler.plugins.importers.tiff import Read


class FolderSource(ImageFiles, PlainSource):
    """The image files of a folder; ids are paths relative to it, in natural order."""

    kind = "folder"

    def __init__(self, path: Path, listing: Listing, folder: Path | None = None) -> None:
        names, sizes, times = zip(*listing.files, strict=True) if listing.files else ((), (), ())
        # packed together: three calls for a million files in place of three million
        state = digest(("\0".join(names), array("q", sizes).tobytes(), array("q", times).tobytes()))
        super().__init__(path, [name for name, size, _ in listing.files if size], state)
        self.unreadable = {name: "empty file (0 bytes)" for name, size, _ in listing.files if not size}
        self.notes = listing.notes()
        self._links = listing.links
        self._folder = folder or path

    def content_bytes(self, index: int) -> bytes:
        """The file's bytes; raises UnreadableInstance where it is gone or may not be read."""
        name = self.ids[index]
        return read_bytes(os.path.join(self._folder, name), is_link=name in self._links)

    @contextmanager
    def reader(self, index: int) -> Iterator[Read]:
        """Yield a function that reads parts of a file, without reading the rest."""
        name = self.ids[index]
        with opened(os.path.join(self._folder, name), is_link=name in self._links) as file:
            yield lambda at, size: pread(file, at, size)

    def location(self, index: int) -> Path:
        """The file itself."""
        return self._folder / self.ids[index]


class FolderImporter:
    """Any folder; whether it holds images is found when it is opened."""

    def accepts(self, path: Path) -> bool:
        """Whether `path` is a folder."""
        return path.is_dir()

    def open(self, path: Path) -> FolderSource | ShardSource:
        """List the folder; where it holds archives in place of images, they are one pool.

        Raises
        ------
        SourceError
            No readable image file is in it; the message counts what is there instead.
        """
        listing = list_folder(path)
        if listing.archives and not listing.files:
            return ShardSource(path, listing.archives, listing.notes())
        source = FolderSource(path, listing)
        if not source.ids:
            ways = ways_into(listing.others)
            # ways in are the hint of the error, and are not said twice
            why = [note for note in source.notes if note not in ways]
            if source.unreadable:
                why.insert(0, counted(len(source.unreadable), "image file is", "image files are") + " empty")
            inside = "; ".join(why) or "it is empty"
            raise SourceError(
                f"no image in the folder {display_safe(str(path))}: {inside}",
                "; ".join(ways)
                or (
                    f"{ENDINGS_IN_WORDS}; sub-folders are searched too"
                    if not listing.own
                    else f"to label what was exported, open it itself: {display_safe(str(path / listing.own[0]))}"
                ),
            )
        return source


def one_image(path: Path) -> FolderSource:
    """A single image file as a source; its id is its name.

    Raises
    ------
    SourceError
        It is empty or cannot be looked at.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise SourceError(
            f"cannot open {display_safe(str(path))}: {error.strerror}", "check the path and its permissions"
        ) from error
    if not status.st_size:
        raise SourceError(f"{display_safe(str(path))} is an empty file", "give an image")
    files = [(path.name, status.st_size, status.st_mtime_ns)]
    # a link that a person names is meant, so it is followed
    links = {path.name} if path.is_symlink() else set()
    return FolderSource(path, Listing(files, links), path.parent)
