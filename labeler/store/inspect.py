"""A project file as it lies on disk, however damaged: what can still be read of it, and what can not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labeler.core import descriptors
from labeler.core.errors import PROJECT_ERRORS
from labeler.core.events import Event
from labeler.store import file_names, limits, renewal, rows, wal
from labeler.store.connection import Connection
from labeler.store.lock import holder
from labeler.store.open import MAGIC, counter_page, open_reader
from labeler.store.schema import APPLICATION_ID, bring_up_to_date, schema_version
from labeler.store.schema_check import foreign_things

TABLES = ("events", *rows.COLUMNS)
_MOST_GONE = 100_000
"""Events that are named one by one where a stretch of the journal is gone."""


@dataclass(slots=True)
class Inspected:
    """The contents of a project file. `rows`: sound rows of each table, without seals; `bad`: in words, table by table.

    `events`: the sound ones in order; `bad_events`: the others as (seq, as far as they can be read).
    `unreadable`: why it cannot be opened at all; `foreign`: why it is none of our files; `newer`: its newer schema.
    `missing`: what of the log beside the file could not be read.
    `locked`: another program holds it, so that nothing of it is known.
    """

    unreadable: str = ""
    foreign: str = ""
    newer: int = 0
    missing: wal.Missing = wal.Missing.NOTHING
    locked: bool = False
    schema: int = 0
    structure: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    bad_events: list[tuple[int, Event | None]] = field(default_factory=list)
    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    bad: dict[str, list[str]] = field(default_factory=dict)


def inspect(path: Path) -> Inspected:
    """Read a project file as far as it goes; never raises for what is in it and changes nothing."""
    inspected = Inspected()
    try:
        place = renewal.newest(file_names.log_name(path))
        head = descriptors.read(place, 100)  # all of SQLite's header
    except OSError as error:
        inspected.unreadable = error.strerror or str(error)
        return inspected
    except PROJECT_ERRORS as error:
        inspected.unreadable = f"{error.message} ({error.hint})"
        return inspected
    if head[:16] != MAGIC:
        inspected.unreadable = "its first bytes are not those of a project file"
        if not path.name.endswith(".labeler.db"):
            inspected.foreign = "it is no database"
        return inspected
    descriptors.hold(place)
    try:
        is_at_rest, before = not holder(place), wal.evidence(place)
        with closing(open_reader(place)) as db:
            db.conn.text_factory = _text  # damaged text must not end the reading
            with db.atomic():  # one moment of it, also while somebody writes
                _look(db, inspected)
            if is_at_rest and before.stands(place) and not holder(place):
                inspected.missing = before.missing(counter_page(db))
    except (sqlite3.Error, *PROJECT_ERRORS) as error:
        inspected.unreadable, inspected.locked = str(error), _is_locked(error)
    finally:
        descriptors.release(place)
    return inspected


def _is_locked(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _pass_on(error: sqlite3.Error) -> None:
    """Raise an error of a lock again: what is locked is not damaged, and nothing that is said of it would hold."""
    if _is_locked(error):
        raise error


def _look(db: Connection, inspected: Inspected) -> None:
    inspected.schema = db.execute("PRAGMA user_version").fetchone()[0]
    application_id = db.execute("PRAGMA application_id").fetchone()[0]
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:  # it was being made
        return
    if application_id != APPLICATION_ID:
        if not {"events", "pool", "project"} <= tables:
            inspected.foreign = "it is a database of another program"
            return
        inspected.structure.append("its application id is not labeler's")
    if inspected.schema > schema_version() and application_id == APPLICATION_ID:
        inspected.newer = inspected.schema
        return
    if wrong := foreign_things(db.conn):
        inspected.unreadable = f"it holds things that labeler did not put there: {', '.join(wrong[:5])}"
        return
    inspected.structure += _structure(db)
    if not inspected.structure:
        limits.lift(db.conn)
    sealed = db
    if inspected.schema < schema_version() and not inspected.structure:  # as it will be once it is opened
        sealed = Connection(sqlite3.connect(":memory:", isolation_level=None))
        sealed.conn.text_factory = _text
        db.conn.backup(sealed.conn)
        with sealed.atomic():
            bring_up_to_date(sealed.conn)
    _read_events(sealed, inspected)
    _read_tables(sealed, inspected)


def _read_tables(sealed: Connection, inspected: Inspected) -> None:
    """Sort the rows of the other tables into sound ones and others."""
    for table, columns in rows.COLUMNS.items():
        good: list[tuple[Any, ...]] = inspected.rows.setdefault(table, [])
        try:
            for *row, seal in sealed.execute(f"SELECT {', '.join(columns)}, seal FROM {table}"):  # noqa: S608
                if seal == rows.seal(row) and rows.is_typed(table, row):
                    good.append(tuple(row))
                else:
                    inspected.bad.setdefault(table, []).append(_named(table, row))
        except sqlite3.Error as error:
            _pass_on(error)
            inspected.bad.setdefault(table, []).append(f"cannot be read on ({error})")


def _structure(db: Connection) -> list[str]:
    """Return the lines of SQLite's own checks: of the pages, and of tables against their indexes."""
    lines: list[str] = []
    try:
        # while the pages are not sound, tables and indexes tell nothing
        for check in ("quick_check", "integrity_check"):
            rows = [str(row) for (row,) in db.execute(f"PRAGMA {check}")]
            lines = [line for row in rows for line in row.splitlines() if not line.startswith("***")]
            if lines != ["ok"]:
                return lines
    except sqlite3.Error as error:
        _pass_on(error)
        return [*lines, str(error)]
    return []


