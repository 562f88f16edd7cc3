"""A folder of image files, with its sub-folders."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from labeler.display import display_safe
from labeler.errors import SourceError
from labeler.importers.files import read_bytes
from labeler.importers.names import count_endings, counted, has_image_ending, is_archive, is_junk, natural_key
from labeler.importers.nested import ShardSource, said_of_archives
from labeler.importers.plain import ImageFiles, digest
from labeler.importers.ways_in import labels_among, ways_into


@dataclass
class Listing:
    """What one walk over a folder saw; `files` are (id, size, mtime in ns)."""

    file_links: bool = False
    files: list[tuple[str, int, int]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)  # regular files that do not end like images
    archives: list[str] = field(default_factory=list)  # zip and tar, by their paths
    links: int = 0
    special: int = 0  # pipes, sockets, devices
    blocked: list[str] = field(default_factory=list)  # folders or files that cannot be looked at, with the reason

    def notes(self) -> list[str]:
        """One line for each kind of thing that was passed over."""
        found = []
        if self.others:
            lead = counted(len(self.others), "file") + " without an image ending"
            found.append(f"passed over {lead} ({count_endings(self.others)})")
        found += ways_into(self.others)
        if self.files:
            found += labels_among(self.others)
            found += said_of_archives(self.archives)
        if self.links:
            found.append(f"passed over {counted(self.links, 'link')}: links are not followed")
        if self.special:
            found.append(f"passed over {counted(self.special, 'pipe, socket or device', 'pipes, sockets or devices')}")
        found += [f"cannot look into {reason}" for reason in self.blocked[:3]]
        if len(self.blocked) > 3:
            found.append(f"cannot look into {len(self.blocked) - 3:,} more")
        return found


def list_folder(root: Path, file_links: bool = False) -> Listing:
    """Walk a folder once with scandir; hidden files, junk and this program's own files are not seen at all.

    With `file_links`, links to files are listed like files (their names are wanted); links to folders never are.
    """
    found = Listing(file_links=file_links)
    pending = [("", os.fspath(root))]
    while pending:
        prefix, folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                pending += [(f"{prefix}{entry.name}/", entry.path) for entry in _take(entries, prefix, found)]
        except OSError as error:
            found.blocked.append(f"{display_safe(prefix) or 'the folder'} ({error.strerror})")
    found.files.sort(key=lambda file: natural_key(file[0]))
    found.archives.sort(key=natural_key)
    return found


def _take(entries: Iterator[os.DirEntry[str]], prefix: str, found: Listing) -> Iterator[os.DirEntry[str]]:
    """Sort the entries of one folder into `found`; yield the sub-folders."""
    for entry in entries:
        name = entry.name
        if is_junk(name):
            continue
        if entry.is_symlink() and not (found.file_links and entry.is_file()):
            found.links += 1
        elif entry.is_dir(follow_symlinks=False):
            yield entry
        elif not entry.is_file(follow_symlinks=found.file_links):
            found.special += 1
        elif is_archive(name):
            found.archives.append(prefix + name)
        elif has_image_ending(name):
            try:
                status = entry.stat(follow_symlinks=found.file_links)
            except OSError as error:  # removed between listing and looking
                found.blocked.append(f"{display_safe(prefix + name)} ({error.strerror})")
                continue
            found.files.append((prefix + name, status.st_size, status.st_mtime_ns))
        else:
            found.others.append(name)


class FolderSource(ImageFiles):
    """The image files of a folder; ids are paths relative to it, in natural order."""

    kind = "folder"

    def __init__(self, path: Path, listing: Listing) -> None:
        names, sizes, times = zip(*listing.files, strict=True) if listing.files else ((), (), ())
        state = digest(("\0".join(names), array("q", sizes).tobytes(), array("q", times).tobytes()))
        super().__init__(path, [name for name, size, _ in listing.files if size], state)
        self.unreadable = {name: "empty file (0 bytes)" for name, size, _ in listing.files if not size}
        self.notes = listing.notes()

    def content_bytes(self, index: int) -> bytes:
        """The file's bytes; raises UnreadableInstance where it is gone or may not be read."""
        return read_bytes(os.path.join(self.path, self.ids[index]))

    def location(self, index: int) -> Path | None:
        """The file itself."""
        return self.path / self.ids[index]


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
            why = [note for note in source.notes if note not in ways]
            if source.unreadable:
                why.insert(0, counted(len(source.unreadable), "image file is", "image files are") + " empty")
            inside = "; ".join(why) or "it is empty"
            raise SourceError(
                f"no image in the folder {display_safe(str(path))}: {inside}",
                "; ".join(ways)
                or "images end in png, jpg, bmp, gif, tif, webp, pgm or ppm; sub-folders are searched too",
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
    return FolderSource(path.parent, Listing(files=[(path.name, status.st_size, status.st_mtime_ns)]))
