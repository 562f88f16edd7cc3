"""Whether the tables of a project file are those that labeler made: a view, a trigger or a computed column is a program
that somebody else wrote, and it would run with the first look at it."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

from labeler.core.errors import ProjectError
from labeler.core.text import display_safe
from labeler.store.schema import MIGRATIONS

Thing = tuple[str, str, str, str]
"""(type, name, table, statement) as `sqlite_master` has it, the statement without what means nothing."""

_OF_SQLITE = {
    ("table", "sqlite_sequence", "sqlite_sequence", "create table sqlite_sequence(name,seq)"),
    ("table", "sqlite_stat1", "sqlite_stat1", "create table sqlite_stat1(tbl,idx,stat)"),
    ("table", "sqlite_stat4", "sqlite_stat4", "create table sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)"),
}
_NOTES = "_sqlite_migrations"
"""The notes of sqlite-utils on what was migrated: its versions write them in several ways, all plain columns."""
_PLAIN = re.compile(r"create (table|unique index) [\w ]+\([\w ,]+(\([\w ,]+\))? ?\)")


def foreign_things(connection: sqlite3.Connection) -> list[str]:
    """Return the things of a file that no migration of ours made ("view events"), and those that are missing."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    things = {
        (str(kind), str(name), str(table), _plain(str(statement or "")))
        for kind, name, table, statement in connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master")
    }
    if not things:
        return []
    ours = _ours(min(max(version, 0), len(MIGRATIONS)))
    wrong = [(kind, name) for kind, name, table, text in things if not _is_ours((kind, name, table, text), ours)]
    missing = [(f"no {kind}", name) for kind, name, table, text in ours - things]
    return [f"{display_safe(kind, 20)} {display_safe(name, 40)}" for kind, name in sorted(wrong) + sorted(missing)]


def refuse_foreign(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse a file that holds what labeler did not put there. Raises ProjectError, sqlite3.Error."""
    wrong = foreign_things(connection)
    if wrong:
        more = f" and {len(wrong) - 3:,} more" if len(wrong) > 3 else ""
        raise ProjectError(
            f"{path} holds things that labeler did not put there: {', '.join(wrong[:3])}{more}",
            f"ask whoever sent it for the file as labeler wrote it; what it holds: labeler check {path}",
        )


def _is_ours(thing: Thing, ours: frozenset[Thing]) -> bool:
    kind, _, table, text = thing
    if table == _NOTES and kind in ("table", "index"):
        return not text or _PLAIN.fullmatch(text) is not None
    return thing in ours or thing in _OF_SQLITE


def _plain(statement: str) -> str:
    """A statement without the quotes and line ends that differ between versions of what writes it."""
    return re.sub(r"\s+", " ", re.sub(r'["\[\]`]', "", statement)).strip().lower()


@cache
def _ours(version: int) -> frozenset[Thing]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        for migration in MIGRATIONS[:version]:
            migration(fresh)
        rows = fresh.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    return frozenset((kind, name, table, _plain(text or "")) for kind, name, table, text in rows)
