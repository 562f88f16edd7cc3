"""Descriptors of database files: closed only when no connection of this process can lose its locks by it.

POSIX: closing *any* descriptor of a file drops every lock that the process holds on that file (fcntl(2), "Record
locks"). SQLite holds such locks on the database and on its ``-shm`` for the life of a connection; whoever reads and
closes one of these files beside it leaves the connection unlocked, and the next process that opens the database takes
itself for the first: it truncates the map under the writer, or deletes the live log. So a descriptor of such a file is
parked here while a connection lives, used again for the next look, and closed after the last connection.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

Identity = tuple[int, int]
"""What a file is, whatever it is called: device and inode."""

BESIDE = ("-wal", "-shm", "-journal")
"""Endings of the files that SQLite keeps beside a database."""

_guard = threading.RLock()  # taken again inside: a look that ends closes what it opened
_live: dict[Path, list[Identity]] = {}
_parked: dict[Identity, list[int]] = {}


def identity_of(path: Path) -> Identity | None:
    """Return the identity of the file that a name stands for; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def hold(database: Path) -> None:
    """Close no descriptor of `database` and of what lies beside it until :func:`release`, called as often."""
    with _guard:
        identity = identity_of(database)
        # maybe not there yet: it is looked up by name as well
        _live.setdefault(database, []).append(identity or (0, 0))


def release(database: Path) -> None:
    """Undo one :func:`hold`; after the last one what was parked is closed."""
    with _guard:
        holds = _live[database]
        holds.pop()
        if not holds:
            del _live[database]
        held = _held()
        for identity in _parked.keys() - held:
            for descriptor in _parked.pop(identity):
                os.close(descriptor)


def close(descriptor: int) -> None:
    """Close a descriptor, or park it while a connection may hold locks on its file."""
    with _guard:
        status = os.fstat(descriptor)
        identity = status.st_dev, status.st_ino
        if identity in _held():
            _parked.setdefault(identity, []).append(descriptor)
        else:
            os.close(descriptor)


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """A descriptor to read a regular file by, a parked one where there is one.

    Raises
    ------
    OSError
        It is not there, not permitted, or no regular file.
    """
    with _guard:
        identity = identity_of(path)
        if identity in _parked:
            yield _parked[identity][0]
            return
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # a pipe would keep us waiting
                raise OSError(errno.EINVAL, "not a regular file")
            yield descriptor
        finally:
            close(descriptor)


def read(path: Path, size: int = -1, offset: int = 0) -> bytes:
    """Read `size` bytes (-1 = all) of a regular file from `offset`. Raises as :func:`opened`."""
    with opened(path) as descriptor:
        return _pread(descriptor, size, offset)


def _pread(descriptor: int, size: int, offset: int) -> bytes:
    left = os.fstat(descriptor).st_size - offset if size < 0 else size
    pieces = []
    # in pieces: the kernel hands out at most 2 GB at once, and a file may shrink meanwhile
    while left > 0 and (piece := os.pread(descriptor, min(left, 1 << 24), offset)):
        pieces.append(piece)
        offset += len(piece)
        left -= len(piece)
    return b"".join(pieces)


def _held() -> set[Identity]:
    """The files that a connection of this process may hold locks on: as they were opened, and by their names now."""
    held = {identity for holds in _live.values() for identity in holds}
    names = [database.with_name(database.name + suffix) for database in _live for suffix in ("", *BESIDE)]
    return held | {identity for name in names if (identity := identity_of(name)) is not None}
