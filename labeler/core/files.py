"""The one way to write a file: whole or not there, and swept up when the process that wrote it is gone.

:func:`whole` writes one file: a draft beside it takes its name when it is complete. :func:`whole_pair` writes a file
and a second one that describes it, :func:`whole_folder` a folder, so that a kill at any moment leaves the old or the
new, whole.

A folder cannot be replaced in one step: the old one is moved into a sibling `aside`, the new one takes its name, what
is somebody's in the old one is moved into the new one, and the rest is removed. A kill between the first two renames
leaves the target in `aside`, from where :func:`recover` takes it back the next time; a later one leaves there what is
still to be moved or removed, which it then does. Of a pair the file is replaced in one step; the second one is absent
meanwhile: where it is there it always describes the file beside it, and so says that the new pair is complete.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from tempfile import mkdtemp
from typing import Protocol

from labeler.core.errors import LabelerError

WORKING = ".labeler-"
"""How the names of the folders begin that exist only while a pair or a folder is written."""

MANY = 256
"""Files from which on one flush of the whole file system is quicker than one of each."""

_LOGS = ("-journal", "-wal", "-shm")
"""How SQLite names what it keeps beside a file, drafts among them."""
_DRAFT = re.compile(rf"\.(\d+)\.draft(?:{'|'.join(_LOGS)})?$")


# -- one file --------------------------------------------------------------------------------------------------------


@contextmanager
def whole(path: Path, *, over: bool = True, durable: bool = False, token: str = "") -> Iterator[Path]:
    """Yield the name of a draft beside `path`, which takes its place when the block ends; else nothing is left of it.

    Parameters
    ----------
    over
        Take the place of a file that is there. Without it, none that came meanwhile is written over.
    durable
        Wait until the file and its name are on disk, for what cannot be computed again; its folder must be there.
    token
        A part of the draft's name, where other machines may write the same file: their processes have our numbers, too.

    Raises
    ------
    FileExistsError
        Without `over`: the file is there by now.
    OSError
        It cannot be written.
    """
    if not durable:
        path.parent.mkdir(parents=True, exist_ok=True)  # a cache may be deleted at any time
    mark = f"{token}." if token else ""
    draft = path.with_name(f".{path.name}.{mark}{os.getpid()}.draft")  # the number tells :func:`sweep` whose it is
    _remove(draft)  # of a killed process that had our number
    try:
        yield draft
        if durable:
            sync(draft)
        if over:
            os.replace(draft, path)
        else:
            _name_anew(draft, path)
        if durable:
            sync(path.parent)
    finally:
        _remove(draft)


def _remove(draft: Path) -> None:
    for suffix in ("", *_LOGS):
        with suppress(OSError):  # an error of the block itself says more
            draft.with_name(f"{draft.name}{suffix}").unlink(missing_ok=True)


def _name_anew(draft: Path, path: Path) -> None:
    """Give a draft its name, never over a file that came meanwhile: a link fails where a rename would replace."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:  # a disk without hard links
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        os.rename(draft, path)


