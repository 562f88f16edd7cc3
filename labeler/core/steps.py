"""Long work is a generator that yields signs of life: between two of them, others are served."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Generator
from typing import Any, TypeVar

Result = TypeVar("Result")

WORK = 1_000_000_000
"""Multiplications between two signs of life, about: a tenth of a second on one busy core."""


_C = ctypes.CDLL(None) if os.name == "posix" else None  # the library that is loaded: malloc_trim is glibc's alone

NUMBERS = 1_000_000
"""Numbers in an array that lives for a moment: 4 MB of float32, whatever the pool."""


def give_back() -> None:
    """Return what was freed to the system: after large passing arrays glibc would keep their pages for itself."""
    trim = getattr(_C, "malloc_trim", None)
    if trim is not None:
        trim(0)


def run(job: Generator[Any, None, Result], on_progress: Callable[[Any], None] | None = None) -> Result:
    """Run a job of steps to its end and return its result; `on_progress` gets every sign of life."""
    while True:
        try:
            step = next(job)
        except StopIteration as end:
            result: Result = end.value
            return result
        if on_progress is not None:
            on_progress(step)


def rows_at_once(work_a_row: int, least: int, most: int) -> int:
    """Return how many rows of so many multiplications fit between two signs of life, within bounds."""
    return max(least, min(WORK // max(work_a_row, 1), most))


def blocks(n_rows: int, n_columns: int) -> list[slice]:
    """Rows of an array (n_rows, n_columns) that is worked on block by block, so that what is passing stays small."""
    size = max(1, NUMBERS // max(n_columns, 1))
    return [slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]
