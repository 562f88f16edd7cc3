"""Limits to what a file of unknown origin may cost: bounds on its connection, lifted once it has proven sound.

Seals protect from accidents, not from people: anyone can compute them. In a tree of pages that points into itself a
few kilobytes make rows without end, and one long chain of pages can be the value of every row. SQLite's own check of
the pages finds both; until it has been through, and where it finds something, reading has a budget of processor time
and of bytes, each in proportion to the size of the file.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

SECONDS, SECONDS_A_MEGABYTE = 3.0, 0.02
"""Processor time for reading what is not known to be sound: quick_check takes a tenth of it."""
LONGEST = 256_000_000
"""Bytes of the longest value: the ids of a million instances are 30 million."""
_OPS = 1000
"""Steps of SQLite's machine between two looks at the clock: below a millisecond, but for the longest of values."""
_CATEGORIES = (
    (sqlite3.SQLITE_LIMIT_LENGTH, LONGEST),
    (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (sqlite3.SQLITE_LIMIT_COLUMN, 100),
    (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 100),
    (sqlite3.SQLITE_LIMIT_ATTACHED, 0),  # nothing in the file may open another one
    (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1),
)


class Guard:
    """The budget of one connection; in force from the beginning until it is lifted."""

    def __init__(self, connection: sqlite3.Connection, size: int, seconds: float) -> None:
        # of this thread's own time: on a busy machine a sound file must not look endless
        self._until = time.thread_time() + seconds + SECONDS_A_MEGABYTE * size / 1e6
        self._bytes = 2 * size + 1_000_000
        connection.set_progress_handler(self._is_over, _OPS)
        connection.row_factory = self._row

    def _is_over(self) -> int:
        return time.thread_time() > self._until

    def _row(self, _: sqlite3.Cursor, row: tuple[Any, ...]) -> tuple[Any, ...]:
        self._bytes -= sum(len(value) for value in row if isinstance(value, bytes | str))
        if self._bytes < 0:
            raise sqlite3.DatabaseError("its rows hold more than the file does")
        return row


def guard_connection(connection: sqlite3.Connection, path: Path, seconds: float | None = None) -> sqlite3.Connection:
    """`connection` with bounds: no code of the file's own is trusted, and reading has a budget."""
    Guard(connection, path.stat().st_size if path.exists() else 0, SECONDS if seconds is None else seconds)
    for category, most in _CATEGORIES:
        connection.setlimit(category, most)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


def lift(connection: sqlite3.Connection) -> None:
    """End the budget of a file whose pages are a tree and whose tables are ours: what it holds is what it costs."""
    connection.set_progress_handler(None, 0)
    connection.row_factory = None


def lift_if_sound(connection: sqlite3.Connection) -> None:
    """End the budget where SQLite finds nothing wrong; it stays in force for what can be read of a damaged file."""
    (wrong,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if wrong == "ok":
        lift(connection)
