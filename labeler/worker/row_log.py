"""Features as they are encoded, by what they were encoded of: what a killed process leaves, the next one goes on from.

A log is one file of records that are added and never changed: some ids, a row of features for each, and a digest. What
was being written at a kill, or did not reach the disk, fails its digest; the log ends before it. Its name is no proof:
a link, a pipe or a file of another content under that name is somebody's, and is neither read nor written.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

import numpy as np

from labeler.core.types import ByteArray, FloatArray
from labeler.worker.mapped_file import ROOM, free

MAGIC = b"rows1\0\0\0"
MOST = 4 << 30
"""Bytes of a log at most, where photos come and go in a folder: the network's features of 600,000 photos."""
ID = 32
"""Bytes of an id."""
_DIGEST = 16
_ITSELF = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""How a name is opened that somebody may have put there: no link is followed, and no pipe waited for."""
_HEAD = struct.Struct(f"<8sII{_DIGEST}s")  # magic, rows, columns, digest of what follows


class RowLog:
    """A log in a cache; use it as a context. One process has it at a time: for another it is empty, and keeps nothing.

    Nothing here raises for what the disk does: without a log, all is encoded. So it is where the name is somebody
    else's (:func:`is_log`).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        with contextlib.suppress(OSError):
            descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _ITSELF, 0o666)
            file = os.fdopen(descriptor, "a+b")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # freed by the kernel at a kill
                if _is_ours(descriptor):
                    self._file = file
            finally:
                if self._file is None:
                    file.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go()

    def read(self) -> Iterator[tuple[ByteArray, FloatArray]]:
        """Yield ids (k, 32) and rows (k, d) of each record; cut off what is not whole. Read it to its end, once."""
        end = 0
        try:
            if self._file is not None:
                self._file.seek(0)
                while (record := _record(self._file)) is not None:
                    yield record
                    end = self._file.tell()
                self._file.truncate(end)
        except OSError:
            self._let_go()

    def append(self, ids: ByteArray, rows: FloatArray) -> None:
        """Add rows (k, d) float32 under their ids (k, 32), unless the log is full, or the disk nearly."""
        if self._file is None or not len(rows):
            return
        body = ids.tobytes() + np.ascontiguousarray(rows, dtype="<f4").tobytes()
        digest = hashlib.blake2b(body, digest_size=_DIGEST).digest()
        try:
            if os.fstat(self._file.fileno()).st_size + _HEAD.size + len(body) > MOST:
                return
            if free(self._path.parent) < ROOM + len(body):  # nothing needs a log as much as an answer its bytes
                self._let_go()
                return
            self._file.write(_HEAD.pack(MAGIC, *rows.shape, digest) + body)
            self._file.flush()
        except OSError:  # the disk is full
            self._let_go()

    def remove(self) -> None:
        """Remove the file, if it is this process's."""
        if self._file is not None:
            self._path.unlink(missing_ok=True)

    def _let_go(self) -> None:
        with contextlib.suppress(OSError):  # closing flushes
            if self._file is not None:
                self._file.close()
        self._file = None


def is_log(path: Path) -> bool:
    """Whether a file begins as a log does, or is an empty one; a link to one is none. Raises OSError."""
    if path.is_symlink():
        return False
    descriptor = os.open(path, os.O_RDONLY | _ITSELF)
    try:
        return _is_ours(descriptor)
    finally:
        os.close(descriptor)


def _is_ours(descriptor: int) -> bool:
    """Whether an open file is a regular one that may be written to: an empty one, or one that begins as a log does."""
    is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    return is_file and os.pread(descriptor, len(MAGIC), 0) in (b"", MAGIC)


def _record(file: IO[bytes]) -> tuple[ByteArray, FloatArray] | None:
    """The record that begins here; None at the end, or where it is not whole."""
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    magic, n, width, digest = _HEAD.unpack(head)
    size = n * (ID + 4 * width)
    if magic != MAGIC or not width or not 0 < size <= os.fstat(file.fileno()).st_size - file.tell():
        return None
    body = file.read(size)
    if hashlib.blake2b(body, digest_size=_DIGEST).digest() != digest:
        return None
    ids = np.frombuffer(body, dtype=np.uint8, count=n * ID).reshape(n, ID)
    return ids, np.frombuffer(body, dtype="<f4", offset=n * ID).reshape(n, width).astype(np.float32, copy=False)
