"""The folder of an earlier export: what that export wrote, by its own manifest, and what is somebody's.

Only what the manifest lists, as it lists it, is ever removed. The folder is walked and no name of the manifest is: one
that leads out of the folder leads nowhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from labeler.core import descriptors
from labeler.core.errors import ExportError
from labeler.core.files import is_folder
from labeler.core.text import display_safe, escaped

MANIFEST = "manifest.json"
TOOL = "labeler"
LARGEST = 1 << 30
"""Bytes of a manifest: that of two million files is a quarter of it."""
_DATABASE = b"SQLite format 3\0"
# what SQLite and this program keep beside a database: judged by the file whose name it extends
_COMPANION = re.compile(r"(-wal|-shm|-journal|\.lock|\.fresh)$")
_PROJECT = re.compile(r"\.labeler\.(db.*|cache)$")
_SHA256 = re.compile(r"[0-9a-f]{64}")

Stamp = tuple[int, int, int, int]
"""What changes with a file: inode, size, times of change."""


@dataclass(frozen=True, slots=True)
class Listed:
    """All that a manifest lists, by path in the folder: the hash of every file, and where every link leads."""

    files: Mapping[str, str]
    links: Mapping[str, str]


@dataclass(slots=True)
class Contents:
    """Everything in a folder of an earlier export.

    `own`: files and links as the manifest lists them, which may go. `edited`: what it lists and what is otherwise now.
    `rest`: all that stays, each by the outermost path that holds nothing of the export. `folders`: those that hold
    something of the export, from the outermost in.
    """

    own: dict[str, Stamp] = field(default_factory=dict)
    edited: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)


# -- the manifest ----------------------------------------------------------------------------------------------------


def manifest_in(path: Path) -> dict[str, Any] | None:
    """Return the manifest of an export at `path`; None where there is no such file, or none of ours."""
    # a link would let a manifest from elsewhere speak for this folder
    if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST:
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and document.get("tool") == TOOL else None


def listed_in(folder: Path) -> Listed | None:
    """Return what the export in `folder` wrote; None where no export made the folder.

    Raises
    ------
    ExportError
        Its manifest cannot be one that an export wrote.
    """
    document = manifest_in(folder / MANIFEST)
    if document is None:
        return None
    files, links = document.get("files"), document.get("links", {})
    for names in (files, links):
        if not isinstance(names, dict) or not all(isinstance(value, str) for value in names.values()):
            raise _no_manifest(folder, "it does not list what the export wrote")
        for name in names:
            if not _is_inside(name):
                raise _no_manifest(folder, f"it lists {display_safe(name, 60)!r}, which is not in the folder")
    assert isinstance(files, dict)  # noqa: S101 -- as the loop saw
    if not all(_SHA256.fullmatch(value) for value in files.values()):
        raise _no_manifest(folder, "it lists what is no sha256")
    return Listed(files, links)


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(name) and "\0" not in name and not path.is_absolute() and ".." not in path.parts


def _no_manifest(folder: Path, why: str) -> ExportError:
    return ExportError(
        f"{display_safe(str(folder / MANIFEST))} is no manifest of an export: {why}",
        "choose another name, or remove the folder yourself; nothing was changed",
    )


# -- projects and databases ------------------------------------------------------------------------------------------


def is_of_a_project(path: Path, name: str = "") -> bool:
    """Whether a file belongs to a project or is a database of any kind, or its log: never removed or written over.

    `name`: its path in a folder, else its own. A file need not be there: its name may be kept for one.
    """
    if _is_named_for_a_project(name or path.name):
        return True
    companion = _COMPANION.search(path.name)
    if companion is not None and _begins_as_database(path.with_name(path.name[: companion.start()])):
        return True
    return _begins_as_database(path)


def _is_named_for_a_project(name: str) -> bool:
    return any(_PROJECT.search(part) for part in name.split("/"))


def projects_in(folder: Path) -> Iterator[Path]:
    """The project files below a folder, by name."""
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names if name.endswith(".labeler.db"))


def _begins_as_database(path: Path) -> bool:
    try:
        return descriptors.read(path, len(_DATABASE)) == _DATABASE  # it may be a project that is open
    except OSError:
        return False


# -- the folder ------------------------------------------------------------------------------------------------------


def look(folder: Path, listed: Listed, new: Path, known: Mapping[str, Stamp] | None = None) -> Contents:
    """Tell what an export wrote into `folder` from what is somebody's.

    Parameters
    ----------
    new
        The export that takes its place. A listed file that was edited, and that is one of the new one's by another
        name (a hard link to an image), loses nothing by being removed.
    known
        What was found to be as listed before, with its stamps: where they hold nothing is read again.
    """
    contents, judge = Contents(), _Judge(folder, listed, new, known or {})
    written = {str(parent) for name in (*listed.files, *listed.links) for parent in PurePosixPath(name).parents}
    inner: dict[str, list[str]] = {}
    names: dict[str, list[str]] = {}
    order = [""]
    for place in order:  # grows by the folders in it
        if (entries := _entries(folder / place, place)) is not None:
            inner[place], names[place] = entries
            order += inner[place]
    holding: set[str] = {""}
    # from the innermost out: a folder holds something of the export where one in it does
    for place in reversed([place for place in order if place in names]):
        stays = []
        for name in names[place]:
            if name == MANIFEST:  # the last to go: see `hand_over`
                continue
            stamp = judge.own(name)
            if stamp is None:
                stays.append(name)
                contents.edited += [name] if name in listed.files or name in listed.links else []
            else:
                contents.own[name] = stamp
        if place in written or place in holding or any(child in holding for child in inner[place]):
            holding.add(place)
            contents.rest += [*stays, *(child for child in inner[place] if child not in holding)]
    contents.folders = [place for place in order if place in holding and place]
    contents.edited.sort()
    contents.rest.sort()
    return contents


@dataclass(slots=True)
class Fit:
    """The way the rest of a folder fits into the new one.

    `moves` go as they are, `shared` are folders that both have (from the outermost in), and `blocked` is what finds
    something else in its place.
    """

    moves: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)


def fit(contents: Contents, folder: Path, new: Path) -> Fit:
    """Find the place in `new` of all that stays of `folder`."""
    outcome, waiting = Fit(), list(contents.rest)
    for name in waiting:  # grows by what is in shared folders
        there = new / name
        parents = [new / parent for parent in PurePosixPath(name).parents]
        if any(os.path.lexists(parent) and not is_folder(parent) for parent in parents):
            outcome.blocked.append(name)
        elif not os.path.lexists(there):
            outcome.moves.append(name)
        elif is_folder(folder / name) and is_folder(there):
            outcome.shared.append(name)
            waiting += [f"{name}/{child}" for child in sorted(os.listdir(folder / name))]
        else:
            outcome.blocked.append(name)
    return outcome


def _entries(folder: Path, place: str) -> tuple[list[str], list[str]] | None:
    """Paths of the folders and of all else in a folder; None for one that may not be read, which so stays as it is."""
    lead = f"{place}/" if place else ""
    folders: list[str] = []
    others: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                (folders if entry.is_dir(follow_symlinks=False) else others).append(f"{lead}{entry.name}")
    except OSError:
        if not place:
            raise
        return None
    return sorted(folders), sorted(others)


@dataclass(slots=True)
class Earlier:
    """The contents of a folder that an export replaces: see :class:`labeler.core.files.Contents`.

    `known`: what was found to be as listed before, with its stamps.
    """

    known: Mapping[str, Stamp] | None = None

    def is_whole(self, folder: Path) -> bool:
        """Whether an export that was put there whole is in it: its manifest is written last."""
        return manifest_in(folder / MANIFEST) is not None

    def hand_over(self, old: Path, new: Path) -> None:
        """Move what is somebody's into the new folder, then remove what an export wrote: its manifest last."""
        listed = Listed({}, {})
        with suppress(ExportError):  # nobody can say what it wrote: all of it stays
            listed = listed_in(old) or listed
        contents = look(old, listed, new, self.known)
        fitted = fit(contents, old, new)
        # what is somebody's goes first: whatever happens after that, it is safe
        for name in fitted.moves:
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            os.rename(old / name, new / name)
        for name in contents.own:
            os.unlink(old / name)
        for name in (*reversed(fitted.shared), *reversed(contents.folders)):
            with suppress(OSError):  # something else is in it by now
                os.rmdir(old / name)
        # where anything else came in meanwhile the manifest stays, and rmdir() refuses
        if os.listdir(old) == [MANIFEST]:
            os.unlink(old / MANIFEST)
        os.rmdir(old)


