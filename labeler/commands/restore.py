"""`labeler restore`: a backup in the place of its project, or the sound part of a damaged file in a new one.

Advice must not lead to fewer answers than a file holds: of a damaged one every event that holds is brought out.
"""

from __future__ import annotations

import os
import shlex
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labeler.commands.result import Result
from labeler.core.codec import Unreadable, loads
from labeler.core.errors import LabelerError, ProjectError
from labeler.core.events import Event
from labeler.core.files import whole
from labeler.core.pool import Pool
from labeler.core.text import counted, display_safe
from labeler.project.backups import Restored, verified
from labeler.project.backups import restore as bring_back
from labeler.project.paths import remembered
from labeler.session.consistency import fitting_arrays
from labeler.session.fold import take
from labeler.session.state import State
from labeler.store import rows
from labeler.store.file_names import refuse_strange_log
from labeler.store.inspect import Inspected, inspect
from labeler.store.settings import wrong_key
from labeler.store.store import Store

# They speak of the damaged file: its backups, and the name and inode under which it was opened.
NOT_COPIED = ("backup", "opened_as")


@dataclass(frozen=True, slots=True)
class RescueReport(Result):
    """The events that hold, how many are lost at least, and the new file."""

    path: Path
    events: int
    lost: int

    def lines(self) -> list[str]:
        """Return how much was brought out, and how to go on."""
        lost = f", {counted(self.lost, 'event is', 'events are')} lost" if self.lost else ""
        place = display_safe(str(self.path), 1000)
        return [
            f"{counted(self.events, 'event')} brought to {place}{lost}",
            f"go on: labeler label {shlex.quote(place)}",
        ]


@dataclass(frozen=True, slots=True)
class RestoreReport(Result):
    """The project that was brought back, and the copy of what was there before."""

    restored: Restored

    def lines(self) -> list[str]:
        """Return what is where now, and how to go on."""
        place = shlex.quote(display_safe(str(self.restored.path), 1000))
        lines = [f"{counted(self.restored.backup.events, 'event')} restored to {place}"]
        if self.restored.old_file is not None:
            lines.append(f"what was there is kept in {shlex.quote(display_safe(str(self.restored.old_file), 1000))}")
        return [*lines, f"go on: labeler label {place}"]


def restore(file: Path, to: Path | None) -> RescueReport | RestoreReport:
    """Bring a backup back in the place of its project; with `to`, bring out what is sound of a damaged one.

    Raises
    ------
    LabelerError
        As :func:`rescue` and :func:`labeler.project.backups.restore`.
    """
    if to is not None and is_damaged(file):
        return rescue(file, to)
    return RestoreReport(bring_back(file, to))


def is_damaged(file: Path) -> bool:
    """Whether a project file cannot be read to its end as it was written."""
    try:
        verified(file)
    except LabelerError:
        return True
    return False


def rescue(damaged: Path, to: Path) -> RescueReport:
    """Write the events of `damaged` that hold, with its instances and options, to the new file `to`.

    An event holds where its seal does and it follows from those before it. Nothing is changed in `damaged`.

    Raises
    ------
    ProjectError
        There is nothing to bring, or `to` is there already.
    NotSaved
        It could not be written; nothing is left of it.
    """
    if os.path.lexists(to):
        raise ProjectError(f"{to} is there already", "choose another name; nothing was changed")
    # a log that lies there without its file would be read as that of the new one
    refuse_strange_log(to)
    inspected = inspect(damaged)
    if inspected.unreadable or inspected.foreign or inspected.newer or not inspected.events:
        why = inspected.unreadable or inspected.foreign or "no event of it can be read"
        raise ProjectError(
            f"nothing can be brought out of {damaged}: {why}", "restore a backup: labeler check says which"
        )
    # before the draft: where nothing holds, no file is begun
    events, ids = _events_that_hold(inspected)
    with whole(to, durable=True) as draft, closing(Store.open(draft, create=True)) as new:
        new.join_instances(ids, 0.0)
        new.remember(**_project(inspected, damaged, to))
        new.append_all(events)
        for audit, arrays in _frozen(inspected).items():
            new.freeze(audit, arrays)
        new.put_arrays("pool", fitting_arrays(_arrays(inspected, "pool"), len(ids)))
    return RescueReport(to, len(events), len(inspected.events) - len(events) + len(inspected.bad_events))


def _events_that_hold(inspected: Inspected) -> tuple[list[Event], list[str]]:
    """The events that fold, in order, and the ids they fold over: those of the pool, then others that are named."""
    ids: list[str] = []
    for start, count, blob, _ in sorted(inspected.rows.get("pool", [])):
        part = rows.unpack_ids(blob, count)
        if start == len(ids) and len(part) == count:
            ids += part
    # an event may name an instance that the damaged list lost: its answer is kept all the same
    ids = list(dict.fromkeys([*ids, *(event.instance_id for event in inspected.events if event.instance_id)]))
    state, events = State(Pool(ids)), []
    for event in inspected.events:
        try:
            take(state, event)
        # what rests on an event that is lost is lost with it, the others go on
        except LabelerError:
            continue
        events.append(event)
    return events, ids


def _project(inspected: Inspected, damaged: Path, to: Path) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, text in inspected.rows.get("project", []):
        with suppress(Unreadable):
            value = loads(text)
            if key not in NOT_COPIED and not wrong_key({key: value}):
                values[key] = value
    if "source" in values:
        there = Path(values["source"]["path"])
        beside = Path(os.path.realpath(Path(os.path.realpath(damaged)).parent / values["source"]["relative"]))
        # the file may have been carried to another machine together with its source
        values["source"] = remembered(beside if beside.exists() and not there.exists() else there, to)
    return values


def _frozen(inspected: Inspected) -> dict[int, dict[str, Any]]:
    frozen: dict[int, dict[str, Any]] = {}
    for audit, name, *packed in inspected.rows.get("frozen", []):
        with suppress(Unreadable):
            frozen.setdefault(audit, {})[name] = rows.unpack_array(*packed)
    return frozen


def _arrays(inspected: Inspected, owner: str) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    for whose, name, *packed in inspected.rows.get("arrays", []):
        with suppress(Unreadable):
            if whose == owner:
                arrays[name] = rows.unpack_array(*packed)
    return arrays
