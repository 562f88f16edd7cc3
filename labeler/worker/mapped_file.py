"""An array file that is filled through its mapping, every byte of it reserved before: a full disk shows at once.

A mapped file gets its bytes when a page of it is first written, unless it has them; where there are none left by then,
the kernel ends the process (SIGBUS), and nothing can be caught.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike

ROOM = 64_000_000
"""Bytes that what nobody asked for leaves free, so that no answer fails because of it. The journal takes a kilobyte an
answer, and 4 MB until its log is folded in; the last round takes about 20 bytes an instance, twice while another takes
its place: of a million instances, 40 MB."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOT_THERE = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)
"""What a file system says that has no way to reserve bytes."""
_ZEROS = bytes(1 << 20)


def create(path: Path, dtype: DTypeLike, shape: tuple[int, ...], leave: int = 0) -> np.memmap[Any, Any]:
    """Make a file of zeros of this shape, and return it mapped for writing.

    `leave`: bytes that are to be free afterwards. Raises OSError where there are not as many.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    check_room(path.parent, size + leave if leave else 0)
    array: np.memmap[Any, Any] = np.lib.format.open_memmap(path, "w+", dtype, shape)
    with open(path, "r+b") as file:
        _reserve(file, size)
    return array


def free(folder: Path) -> int:
    """Return the bytes that are free for this user on the disk of a folder. Raises OSError."""
    return shutil.disk_usage(folder).free


def check_room(folder: Path, size: int) -> None:
    """Raise OSError where fewer than `size` bytes are free on the disk of a folder."""
    if size and free(folder) < size:
        raise OSError(errno.ENOSPC, f"fewer than {size / 1e6:,.0f} MB are free on this disk", str(folder))


def is_full(error: OSError) -> bool:
    """Whether an error says that there is no room: on the disk, in somebody's share of it, or in a file."""
    return error.errno in _FULL


def _reserve(file: BinaryIO, size: int) -> None:
    """Have the disk keep all bytes of a file whose last `size` are zeros."""
    total = os.fstat(file.fileno()).st_size
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file.fileno(), 0, total)
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise
        else:
            return
    file.seek(total - size)
    for start in range(0, size, len(_ZEROS)):  # what is written has its bytes
        file.write(_ZEROS[: size - start])
    file.flush()
