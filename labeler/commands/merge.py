"""`labeler merge`: the project files of two people into a third. From the files alone; the source may be elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.commands.result import Result
from labeler.core.errors import ProjectError, UsageError
from labeler.core.events import AuditBegin, Event
from labeler.core.files import whole
from labeler.core.pool import Pool
from labeler.core.stats.agreement import Agreement, agreement
from labeler.core.text import counted, display_safe, escaped
from labeler.project import paths
from labeler.project.backup_folder import folded
from labeler.session.consistency import fitting_arrays
from labeler.session.merge.audits import AUDIT_ANEW, earlier_auditors
from labeler.session.merge.journals import Side
from labeler.session.merge.merge import MergedJournal, merge_journals
from labeler.session.state import State
from labeler.store.store import Store


@dataclass(frozen=True, slots=True)
class MergeReport(Result):
    """The merged file and what there is to say of it. `people`: how the two are called, in the order given."""

    path: Path
    people: tuple[str, str]
    state: State
    outcome: MergedJournal
    agreement: Agreement
    notes: list[str]
    is_quiet: bool = False  # a merge has no progress that --quiet could silence: its notes are what is quiet

    def to_json(self) -> dict[str, Any]:
        """Return how far the two agree, where they do not, and which keys are others now."""
        return {
            "project": escaped(str(self.path)),
            "people": [escaped(name) for name in self.people],
            "events": len(self.outcome.events),
            "labels": self.state.answers.counts["label"],
            **self.agreement.facts,
            "conflicts": [self._conflict(index) for index in self.outcome.conflicts],
            "keys": [
                {"name": escaped(name), "keys": [first, second], "key": now}
                for name, first, second, now in self.outcome.keys
            ],
            "notes": self.notes,
        }

    def lines(self) -> list[str]:
        """Return where the labels are, how far the two agree, and what is asked first."""
        path = display_safe(str(self.path), 1000)
        lines = [f"{counted(self.state.answers.counts['label'], 'label')} in {path}"]
        lines.append(f"agreement: {self.agreement.statement}")
        if self.outcome.conflicts:
            lead = counted(len(self.outcome.conflicts), "conflict is", "conflicts are")
            lines.append(f"{lead} asked first; until then the later answer stands: labeler label {path}")
        return lines

    def warnings(self) -> Sequence[str]:
        """Return what became of keys, names and audits."""
        return () if self.is_quiet else self.notes

    def _conflict(self, index: int) -> dict[str, Any]:
        names = {class_id: escaped(info.name) for class_id, info in self.state.classes.items()}
        answers = self.state.conflicts[index].answers
        return {
            "id": escaped(self.state.pool.ids[index]),
            "answers": [{"annotator": escaped(who), "label": names.get(class_id)} for _, who, class_id in answers],
        }


@dataclass(frozen=True, slots=True)
class _ProjectFile:
    """One of the two files, read."""

    path: Path
    ids: list[str]
    side: Side
    project: dict[str, Any]
    pool_arrays: dict[str, NDArray[Any]]
    frozen: dict[int, dict[str, NDArray[Any]]]


_Pair = tuple[_ProjectFile, _ProjectFile]


def merge(first: Path, second: Path, target: Path) -> MergeReport:
    """Merge two project files of the same source into a new one; the two are not changed.

    Raises
    ------
    ProjectError
        One of them cannot be read, they are of different sources, or the target is there already.
    NotSaved
        The target could not be written; nothing is left of it.
    """
    files = _read(first), _read(second)
    if os.path.lexists(target):
        raise ProjectError(f"{target} is there already", "choose another name with -o; nothing was changed")
    if not target.name.endswith(paths.SUFFIX):
        raise UsageError(f"{target} is no name of a project file", f"let it end in {paths.SUFFIX}")
    notes: list[str] = []
    ids = _pool_of(files, notes)
    outcome = merge_journals(files[0].side, files[1].side, Pool(ids))
    _write(target, files, ids, outcome, notes)
    state = State(Pool(ids))
    for event in outcome.events:
        state.apply(event)
    people = (_name_of(files[0]), _name_of(files[1]))
    notes += _describe_changes(outcome, people) + _describe_audits(state)
    return MergeReport(target, people, state, outcome, agreement(outcome.pairs), notes)


# -- reading -----------------------------------------------------------------------------------------------------


def _read(path: Path) -> _ProjectFile:
    with ExitStack() as stack:
        store = Store.open(path, read_only=True)
        stack.callback(store.close)
        project = store.project()
        if "source" not in project:
            raise ProjectError(f"the project {path} was never opened with a source", "answer some questions first")
        folded(store)  # whatever a stranger's journal says, it is refused here, in one line
        events, ids = list(store.replay()), store.instance_ids()
        # who gave no name is told apart by the file's
        name = str(project.get("options", {}).get("annotator") or path.name.removesuffix(paths.SUFFIX))
        side = Side(events, name, frozenset(project.get("left_out", ())))
        frozen = {number: dict(store.frozen(number)) for number in _audits_begun(events).values()}
        return _ProjectFile(path, ids, side, project, fitting_arrays(store.arrays("pool"), len(ids)), frozen)


def _name_of(file: _ProjectFile) -> str:
    """Return the names of those who answered in a file, else the file's own."""
    names = {event.annotator for event in file.side.events if event.annotator}
    return " and ".join(sorted(names)) if names else file.side.annotator


