"""Swapping a finished export into its place so that a kill at any moment leaves the old or the new, whole.

A folder cannot be replaced in one step: the old one is moved into a sibling `aside`, the new one takes its name, what
the old export did not write is moved into the new folder, and what it did write is removed. A kill between the first
two renames leaves the target in `aside`, from where :func:`recover` takes it back at the next export; a later one
leaves there what is still to be moved or removed, which it then does. A file is replaced in one step; its manifest, a
second file, is absent meanwhile: a manifest that is there always describes the data beside it, and its presence is
what says that the new pair is complete.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

from labeler.core.errors import ExportError
from labeler.core.files import sweep
from labeler.plugins.exporters.earlier_export import (
    MANIFEST,
    Listed,
    Stamp,
    fit,
    is_folder,
    listed_in,
    look,
    manifest_in,
)

WORKING = ".labeler-"
"""How the names of the folders begin that exist only while an export is written."""

MANY = 256
"""Files from which on one flush of the whole file system is quicker than one of each."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an export goes: `target` and, beside a file, its `manifest` (None: inside the folder)."""

    target: Path
    manifest: Path | None

    @property
    def aside(self) -> Path:
        """The sibling that holds what is being replaced; of a fixed name, so that the next export finds it."""
        digest = hashlib.sha256(os.fsencode(self.target.name)).hexdigest()[:12]
        return self.target.parent / f"{WORKING}old-{digest}"

    def taken(self) -> bool:
        """Whether anything, be it a dangling link, is there already."""
        return any(os.path.lexists(path) for path in (self.target, self.manifest) if path is not None)


@contextmanager
def staging(parent: Path) -> Iterator[Path]:
    """A fresh folder in `parent` (so on the same file system), gone afterwards; what killed exports left goes first."""
    sweep(parent, WORKING)
    stage = Path(mkdtemp(prefix=f"{WORKING}new-", suffix=f".{os.getpid()}.draft", dir=parent))
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def put_in_place(
    new: Path, new_manifest: Path | None, place: Place, known: Mapping[str, Stamp] | None = None
) -> Path | None:
    """Rename `new` (and `new_manifest`) into `place`, replacing what is there; returns where something of it is left.

    Of a folder only what the export in it wrote is removed, the rest is in the new one afterwards. `known`: see
    :func:`labeler.plugins.exporters.earlier_export.look`.

    Raises
    ------
    OSError
        A rename failed; what was there before is there again.
    """
    placed: list[tuple[Path, Path]] = []
    place.aside.mkdir()
    try:
        if place.manifest is not None and os.path.lexists(place.manifest):
            os.rename(place.manifest, place.aside / "manifest")
        _set_aside(place)
        os.replace(new, place.target)
        placed.append((new, place.target))
        if place.manifest is not None and new_manifest is not None:
            os.replace(new_manifest, place.manifest)
            placed.append((new_manifest, place.manifest))
        sync_folder(place.target.parent)
    except BaseException:
        for back, path in reversed(placed):
            os.replace(path, back)
        recover(place)
        raise
    with suppress(OSError, ExportError):
        _clear(place, known)
    return place.aside if place.aside.exists() else None


def recover(place: Place) -> Path | None:
    """Finish or take back what a killed export left in `place.aside`: afterwards the old or the new is there, whole.

    Returns where something is left that could not be brought back, because other things stand in its place.

    Raises
    ------
    OSError
        It cannot be done.
    """
    if not is_folder(place.aside):
        return None
    old, old_manifest = place.aside / "target", place.aside / "manifest"
    if not _is_complete(place):
        if os.path.lexists(old) and not os.path.lexists(place.target):
            os.rename(old, place.target)
        elif os.path.lexists(old) and not is_folder(old):
            os.replace(old, place.target)
            with suppress(FileNotFoundError):  # two names of one file: then to rename one to the other does nothing
                os.unlink(old)
        if place.manifest is not None and os.path.lexists(old_manifest):
            os.replace(old_manifest, place.manifest)
    else:
        with suppress(OSError):  # what cannot be cleared is left, below
            _clear(place, None)
    with suppress(OSError):
        os.rmdir(place.aside)
    sync_folder(place.target.parent)
    if not os.path.lexists(place.aside):
        return None
    left = next(path for number in count(1) if not os.path.lexists(path := _left_over(place, number)))
    os.rename(place.aside, left)
    return left


def _left_over(place: Place, number: int) -> Path:
    return place.aside.with_name(f"{place.aside.name.removeprefix('.')}-{number}")


def _is_complete(place: Place) -> bool:
    """Whether what is at the target is an export that was put there whole."""
    if place.manifest is not None:
        return os.path.lexists(place.manifest)
    if not os.path.lexists(place.target):
        return False
    return not is_folder(place.aside / "target") or manifest_in(place.target / MANIFEST) is not None


def _clear(place: Place, known: Mapping[str, Stamp] | None) -> None:
    """Empty `place.aside`, once the new export is there: what the old one wrote is removed, the rest moved over."""
    old, old_manifest = place.aside / "target", place.aside / "manifest"
    if is_folder(old):
        _hand_over(old, place.target, known)
    elif os.path.lexists(old):
        os.unlink(old)
    if os.path.lexists(old_manifest):
        os.unlink(old_manifest)
    os.rmdir(place.aside)


def _hand_over(old: Path, new: Path, known: Mapping[str, Stamp] | None) -> None:
    """Move what is somebody's from a replaced folder into the new one, then remove the rest: its manifest last."""
    listed = Listed({}, {})
    with suppress(ExportError):  # nobody can say what it wrote: all of it stays
        listed = listed_in(old) or listed
    contents = look(old, listed, new, known)
    fitted = fit(contents, old, new)
    for name in fitted.moves:
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        os.rename(old / name, new / name)
    for name in contents.own:
        os.unlink(old / name)
    for name in (*reversed(fitted.shared), *reversed(contents.folders)):
        with suppress(OSError):  # something else is in it by now
            os.rmdir(old / name)
    if os.listdir(old) == [MANIFEST]:
        os.unlink(old / MANIFEST)
    os.rmdir(old)


def sync_files(files: Sequence[Path]) -> None:
    """Bring the content of `files` to disk."""
    if len(files) > MANY:  # one flush for all: thousands of single ones take minutes on a slow disk
        os.sync()
        return
    for file in files:
        with file.open("rb") as stream:
            os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Bring the entries of `folder` to disk, where the file system can do that for folders."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(descriptor)


def _set_aside(place: Place) -> None:
    old = place.aside / "target"
    if not os.path.lexists(place.target):
        return
    if place.manifest is not None:
        with suppress(OSError):  # no hard links there: then rename, with a moment in which the name is free
            os.link(place.target, old, follow_symlinks=False)
            return
    os.rename(place.target, old)
