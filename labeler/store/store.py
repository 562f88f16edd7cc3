"""The project file: one SQLite database whose truth is the append-only journal of human events.

An event is committed with synchronous=FULL before `append` returns: it survives a kill and a power cut.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from numpy.typing import NDArray

from labeler.core.vocabulary import Event, Question, Round
from labeler.errors import DamagedProject, NotSaved, ProjectError
from labeler.store import log, rows, seals
from labeler.store.connection import Connection
from labeler.store.lock import ProjectLock
from labeler.store.schema import APPLICATION_ID, SEALED_SINCE, bring_up_to_date, schema_version
from labeler.store.witness import witness


class Store:
    """An open project file. Use :meth:`open`; close it to leave a single file behind."""

    def __init__(self, path: Path, db: Connection, lock: ProjectLock | None) -> None:
        self.path = path
        self._db = db
        self._lock = lock
        self._is_sealed = db.execute("PRAGMA user_version").fetchone()[0] >= SEALED_SINCE
        self._committed = witness()
        self.notes: list[str] = []
        """What was found damaged and can be made anew: one line each, for the person."""

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written."""
        return self._lock is None

    @classmethod
    def open(cls, path: Path, *, create: bool = False, read_only: bool = False) -> Store:
        """Open a project file, or make it with `create`; brings an older schema up to date.

        Raises
        ------
        ProjectBusy
            Another process has it open for writing.
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
        index = log.index_of(path)
        if exists:
            _check_header(path)
            _check_untouched(path)
        lock = None
        if not read_only:
            lock = ProjectLock(path)
            lock.acquire()
        try:
            db = _connect(path, "ro" if read_only else "rwc" if create else "rw")
            if not read_only:
                with _explained(path):
                    _prepare_for_writing(db)
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        store = cls(path, db, lock)
        if log.is_cut_short(path, index) and (lock is not None or not ProjectLock(path).is_held()):
            store.notes.append(log.CUT_SHORT)
        return store

    def close(self) -> None:
        """Fold the write-ahead log in, close, and free the lock.

        The file rests in DELETE mode, so that a later reader makes no log beside it, not even in a read-only folder.
        """
        if self._lock is not None:
            with suppress(sqlite3.Error):  # a reader holds it: the log stays beside the file and nothing is lost
                self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    # -- journal -------------------------------------------------------------------------------------------------

    def append(self, event: Event) -> Event:
        """Commit one event; see :class:`labeler.session.ports.Journal`."""
        if self.read_only:
            raise ProjectError(f"{self.path} was opened for reading only", "open it with: labeler label PROJECT")
        with _explained(self.path, NotSaved), self._db.atomic():
            seq = self._add(event)
        stored = rows.event_of((seq, *rows.event_row(event)))
        self._committed(stored)
        return stored

    def append_all(self, events: Iterable[Event]) -> None:
        """Commit many events at once, in their order: all of them or none."""
        with _explained(self.path, NotSaved), self._db.atomic():
            for event in events:
                self._add(event)

    def replay(self) -> Iterator[Event]:
        """All events in order.

        Raises
        ------
        DamagedProject
            At the first event that is not as it was written.
        """
        with _explained(self.path):
            if not self._is_sealed:
                yield from map(rows.event_of, self._db.execute(f"SELECT seq, {seals.EVENTS} FROM events ORDER BY seq"))  # noqa: S608
                return
            for row, holds in seals.events_of(self._db):
                if not holds:
                    where = f"event {row[0]} of its journal" if row[0] else "the end of its journal"
                    raise self._damaged(where)
                yield rows.event_of(row)

    def freeze(self, audit: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Commit the labels an audit speaks of; what an audit that never began left under its number is replaced."""
        if self.read_only:
            raise ProjectError(f"{self.path} was opened for reading only", "open it with: labeler label PROJECT")
        with _explained(self.path, NotSaved), self._db.atomic():
            self._db.execute("DELETE FROM frozen WHERE audit = ?", [audit])
            for name, array in arrays.items():
                self._put("frozen", audit, name, *rows.pack_array(array))

    def frozen(self, audit: int) -> dict[str, NDArray[Any]]:
        """The labels of an audit by name of the array; empty where there are none or they are damaged."""
        with _explained(self.path):
            try:
                found = list(self._rows("frozen", "WHERE audit = ?", [audit]))
                return {name: rows.unpack_array(dtype, shape, data) for _, name, dtype, shape, data in found}
            except (DamagedProject, TypeError, ValueError):
                return {}

    def save_question(self, question: Question | None, revision: int) -> None:
        """Keep the pinned question; without an fsync, because the queue can stand in for it."""
        if self.read_only:
            return
        value = None if question is None else _question_row(question, revision)
        with _explained(self.path, NotSaved), self._unsynced(), self._db.atomic():
            self._put("question", 1, json.dumps(value))

    def load_question(self) -> dict[str, Any] | None:
        """The pinned question, or None; also where it cannot be read, because the queue can stand in for it."""
        with _explained(self.path):
            try:
                row = next(self._rows("question"), None)
            except DamagedProject:
                return None
        value: dict[str, Any] | None = json.loads(row[1]) if row else None
        return value

    # -- derived -------------------------------------------------------------------------------------------------

    def save_round(self, round_: Round) -> None:
        """Keep the arrays of `round_` in place of the last round's, and its facts for good."""
        if self.read_only:
            return
        with _explained(self.path, NotSaved), self._unsynced(), self._db.atomic():
            self._put("rounds", round_.round, round_.revision, json.dumps(rows.round_facts(round_)))
            for name, array in rows.round_arrays(round_).items():
                self._put("arrays", "round", name, *rows.pack_array(array))

    def load_round(self) -> Round | None:
        """The last round; None when there is none or it cannot be read (it is derived: the engine makes it anew)."""
        with _explained(self.path):
            try:
                last = next(self._rows("rounds", "ORDER BY revision DESC, round DESC LIMIT 1"), None)
                if last is None:
                    return None
                return rows.round_of(last[0], last[1], json.loads(last[2]), self._arrays("round"))
            except (DamagedProject, KeyError, TypeError, ValueError):
                self.notes.append("the last round is damaged: what the machine said is missing until it is made anew")
                return None

    def arrays(self, owner: str) -> dict[str, NDArray[Any]]:
        """All arrays of one owner ("round", "pool") by name; without damaged ones, which is noted: they are derived."""
        try:
            return self._arrays(owner)
        except (DamagedProject, TypeError, ValueError):
            self.notes.append(f"what was read of the {owner} is damaged: it is made anew")
            return {}

    def put_arrays(self, owner: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep arrays by name, one row each."""
        with _explained(self.path, NotSaved), self._unsynced(), self._db.atomic():
            for name, array in arrays.items():
                self._put("arrays", owner, name, *rows.pack_array(array))

    # -- pool and project ----------------------------------------------------------------------------------------

    def instance_ids(self) -> list[str]:
        """The ids of the pool in its order."""
        ids: list[str] = []
        with _explained(self.path):
            for start, count, blob, _ in self._rows("pool", "ORDER BY start"):
                if start != len(ids):
                    raise self._damaged("its list of instances")
                ids += rows.unpack_ids(blob, count)
        return ids

    def join_instances(self, ids: list[str], at: float) -> None:
        """Append new instances to the pool."""
        if not ids:
            return
        with _explained(self.path, NotSaved), self._db.atomic():
            start = self._db.execute("SELECT COALESCE(SUM(count), 0) FROM pool").fetchone()[0]
            self._put("pool", start, len(ids), rows.pack_ids(ids), float(at))

    def project(self) -> dict[str, Any]:
        """What the project remembers: source, options, ..."""
        with _explained(self.path):
            return {key: json.loads(value) for key, value in self._rows("project")}

    def remember(self, **values: Any) -> None:
        """Keep values of the project."""
        with _explained(self.path, NotSaved), self._db.atomic():
            for key, value in values.items():
                self._put("project", key, json.dumps(value))

    # -- inside --------------------------------------------------------------------------------------------------

    def _add(self, event: Event) -> int:
        row = seals.next_event(self._db, rows.event_row(event))
        self._db.execute(f"INSERT INTO events (seq, {seals.EVENTS}, seal) VALUES ({_marks(row)})", row)  # noqa: S608
        return int(row[0])

    def _put(self, table: str, *values: Any) -> None:
        """Write a row in place of the one with its key, with its seal."""
        row = [*values, seals.seal(values)]
        self._db.execute(f"INSERT OR REPLACE INTO {table} VALUES ({_marks(row)})", row)  # noqa: S608

    def _arrays(self, owner: str) -> dict[str, NDArray[Any]]:
        with _explained(self.path):
            found = self._rows("arrays", "WHERE owner = ?", [owner])
            return {name: rows.unpack_array(dtype, shape, data) for _, name, dtype, shape, data in found}

    def _rows(self, table: str, which: str = "", values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Rows of a table, without their seals. Raises DamagedProject at the first that is not as it was written."""
        columns = ", ".join([*seals.COLUMNS[table], *(["seal"] if self._is_sealed else [])])
        for row in self._db.execute(f"SELECT {columns} FROM {table} {which}", values):  # noqa: S608
            if self._is_sealed and row[-1] != seals.seal(row[:-1]):
                raise self._damaged(f"a row of {table}")
            yield row[: len(seals.COLUMNS[table])]

    def _damaged(self, what: str) -> DamagedProject:
        return DamagedProject(f"{self.path} is damaged: {what} is not as it was written", "run: labeler check")

    @contextmanager
    def _unsynced(self) -> Iterator[None]:
        """Derived data may be lost at a power cut (never at a kill): it is made anew. Saves one fsync."""
        self._db.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            self._db.execute("PRAGMA synchronous = FULL")


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def _connect(path: Path, mode: str) -> Connection:
    # SQLite makes missing files and opens empty ones unless it is told the mode
    try:
        connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode={mode}", uri=True, isolation_level=None)
    except sqlite3.Error as error:
        raise ProjectError(
            f"cannot open the project file {path}: {error}", "is the folder there, and yours to write?"
        ) from error
    return Connection(connection)


def _prepare_for_writing(db: Connection) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA busy_timeout = 2000")
    with db.atomic():
        bring_up_to_date(db.conn)


def _check_header(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise ProjectError(f"cannot read {path}: {error.strerror}", "is it a file of yours?") from error
    if head != b"SQLite format 3\0":
        raise ProjectError(f"{path} is not a labeler project", "give a project file (*.labeler.db) or a source")


def _check_untouched(path: Path) -> None:
    """Look whether it is ours before anything of SQLite's can appear beside somebody else's database."""
    wal = path.with_name(path.name + "-wal")
    mode = "ro" if wal.exists() and wal.stat().st_size else "ro&immutable=1"
    db = _connect(path, mode)
    try:
        with _explained(path):
            _check_ours(path, db)
    finally:
        db.close()


def _check_ours(path: Path, db: Connection) -> None:
    application_id = db.execute("PRAGMA application_id").fetchone()[0]
    n_tables = db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
    if application_id != APPLICATION_ID and n_tables:
        raise ProjectError(
            f"{path} is a database of another program",
            "choose another project file with -p PROJECT; nothing was changed",
        )
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > schema_version():
        raise ProjectError(
            f"{path} was written by a newer labeler (schema {version}, this one knows {schema_version()})",
            "upgrade with: pip install -U labeler-tui; nothing was changed",
        )


@contextmanager
def _explained(path: Path, kind: type[ProjectError] = ProjectError) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if kind is NotSaved:
            raise NotSaved(
                f"NOT saved: {path}: {error}", "free some space or check the disk, then press the key again"
            ) from error
        raise ProjectError(f"cannot read the project file {path}: {error}", "run: labeler check") from error


def _question_row(question: Question, revision: int) -> dict[str, Any]:
    return {
        "revision": revision,
        "index": question.index,
        "rule": question.rule,
        "utility": question.utility,
        "margin": question.margin,
        "guesses": [list(guess) for guess in question.guesses],
        "blind": question.blind,
        "drawn": question.drawn,
        "first": question.first,
    }