def _pool_of(files: _Pair, notes: list[str]) -> list[str]:
    """The instances of both, in the order of the older file.

    Raises
    ------
    ProjectError
        The two are of different sources.
    """
    # by age, then by the ids: whichever is named first, the pool is the same
    older, newer = sorted(files, key=lambda file: (file.project.get("created", 0.0), file.ids))
    known = set(older.ids)
    joining = [name for name in newer.ids if name not in known]
    shared = len(newer.ids) - len(joining)
    differing, compared = _other_content(older, newer)
    # half: two people may each have a part of the images, while a few names are alike by chance
    if 2 * shared < min(len(older.ids), len(newer.ids)) or (compared and 2 * len(differing) > compared):
        paths = [display_safe(file.project["source"]["path"]) for file in files]
        what = f"only {shared:,} instances are in both" if not differing else "the images differ"
        raise ProjectError(
            f"the two projects are of different sources, {paths[0]} and {paths[1]}: {what}",
            "merge two projects of the same images; nothing was changed",
        )
    if joining or shared < len(older.ids):
        lone = len(joining) + len(older.ids) - shared
        notes.append(f"{counted(lone, 'instance is', 'instances are')} in one of the two projects only; all are kept")
    if differing:
        lead = counted(len(differing), "instance has", "instances have")
        notes.append(f"{lead} another content in the two ({display_safe(differing[0], 60)} ...); labels are kept")
    return older.ids + joining


def _other_content(older: _ProjectFile, newer: _ProjectFile) -> tuple[list[str], int]:
    """Ids whose content hashes differ, and how many were compared."""
    places = {name: place for place, name in enumerate(newer.ids)}
    old_hashes, new_hashes = (
        file.pool_arrays.get("sha256", np.zeros((0, 32), dtype=np.uint8)) for file in (older, newer)
    )
    differing, compared = [], 0
    for row, name in enumerate(older.ids[: len(old_hashes)]):
        other = places.get(name, len(new_hashes))
        if (
            other < len(new_hashes) and old_hashes[row].any() and new_hashes[other].any()
        ):  # a hash of zeros is not known yet
            compared += 1
            if not np.array_equal(old_hashes[row], new_hashes[other]):
                differing.append(name)
    return differing, compared


def _describe_changes(outcome: MergedJournal, people: tuple[str, str]) -> list[str]:
    """Return a line for all that is neither lost nor as it was in either file."""
    shown = [display_safe(name, 40) for name in people]
    notes = []
    for name, first, second, now in outcome.keys:
        notes.append(
            f"the key of {display_safe(name, 40)} is {now or 'none'} now"
            f" ({shown[0]}: {first or 'none'}, {shown[1]}: {second or 'none'}; the class named first keeps its own)"
        )
    for before, now in outcome.renamed:
        notes.append(f"the class {display_safe(before, 40)} is called {display_safe(now, 40)} now")
    if outcome.outranked:
        lead = counted(
            outcome.outranked, "instance that one could not tell has", "instances that one could not tell have"
        )
        notes.append(f"{lead} the other's answer")
    return notes


