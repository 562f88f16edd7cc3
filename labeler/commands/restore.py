"""What is sound of a damaged project file, in a new one: advice must not lead to fewer answers than the file holds."""

from __future__ import annotations

import os
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labeler.core.codec import Unreadable, loads
from labeler.core.errors import LabelerError, ProjectError
from labeler.core.files import whole
from labeler.core.pool import Pool
from labeler.core.text import counted, display_safe
from labeler.core.types import Event
from labeler.project.backups import verified
from labeler.project.paths import remembered
from labeler.session.consistency import fitting_arrays
from labeler.session.fold import take
from labeler.session.state import State
from labeler.store import rows
from labeler.store.file_names import refuse_strange_log
from labeler.store.inspect import Inspected, inspect
from labeler.store.settings import wrong_key
from labeler.store.store import Store

NOT_COPIED = ("backup", "opened_as")


@dataclass(frozen=True, slots=True)
class Rescued:
    """What a rescue brought: events that hold, how many there were at least, and where they are now."""

    path: Path
    events: int
    lost: int


def is_damaged(file: Path) -> bool:
    """Whether a project file cannot be read to its end as it was written."""
    try:
        verified(file)
    except LabelerError:
        return True
    return False


def rescue(damaged: Path, to: Path) -> Rescued:
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
    refuse_strange_log(to)
    inspected = inspect(damaged)
    if inspected.unreadable or inspected.foreign or inspected.newer or not inspected.events:
        why = inspected.unreadable or inspected.foreign or "no event of it can be read"
        raise ProjectError(
            f"nothing can be brought out of {damaged}: {why}", "restore a backup: labeler check says which"
        )
    events, ids = _events_that_hold(inspected)
    with whole(to, durable=True) as draft, closing(Store.open(draft, create=True)) as new:
        new.join_instances(ids, 0.0)
        new.remember(**_project(inspected, damaged, to))
        new.append_all(events)
        for audit, arrays in _frozen(inspected).items():
            new.freeze(audit, arrays)
        new.put_arrays("pool", fitting_arrays(_arrays(inspected, "pool"), len(ids)))
    return Rescued(to, len(events), len(inspected.events) - len(events) + len(inspected.bad_events))


def report(rescued: Rescued) -> str:
    """What to say of a rescue."""
    lost = f", {counted(rescued.lost, 'event is', 'events are')} lost" if rescued.lost else ""
    return f"{counted(rescued.events, 'event')} brought to {display_safe(str(rescued.path), 1000)}{lost}"


def _events_that_hold(inspected: Inspected) -> tuple[list[Event], list[str]]:
    """The events that fold, in order, and the ids they fold over: those of the pool, then others that are named."""
    ids: list[str] = []
    for start, count, blob, _ in sorted(inspected.rows.get("pool", [])):
        part = rows.unpack_ids(blob, count)
        if start == len(ids) and len(part) == count:
            ids += part
    ids = list(dict.fromkeys([*ids, *(event.instance_id for event in inspected.events if event.instance_id)]))
    state, events = State(Pool(ids)), []
    for event in inspected.events:
        try:
            take(state, event)
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
