"""Copies of a project in the user's state folder: before a migration, at the end of a session, on request.

A copy is written under another name, read back whole (SQLite's own check, every seal, the fold of its journal), synced
and then given its name: what is called a backup can be restored. Each project keeps its last ten.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labeler.core.pool import Pool
from labeler.drafts import sweep
from labeler.errors import DamagedProject, LabelerError, NotSaved, ProjectError, UsageError
from labeler.locating import SUFFIX, remembered
from labeler.session.folding import fold
from labeler.session.state import State
from labeler.store.copying import put_aside, sync
from labeler.store.lock import ProjectLock
from labeler.store.store import Store

KEPT = 10


@dataclass(frozen=True, slots=True)
class Backup:
    """One copy: where it is, whose it is (None = it does not say), why and when it was made, how many events it has."""

    path: Path
    of: Path | None
    reason: str
    at: float
    events: int
    mark: str


# -- making --------------------------------------------------------------------------------------------------------


def folder_of(project: Path) -> Path:
    """Where the backups of a project file are: the same for the same file, however it is named on the command line."""
    from platformdirs import user_state_path

    whole = os.fsencode(project.resolve())
    key = hashlib.sha256(whole).hexdigest()[:12]
    return user_state_path("labeler", appauthor=False) / "backups" / f"{project.name.removesuffix(SUFFIX)}-{key}"


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
    """Copy an open project into its own folder of backups, and let go of the oldest. Raises as :func:`back_up`."""
    now = time.time() if now is None else now
    folder = _own_folder(store.path)
    made = _write(store, _free(folder / _name(store, reason, now)), reason, now)
    _let_go(folder)
    return made


def at_exit(store: Store) -> Backup | None:
    """Copy a project that a session leaves; None where nothing changed since the last backup."""
    newest = next(iter(listed(store.path)), None)
    if newest is not None and newest.mark == store.mark():
        return None
    return keep(store, "exit")


def go_on_at(store: Store, target: Path, source: Path) -> Store:
    """Copy an open project to another place and open it there, for writing. Raises as :func:`back_up`."""
    if os.path.lexists(target):
        raise ProjectError(f"{target} is there already", "choose another name; nothing was changed")
    with _draft(target) as draft:
        store.copy(draft, backup=None, source=remembered(source, target))
        verified(draft)
    return Store.open(target)


def before_migration(path: Path, copy: Callable[..., None]) -> None:
    """Keep a project file of an older schema before it is brought up to date; `copy` writes it to a new file."""
    folder, now = _own_folder(path), time.time()
    place = _free(folder / f"{_stamp(now)}-migration{SUFFIX}")
    with _draft(place) as draft:
        copy(draft, backup=_noted(path, "migration", now))
        verified(draft)
    _let_go(folder)


def _write(store: Store, target: Path, reason: str, now: float) -> Backup:
    if os.path.lexists(target):
        raise ProjectError(f"{target} is there already", "choose another name; nothing was changed")
    with _draft(target) as draft:
        store.copy(draft, backup=_noted(store.path, reason, now))
        found = verified(draft)
    return Backup(target, found.of, reason, now, found.events, found.mark)


def _noted(path: Path, reason: str, now: float) -> dict[str, Any]:
    return {"of": os.fsdecode(os.fsencode(path.resolve())), "reason": reason, "at": now}


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """A name beside `target` for the time of writing; what is written there is renamed when it is whole and on disk."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.draft")
    try:
        yield draft
        sync(draft)
        draft.replace(target)
        sync(target.parent)
    except OSError as error:
        raise NotSaved(f"cannot write {target}: {error.strerror}", "is there room, and the right to write?") from error
    finally:
        for left in (draft, draft.with_name(f"{draft.name}-journal"), draft.with_name(f"{draft.name}-wal")):
            with suppress(OSError):
                left.unlink(missing_ok=True)


def _own_folder(project: Path) -> Path:
    folder = folder_of(project)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise NotSaved(
            f"cannot make the folder of backups {folder}: {error.strerror}", "set XDG_STATE_HOME to a writable folder"
        ) from error
    sweep(folder)
    return folder