@contextmanager
def scratch(cache: Path) -> Iterator[Path]:
    """Yield a folder in `cache` that goes when the block ends; a killed process leaves it to :func:`sweep`."""
    folder = cache / f".early.{os.getpid()}.draft"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path, prefix: str = ".") -> None:
    """Remove the drafts (names that begin with `prefix`) of processes that are gone; others still write theirs."""
    with suppress(OSError):
        for path in folder.iterdir():
            match = _DRAFT.search(path.name) if path.name.startswith(prefix) else None
            if match is None or lives(int(match[1])):
                continue
            if is_folder(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def lives(pid: int) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(pid, 0)  # signal 0 asks, and does nothing
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # there, but another user's: it lives
        return True
    return True


# -- a pair or a folder ----------------------------------------------------------------------------------------------


class Contents(Protocol):
    """Knows what is in a folder that is replaced: which of it may go, and which is somebody's."""

    def is_whole(self, folder: Path) -> bool:
        """Whether `folder` was put in its place whole."""
        ...

    def hand_over(self, old: Path, new: Path) -> None:
        """Move what is somebody's from `old` to `new` and remove the rest, `old` itself included."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """The names that something new gets: `target` and, of a pair, the second file `beside`."""

    target: Path
    beside: Path | None = None
    contents: Contents | None = None  # of a folder

    @property
    def aside(self) -> Path:
        """The sibling that holds what is being replaced; of a fixed name, so that the next writer finds it."""
        digest = hashlib.sha256(os.fsencode(self.target.name)).hexdigest()[:12]
        return self.target.parent / f"{WORKING}old-{digest}"

    def is_taken(self) -> bool:
        """Whether anything, be it a dangling link, is there already."""
        return any(os.path.lexists(path) for path in (self.target, self.beside) if path is not None)


@dataclass(slots=True)
class Draft:
    """A pair or a folder while it is written: `path`, and of a pair `beside`; `left` is set when it has its names.

    `left` says where something of what was replaced is left that could be neither removed nor put back.
    """

    path: Path
    beside: Path
    left: Path | None = None

    def sync(self) -> None:
        """Bring all that is written so far to disk: the files, then the folders from the innermost out."""
        stage = self.path.parent
        files: list[Path] = []
        for folder, _, names in os.walk(stage, onerror=_raise):  # else it passes over what it cannot read, in silence
            if len(files) <= MANY:  # more are not looked at one by one
                regular = (path for path in (Path(folder, name) for name in names) if not path.is_symlink())
                files += islice(regular, MANY + 1)
        sync_files(files)
        for folder, _, _ in os.walk(stage, topdown=False, onerror=_raise):
            sync(Path(folder))


@contextmanager
def whole_pair(path: Path, beside: Path) -> Iterator[Draft]:
    """Yield drafts of a file and of the one that describes it; call their `sync` last. Both get their names or neither.

    Raises
    ------
    OSError
        They cannot be written; what was there before is there again.
    """
    with _whole(Place(path, beside)) as draft:
        yield draft


@contextmanager
def whole_folder(path: Path, contents: Contents) -> Iterator[Draft]:
    """Yield the draft of a folder; call its `sync` last. `contents` says what of the old one may go. Raises OSError."""
    with _whole(Place(path, contents=contents)) as draft:
        yield draft


@contextmanager
def _whole(place: Place) -> Iterator[Draft]:
    """Yield a draft on the same file system as its place; what killed writers left there goes first."""
    parent = place.target.parent
    sweep(parent, WORKING)
    # beside the target and not among the system's temporary files: a rename works within one file system only
    stage = Path(mkdtemp(prefix=f"{WORKING}new-", suffix=f".{os.getpid()}.draft", dir=parent))
    try:
        draft = Draft(stage / "new", stage / "beside")
        yield draft
        draft.left = _put_in_place(draft, place)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _put_in_place(draft: Draft, place: Place) -> Path | None:
    """Rename a draft into its place, replacing what is there; return where something of that is left.

    Raises
    ------
    OSError
        A rename failed; what was there before is there again.
    """
    placed: list[tuple[Path, Path]] = []
    place.aside.mkdir()  # fails where another process is replacing the same target right now
    try:
        # the second file goes first and comes last, so that it never stands beside a file it does not describe
        if place.beside is not None and os.path.lexists(place.beside):
            os.rename(place.beside, place.aside / "manifest")
        _set_aside(place)
        os.replace(draft.path, place.target)
        placed.append((draft.path, place.target))
        if place.beside is not None:
            os.replace(draft.beside, place.beside)
            placed.append((draft.beside, place.beside))
        sync(place.target.parent)
    except BaseException:
        for back, path in reversed(placed):  # the draft takes it back, and is removed as a whole
            os.replace(path, back)
        recover(place)
        raise
    with suppress(OSError, LabelerError):  # the new one is there; what cannot be cleared is left, and said
        _clear(place)
    return place.aside if place.aside.exists() else None


def recover(place: Place) -> Path | None:
    """Finish or take back what a killed writer left in `place.aside`: afterwards the old or the new is there, whole.

    Returns where something is left that could not be brought back, because other things stand in its place.

    Raises
    ------
    OSError
        It cannot be done.
    """
    if not is_folder(place.aside):
        return None
    old, old_beside = place.aside / "target", place.aside / "manifest"
    if not _is_complete(place):
        if os.path.lexists(old) and not os.path.lexists(place.target):
            os.rename(old, place.target)
        elif os.path.lexists(old) and not is_folder(old):
            os.replace(old, place.target)
            with suppress(FileNotFoundError):  # two names of one file: then to rename one to the other does nothing
                os.unlink(old)
        if place.beside is not None and os.path.lexists(old_beside):
            os.replace(old_beside, place.beside)
    else:
        with suppress(OSError):  # what cannot be cleared is left, below
            _clear(place)
    with suppress(OSError):
        os.rmdir(place.aside)
    sync(place.target.parent)
    if not os.path.lexists(place.aside):
        return None
    left = next(path for number in count(1) if not os.path.lexists(path := _left_over(place, number)))
    os.rename(place.aside, left)
    return left


def _left_over(place: Place, number: int) -> Path:
    return place.aside.with_name(f"{place.aside.name.removeprefix('.')}-{number}")


def _is_complete(place: Place) -> bool:
    """Whether what is at the target was put there whole."""
    if place.beside is not None:
        return os.path.lexists(place.beside)
    if not os.path.lexists(place.target):
        return False
    return not is_folder(place.aside / "target") or place.contents is None or place.contents.is_whole(place.target)


def _set_aside(place: Place) -> None:
    old = place.aside / "target"
    if not os.path.lexists(place.target):
        return
    if place.beside is not None:
        with suppress(OSError):  # no hard links there: then rename, with a moment in which the name is free
            os.link(place.target, old, follow_symlinks=False)
            return
    os.rename(place.target, old)


def _clear(place: Place) -> None:
    """Empty `place.aside`, once the new one is there."""
    old, old_beside = place.aside / "target", place.aside / "manifest"
    if is_folder(old):
        if place.contents is not None:
            place.contents.hand_over(old, place.target)
    elif os.path.lexists(old):
        os.unlink(old)
    if os.path.lexists(old_beside):
        os.unlink(old_beside)
    os.rmdir(place.aside)


# -- to disk ---------------------------------------------------------------------------------------------------------


def is_folder(path: Path) -> bool:
    """Whether it is a folder itself and no link to one."""
    return path.is_dir() and not path.is_symlink()


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk; not every file system can do that for folders."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF) or not path.is_dir():
            raise
    finally:
        os.close(descriptor)


def sync_files(files: Sequence[Path]) -> None:
    """Wait until the content of `files` is on disk."""
    if len(files) > MANY:  # one flush for all: thousands of single ones take minutes on a slow disk
        os.sync()
        return
    for file in files:
        with file.open("rb") as stream:
            os.fsync(stream.fileno())


def _raise(error: OSError) -> None:
    raise error
