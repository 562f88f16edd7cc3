"""Under which name a project file was opened: SQLite keeps its log beside that name, and a file may have several.

A hard link, or a file that was moved without its log, would be read without the answers in it. So a writer notes the
name in the user's state folder, by device and inode, for as long as it has the file open; a kill leaves the note.
"""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from pathlib import Path

from labeler.descriptors import Identity, identity_of
from labeler.errors import ProjectError


def note(identity: Identity | None, place: Path) -> None:
    """Note that the file is opened for writing as `place`. Where nothing can be noted, nothing is."""
    if identity is None:
        return
    path = _path(identity)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(os.fsencode(place))


def forget(identity: Identity | None, place: Path) -> None:
    """Remove the note, unless a log is left: once it is folded in, any name is as good."""
    if identity is None or _has_log(place):
        return
    with suppress(OSError):
        _path(identity).unlink(missing_ok=True)


def log_name(project: Path) -> Path:
    """Return the name of `project` that its log lies beside: its own, links followed, or the one it was opened as.

    Raises
    ------
    ProjectError
        It was moved without its log.
    """
    place = Path(os.path.realpath(project))
    identity = identity_of(place)
    if identity is None:
        return place
    try:
        noted = Path(os.fsdecode(_path(identity).read_bytes()[:4096]))
    except OSError:
        return place
    if noted == place or not noted.is_absolute() or not _has_log(noted):
        return place
    if identity_of(noted) == identity:
        return noted
    if identity_of(noted) is None and not _has_log(place):
        raise ProjectError(
            f"{project} was moved without its log {noted}-wal: the answers given last are in it",
            f"move it along: mv {shlex.quote(f'{noted}-wal')} {shlex.quote(f'{place}-wal')}",
        )
    return place


def _has_log(place: Path) -> bool:
    for suffix in ("-wal", "-journal"):
        with suppress(OSError):
            if place.with_name(place.name + suffix).stat().st_size:
                return True
    return False


def _path(identity: Identity) -> Path:
    from platformdirs import user_state_path  # not needed to draw the first screen of a file that is at rest

    return user_state_path("labeler", appauthor=False) / "open" / f"{identity[0]:x}-{identity[1]:x}"
