"""The project file: one SQLite database whose truth is the append-only journal of human events.

An event is committed with synchronous=FULL before `append` returns: it survives a kill and a power cut.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from labeler.core.codec import Unreadable, loads
from labeler.core.errors import DamagedProject, ProjectError
from labeler.core.events import Event
from labeler.core.types import Question, Round
from labeler.store import file_names, rows, seals
from labeler.store.connection import Connection
from labeler.store.copy import copy
from labeler.store.open import LOOK, explain_errors
from labeler.store.open_file import OpenFile
from labeler.store.settings import wrong_key

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


class Tables:
    """The tables of an open project file. `notes`: what was found damaged and can be made anew, one line each."""

    def __init__(self, file: OpenFile) -> None:
        self.path = file.path
        self._file = file
        self.notes: list[str] = [file.note] if file.note else []
        self.read_only = file.lock is None

    @property
    def _db(self) -> Connection:
        self._file.check_owner()
        return self._file.db

    # -- derived -------------------------------------------------------------------------------------------------

    def save_round(self, round_: Round) -> None:
        """Keep the arrays of `round_` in place of the last round's, and its facts for good."""
        if self.read_only:
            return
        with self._file.saving(synced=False):
            self._put("rounds", round_.round, round_.revision, json.dumps(rows.round_facts(round_)))
            for name, array in rows.round_arrays(round_).items():
                self._put("arrays", "round", name, *rows.pack_array(array))

    def load_round(self) -> Round | None:
        """The last round; None when there is none or it cannot be read (it is derived: the engine makes it anew)."""
        with explain_errors(self.path):
            try:
                last = next(self._rows("rounds", "ORDER BY revision DESC, round DESC LIMIT 1"), None)
                if last is None:
                    return None
                # finite: facts of a round, as the inertia of a clusterer that has none, may be nan
                return rows.round_of(last[0], last[1], loads(last[2], finite=False), self._arrays("round"))
            except (DamagedProject, Unreadable):
                self.notes.append("the last round is damaged: what the machine said is missing until it is made anew")
                return None

    def facts_of_rounds(self, fact: str) -> Iterator[dict[str, Any]]:
        """Yield what every round that was ever saved said of itself, the last first; of those alone that say `fact`."""
        which = "WHERE instr(facts, ?) > 0 ORDER BY revision DESC, round DESC"
        with explain_errors(self.path), contextlib.suppress(DamagedProject, Unreadable):  # derived, as the rounds are
            for _, _, text in self._rows("rounds", which, [json.dumps(fact)]):
                stored = loads(text, finite=False)
                facts = stored.get("facts") if isinstance(stored, dict) else None
                if isinstance(facts, dict) and fact in facts:
                    yield facts

    def arrays(self, owner: str) -> dict[str, NDArray[Any]]:
        """All arrays of one owner ("round", "pool") by name; without damaged ones, which is noted: they are derived."""
        try:
            return self._arrays(owner)
        except (DamagedProject, Unreadable):
            self.notes.append(f"what was read of the {owner} is damaged: it is made anew")
            return {}

    def put_arrays(self, owner: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep arrays by name, one row each."""
        with self._file.saving(synced=False):
            for name, array in arrays.items():
                self._put("arrays", owner, name, *rows.pack_array(array))

    # -- rows ----------------------------------------------------------------------------------------------------

    def _put(self, table: str, *values: Any) -> None:
        """Write a row in place of the one with its key, with its seal."""
        row = [*values, rows.seal(values)]
        self._db.execute(f"INSERT OR REPLACE INTO {table} VALUES ({rows.marks(row)})", row)  # noqa: S608

    def _arrays(self, owner: str) -> dict[str, NDArray[Any]]:
        with explain_errors(self.path):
            stored = self._rows("arrays", "WHERE owner = ?", [owner])
            return {name: rows.unpack_array(dtype, shape, data) for _, name, dtype, shape, data in stored}

    def _rows(self, table: str, which: str = "", values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Rows of a table, without their seals. Raises DamagedProject at the first that is not as it was written."""
        columns = ", ".join(rows.COLUMNS[table])
        for *row, seal in self._db.execute(f"SELECT {columns}, seal FROM {table} {which}", values):  # noqa: S608
            if seal != rows.seal(row) or not rows.is_typed(table, row):
                raise self._damaged(f"a row of {table}")
            yield tuple(row)

    def _damaged(self, what: str) -> DamagedProject:
        return DamagedProject(f"{self.path} is damaged: {what} is not as it was written", LOOK.format(self.path))


class Store(Tables):
    """An open project file. Use :meth:`open`; close it to leave a single file behind."""

    def __init__(self, file: OpenFile) -> None:
        super().__init__(file)
        self._committed = acknowledger()
        self._uncommitted: list[Event] | None = None  # those of a transaction that is under way

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        create: bool = False,
        read_only: bool = False,
        before_migration: Callable[[Path, Callable[..., None]], None] = lambda path, copy: None,
    ) -> Store:
        """Open a project file, or make it with `create`; brings an older schema up to date.

        `before_migration` is called before a file of an older schema is changed, with what copies it: see :meth:`copy`.

        Raises
        ------
        ProjectBusy
            Another process has it open for writing, by this name or another.
        ProjectError
            There is none, it is somebody else's database, damaged, newer than this version, or not writable.
        """
        try:
            exists = path.exists() and path.stat().st_size > 0
        except OSError as error:
            raise ProjectError(
                f"cannot open {path}: {error.strerror}", "choose another place with -p PROJECT"
            ) from error
        if not exists and (read_only or not create):
            raise ProjectError(f"there is no project file {path}", "start one with: labeler label SOURCE -p PROJECT")
        return cls(OpenFile.read(path) if read_only else OpenFile.write(path, create, before_migration))

    def adopt(self) -> None:
        """Belong to the present thread from here on; the one before must be done with it."""
        self._file.adopt()

    def close(self) -> None:
        """Fold the write-ahead log in, close, and free the lock; one file is left."""
        self._file.close()

    @property
    def is_lost(self) -> bool:
        """Whether the file at its place is no longer the one that is open."""
        return self._file.is_lost

    @contextmanager
    def at_one_moment(self) -> Iterator[None]:
        """Make all that is read inside be of one moment, also while another process writes.

        Not for long: the other may have to wait. A writer reads its own state as it is.
        """
        if not self.read_only:
            yield
            return
        with explain_errors(self.path), self._db.atomic():
            yield

    # -- copies --------------------------------------------------------------------------------------------------

    def copy(self, target: Path, **noted: Any) -> None:
        """Write what is committed to a new file; `noted`: what the copy remembers in place of what the project does.

        May be called while others read and write. Raises as :func:`labeler.store.copy.copy`.
        """
        copy(self.path, self._db.conn, target, noted)

    def mark(self) -> str:
        """Return what tells two states apart by all that cannot be made anew: journal, pool, audits, options."""
        with explain_errors(self.path):
            last = self._db.execute("SELECT seal FROM events ORDER BY seq DESC LIMIT 1").fetchone()
            other = self._db.execute(
                "SELECT seal FROM (SELECT seal, 1 AS part, key AS name FROM project"
                " WHERE key NOT IN ('backup', 'opened_as')"  # what a copy says of itself is nothing of what it holds
                " UNION ALL SELECT seal, 2, start FROM pool UNION ALL SELECT seal, 3, audit || name FROM frozen)"
                " ORDER BY part, name"
            ).fetchall()
        return f"{bytes(last[0] or b'').hex() if last else ''}-{rows.seal([seal for (seal,) in other]).hex()}"

    def n_events(self) -> int:
        """Return how many events the journal has."""
        with explain_errors(self.path):
            return int(self._db.execute("SELECT COUNT(*) FROM events WHERE seq > 0").fetchone()[0])

    def quick_check(self) -> list[str]:
        """Return what SQLite finds wrong with the file, one line each; empty where it is sound."""
        with explain_errors(self.path):
            rows = [str(row) for (row,) in self._db.execute("PRAGMA quick_check")]
        lines = [line for row in rows for line in row.splitlines() if not line.startswith("***")]  # a row has many
        return [] if lines == ["ok"] else lines

    # -- journal -------------------------------------------------------------------------------------------------

    def append(self, event: Event) -> Event:
        """Commit one event; see :class:`labeler.session.journal.Journal`.

        One that is there already, by its id, is not written twice: what was perhaps not saved may be tried again.
        """
        self._check_writable()
        try:
            with self._file.saving():
                stored = replace(event, at=float(event.at), seq=self._add(event))
        except sqlite3.IntegrityError as error:
            before = self.find(event.event_id)
            if before is None:
                raise self._damaged("its journal") from error
            stored = before
        if self._uncommitted is None:
            self._committed(stored)  # not before: tests that kill the program hold it to what it acknowledged
        else:
            self._uncommitted.append(stored)
        return stored

    def find(self, event_id: str) -> Event | None:
        """The event of this id; None where the journal has none."""
        with explain_errors(self.path):
            statement = f"SELECT seq, {rows.EVENTS} FROM events WHERE event_id = ?"  # noqa: S608
            row = self._db.execute(statement, [event_id]).fetchone()
        return rows.event_of(row) if row is not None else None

    def append_all(self, events: Iterable[Event]) -> None:
        """Commit many events at once, in their order: all of them or none."""
        with self._file.saving():
            for event in events:
                self._add(event)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Several appends in one transaction: all of them or none. Raises NotSaved."""
        self._uncommitted = []
        try:
            with self._file.saving():
                yield
            for event in self._uncommitted:
                self._committed(event)
        finally:
            self._uncommitted = None

    def replay(self) -> Iterator[Event]:
        """All events in order.

        Raises
        ------
        DamagedProject
            At the first event that is not as it was written.
        """
        with explain_errors(self.path):
            for row, _, proven in seals.events_of(self._db):
                if not proven:
                    where = f"event {row[0]} of its journal" if row[0] else "the end of its journal"
                    raise self._damaged(where)
                try:
                    event = rows.event_of(row)
                except ValueError as error:
                    raise self._damaged(f"event {row[0]} of its journal ({error})") from error
                yield event

    def freeze(self, audit: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Commit the labels an audit speaks of; what an audit that never began left under its number is replaced."""
        self._check_writable()
        with self._file.saving():
            self._db.execute("DELETE FROM frozen WHERE audit = ?", [audit])
            for name, array in arrays.items():
                self._put("frozen", audit, name, *rows.pack_array(array))

    def frozen(self, audit: int) -> dict[str, NDArray[Any]]:
        """The labels of an audit by name of the array; empty where there are none or they are damaged."""
        with explain_errors(self.path):
            try:
                stored = list(self._rows("frozen", "WHERE audit = ?", [audit]))
                return {name: rows.unpack_array(dtype, shape, data) for _, name, dtype, shape, data in stored}
            except (DamagedProject, TypeError, ValueError):
                return {}

    def save_question(self, question: Question | None, revision: int) -> None:
        """Keep the pinned question; without an fsync, because the queue can stand in for it."""
        if self.read_only:
            return
        with self._file.saving(synced=False):
            self._put("question", 1, rows.question_value(question, revision))

    def load_question(self) -> tuple[Question, int] | None:
        """The pinned question and its revision; None also where it cannot be read: the queue can stand in for it."""
        with explain_errors(self.path):
            try:
                row = next(self._rows("question"), None)
                return rows.question_of(row[1]) if row else None
            except (DamagedProject, Unreadable):
                return None

    # -- pool and project ----------------------------------------------------------------------------------------

    def instance_ids(self) -> list[str]:
        """The ids of the pool in its order."""
        ids: list[str] = []
        with explain_errors(self.path):
            for start, count, blob, _ in self._rows("pool", "ORDER BY start"):
                if start != len(ids):  # a row before it is gone
                    raise self._damaged("its list of instances")
                ids += rows.unpack_ids(blob, count)
                if count < 1 or len(ids) != start + count:
                    raise self._damaged("its list of instances")
        return ids

    def holds(self, ids: Sequence[str]) -> bool:
        """Whether the pool is just these, in this order; compared as they are stored, so that no list is made of it."""
        end = 0
        with explain_errors(self.path), contextlib.suppress(UnicodeEncodeError):  # a name that cannot be stored
            for start, count, blob, _ in self._rows("pool", "ORDER BY start"):
                if start != end or count < 1 or blob != rows.pack_ids(ids, start, start + count):
                    return False
                end += count
            return end == len(ids)
        return False

    def join_instances(self, ids: Sequence[str], at: float, **remembered: Any) -> None:
        """Append new instances to the pool, and remember values of the project with them: all of it or nothing."""
        if not ids:
            return
        with self._file.saving():
            start = self._db.execute("SELECT COALESCE(SUM(count), 0) FROM pool").fetchone()[0]
            self._put("pool", start, len(ids), rows.pack_ids(ids), float(at))
            for key, value in remembered.items():
                self._put("project", key, json.dumps(value))

    def project(self) -> dict[str, Any]:
        """Return the settings that the project remembers: source, options, ...; see :mod:`labeler.store.settings`.

        Raises
        ------
        DamagedProject
            It says what cannot be.
        """
        with explain_errors(self.path):
            try:
                values = {key: loads(value) for key, value in self._rows("project") if key != file_names.KEY}
            except ValueError as error:
                raise self._damaged(f"what it remembers ({error})") from error
        if wrong := wrong_key(values):
            raise self._damaged(f"what it remembers ({wrong})")
        return values

    def remember(self, **values: Any) -> None:
        """Keep values of the project."""
        with self._file.saving():
            for key, value in values.items():
                self._put("project", key, json.dumps(value))

    # -- inside --------------------------------------------------------------------------------------------------

    def _check_writable(self) -> None:
        if self.read_only:
            raise ProjectError(f"{self.path} was opened for reading only", "open it with: labeler label PROJECT")

    def _add(self, event: Event) -> int:
        row = rows.next_event(self._db, rows.event_row(event))
        self._db.execute(f"INSERT INTO events (seq, {rows.EVENTS}, seal) VALUES ({rows.marks(row)})", row)  # noqa: S608
        self._file.appended = int(row[0]), row[-1]
        return int(row[0])
