"""Listings of a folder and all below it: images, links to images and folders, and all that is passed over, counted."""

from __future__ import annotations

import os
import re
import stat
from array import array
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from labeler.core.text import counted, display_safe
from labeler.plugins.importers.files import first_bytes
from labeler.plugins.importers.names import count_endings, has_image_ending, is_archive, is_junk, junk_note, natural_key
from labeler.plugins.importers.nested_archives import notes_on_archives
from labeler.plugins.importers.other_formats import labels_among, ways_into

_MANIFEST = "manifest.json"
_LOOK = 4 << 20
_TOOL = re.compile(rb'"tool"\s*:\s*"labeler"')
"""In a manifest of ours before the hashes of its files; inside of a text the quotes would be escaped."""


@dataclass
class Listing:
    """The result of a walk over a folder; `files` are (id, size, mtime in ns), of a link those of what it leads to."""

    files: list[tuple[str, int, int]] = field(default_factory=list)
    links: set[str] = field(default_factory=set)  # ids that are links themselves
    folder_links: int = 0  # followed
    dangling: int = 0
    again: int = 0  # links to what is listed anyway, or in a circle
    others: list[str] = field(default_factory=list)  # regular files that do not end like images
    archives: list[str] = field(default_factory=list)  # zip and tar, by their paths
    special: int = 0  # pipes, sockets, devices
    junk: Counter[str] = field(default_factory=Counter)  # name -> how often it was passed over
    own: list[str] = field(default_factory=list)  # folders that an export of ours made
    blocked: list[str] = field(default_factory=list)  # folders or files that cannot be looked at, with the reason

    def notes(self) -> list[str]:
        """One line for each kind of thing that was followed or passed over."""
        lines = []
        if self.others:
            lead = counted(len(self.others), "file") + " without an image ending"
            lines.append(f"passed over {lead} ({count_endings(self.others)})")
        lines += ways_into(self.others)
        if self.files:
            lines += labels_among(self.others) + notes_on_archives(self.archives)
        lines += [line for line in (self._of_links(), junk_note(self.junk)) if line]
        if self.own:
            few = ", ".join(display_safe(name, 60) for name in self.own[:3])
            more = ", ..." if len(self.own) > 3 else ""
            lines.append(f"passed over {counted(len(self.own), 'export')} of labeler's own ({few}{more})")
        if self.special:
            lines.append(f"passed over {counted(self.special, 'pipe, socket or device', 'pipes, sockets or devices')}")
        lines += [f"cannot look into {reason}" for reason in self.blocked[:3]]
        if len(self.blocked) > 3:
            lines.append(f"cannot look into {len(self.blocked) - 3:,} more")
        return lines

    def _of_links(self) -> str:
        followed, passed = len(self.links) + self.folder_links, self.dangling + self.again
        parts = []
        if followed:
            to = [counted(len(self.links), "file")] if self.links else []
            to += [counted(self.folder_links, "folder")] if self.folder_links else []
            parts.append(f"followed {counted(followed, 'link')} (to {' and '.join(to)})")
        if passed:
            why = [counted(self.dangling, "leads", "lead") + " nowhere"] if self.dangling else []
            why += [counted(self.again, "leads", "lead") + " to what is listed anyway"] if self.again else []
            parts.append(f"passed over {counted(passed, 'link')} ({', '.join(why)})")
        return "; ".join(parts)


def list_folder(root: Path, *, every_link: bool = False) -> Listing:
    """Walk a folder with scandir; junk is counted, and what an export of ours made below it is passed over.

    Links to files are followed wherever they lead, links to folders once each; those that lead back (to the folder
    itself or above it) are not. A link to a file that is listed anyway is another name of it and is left out, but with
    `every_link`, where the names are wanted.
    """
    walk = _Walk(root)
    walk.through("", os.fspath(root))
    for prefix, folder in walk.linked:  # grows by the links in them
        if walk.is_new(folder):
            walk.listing.folder_links += 1
            walk.through(prefix, folder)
        else:
            walk.listing.again += 1
    walk.take_links(every_link)
    walk.listing.files.sort(key=lambda file: natural_key(file[0]))
    walk.listing.archives.sort(key=natural_key)
    return walk.listing


