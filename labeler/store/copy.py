"""A copy of a project file as SQLite makes it: whole also while somebody writes, where `cp` loses rows."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from labeler.core.errors import NotSaved
from labeler.core.files import sync
from labeler.store.rows import seal


def copy(path: Path, connection: sqlite3.Connection, target: Path, noted: dict[str, Any]) -> None:
    """Copy what `connection` to `path` sees to a new file; on return it is whole and on disk, and a single file.

    Parameters
    ----------
    target
        A name that nobody else uses: what fails leaves a part of it behind.
    noted
        What the copy remembers of its own, by key of the project's table; None = what the file has there is left out.

    Raises
    ------
    NotSaved
        It could not be read or written.
    """
    try:
        with closing(sqlite3.connect(target, isolation_level=None)) as out:
            out.execute("PRAGMA synchronous = OFF")  # synced once, below: nobody knows of it before
            connection.backup(out)
            # the header that was copied asks for a log: the copy is one file
            out.execute("PRAGMA journal_mode = DELETE")
            # a copy that is made before a migration is of an older schema, whose rows have no seals
            is_sealed = any(column[1] == "seal" for column in out.execute("PRAGMA table_info(project)"))
            # that note is of the copied file's name, not of the copy's
            for key, value in {"opened_as": None, **noted}.items():
                out.execute("DELETE FROM project WHERE key = ?", [key])
                if value is None:
                    continue
                row: list[Any] = [key, json.dumps(value)]
                row += [seal(row)] if is_sealed else []
                places = ", ".join("?" * len(row))
                out.execute(f"INSERT INTO project VALUES ({places})", row)  # noqa: S608
        sync(target)
    except sqlite3.Error as error:
        raise NotSaved(f"cannot copy {path} to {target}: {error}", "is there room, and the right to write?") from error
    except OSError as error:
        raise NotSaved(
            f"cannot copy {path} to {target}: {error.strerror}", "is there room, and the right to write?"
        ) from error


def put_aside(path: Path, aside: Path) -> bool:
    """Give a project file, sound or not, a second name, and leave nothing at the first that another file would inherit.

    A log beside a file belongs to the file of its name: it goes with it as it is, for what is in it may be more than
    SQLite can read. At any moment there is a whole file at `path`, or a whole pair at `aside`.

    Returns whether there was a file.
    """
    logs = [suffix for suffix in ("-wal", "-journal") if path.with_name(path.name + suffix).exists()]
    for suffix in ("", *logs):
        before = path.with_name(path.name + suffix)
        if before.exists():
            _link_or_copy(before, aside.with_name(aside.name + suffix))
    if aside.exists():
        sync(aside.parent)  # the second names are on disk before the first ones go
    for suffix in (*logs, "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return aside.exists()


def _link_or_copy(path: Path, name: Path) -> None:
    try:
        os.link(path, name)
    except OSError:  # a disk without hard links
        shutil.copyfile(path, name)
        sync(name)