def _describe_audits(state: State) -> list[str]:
    """Return a line about the audits that the two hold, if there is any: they stay behind."""
    names = " and ".join(display_safe(name, 40) for name in earlier_auditors(state))
    return [f"audited by {names} before it was merged: {AUDIT_ANEW}"] if names else []


# -- writing -----------------------------------------------------------------------------------------------------


def _write(target: Path, files: _Pair, ids: list[str], outcome: MergedJournal, notes: list[str]) -> None:
    """The new file, whole or not at all."""
    # of two made in the same moment by their text: the order of the arguments must not matter
    older = min(files, key=lambda file: (file.project.get("created", 0.0), json.dumps(file.project, sort_keys=True)))
    try:
        with whole(target, over=False, durable=True) as draft, closing(Store.open(draft, create=True)) as store:
            store.join_instances(ids, older.project.get("created", 0.0))
            store.append_all(outcome.events)
            for number, arrays in _frozen(files, outcome.events).items():
                store.freeze(number, arrays)
            store.remember(**_project(files, older, target, outcome, notes))
            if arrays := _pool_arrays(files, ids):
                store.put_arrays("pool", arrays)
    except FileExistsError:
        raise ProjectError(f"{target} is there already", "choose another name with -o") from None
    except OSError as error:
        raise ProjectError(f"cannot write {target}: {error.strerror}", "choose another place with -o") from error


def _audits_begun(events: Iterable[Event]) -> dict[str, int]:
    """Event that begins an audit -> its number."""
    return {event.event_id: event.body.number for event in events if isinstance(event.body, AuditBegin)}


def _frozen(files: Sequence[_ProjectFile], events: Sequence[Event]) -> dict[int, dict[str, NDArray[Any]]]:
    """Number -> frozen labels of the audits in the merged journal: of the file that knows all the other does."""
    frozen: dict[int, dict[str, NDArray[Any]]] = {}
    for begin, number in _audits_begun(events).items():
        for file in files:
            if arrays := file.frozen.get(_audits_begun(file.side.events).get(begin, 0), {}):
                frozen[number] = arrays
    return frozen


def _project(
    files: _Pair,
    older: _ProjectFile,
    target: Path,
    outcome: MergedJournal,
    notes: list[str],
) -> dict[str, Any]:
    """Return the project row of the new file: the older one's options and source."""
    options, chosen = [_shared(file.project) for file in files], _shared(older.project)
    names = [name for name in sorted({*options[0], *options[1]}) if options[0].get(name) != options[1].get(name)]
    if names:
        shown = ", ".join(f"{name} = {display_safe(str(chosen.get(name, 'default')), 60)}" for name in names)
        notes.append(f"the two had different options; of {display_safe(older.path.name)}: {shown}")
    places = [place for file in (older, *files) for place in paths.places_of(file.project["source"], file.path)]
    source = next((place for place in places if place.exists()), places[0])
    return {
        "options": chosen,
        "created": older.project.get("created", 0.0),
        "source": paths.remembered(source, target),
        "left_out": sorted(outcome.dropped),
    }


def _pool_arrays(files: Sequence[_ProjectFile], ids: list[str]) -> dict[str, NDArray[Any]]:
    """Content hashes and unreadable instances, as far as either file knows them."""
    places = {name: place for place, name in enumerate(ids)}
    arrays: dict[str, NDArray[Any]] = {}
    for name in ("sha256", "unreadable"):
        for file in files:
            array = file.pool_arrays.get(name)
            if array is None or not len(array):
                continue
            whole = arrays.setdefault(name, np.zeros((len(ids), *array.shape[1:]), dtype=array.dtype))
            rows = np.array([places[instance_id] for instance_id in file.ids[: len(array)]], dtype=np.int64)
            whole[rows] = np.maximum(whole[rows], array) if name == "unreadable" else _filled(whole[rows], array)
    return arrays


def _filled(known: NDArray[Any], array: NDArray[Any]) -> NDArray[Any]:
    """`known` with the rows of `array` where it has none."""
    return np.where(known.any(axis=1, keepdims=True), known, array)


def _shared(project: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a project that are not one person's."""
    return {name: value for name, value in project.get("options", {}).items() if name != "annotator"}
