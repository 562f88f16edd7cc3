"""A fresh copy that takes the place of a project file whose flush failed.

Linux marks the pages of a failed flush as clean: the next flush succeeds without them, and what rests on them is gone
after a power cut. Nothing more is promised in such a file. Its content, read back and checked, goes into a fresh file
that is flushed whole, first under a name of its own: from that moment on it is the project, whatever a cut leaves of
the old file and its log, and whoever opens the project next puts it in place.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from labeler.core.errors import PROJECT_ERRORS, NotSaved, ProjectError
from labeler.core.files import sync
from labeler.store import seals
from labeler.store.connection import Connection
from labeler.store.copy import copy
from labeler.store.open import connect, open_reader

_HINT = "is the disk sound, and is there room? save elsewhere to go on"


def fresh_of(place: Path) -> Path:
    """Return the place where the fresh copy waits until it is put in place."""
    return place.with_name(f"{place.name}.fresh")


def newest(place: Path) -> Path:
    """Return the file to read: the fresh copy where one was left by a cut, else `place`."""
    return fresh_of(place) if fresh_of(place).exists() and _goes_on(place) else place


def finish(place: Path) -> None:
    """Put a fresh copy in place that a cut left; with the name locked.

    Raises
    ------
    ProjectError
        There is one, and it is no copy with all that is in the file: nothing was changed.
    """
    if not fresh_of(place).exists():
        return
    if not _goes_on(place):
        raise ProjectError(
            f"{fresh_of(place)} is no copy of all that is in {place}",
            "move it to another folder, or where it is the better one give it a name of its own (*.labeler.db)",
        )
    put_in_place(place)


def _goes_on(place: Path) -> bool:
    """Whether the fresh copy is sound and holds the last event of the file it is to replace, as far as that reads."""
    last = "SELECT seq, seal FROM events ORDER BY seq DESC LIMIT 1"
    try:
        with closing(connect(fresh_of(place), "ro")) as fresh:
            if _wrong(fresh):
                return False
            try:
                with closing(open_reader(place)) as old:
                    end = old.execute(last).fetchone()
            except (sqlite3.Error, *PROJECT_ERRORS):
                return True  # a cut left it so, and that is what the copy was made for
            return (
                end is None or fresh.execute("SELECT seq, seal FROM events WHERE seq = ?", [end[0]]).fetchone() == end
            )
    except (sqlite3.Error, *PROJECT_ERRORS):
        return False


def _wrong(db: Connection) -> list[str]:
    wrong = [str(line) for (line,) in db.execute("PRAGMA quick_check") if line != "ok"]
    return wrong or seals.damaged(db)


def write_fresh(path: Path, place: Path, db: Connection) -> Path:
    """Write what `db` reads to the fresh copy, flushed with its name. Raises NotSaved; nothing is left of it then."""
    draft = place.with_name(f".{place.name}.{os.getpid()}.draft")
    try:
        copy(path, db.conn, draft, {})
        _check(path, draft)
        draft.replace(fresh_of(place))  # only what was read back whole gets the name that makes it the project
        sync(place.parent)
    except NotSaved as error:
        raise NotSaved(f"NOT saved: {error.message.removeprefix('NOT saved: ')}", _HINT) from error
    except OSError as error:
        raise NotSaved(f"NOT saved: {path}: {error.strerror}", _HINT) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return fresh_of(place)


def _check(path: Path, draft: Path) -> None:
    """Raise NotSaved where a copy is not as it was written: pages of a failed flush may be read as what they were."""
    with closing(connect(draft, "ro")) as db:
        wrong = _wrong(db)
    if wrong:
        raise NotSaved(f"{path}: what was written before cannot be read back ({wrong[0]})", _HINT)


def put_in_place(place: Path) -> None:
    """Give a fresh copy its name, where there is one; the log of the file before goes first. Raises OSError."""
    if not fresh_of(place).exists():
        return
    for suffix in ("-wal", "-shm", "-journal"):
        place.with_name(place.name + suffix).unlink(missing_ok=True)
    sync(place.parent)
    # only with the old log gone for good: after a cut it would be played into the fresh file
    fresh_of(place).replace(place)
    sync(place.parent)
