"""Long work is a generator that yields signs of life: between two of them, others are served."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

Result = TypeVar("Result")

WORK = 1_000_000_000
"""Multiplications between two signs of life, about: a tenth of a second on one busy core."""


def finished(job: Generator[Any, None, Result]) -> Result:
    """Run a job of steps to its end; what it returns."""
    while True:
        try:
            next(job)
        except StopIteration as end:
            result: Result = end.value
            return result


def rows_at_once(work_a_row: int, least: int, most: int) -> int:
    """How many rows of so many multiplications fit between two signs of life, within bounds."""
    return max(least, min(WORK // max(work_a_row, 1), most))
