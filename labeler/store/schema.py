"""The project file's tables, as named migrations in sqlite-utils' form: a new file and an old one take one path.

An old file is brought up to date by sqlite-utils. A new one runs the same migrations without it, because importing it
takes longer than opening a project and drawing the first screen (it draws in pandas where that is installed).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from labeler.store import rows, seals

APPLICATION_ID = 0x4C424C52  # "LBLR"
_SET = "labeler"


def m001_project_pool_events_rounds(db: Any) -> None:
    """The journal of human events, the pool's ids, and drawers for what is derived."""
    db.execute("CREATE TABLE project (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
    # ids: bytes of the names (os.fsencode), separated by NUL; one row for each time instances joined
    db.execute(
        "CREATE TABLE pool (start INTEGER PRIMARY KEY, count INTEGER NOT NULL, ids BLOB NOT NULL, joined_at REAL)"
    )
    # instance: TEXT, or BLOB where the name is not UTF-8
    db.execute(
        "CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE,"
        " kind TEXT NOT NULL, at REAL NOT NULL, annotator TEXT NOT NULL, instance, class_id INTEGER,"
        " target TEXT, payload TEXT NOT NULL)"
    )
    db.execute("CREATE TABLE rounds (round INTEGER PRIMARY KEY, revision INTEGER, facts TEXT NOT NULL)")
    # one row an array: 70,000 rows took seconds where one array row takes 20 ms
    db.execute(
        "CREATE TABLE arrays (owner TEXT, name TEXT, dtype TEXT NOT NULL, shape TEXT NOT NULL, data BLOB NOT NULL,"
        " PRIMARY KEY (owner, name))"
    )
    db.execute("CREATE TABLE question (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), value TEXT NOT NULL)")


def m002_frozen_labels(db: Any) -> None:
    """The labels that an audit speaks of: not derived, because a later engine would derive others."""
    db.execute(
        "CREATE TABLE frozen (audit INTEGER, name TEXT, dtype TEXT NOT NULL, shape TEXT NOT NULL, data BLOB NOT NULL,"
        " PRIMARY KEY (audit, name))"
    )


def m003_seals(db: Any) -> None:
    """A digest beside every row, because SQLite does not notice a flipped bit."""
    for table in ("events", *rows.COLUMNS):
        db.execute(f"ALTER TABLE {table} ADD COLUMN seal BLOB")
    seals.seal_all(db)


MIGRATIONS: tuple[Callable[[Any], None], ...] = (m001_project_pool_events_rounds, m002_frozen_labels, m003_seals)
"""In order; each gets a connection with ``execute``. Append, never change."""


def schema_version() -> int:
    """Return how many migrations this version knows; stored as `user_version`."""
    return len(MIGRATIONS)


def bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Apply the migrations that are pending, inside the caller's transaction."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == schema_version():
        return
    if connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]:
        _migrate(connection)
    else:
        _create(connection)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {schema_version()}")


def _migrate(connection: sqlite3.Connection) -> None:
    from sqlite_utils import Database, Migrations  # start-up: longer than a first screen, and only old files need it

    migrations = Migrations(_SET)
    for migration in MIGRATIONS:
        migrations()(migration)
    migrations.apply(Database(connection, execute_plugins=False))  # plug-ins of its own would be strangers' code


def _create(connection: sqlite3.Connection) -> None:
    """Do to an empty file what :func:`_migrate` would, noted as it would note it."""
    connection.execute(
        'CREATE TABLE "_sqlite_migrations" (\n   "id" INTEGER PRIMARY KEY,\n   "migration_set" TEXT,\n'
        '   "name" TEXT,\n   "applied_at" TEXT\n)'
    )
    connection.execute(
        'CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"\n'
        '    ON "_sqlite_migrations" ("migration_set", "name")'
    )
    for migration in MIGRATIONS:
        migration(connection)
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES (?, ?, ?)",
            [_SET, migration.__name__, str(datetime.now(UTC))],
        )