class _Judge:
    """Says of one file after the other whether an export wrote it and nobody changed it since."""

    def __init__(self, folder: Path, listed: Listed, new: Path, known: Mapping[str, Stamp]) -> None:
        self._folder, self._listed, self._new, self._known = folder, listed, new, known
        self._going_on: set[tuple[int, int]] | None = None

    def own(self, name: str) -> Stamp | None:
        """The stamp of a file that may go; None for all others."""
        path = self._folder / name
        try:
            if path.is_symlink():
                leads = self._listed.links.get(name)
                return stamp_of(path) if leads is not None and leads == escaped(os.readlink(path)) else None
            if name not in self._listed.files or _is_named_for_a_project(name) or not path.is_file():
                return None
            stamp = stamp_of(path)
            # hashed a moment ago and not touched since: gigabytes are not read twice
            if self._known.get(name) == stamp:
                return stamp
            as_listed = sha256_of(path) == self._listed.files[name] or self._goes_on(path)
            return stamp if as_listed and not is_of_a_project(path, name) else None
        except OSError:  # what cannot be read cannot be what was written
            return None

    def _goes_on(self, path: Path) -> bool:
        status = path.lstat()
        if status.st_nlink < 2:
            return False
        if self._going_on is None:
            self._going_on = set(_inodes(self._new))
        # an edited image that is linked into the new export as well loses only one of its names
        return (status.st_dev, status.st_ino) in self._going_on


def _inodes(folder: Path) -> Iterator[tuple[int, int]]:
    for place, _, names in os.walk(folder):
        for name in names:
            status = os.lstat(os.path.join(place, name))
            yield status.st_dev, status.st_ino


def stamp_of(path: Path) -> Stamp:
    """The stamp of a file, or of a link itself."""
    status = path.lstat()
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def sha256_of(file: Path) -> str:
    """The hex digest of a file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