class _Walk:
    """One walk: which folders it was in, and the links it has still to follow."""

    def __init__(self, root: Path) -> None:
        self.listing = Listing()
        self.linked: list[tuple[str, str]] = []
        self._root = root
        self._file_links: list[tuple[str, os.stat_result]] = []
        # eight bytes a file; a set is made of them only where links to files have to be compared
        self._inodes = array("Q")  # of the regular files listed
        self._seen: set[tuple[int, int]] = set()
        # a link to one of these leads in a circle
        for above in (root.resolve(), *root.resolve().parents):
            self.is_new(os.fspath(above))

    def is_new(self, folder: str) -> bool:
        """Whether a folder was not walked through so far; it counts as walked through from here on."""
        try:
            status = os.stat(folder)
        except OSError:
            return True  # whoever looks into it says why that cannot be
        place = (status.st_dev, status.st_ino)
        if place in self._seen:
            return False
        self._seen.add(place)
        return True

    def through(self, prefix: str, folder: str) -> None:
        """List one folder and the real ones below it; links to folders are put by."""
        pending = [(prefix, folder)]
        while pending:
            prefix, folder = pending.pop()
            try:
                with os.scandir(folder) as scanned:
                    # taken at once, so that no folder stays open while those below it are walked through
                    entries = list(scanned)
            except OSError as error:
                self.listing.blocked.append(f"{display_safe(prefix) or 'the folder'} ({error.strerror})")
                continue
            if prefix and any(entry.name == _MANIFEST for entry in entries) and is_own_export(Path(folder)):
                self.listing.own.append(prefix.rstrip("/"))
                continue
            below = [entry for entry in entries if self._take(entry, prefix)]
            pending += [(f"{prefix}{entry.name}/", entry.path) for entry in below if self.is_new(entry.path)]

    def _take(self, entry: os.DirEntry[str], prefix: str) -> bool:
        """Sort one entry into the listing; True for a real folder, which is walked through."""
        name = entry.name
        if is_junk(name):
            self.listing.junk[name] += 1
            return False
        try:
            if entry.is_symlink():
                self._take_link(entry, prefix)
            elif entry.is_dir(follow_symlinks=False):
                return True
            elif not entry.is_file(follow_symlinks=False):
                self.listing.special += 1
            elif is_archive(name):
                self.listing.archives.append(prefix + name)
            elif has_image_ending(name):
                status = entry.stat(follow_symlinks=False)
                self._inodes.append(status.st_ino)
                self.listing.files.append((prefix + name, status.st_size, status.st_mtime_ns))
            else:
                self.listing.others.append(name)
        except OSError as error:  # removed between listing and looking
            self.listing.blocked.append(f"{display_safe(prefix + name)} ({error.strerror})")
        return False

    def _take_link(self, entry: os.DirEntry[str], prefix: str) -> None:
        try:
            status = entry.stat()
        except OSError:  # nothing there, a circle of links, no permission
            self.listing.dangling += 1
            return
        if stat.S_ISDIR(status.st_mode):
            self.linked.append((f"{prefix}{entry.name}/", entry.path))
        elif not stat.S_ISREG(status.st_mode):
            self.listing.special += 1
        elif is_archive(entry.name):
            self.listing.archives.append(prefix + entry.name)
        elif has_image_ending(entry.name):
            self._file_links.append((prefix + entry.name, status))
        else:
            self.listing.others.append(entry.name)

    def take_links(self, every: bool) -> None:
        """List the links to files, those that are another name of a listed file only where `every` name is wanted."""
        if not self._file_links:
            return
        inodes = set(self._inodes)
        names = {name for name, _, _ in self.listing.files}
        root = os.path.realpath(self._root)
        for name, status in self._file_links:
            # inodes are numbers of one disk only, so the path has to agree as well
            if not every and status.st_ino in inodes:
                target = os.path.realpath(os.path.join(root, name))
                if os.path.relpath(target, root).replace(os.sep, "/") in names:
                    self.listing.again += 1
                    continue
            self.listing.links.add(name)
            self.listing.files.append((name, status.st_size, status.st_mtime_ns))


def is_own_export(folder: Path) -> bool:
    """Whether an export of this program made a folder, by its manifest."""
    manifest = folder / _MANIFEST
    return manifest.is_file() and _TOOL.search(first_bytes(manifest, _LOOK)) is not None