def _read_events(db: Connection, inspected: Inspected) -> None:
    """Sort the events into sound ones and others; a damaged row or seal is one, not all that come after it."""
    counter = _counter(db, inspected)
    before: set[bytes] = {rows.FIRST}
    expected = 1
    doubtful: tuple[int, Event | None, bytes] | None = None  # a row that its seal contradicts: perhaps the seal is bad
    for seq, values, seal in _event_rows(db, counter):
        if expected < seq:
            inspected.bad_events += [(gone, None) for gone in range(expected, min(seq, expected + _MOST_GONE))]
            # after a gap nothing says what seal came before: the row is taken, and is the link for the next
            before = set()
        expected = seq + 1
        links = {rows.chain(link, seq, values) for link in before}
        event = _event(seq, values)
        sound = event is not None and (seal in links if before else True)
        if doubtful is not None:
            only_its_seal = doubtful[1] is not None and seal == rows.chain(doubtful[2], seq, values)
            if only_its_seal:
                inspected.bad.setdefault("events", []).append(f"the seal of event {doubtful[0]}")
                inspected.events.append(doubtful[1])  # type: ignore[arg-type]
            else:
                inspected.bad_events.append(doubtful[:2])
            doubtful = None
        if sound and event is not None:
            inspected.events.append(event)
        else:
            doubtful = (seq, event, next(iter(links), b""))
        before = {link for link in (seal, *links) if isinstance(link, bytes)}
    if doubtful is not None:
        inspected.bad_events.append(doubtful[:2])
    if counter is not None and counter >= expected:
        inspected.bad_events += [(seq, None) for seq in range(expected, min(counter, expected + _MOST_GONE) + 1)]


def _event_rows(db: Connection, counter: int | None) -> Iterator[tuple[int, tuple[Any, ...], Any]]:
    """(seq, values, seal) of every event that can be read: in one go, or where that fails one by one."""
    seen = 0
    try:
        for seq, *values, seal in db.execute(f"SELECT seq, {rows.EVENTS}, seal FROM events ORDER BY seq"):  # noqa: S608
            yield seq, tuple(values), seal
            seen = seq
    except sqlite3.Error as error:
        _pass_on(error)
        yield from _one_by_one(db, seen, counter)


def _one_by_one(db: Connection, seen: int, counter: int | None) -> Iterator[tuple[int, tuple[Any, ...], Any]]:
    for seq in range(seen + 1, min(counter or 0, seen + _MOST_GONE) + 1):
        try:
            row = db.execute(f"SELECT {rows.EVENTS}, seal FROM events WHERE seq = ?", [seq]).fetchone()  # noqa: S608
        except sqlite3.Error:
            continue
        if row is not None:
            yield seq, tuple(row[:-1]), row[-1]


def _counter(db: Connection, inspected: Inspected) -> int | None:
    """Return how many events were ever written, by SQLite's own counter; None where it cannot be read."""
    try:
        row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    except sqlite3.Error:
        return None
    if row is None or isinstance(row[0], int):
        return row[0] if row is not None else None
    inspected.structure.append("the counter of events is no number")
    return None


def _event(seq: int, values: tuple[Any, ...]) -> Event | None:
    try:
        return rows.event_of((seq, *values))
    except (TypeError, ValueError, AttributeError):
        return None


def _named(table: str, row: list[Any]) -> str:
    return " ".join(str(value)[:40] for value in row[:2] if isinstance(value, str | int)) or f"a row of {table}"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
