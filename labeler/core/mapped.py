"""Arrays that lie in a file and are mapped."""

from __future__ import annotations

import mmap
from typing import Any

from numpy.typing import NDArray


def let_go(array: NDArray[Any]) -> None:
    """Let go of what was looked at of a mapped file: it would count as this process's memory as long as there is room.

    The system keeps it as long as it likes, and hands it out again. Nothing happens to an array that is not mapped.
    """
    base: object = array.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
