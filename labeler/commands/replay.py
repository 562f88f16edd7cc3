"""`labeler replay`: a project built anew from its journal alone, and held against the one there is."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from labeler.commands.export.export import ExportOptions, export
from labeler.commands.result import Result
from labeler.core.codec import encode
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
    *("revision", "keys", "times", "voided_at", "settings", "flagged", "looks", "repeats", "conflicts", "predictions"),
    *("answers", "answers.counts", "answers.given", "answers.n_single", "answers.pages", "answers.label_events"),
    *("answers.front", "classes", "classes.next_id", "classes.set_up", "clusters.reaches", "clusters.splits"),
    *("audits", "audits.labels_before", "audits.carried"),
)
"""What of two states is compared; the undo stack by what it would take back."""


@dataclass(frozen=True, slots=True)
class ReplayReport(Result):
    """The outcome of a replay: `differences` is empty where both are the same, to the byte of an export."""

    path: Path
    events: int
    rows: int
    differences: list[str]
    notes: list[str]

    @property
    def is_same(self) -> bool:
        """Whether the project is what its journal says."""
        return not self.differences

    def is_success(self) -> bool:
        """Return whether the project is what its journal says."""
        return self.is_same

    def to_json(self) -> dict[str, Any]:
        """Return the outcome, with whether both are the same."""
        values = {name: value for name, value in encode(self, {}).items() if name != "path"}
        return {"project": escaped(str(self.path)), "same": self.is_same} | values

    def lines(self) -> list[str]:
        """Return what was compared; where something differs, what does and how to go on."""
        name = display_safe(str(self.path), 1000)
        notes = [f"note: {note}" for note in self.notes]
        if self.is_same:
            export = f"the same export ({counted(self.rows, 'row')}) to the byte"
            rebuild = f"rebuilt from {counted(self.events, 'event')}: the same state, and {export}"
            return [f"{name}: what its journal says", rebuild, *notes]
        return [
            f"{name}: NOT what its journal says",
            *(f"  {difference}" for difference in self.differences),
            *notes,
            f"what is damaged: labeler check {name}; a damaged cache may be deleted",
        ]


def replay(
    path: Path, progress: Callable[[Progress], None] = lambda _: None, say: Callable[[str], None] = lambda _: None
) -> ReplayReport:
    """Rebuild a project from its journal in a fresh file with a fresh cache, and compare state and export.

    The one there is takes its features from its cache, the fresh one from the source: what differs is damage of the
    cache, or something in the state that the journal does not say. Nothing is changed.

    Raises
    ------
    ProjectError, SourceError
        The project cannot be opened, or its source is gone.
    """
    differing: list[str] = []
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="labeler-") as scratch:
        fresh = Path(scratch) / f"replayed{SUFFIX}"
        with open_project(path, read_only=True) as project:
            # says in its notices where the cache is, if it is not beside the project
            project.cache()
            for notice in project.notices:
                say(notice)
            progress(Progress("rebuilding from the journal"))
            events = rebuilt(path, fresh)
            with open_project(fresh) as again:
                # the fresh project is thrown away: a backup of it would only push out a real one
                again.backed_up = False
                differing += differences(project.session.state, again.session.state)
                before = _exported(project, Path(scratch) / "before.csv", notes, progress)
                for note in project.view_notes():
                    say(note)
                after = _exported(again, Path(scratch) / "after.csv", notes, progress)
        if before != after:
            differing.append(_first_difference(before, after))
    # less one: the heading is no row
    return ReplayReport(path, events, max(before.count(b"\n") - 1, 0), differing, notes)


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
        # all but what it remembers of its backups, which are of the other file
        new.remember(**{key: value for key, value in store.project().items() if key != "backup"})
    return len(events)


def differences(first: State, second: State) -> list[str]:
    """List what differs between two states, in words."""
    names = [name for name in _COMPARED if attrgetter(name)(first) != attrgetter(name)(second)]
    for name in ("undo_target", "redo_target"):
        events = [getattr(state, name)() for state in (first, second)]
        if events[0] != events[1]:
            names.append(name)
    return [f"the state differs in {name.replace('_', ' ').replace('.', ': ')}" for name in names]


def _exported(project: Project, target: Path, notes: list[str], progress: Callable[[Progress], None]) -> bytes:
    """The export of a project with all that a machine says; nothing where nothing is labeled."""
    try:
        # all that can leave, and as it is now: frozen labels were copied, and would prove nothing
        export(project, target, "csv", ExportOptions(predicted=True, latest=True), progress=progress)
    except ExportError as error:
        # both sides say the same where nothing is labeled; one note is enough
        if error.message not in notes:
            notes.append(error.message)
        return b""
    return target.read_bytes()


def _first_difference(before: bytes, after: bytes) -> str:
    first, second = before.split(b"\n"), after.split(b"\n")
    line = next((n for n, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]), len(first))
    rows = sum(one != two for one, two in zip(first, second, strict=False)) + abs(len(first) - len(second))
    return f"the export differs in {counted(rows, 'line')}, the first is line {line + 1}"
