"""The project file's tables, as named migrations: a new file and an old one take one path."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

APPLICATION_ID = 0x4C424C52  # "LBLR"
migrations = Migrations("labeler")


@migrations()
def m001_project_pool_events_rounds(db: Database) -> None:
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


@migrations()
def m002_frozen_labels(db: Database) -> None:
    """The labels that an audit speaks of: not derived, because a later engine would derive others."""
    db.execute(
        "CREATE TABLE frozen (audit INTEGER, name TEXT, dtype TEXT NOT NULL, shape TEXT NOT NULL, data BLOB NOT NULL,"
        " PRIMARY KEY (audit, name))"
    )


def schema_version() -> int:
    """How many migrations this version knows; stored as `user_version`."""
    return len(migrations._migrations)
