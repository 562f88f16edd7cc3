"""The project file: one SQLite database whose truth is the append-only journal of human events.

An event is committed with synchronous=FULL before `append` returns: it survives a kill and a power cut.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from numpy.typing import NDArray

from labeler.core.vocabulary import Event, Question, Round
from labeler.errors import NotSaved, ProjectError
from labeler.store import rows
from labeler.store.connection import Connection
from labeler.store.lock import ProjectLock
from labeler.store.schema import APPLICATION_ID, bring_up_to_date, schema_version

_EVENT_COLUMNS = "event_id, kind, at, annotator, instance, class_id, target, payload"


class Store:
    """An open project file. Use :meth:`open`; close it to leave a single file behind."""

    def __init__(self, path: Path, db: Connection, lock: ProjectLock | None) -> None:
        self.path = path
        self._db = db
        self._lock = lock

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
        return cls(path, db, lock)

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
            cursor = self._db.execute(
                f"INSERT INTO events ({_EVENT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                rows.event_row(event),
            )
        return rows.event_of((cursor.lastrowid, *rows.event_row(event)))

    def append_all(self, events: Iterable[Event]) -> None:
        """Commit many events at once, in their order: all of them or none."""
        with _explained(self.path, NotSaved), self._db.atomic():
            self._db.conn.executemany(
                f"INSERT INTO events ({_EVENT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                map(rows.event_row, events),
            )

    def replay(self) -> Iterator[Event]:
        """All events in order."""
        with _explained(self.path):
            for row in self._db.execute(f"SELECT seq, {_EVENT_COLUMNS} FROM events ORDER BY seq"):  # noqa: S608
                yield rows.event_of(tuple(row))

    def freeze(self, audit: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Commit the labels an audit speaks of; what an audit that never began left under its number is replaced."""
        if self.read_only:
            raise ProjectError(f"{self.path} was opened for reading only", "open it with: labeler label PROJECT")
        with _explained(self.path, NotSaved), self._db.atomic():
            self._db.execute("DELETE FROM frozen WHERE audit = ?", [audit])
            for name, array in arrays.items():
                self._db.execute("INSERT INTO frozen VALUES (?, ?, ?, ?, ?)", [audit, name, *rows.pack_array(array)])

    def frozen(self, audit: int) -> dict[str, NDArray[Any]]:
        """The labels of an audit by name of the array; empty where there are none or they are damaged."""
        with _explained(self.path):
            found = self._db.execute("SELECT name, dtype, shape, data FROM frozen WHERE audit = ?", [audit]).fetchall()
        try:
            return {name: rows.unpack_array(dtype, shape, data) for name, dtype, shape, data in found}
        except (TypeError, ValueError):
            return {}

    def save_question(self, question: Question | None, revision: int) -> None:
        """Keep the pinned question; without an fsync, because the queue can stand in for it."""
        if self.read_only:
            return
        value = None if question is None else _question_row(question, revision)
        with _explained(self.path, NotSaved), self._unsynced(), self._db.atomic():
            self._db.execute("INSERT OR REPLACE INTO question VALUES (1, ?)", [json.dumps(value)])

    def load_question(self) -> dict[str, Any] | None:
        """The pinned question, or None."""
        with _explained(self.path):
            row = self._db.execute("SELECT value FROM question").fetchone()
        value: dict[str, Any] | None = json.loads(row[0]) if row else None
        return value

    # -- derived -------------------------------------------------------------------------------------------------

    def save_round(self, round_: Round) -> None:
        """Keep the arrays of `round_` in place of the last round's, and its facts for good."""
        if self.read_only:
            return
        with _explained(self.path, NotSaved), self._unsynced(), self._db.atomic():
            self._db.execute(
                "INSERT OR REPLACE INTO rounds VALUES (?, ?, ?)",
                [round_.round, round_.revision, json.dumps(rows.round_facts(round_))],
            )
            for name, array in rows.round_arrays(round_).items():
                self._put_array("round", name, array)

    def load_round(self) -> Round | None:
        """The last round; None when there is none or it cannot be read (it is derived: the engine makes it anew)."""
        with _explained(self.path):
            last = self._db.execute(
                "SELECT round, revision, facts FROM rounds ORDER BY revision DESC, round DESC LIMIT 1"
            ).fetchone()
            if last is None:
                return None
            try:
                return rows.round_of(last[0], last[1], json.loads(last[2]), self.arrays("round"))
            except (KeyError, TypeError, ValueError):
                return None

    def arrays(self, owner: str) -> dict[str, NDArray[Any]]:
        """All arrays of one owner ("round", "pool") by name."""
        with _explained(self.path):
            found = self._db.execute("SELECT name, dtype, shape, data FROM arrays WHERE owner = ?", [owner])
            return {name: rows.unpack_array(dtype, shape, data) for name, dtype, shape, data in found}

    def put_arrays(self, owner: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep arrays by name, one row each."""
        with _explained(self.path, NotSaved), self._unsynced(), self._db.atomic():
            for name, array in arrays.items():
                self._put_array(owner, name, array)

    # -- pool and project ----------------------------------------------------------------------------------------

    def instance_ids(self) -> list[str]:
        """The ids of the pool in its order."""
        ids: list[str] = []
        with _explained(self.path):
            for count, blob in self._db.execute("SELECT count, ids FROM pool ORDER BY start"):
                ids += rows.unpack_ids(blob, count)
        return ids

    def join_instances(self, ids: list[str], at: float) -> None:
        """Append new instances to the pool."""
        if not ids:
            return
        with _explained(self.path, NotSaved), self._db.atomic():
            start = self._db.execute("SELECT COALESCE(SUM(count), 0) FROM pool").fetchone()[0]
            self._db.execute("INSERT INTO pool VALUES (?, ?, ?, ?)", [start, len(ids), rows.pack_ids(ids), at])

    def project(self) -> dict[str, Any]:
        """What the project remembers: source, options, ..."""
        with _explained(self.path):
            return {key: json.loads(value) for key, value in self._db.execute("SELECT key, value FROM project")}

    def remember(self, **values: Any) -> None:
        """Keep values of the project."""
        with _explained(self.path, NotSaved), self._db.atomic():
            self._db.conn.executemany(
                "INSERT OR REPLACE INTO project VALUES (?, ?)",
                [(key, json.dumps(value)) for key, value in values.items()],
            )

    # -- inside --------------------------------------------------------------------------------------------------

    def _put_array(self, owner: str, name: str, array: NDArray[Any]) -> None:
        self._db.execute("INSERT OR REPLACE INTO arrays VALUES (?, ?, ?, ?, ?)", [owner, name, *rows.pack_array(array)])

    @contextmanager
    def _unsynced(self) -> Iterator[None]:
        """Derived data may be lost at a power cut (never at a kill): it is made anew. Saves one fsync."""
        self._db.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            self._db.execute("PRAGMA synchronous = FULL")


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
    log = path.with_name(path.name + "-wal")
    mode = "ro" if log.exists() and log.stat().st_size else "ro&immutable=1"
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
    }
