"""Reading files that others wrote: regular ones only, and never more than a limit."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from labeler import descriptors
from labeler.errors import SourceError, UnreadableInstance

MAX_FILE_BYTES = 512 * 1024 * 1024
"""Larger than any image of 64 megapixels that is stored sensibly."""


def read_bytes(path: str | Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """Read a regular file whole.

    It is opened without following a link and without waiting: a listed file may have been replaced by a pipe since.

    Raises
    ------
    UnreadableInstance
        Gone, not permitted, no regular file, or larger than `limit` bytes.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableInstance("no longer a regular file")
            if status.st_size > limit:
                raise UnreadableInstance(f"{status.st_size:,} bytes are more than the limit of {limit:,}")
            return file.read(limit)
    except FileNotFoundError:
        raise UnreadableInstance("the file is gone") from None
    except OSError as error:
        raise UnreadableInstance(f"cannot be read ({error.strerror or error})") from None


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
