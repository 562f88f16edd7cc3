"""One writer a project: a lock on the database file itself, whatever it is called, freed by the kernel at a kill.

It lies on bytes far behind any that a database has, so that it meets none of SQLite's own locks. On Linux it belongs to
the open file (F_OFD_SETLK), elsewhere to the process. Its length is the process number of its holder: whoever is
refused can say who holds it, by whatever name the file was opened. A ``.lock`` file beside the project says more
(process and host) and keeps out versions that know no other lock.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

from labeler.core import descriptors
from labeler.core.errors import PROJECT_ERRORS, ProjectBusy, ProjectError

_START = 1 << 62  # SQLite's own locks are at 1 GB
_FLOCK = struct.Struct("hhqqi4x")  # struct flock of 64-bit Linux
_IS_LINUX = sys.platform == "linux" and struct.calcsize("P") == 8 and hasattr(fcntl, "F_OFD_SETLK")
_ANOTHER = "another process"


class ProjectLock:
    """Held while a project is open for writing.

    Attributes
    ----------
    place
        The file's own name: links are followed.
    identity
        What file is locked, whatever it is called; None while none is.
    """

    def __init__(self, project: Path) -> None:
        self.place = Path(os.path.realpath(project))
        self.identity: descriptors.Identity | None = None
        self._project = project
        self._beside: int | None = None
        self._file: int | None = None
        self._created = False
        self._pid = os.getpid()

    def acquire(self, *, create: bool = False, before: Callable[[], None] = lambda: None) -> None:
        """Take the lock or say who holds it; with `create` an empty file is made where there is none.

        `before` is called when the name is locked and the file is not yet: it may put another file in its place.

        Raises
        ------
        ProjectBusy
            Another process has the project open, by this name or another.
        ProjectError
            The file, or the lock file beside it, cannot be written.
        """
        try:
            self._lock_beside()
            before()
            self._lock_file(create)
        except OSError as error:
            self.release()
            raise ProjectError(
                f"cannot write beside the project file {self._project}: {error.strerror}",
                "choose a writable place with -p PROJECT",
            ) from error
        except PROJECT_ERRORS:
            self.release()
            raise

    def release(self) -> None:
        """Let go and leave no file behind; after the connection is closed, never before."""
        if os.getpid() != self._pid:  # a child of the holder
            return
        if self._file is not None:
            descriptor, self._file, self.identity = self._file, None, None
            _unlock(descriptor)  # it may be parked, and open for longer
            if self._created and os.fstat(descriptor).st_size == 0 and _is_named(descriptor, self.place):
                self.place.unlink()  # nothing was ever written to it
            descriptors.close(descriptor)
        if self._beside is not None:
            _beside(self.place).unlink(missing_ok=True)  # while still held, so nobody's fresh lock is removed
            os.close(self._beside)
            self._beside = None

    def move_to(self, fresh: Path) -> int:
        """Lock another file that is about to take this one's name; returns the descriptor to hand to :meth:`now_at`.

        Raises OSError where it cannot be opened or locked.
        """
        descriptor = os.open(fresh, os.O_RDWR | os.O_CLOEXEC)
        if not _lock(descriptor):
            descriptors.close(descriptor)
            raise OSError(0, "another process has it open")
        return descriptor

    def now_at(self, descriptor: int) -> None:
        """Hold the file that was locked by :meth:`move_to` in place of the one before."""
        before, self._file, self.identity = self._file, descriptor, _identity(descriptor)
        if before is not None:
            descriptors.close(before)

    def name_now(self) -> str:
        """Return the name of the locked file now, as far as the kernel tells; "" where it has no name any more."""
        try:
            name = os.readlink(f"/proc/self/fd/{self._file}")
        except OSError:
            return ""
        return "" if name.endswith(" (deleted)") else name

    def _lock_beside(self) -> None:
        path = _beside(self.place)
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                raise self._busy(_note(self.place)) from None
            except OSError:  # a disk without such locks: the one on the file itself is left
                pass
            if _is_named(descriptor, path):
                break
            os.close(descriptor)  # its last holder removed the file between our open and our lock: again
        self._beside = descriptor

    def _lock_file(self, create: bool) -> None:
        while True:
            try:
                descriptor = os.open(self.place, os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError:
                if not create:
                    break  # about to be restored: the lock beside the name is all there is
                descriptor = os.open(self.place, os.O_RDWR | os.O_CLOEXEC | os.O_CREAT | os.O_EXCL, 0o644)
                self._created = True
            if not _lock(descriptor):
                who = _holder(descriptor, self.place)
                descriptors.close(descriptor)
                raise self._busy(who)
            if _is_named(descriptor, self.place):
                self._file, self.identity = descriptor, _identity(descriptor)
                break
            descriptors.close(descriptor)  # replaced between our open and our lock: again
        if self._beside is not None:
            os.ftruncate(self._beside, 0)
            os.pwrite(self._beside, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)

    def _busy(self, who: str) -> ProjectBusy:
        return ProjectBusy(
            f"{self._project} is open in {who}",
            "close it there first, or label into another file: labeler label SOURCE -p PROJECT",
        )


def holder(project: Path) -> str:
    """Return who has a project open for writing ("process 12 on host"), by whatever name; "" where nobody has."""
    place = Path(os.path.realpath(project))
    try:
        with descriptors.opened(place) as descriptor:
            return _holder(descriptor, place)
    except OSError:
        return ""


def _lock(descriptor: int) -> bool:
    """Lock a database file; False where another open file has it. A disk that knows no locks refuses nobody."""
    try:
        if _IS_LINUX:
            # the length tells whoever is refused our number; the field for it must be 0 with this kind of lock
            wanted = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, _START, os.getpid(), 0)
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, wanted)
        else:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _START)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True


def _unlock(descriptor: int) -> None:
    try:
        if _IS_LINUX:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_UNLCK, os.SEEK_SET, _START, 0, 0))
        else:
            fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, _START)
    except OSError:
        pass  # there was none


def _holder(descriptor: int, place: Path) -> str:
    try:
        if not _IS_LINUX:
            return _holder_elsewhere(descriptor, place)
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, _START, 1, 0)  # one byte meets whatever length another one has
        kind, _, _, number, _ = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, asked))
    except OSError:
        return ""
    if kind == fcntl.F_UNLCK:
        return ""
    note = _note(place)
    return note if note.startswith(f"process {number} ") else f"process {number}"


def _holder_elsewhere(descriptor: int, place: Path) -> str:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, _START)
    except OSError:
        return _note(place)
    fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, _START)
    return ""


def _note(place: Path) -> str:
    try:
        return _beside(place).read_text("utf-8", "replace")[:200].strip() or _ANOTHER
    except OSError:
        return _ANOTHER


def _beside(place: Path) -> Path:
    return place.with_name(place.name + ".lock")


def _identity(descriptor: int) -> descriptors.Identity:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def _is_named(descriptor: int, path: Path) -> bool:
    return descriptors.identity_of(path) == _identity(descriptor)
