"""Opening a project file: only ours, none that is newer, and the older ones brought up to date."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from labeler.core import descriptors
from labeler.core.descriptors import Identity
from labeler.core.errors import DamagedProject, LabelerError, NotSaved, ProjectBusy, ProjectError
from labeler.store import file_names, limits, rows
from labeler.store.connection import Connection
from labeler.store.lock import holder
from labeler.store.mounts import is_on_network
from labeler.store.schema import APPLICATION_ID, bring_up_to_date, schema_version
from labeler.store.schema_check import refuse_foreign

BUSY_MS = 2000  # another program may hold it for a moment; beyond that it is said
MAGIC = b"SQLite format 3\0"
LOOK = "what is damaged, and which backup to restore: labeler check {}"


def connect(path: Path, mode: str) -> Connection:
    """A connection in one of SQLite's modes ("ro", "rw", "rwc"): it makes missing files unless it is told.

    Raises
    ------
    ProjectError
        The file cannot be opened.
    """
    try:
        # which thread it belongs to is looked after by the open file, which may be handed on
        connection = sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise ProjectError(
            f"cannot open the project file {path}: {error}", "is the folder there, and yours to write?"
        ) from error
    with explain_errors(path):
        return Connection(limits.guard_connection(connection, path))


def counter_page(db: Connection) -> int:
    """The page of SQLite's counter of events, which every event changes; 0 where there is none yet."""
    row = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone()
    return int(row[0]) if row is not None else 0


def set_up_writer(
    path: Path, place: Path, identity: Identity, db: Connection, before_migration: Callable[[], None]
) -> None:
    """Set up the one writer's connection and bring the schema up to date, in one transaction.

    The log of a file on a network disk is a rollback journal: a write-ahead log needs memory that writers share.
    A log that somebody left is folded in and flushed before anything is added to it: of a flush that failed there,
    nothing is known here. `synchronous = EXTRA` flushes the folder as well when a journal is removed: else a power cut
    brings it back, and with it the state before. No cache is spilled: a transaction's pages lie together in the log.
    """
    with explain_errors(path):
        for pragma in (f"busy_timeout = {BUSY_MS}", "synchronous = EXTRA", "cache_spill = OFF"):
            db.execute(f"PRAGMA {pragma}")
        refuse_foreign(path, db.conn)
        (wrong,) = db.execute("PRAGMA quick_check(1)").fetchone()  # 20 ms at 70,000 instances
        if wrong != "ok":
            raise DamagedProject(f"{path} is damaged: {' '.join(wrong.split())}", LOOK.format(path))
        limits.lift(db.conn)
        _check_ours(path, db)
        pending = db.execute("PRAGMA user_version").fetchone()[0] < schema_version()
        old = pending and db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0] > 0
    if old:
        before_migration()
    with explain_errors(path):
        wanted = "DELETE" if is_on_network(place) else "WAL"
        ((mode,),) = db.execute(f"PRAGMA journal_mode = {wanted}").fetchall()
        if mode == "wal":  # SQLite may say no, without an error
            db.execute("PRAGMA synchronous = FULL")  # nothing is removed at a commit
        db.execute("PRAGMA wal_autocheckpoint = 0")  # done where its failure is heard
        with db.atomic():
            if pending:
                bring_up_to_date(db.conn)
            _note_name(db, place, identity)
        fold_log(db)  # tables and name are in the file itself before an answer is in the log


def _note_name(db: Connection, place: Path, identity: Identity) -> None:
    row: list[Any] = [file_names.KEY, json.dumps(file_names.note_of(place, identity))]
    if db.execute("SELECT 1 FROM project WHERE key = ? AND value = ?", row).fetchone() is None:
        db.execute("INSERT OR REPLACE INTO project VALUES (?, ?, ?)", [*row, rows.seal(row)])


def fold_log(db: Connection) -> bool:
    """Write what is in the log to the database, flush both and empty the log; while somebody reads, a part of it.

    Returns whether all of it is in the database.
    """
    db.execute("PRAGMA busy_timeout = 0")  # a reader may take its time: no key waits for it
    db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()  # ends the read that a quick_check leaves open
    try:
        ((busy, in_log, folded),) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if busy and folded < in_log:
            ((busy, in_log, folded),) = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    finally:
        db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    return int(folded) >= int(in_log)


def set_up_reader(path: Path, db: Connection) -> Connection:
    """`db`, or where its schema is older a copy of it in memory that is up to date: the file stays as it is."""
    with explain_errors(path):
        refuse_foreign(path, db.conn)
        limits.lift_if_sound(db.conn)
        if db.execute("PRAGMA user_version").fetchone()[0] == schema_version():
            return db
        copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        db.conn.backup(copy)
        db.close()
        up_to_date = Connection(copy)
        with up_to_date.atomic():
            bring_up_to_date(copy)
        return up_to_date


