"""A connection to SQLite, its transactions, and the footprint by which it knows that nobody else was at its file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labeler.core.descriptors import Identity


class Connection:
    """Statements one by one, or several in one transaction; outside of one, each is its own."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self.conn = conn
        self.when_closed: Callable[[], object] = lambda: None

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self.conn.execute(statement, values)

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """One transaction: committed at the end, rolled back where anything fails, the commit included.

        Inside of another one it is a part of it.
        """
        if self.conn.in_transaction:
            yield
            return
        self.conn.execute("BEGIN")
        try:
            yield
            self.conn.execute("COMMIT")
        except BaseException:  # ctrl+c, too: a transaction left open would take the next events in, uncommitted
            self.conn.rollback()
            raise

    def close(self) -> None:
        """Close it, and do what is to be done then."""
        self.conn.close()
        self.when_closed()


@dataclass(frozen=True, slots=True)
class Footprint:
    """All that lies at the place of a project file, as it was at one look.

    Attributes
    ----------
    identity
        What the file itself is; None where it is gone.
    changed
        When it was written last, in nanoseconds; 0 where it is gone.
    logs
        The files of a live log, by their suffix; none in DELETE mode, in which a journal comes and goes.
    log
        Size and time of the log, which nobody else writes; a size of -1 where there is none.
    """

    identity: Identity | None
    changed: int
    logs: dict[str, Identity]
    log: tuple[int, int]

    @classmethod
    def of(cls, place: Path) -> Footprint:
        """Return the footprint of the file at `place` as it is now."""
        looks: dict[str, os.stat_result] = {}
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                looks[suffix] = os.stat(f"{place}{suffix}")
        identities = {suffix: (look.st_dev, look.st_ino) for suffix, look in looks.items()}
        file, log = looks.get(""), looks.get("-wal")
        return cls(
            identity=identities.pop("", None),
            changed=file.st_mtime_ns if file is not None else 0,
            logs=identities,
            log=(log.st_size, log.st_mtime_ns) if log is not None else (-1, 0),
        )
