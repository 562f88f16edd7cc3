"""`labeler replay`: a project built anew from its journal alone, and held against the one there is."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from labeler.commands.export.export import ExportOptions, export
from labeler.core.errors import ExportError
from labeler.core.pool import Pool
from labeler.core.text import counted, display_safe, escaped
from labeler.core.types import Progress
from labeler.project.open import open_project
from labeler.project.paths import SUFFIX
from labeler.project.project import Project
from labeler.session.fold import fold
from labeler.session.state import State
from labeler.store.store import Store

_COMPARED = (
    *("revision", "standings", "classes", "next_class_id", "set_up", "flagged", "kept", "conflicts", "settings"),
    *("reaches", "splits", "audits", "labels_at_audit", "front", "counts", "given", "answers", "pages"),
    *("label_events", "keys", "times", "voided_at"),
)
"""What of two states is compared; the undo stack by what it would take back."""


@dataclass(slots=True)
class Replayed:
    """What a replay found: `differences` is empty where both are the same, to the byte of an export."""

    path: Path
    events: int = 0
    rows: int = 0
    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def same(self) -> bool:
        """Whether the project is what its journal says."""
        return not self.differences


def replay(
    path: Path, progress: Callable[[Progress], None] = lambda _: None, say: Callable[[str], None] = lambda _: None
) -> Replayed:
    """Rebuild a project from its journal in a fresh file with a fresh cache, and compare state and export.

    The one there is takes its features from its cache, the fresh one from the source: what differs is damage of the
    cache, or something in the state that the journal does not say. Nothing is changed.

    Raises
    ------
    ProjectError, SourceError
        The project cannot be opened, or its source is gone.
    """
    found = Replayed(path)
    with tempfile.TemporaryDirectory(prefix="labeler-") as scratch:
        fresh = Path(scratch) / f"replayed{SUFFIX}"
        with open_project(path, read_only=True) as project:
            project.cache()
            for notice in project.notices:
                say(notice)
            progress(Progress("rebuilding from the journal"))
            found.events = rebuilt(path, fresh)
            with open_project(fresh) as again:
                again.backed_up = False
                found.differences += differences(project.session.state, again.session.state)
                before = _exported(project, Path(scratch) / "before.csv", found, progress)
                after = _exported(again, Path(scratch) / "after.csv", found, progress)
        if before != after:
            found.differences.append(_first_difference(before, after))
        found.rows = max(before.count(b"\n") - 1, 0)
    return found


def rebuilt(path: Path, fresh: Path) -> int:
    """Write what a project's journal, pool, options and audits say to a new file; returns how many events."""
    with closing(Store.open(path, read_only=True)) as store, closing(Store.open(fresh, create=True)) as new:
        ids = store.instance_ids()
        new.join_instances(ids, 0.0)
        events = list(store.replay())
        new.append_all(events)
        state = fold(State(Pool(ids)), events)
        for audit in state.audits:
            new.freeze(audit.number, store.frozen(audit.number))
        new.remember(**{key: value for key, value in store.project().items() if key != "backup"})
    return len(events)


def differences(one: State, other: State) -> list[str]:
    """What differs between two states, in words."""
    found = [name for name in _COMPARED if getattr(one, name) != getattr(other, name)]
    for name in ("undo_target", "redo_target"):
        events = [getattr(state, name)() for state in (one, other)]
        if events[0] != events[1]:
            found.append(name)
    return [f"the state differs in {name.replace('_', ' ')}" for name in found]


def _exported(project: Project, target: Path, found: Replayed, progress: Callable[[Progress], None]) -> bytes:
    """The export of a project with all that a machine says; nothing where nothing is labeled."""
    try:
        export(project, target, "csv", ExportOptions(predicted=True, latest=True), progress=progress)
    except ExportError as error:
        if error.message not in found.notes:
            found.notes.append(error.message)
        return b""
    return target.read_bytes()


def _first_difference(before: bytes, after: bytes) -> str:
    mine, theirs = before.split(b"\n"), after.split(b"\n")
    line = next((n for n, pair in enumerate(zip(mine, theirs, strict=False)) if pair[0] != pair[1]), len(mine))
    rows = sum(one != two for one, two in zip(mine, theirs, strict=False)) + abs(len(mine) - len(theirs))
    return f"the export differs in {counted(rows, 'line')}, the first is line {line + 1}"


def facts(found: Replayed) -> dict[str, Any]:
    """The outcome as JSON can hold it."""
    values = {one.name: getattr(found, one.name) for one in fields(found) if one.name != "path"}
    return {"project": escaped(str(found.path)), "same": found.same} | values


def text(found: Replayed) -> str:
    """What to say of a replay."""
    name = display_safe(str(found.path), 1000)
    lines = [f"note: {note}" for note in found.notes]
    if found.same:
        return "\n".join(
            [
                f"{name}: what its journal says",
                f"rebuilt from {counted(found.events, 'event')}: the same state, and the same export"
                f" ({counted(found.rows, 'row')}) to the byte",
                *lines,
            ]
        )
    return "\n".join(
        [
            f"{name}: NOT what its journal says",
            *(f"  {one}" for one in found.differences),
            *lines,
            f"what is damaged: labeler check {name}; a damaged cache may be deleted",
        ]
    )
