"""Reading files that others wrote: regular ones only, and never more than a limit."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from labeler.core import descriptors
from labeler.core.errors import SourceError, UnreadableInstance

MAX_FILE_BYTES = 512 * 1024 * 1024
"""Larger than any image of 64 megapixels that is stored sensibly."""


def read_bytes(path: str | Path, limit: int = MAX_FILE_BYTES, *, is_link: bool = False) -> bytes:
    """Read a regular file whole.

    It is opened without waiting, and without following a link unless one was listed (`is_link`): a listed file may have
    been replaced by a pipe or a link since.

    Raises
    ------
    UnreadableInstance
        Gone, not permitted, no regular file, or larger than `limit` bytes.
    """
    with opened(path, is_link=is_link) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise UnreadableInstance(f"{size:,} bytes are more than the limit of {limit:,}")
        return file.read(limit)  # no more than that, should it grow meanwhile


@contextmanager
def opened(path: str | Path, *, is_link: bool = False) -> Iterator[IO[bytes]]:
    """A regular file to read, opened as :func:`read_bytes` does; what goes wrong meanwhile is said as it says it."""
    # without O_NONBLOCK, opening a pipe that nobody writes to waits forever
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | (0 if is_link else getattr(os, "O_NOFOLLOW", 0))
    try:
        descriptor = os.open(path, flags)
        # of what was opened, not of the path, which may name something else by now
        status = os.fstat(descriptor)
        try:
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableInstance("no longer a regular file")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                yield file
        finally:
            if is_link or status.st_nlink > 1:  # it may be another name of a database that is open
                descriptors.close(descriptor)
            else:
                os.close(descriptor)
    except FileNotFoundError:
        raise UnreadableInstance("the file is gone") from None
    except OSError as error:
        raise UnreadableInstance(f"cannot be read ({error.strerror or error})") from None


def pread(file: IO[bytes], at: int, size: int) -> bytes:
    """`size` bytes of an open file from `at`, fewer at its end; none where there is no such place."""
    try:
        # the size often comes from a header, which may claim anything
        return os.pread(file.fileno(), min(size, MAX_FILE_BYTES), at)
    except (OSError, OverflowError, ValueError):
        return b""


def first_bytes(path: Path, count: int = 8) -> bytes:
    """The first bytes of a regular file; nothing where there is none or it cannot be read."""
    try:
        return descriptors.read(path, count)  # it may be a project file that is open
    except OSError:
        return b""


def file_state(path: Path) -> tuple[int, int]:
    """(size, time of change in ns) of a file.

    Raises
    ------
    SourceError
        It cannot be looked at.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}", "check the path and its permissions") from None
    return status.st_size, status.st_mtime_ns
