"""Under which name a project file was opened: SQLite keeps its log beside that name, and a file may have several.

A hard link, or a file that was moved without its log, would be read without the answers in it. So the writer notes in
the file itself, before there is a log, what it is called and which file it is (device and inode): the note travels with
the file, and means nothing in a copy of it. It counts while a log lies beside the noted name.
"""

from __future__ import annotations

import os
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from labeler.core import descriptors
from labeler.core.codec import Unreadable, loads
from labeler.core.descriptors import Identity, identity_of
from labeler.core.errors import ProjectError
from labeler.store import limits, rows

KEY = "opened_as"
"""Where the note is among what a project remembers; copies leave it out."""
LOGS = ("-wal", "-journal")
_SECONDS = 0.2
"""Of processor time for looking up one row, which takes none to speak of."""
_JOURNAL = bytes.fromhex("d9d505f920a163d7")  # the first bytes of a rollback journal (fileformat2.html)


def note_of(place: Path, identity: Identity) -> dict[str, Any]:
    """Return the note of a file that is opened for writing as `place`."""
    return {"path": os.fsdecode(os.fsencode(place)), "device": identity[0], "inode": identity[1]}


def log_name(project: Path) -> Path:
    """Return the name of `project` that its log lies beside: its own, links followed, or the one it was opened as.

    Raises
    ------
    ProjectError
        It was moved without its log.
    """
    place = Path(os.path.realpath(project))
    identity = identity_of(place)
    noted = _noted(place, identity) if identity is not None and not has_log(place) else None
    if noted is None or noted == place or not has_log(noted):
        return place
    if noted == Path(os.path.realpath(noted)) and identity_of(noted) == identity:
        return noted
    if identity_of(noted) is None or noted != Path(os.path.realpath(noted)):
        was, now = shlex.quote(f"{noted}-wal"), shlex.quote(f"{place}-wal")
        raise ProjectError(
            f"{project} was moved without its log {noted}-wal: the answers given last are in it",
            f"move it along: mv {was} {now}",
        )
    return place


def has_log(place: Path) -> bool:
    """Whether something that SQLite would apply lies beside a name."""
    return any(_has(place, suffix) for suffix in LOGS)


def _has(place: Path, suffix: str) -> bool:
    try:
        return place.with_name(place.name + suffix).stat().st_size > 0
    except OSError:
        return False


def _restores_something(place: Path) -> bool:
    """Whether a journal holds pages of a file: a kill while one is made leaves a journal of none (fileformat2.html)."""
    try:
        head = descriptors.read(place.with_name(f"{place.name}-journal"), 28)
    except OSError:
        return False
    return head[:8] == _JOURNAL and any(head[16:20])


def refuse_strange_log(place: Path) -> None:
    """Refuse a name for a new file beside which the log of another lies: SQLite would apply it, or remove it.

    Raises
    ------
    ProjectError
        There is one.
    """
    has_strange_log = _has(place, "-wal") or _restores_something(place)
    if has_strange_log or place.with_name(f"{place.name}.fresh").exists():
        raise ProjectError(
            f"beside {place} lies the log of a project that is not there any more: answers may be in it",
            "bring that project back to this name, or move its log away, or choose another name with -p PROJECT",
        )


def _noted(place: Path, identity: Identity) -> Path | None:
    """The name in a file's note, where it is of this very file; read without a lock, and without a log."""
    # immutable: SQLite takes no lock, and neither looks for a log nor makes one
    query = f"file:{quote(str(place))}?mode=ro&immutable=1"
    try:
        with closing(limits.guard_connection(sqlite3.connect(query, uri=True), place, _SECONDS)) as db:
            row = db.execute("SELECT key, value, seal FROM project WHERE key = ?", [KEY]).fetchone()
        if row is None or row[2] != rows.seal(row[:2]):
            return None
        note = loads(row[1])
        path = Path(note["path"])
    except (sqlite3.Error, Unreadable, KeyError, TypeError, ValueError):
        return None  # what it is, is said by whoever opens it
    return path if (note.get("device"), note.get("inode")) == identity and path.is_absolute() else None