def open_reader(path: Path) -> Connection:
    """A connection that changes nothing, whatever state the last writer left the file in.

    Where a journal must be rolled back first, or a log lies in a folder where nothing can be written, SQLite reads
    nothing by a read-only connection: a copy of file and log is read in its place, in a folder that goes with the
    connection.

    Raises
    ------
    ProjectError
        The file cannot be opened, or there is no room for a copy of it.
    """
    if not (_has(path, "-journal") and not holder(path)):  # of a living writer it is not hot
        db = connect(path, "ro")
        try:
            db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            db.close()
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
                raise
        except sqlite3.Error:
            db.close()
            raise
        else:
            return db
    return open_copy(path)


def open_copy(path: Path) -> Connection:
    """A connection to a copy of a file and its log or journal. Raises as :func:`open_reader`."""
    folder = tempfile.TemporaryDirectory(prefix="labeler-")
    copy = Path(folder.name) / path.name
    db = None
    try:
        for suffix in ("", "-journal", "-wal"):
            if suffix == "" or _has(path, suffix):
                content = descriptors.read(path.with_name(path.name + suffix))
                copy.with_name(copy.name + suffix).write_bytes(content)
        db = connect(copy, "rw")
        db.when_closed = folder.cleanup
        db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        db.execute("PRAGMA query_only = ON")  # only now: the look before it may have to roll a journal back
    except BaseException as error:
        if db is not None:
            db.close()
        folder.cleanup()
        if isinstance(error, OSError):
            raise ProjectError(
                f"cannot copy {path} to read it: {error.strerror}", "set TMPDIR to a folder with room for it"
            ) from error
        raise
    return db


def check_untouched(path: Path) -> None:
    """Look whether it is ours before anything of SQLite's can appear beside somebody else's database.

    Raises
    ------
    ProjectError
        It is no database, another program's, or a newer version's.
    """
    try:
        head = descriptors.read(path, 100)
    except OSError as error:
        raise ProjectError(f"cannot read {path}: {error.strerror or error}", "is it a file of yours?") from error
    has_log = _has(path, "-wal") or _has(path, "-journal")
    # beside a log an empty file, or one of zeros, is of a first session that was cut off: all is in the log
    if head[:16] != MAGIC and not (has_log and not head.strip(b"\0")):
        raise ProjectError(f"{path} is not a labeler project", "give a project file (*.labeler.db) or a source")
    # places in SQLite's header (fileformat2.html); the first is 0 before there is a table
    schema, version, application_id = (int.from_bytes(head[at : at + 4], "big") for at in (40, 60, 68))
    if not has_log or application_id == APPLICATION_ID:
        _check_is_ours(path, application_id, schema > 0, version)
        return
    db = open_reader(path)  # a file that is being made: what it is says its log
    try:
        with explain_errors(path):
            _check_ours(path, db)
    finally:
        db.close()


def _has(path: Path, suffix: str) -> bool:
    try:
        return path.with_name(path.name + suffix).stat().st_size > 0
    except OSError:
        return False


def _check_ours(path: Path, db: Connection) -> None:
    application_id = db.execute("PRAGMA application_id").fetchone()[0]
    n_tables = db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
    _check_is_ours(path, application_id, n_tables > 0, db.execute("PRAGMA user_version").fetchone()[0])


def _check_is_ours(path: Path, application_id: int, has_tables: bool, version: int) -> None:
    if application_id != APPLICATION_ID and has_tables:
        raise ProjectError(
            f"{path} is a database of another program",
            "choose another project file with -p PROJECT; nothing was changed",
        )
    if version > schema_version():
        raise ProjectError(
            f"{path} was written by a newer labeler (schema {version}, this one knows {schema_version()})",
            "upgrade in the clone: git pull && pip install . (nothing was changed)",
        )


@contextmanager
def explain_errors(path: Path, kind: type[LabelerError] = ProjectError) -> Iterator[None]:
    """SQLite's errors as ours: what could not be read, or with `kind` NotSaved what could not be written."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate_error(error, path, kind) from error


def translate_error(error: sqlite3.Error, path: Path, kind: type[LabelerError] = ProjectError) -> LabelerError:
    """An error of SQLite's as ours; see :func:`explain_errors`."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        lead, busy = ("NOT saved: ", NotSaved) if kind is NotSaved else ("", ProjectBusy)
        return busy(
            f"{lead}another program holds {path} locked ({error})", "close it there and try again; nothing is lost"
        )
    if kind is NotSaved:
        return NotSaved(f"NOT saved: {path}: {error}", "make room or check the disk, then try again")
    return ProjectError(f"cannot read the project file {path}: {error}", LOOK.format(path))
