"""Copies of a project in the user's state folder: before a migration, at the end of a session, on request.

A copy is written under another name, read back whole (SQLite's own check, every seal, the fold of its journal), synced
and then given its name: what is called a backup can be restored. Which are kept: :mod:`labeler.project.backup_folder`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from labeler.core.errors import NotSaved, ProjectError, UsageError
from labeler.core.files import sweep, whole
from labeler.project.backup_folder import (
    KEPT,
    Backup,
    about,
    folded,
    folder_of,
    free,
    has,
    let_go,
    listed,
    newest_sound,
    number_after,
    verified,
)
from labeler.project.paths import SUFFIX, remembered
from labeler.store import renewal
from labeler.store.copy import put_aside
from labeler.store.file_names import refuse_strange_log
from labeler.store.lock import ProjectLock
from labeler.store.open_file import fold_at_rest
from labeler.store.store import Store

__all__ = [
    "KEPT",
    "Backup",
    "about",
    "at_exit",
    "back_up",
    "before_migration",
    "folded",
    "folder_of",
    "go_on_at",
    "keep",
    "listed",
    "newest_sound",
    "restore",
    "verified",
]


# -- making --------------------------------------------------------------------------------------------------------


def back_up(project: Path, target: Path | None = None, *, now: float | None = None) -> Backup:
    """Copy a project, also while the application has it open; to the state folder, a folder, or a new file.

    Raises
    ------
    ProjectError
        It is no sound project (see: labeler check), or the target is there already.
    NotSaved
        The copy could not be written; nothing is left of it.
    """
    with closing(Store.open(project, read_only=True)) as store:
        if target is None:
            return keep(store, "asked", now)
        now = time.time() if now is None else now
        place = target / _name(store, "asked", now) if target.is_dir() else target
        return _write(store, place, "asked", now)


def keep(store: Store, reason: str, now: float | None = None) -> Backup:
    """Copy an open project into its own folder of backups, and let go of what is in newer ones. Raises as
    :func:`back_up`.
    """
    now = time.time() if now is None else now
    folder = _own_folder(store.path)
    before = listed(store.path)
    backup = _write(store, free(folder / _name(store, reason, now)), reason, now, number_after(before))
    let_go(store.path, backup, before)
    return backup


def at_exit(store: Store) -> Backup | None:
    """Copy a project that a session leaves; None where there is a backup with all that is in it."""
    # or looking in without an answer would push the older backups out
    if has(store.path, store.n_events(), store.mark()):
        return None
    return keep(store, "exit")


def go_on_at(store: Store, target: Path, source: Path) -> Store:
    """Copy an open project to another place and open it there, for writing. Raises as :func:`back_up`."""
    if os.path.lexists(target):
        raise ProjectError(f"{target} is there already", "choose another name; nothing was changed")
    with _draft(target) as draft:
        store.copy(draft, backup=None, source=remembered(source, target))
        verified(draft)  # before it is gone on with: here it can still be refused
    return Store.open(target)


def before_migration(path: Path, copy: Callable[..., None]) -> None:
    """Keep a project file of an older schema before it is brought up to date; `copy` writes it to a new file."""
    folder, now = _own_folder(path), time.time()
    place = free(folder / f"{_stamp(now)}-migration{SUFFIX}")
    before = listed(path)
    with _draft(place) as draft:
        copy(draft, backup=_noted(path, "migration", now, number_after(before)))
        copied = verified(draft)
    let_go(path, replace(copied, path=place), before)


def _write(store: Store, target: Path, reason: str, now: float, number: int = 0) -> Backup:
    if os.path.lexists(target):
        raise ProjectError(f"{target} is there already", "choose another name; nothing was changed")
    with _draft(target) as draft:
        store.copy(draft, backup=_noted(store.path, reason, now, number))
        copied = verified(draft)
    return replace(copied, path=target)


def _noted(path: Path, reason: str, now: float, number: int) -> dict[str, Any]:
    return {"of": os.fsdecode(os.fsencode(path.resolve())), "reason": reason, "at": now, "number": number}


@contextmanager
def _draft(target: Path, *, over: bool = False) -> Iterator[Path]:
    """Yield a name beside `target`, which gets its own when the copy is whole and on disk.

    Only with `over` it takes the place of a file that is there.
    """
    if not over:
        refuse_strange_log(target)  # or SQLite would play the log of another file into the copy
    try:
        with whole(target, over=over, durable=True) as draft:
            yield draft
    except FileExistsError:
        raise ProjectError(f"{target} is there already", "choose another name; nothing was changed") from None
    except OSError as error:
        raise NotSaved(f"cannot write {target}: {error.strerror}", "is there room, and the right to write?") from error


def _own_folder(project: Path) -> Path:
    folder = folder_of(project)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # names of files and answers are nobody else's business
    except OSError as error:
        raise NotSaved(
            f"cannot make the folder of backups {folder}: {error.strerror}", "set XDG_STATE_HOME to a writable folder"
        ) from error
    sweep(folder)
    return folder


def _name(store: Store, reason: str, now: float) -> str:
    return f"{_stamp(now)}-{store.n_events()}-{reason}{SUFFIX}"


def _stamp(now: float) -> str:
    try:
        return time.strftime("%Y%m%dT%H%M%S", time.gmtime(now)) + f"{int(now % 1 * 1000):03d}Z"
    except (OverflowError, ValueError, OSError):  # a clock beyond all calendars
        return "0T0Z"


# -- bringing back -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restore: which copy came back to which place, and where the file that was there is now."""

    backup: Backup
    path: Path
    old_file: Path | None


def restore(backup: Path, to: Path | None = None, *, now: float | None = None) -> Restored:
    """Put a copy in the place of its project (or at `to`); what is there is kept beside it under a dated name.

    Raises
    ------
    ProjectError, ProjectBusy
        The copy is damaged or does not say whose it is, or the project is open; nothing was changed.
    NotSaved
        There is no room for it; nothing was changed.
    """
    copy = verified(backup)
    path = to if to is not None else copy.of
    if path is None:
        raise UsageError(
            f"{backup} does not say which project it is a copy of", "say where it shall be: --to PROJECT.labeler.db"
        )
    if not path.name.endswith(SUFFIX):
        raise UsageError(f"{path} is no name of a project file", f"let it end in {SUFFIX}")
    path = path.resolve()
    if backup.resolve() == path:
        raise UsageError(
            f"{path} cannot be restored from itself", "name one of its backups, or another place with --to"
        )
    now = time.time() if now is None else now
    old_file = free(path.with_name(f"{path.name.removesuffix(SUFFIX)}-before-restore-{_stamp(now)}{SUFFIX}"))
    sweep(path.parent, f".{path.name}.")  # what a killed restore left
    with _locked(path), closing(Store.open(backup, read_only=True)) as store, _draft(path, over=True) as draft:
        store.copy(draft, backup=None, **_source_from(store, copy.of, path))
        fold_at_rest(path)  # so that one file is put aside, and not a pair that a kill could part
        there = put_aside(path, old_file)
    return Restored(copy, path, old_file if there else None)


def _source_from(store: Store, of: Path | None, path: Path) -> dict[str, Any]:
    """The way to the source from another place than the copied project's."""
    source = store.project().get("source")
    if source is None or of is None or of.parent == path.parent:
        return {}
    there = Path(source["path"])
    beside = (of.parent / source["relative"]).resolve()
    return {"source": remembered(beside if beside.exists() and not there.exists() else there, path)}


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = ProjectLock(path)
    lock.acquire(before=lambda: renewal.finish(path))
    try:
        yield
    finally:
        lock.release()
