"""Opening a project file: only ours, none that is newer, and the older ones brought up to date."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from labeler.errors import DamagedProject, NotSaved, ProjectError
from labeler.store import limits
from labeler.store.connection import Connection
from labeler.store.mounts import is_on_network
from labeler.store.schema import APPLICATION_ID, bring_up_to_date, schema_version
from labeler.store.schema_check import refuse_foreign

BUSY_MS = 2000
LOOK = "what is damaged, and which backup to restore: labeler check {}"


def connect(path: Path, mode: str) -> Connection:
    """A connection in one of SQLite's modes ("ro", "rw", "rwc"): it makes missing files unless it is told.

    Raises
    ------
    ProjectError
        The file cannot be opened.
    """
    try:
        connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode={mode}", uri=True, isolation_level=None)
    except sqlite3.Error as error:
        raise ProjectError(
            f"cannot open the project file {path}: {error}", "is the folder there, and yours to write?"
        ) from error
    with explained(path):
        return Connection(limits.guarded(connection, path))


def for_writing(path: Path, db: Connection, before_migration: Callable[[], None]) -> None:
    """Set up the one writer's connection and bring the schema up to date, in one transaction.

    The log of a file on a network disk is a rollback journal: a write-ahead log needs memory that writers share.
    """
    with explained(path):
        refuse_foreign(path, db.conn)
        (wrong,) = db.execute("PRAGMA quick_check(1)").fetchone()  # 20 ms at 70,000 instances
        if wrong != "ok":
            raise DamagedProject(f"{path} is damaged: {' '.join(wrong.split())}", LOOK.format(path))
        limits.lift(db.conn)
        pending = db.execute("PRAGMA user_version").fetchone()[0] < schema_version()
        old = pending and db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0] > 0
    if old:
        before_migration()
    with explained(path):
        db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        db.execute(f"PRAGMA journal_mode = {'DELETE' if is_on_network(path) else 'WAL'}")
        db.execute("PRAGMA synchronous = FULL")
        if pending:
            with db.atomic():
                bring_up_to_date(db.conn)


def for_reading(path: Path, db: Connection) -> Connection:
    """`db`, or where its schema is older a copy of it in memory that is up to date: the file stays as it is."""
    with explained(path):
        refuse_foreign(path, db.conn)
        limits.lift_if_sound(db.conn)
        if db.execute("PRAGMA user_version").fetchone()[0] == schema_version():
            return db
        copy = sqlite3.connect(":memory:", isolation_level=None)
        db.conn.backup(copy)
        db.close()
        up_to_date = Connection(copy)
        with up_to_date.atomic():
            bring_up_to_date(copy)
        return up_to_date


def check_header(path: Path) -> None:
    """Refuse what is no database at all."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise ProjectError(f"cannot read {path}: {error.strerror}", "is it a file of yours?") from error
    if head != b"SQLite format 3\0":
        raise ProjectError(f"{path} is not a labeler project", "give a project file (*.labeler.db) or a source")


def check_untouched(path: Path) -> None:
    """Look whether it is ours before anything of SQLite's can appear beside somebody else's database."""
    log = path.with_name(path.name + "-wal")
    mode = "ro" if log.exists() and log.stat().st_size else "ro&immutable=1"
    db = connect(path, mode)
    try:
        with explained(path):
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
def explained(path: Path, kind: type[ProjectError] = ProjectError) -> Iterator[None]:
    """SQLite's errors as ours: what could not be read, or with `kind` NotSaved what could not be written."""
    try:
        yield
    except sqlite3.Error as error:
        if kind is NotSaved:
            raise NotSaved(f"NOT saved: {path}: {error}", "make room or check the disk, then try again") from error
        raise ProjectError(f"cannot read the project file {path}: {error}", LOOK.format(path)) from error
