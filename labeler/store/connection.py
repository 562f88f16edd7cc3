"""A connection to SQLite and its transactions."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from labeler.core.events import Event

VARIABLE = "LABELER_ACK_FD"
"""The descriptor to write to, as a number."""


def acknowledger() -> Callable[[Event], None]:
    """Return what is called with each committed event; it writes ``[seq, event_id, kind, instance_id, class_id]``."""
    named = os.environ.get(VARIABLE, "")
    if not named.isdecimal():
        return lambda event: None
    descriptor = int(named)

    def say(event: Event) -> None:
        line = json.dumps([event.seq, event.event_id, event.kind, event.instance_id, event.class_id])
        with contextlib.suppress(OSError):  # whoever listened is gone
            os.write(descriptor, line.encode() + b"\n")

    return say


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
