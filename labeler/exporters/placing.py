"""Swapping a finished export into its place so that a kill at any moment leaves the old or the new, whole.

A folder cannot be replaced in one step: the old one is moved into a sibling `aside`, the new one takes its name, the
old one is removed. A kill between the two renames leaves the target in `aside`, from where :func:`recover` takes it
back at the next export. A file is replaced in one step; its manifest, a second file, is absent meanwhile: a manifest
that is there always describes the data beside it, and its presence is what says that the new pair is complete.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from labeler.drafts import sweep

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


def put_in_place(new: Path, new_manifest: Path | None, place: Place) -> bool:
    """Rename `new` (and `new_manifest`) into `place`, replacing what is there; returns whether the old is all gone.

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
    with suppress(OSError):
        remove(place.aside)
    return not place.aside.exists()


def recover(place: Place) -> None:
    """Finish or take back what a killed export left in `place.aside`: afterwards the old or the new is there, whole."""
    if not place.aside.is_dir():
        return
    old, old_manifest = place.aside / "target", place.aside / "manifest"
    complete = os.path.lexists(place.manifest or place.target)
    if not complete and os.path.lexists(old):
        os.replace(old, place.target)
    if not complete and place.manifest is not None and os.path.lexists(old_manifest):
        os.replace(old_manifest, place.manifest)
    remove(place.aside)
    sync_folder(place.target.parent)


def remove(path: Path) -> None:
    """Remove a file, a link (not what it points to) or a whole folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


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