def _name(store: Store, reason: str, now: float) -> str:
    return f"{_stamp(now)}-{store.n_events()}-{reason}{SUFFIX}"


def _stamp(now: float) -> str:
    return time.strftime("%Y%m%dT%H%M%S", time.gmtime(now)) + f"{int(now % 1 * 1000):03d}Z"


def _free(path: Path) -> Path:
    """`path`, or where it is taken (two in one second) the next name that sorts behind it."""
    base, number = path.name.removesuffix(SUFFIX), 1
    while os.path.lexists(path):
        number += 1
        path = path.with_name(f"{base}.{number}{SUFFIX}")
    return path


def _let_go(folder: Path) -> None:
    for path in _files(folder)[KEPT:]:
        with suppress(OSError):
            path.unlink()


# -- finding and trying ------------------------------------------------------------------------------------------------


def listed(project: Path) -> Iterator[Backup]:
    """The backups of a project, the newest first; those that cannot be opened are left out."""
    for path in _files(folder_of(project)):
        with suppress(LabelerError):
            yield about(path)


def newest_sound(project: Path) -> Backup | None:
    """The newest backup of a project that can be restored."""
    for path in _files(folder_of(project)):
        with suppress(LabelerError):
            return verified(path)
    return None


def about(path: Path) -> Backup:
    """What a copy says of itself. Raises ProjectError where it cannot be opened."""
    with closing(Store.open(path, read_only=True)) as store:
        noted = store.project().get("backup", {})
        of = Path(noted["of"]) if "of" in noted else None
        return Backup(path, of, noted.get("reason", ""), noted.get("at", 0.0), store.n_events(), store.mark())


def verified(path: Path) -> Backup:
    """Read a copy whole and fold its journal.

    Raises
    ------
    ProjectError
        It is damaged, or no project.
    """
    with closing(Store.open(path, read_only=True)) as store:
        if wrong := store.quick_check():
            raise ProjectError(f"{path} is damaged: {wrong[0]}", "choose an older backup")
        state = folded(store)
        for audit in state.audits:
            if not store.frozen(audit.number):
                raise ProjectError(
                    f"{path} is damaged: the labels of audit {audit.number} are gone", "choose an older backup"
                )
    return about(path)


def folded(store: Store) -> State:
    """What the journal of a project amounts to. Raises DamagedProject where it cannot be read or does not add up."""
    try:
        return fold(State(Pool(store.instance_ids())), store.replay())
    except DamagedProject as error:
        raise DamagedProject(
            f"{store.path} is damaged: {error.message}",
            f"what is lost, and which backup to restore: labeler check {store.path}",
        ) from error


def _files(folder: Path) -> list[Path]:
    """The backups in a folder by name, and so by time, the newest first."""
    with suppress(OSError):
        return sorted((path for path in folder.glob(f"2*{SUFFIX}") if path.is_file()), reverse=True)
    return []


# -- bringing back -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: which copy came back to which place, and where the file that was there is now."""

    backup: Backup
    path: Path
    kept: Path | None


def restore(backup: Path, to: Path | None = None, *, now: float | None = None) -> Restored:
    """Put a copy in the place of its project (or at `to`); what is there is kept beside it under a dated name.

    Raises
    ------
    ProjectError, ProjectBusy
        The copy is damaged or does not say whose it is, or the project is open; nothing was changed.
    NotSaved
        There is no room for it; nothing was changed.
    """
    found = verified(backup)
    path = to if to is not None else found.of
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
    kept = _free(path.with_name(f"{path.name.removesuffix(SUFFIX)}-before-restore-{_stamp(now)}{SUFFIX}"))
    sweep(path.parent, f".{path.name}.")  # what a killed restore left
    with _locked(path), closing(Store.open(backup, read_only=True)) as store, _draft(path) as draft:
        store.copy(draft, backup=None, **_source_from(store, found.of, path))
        there = put_aside(path, kept)
    return Restored(found, path, kept if there else None)


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
    lock.acquire()
    try:
        yield
    finally:
        lock.release()
