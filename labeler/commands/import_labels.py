"""`labeler import-labels`: labels made elsewhere, as one undoable event."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labeler.commands.result import Result
from labeler.core.class_names import check_names
from labeler.core.errors import ProjectError
from labeler.core.text import counted, display_safe, unescaped
from labeler.core.types import Progress, Provenance
from labeler.plugins.exporters.csv_jsonl import unprefixed
from labeler.plugins.importers.label_tables import LabelRow
from labeler.plugins.importers.labels import read_labels
from labeler.project.open import Project
from labeler.session.session import Session

_SHOWN, _LISTED = 5, 20
"""Instances with two labels, and contradictions or classes, that are named."""
_REJECTED = "rejected"
_MACHINE = (Provenance.PROPAGATED.word, Provenance.PREDICTED.word)


@dataclass(frozen=True, slots=True)
class ImportReport(Result):
    """The number of labels taken, and (id, imported class, class that stays) of each contradiction.

    `conflicts` are those to a person's label, `earlier` those to an earlier import's.
    """

    taken: int
    new_classes: list[str]
    conflicts: list[tuple[str, str, str]]
    notes: list[str]
    earlier: list[tuple[str, str, str]] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the counts, the new classes and the contradictions, the first ones by name."""
        lines = [f"{counted(self.taken, 'label')} imported", *_class_lines(list(dict.fromkeys(self.new_classes)))]
        if self.conflicts:
            lines.append(f"{len(self.conflicts):,} contradict a person's label, which stays:")
            lines += _contradictions(self.conflicts, "you said")
        if self.earlier:
            lines.append(f"{len(self.earlier):,} contradict a label that was imported before, which stays (--replace):")
            lines += _contradictions(self.earlier, "before it was")
        return [*lines, *self.notes]


def import_labels(
    project: Project,
    path: Path,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    replace_imported: bool = False,
    classes: Collection[str] = (),
) -> ImportReport:
    """Read labels from a CSV, JSONL or class folders and put them into the session; a person's label outranks them,
    and so does one that was imported before, unless `replace_imported`. A name in `classes` is one even where it looks
    like a missing value.

    Raises
    ------
    SourceError
        The file cannot be read or names no instance of the source.
    UsageError
        What it has for class names cannot be such; nothing was recorded.
    """
    rows, notes, known = _rows_of(project, path, progress, classes)
    session = project.session
    # our own exports hold the machine's labels as well: brought back as given they would confirm themselves
    machine = sum(row.provenance in _MACHINE for row in rows)
    rows = [row for row in rows if row.provenance not in _MACHINE]
    check_names(row.label for row in rows)
    if machine:
        lead = counted(machine, "row holds a propagated or predicted label", "rows hold propagated or predicted labels")
        notes.append(f"{lead}: left out, only what a person or an import gave comes in (--as predictions takes them)")
    progress(Progress("importing", 0, len(rows)))
    with session.recorder.together():  # a kill leaves no classes without their labels
        labels, twice = _in_classes(session, rows)
        taken, conflicts = session.imports.labels(list(labels.items()), str(path), replace_imported=replace_imported)
    notes += _left_out(twice)
    names = {class_id: info.name for class_id, info in session.state.classes.items()}
    contradictions: dict[bool, list[tuple[str, str, str]]] = {True: [], False: []}
    for name, class_id in conflicts:
        stays, provenance = session.label_of(session.pool.index(name))
        contradictions[provenance is Provenance.IMPORTED].append((name, names[class_id], names.get(stays, "?")))
    new = sorted({info.name for info in session.state.active_classes()} - known)
    return ImportReport(taken, new, contradictions[False], notes, contradictions[True])


@dataclass(frozen=True, slots=True)
class PredictionImportReport(Result):
    """The number of predictions taken.

    Of them the `given` ones have a person's or an imported label, which stays; `agreeing` of these say the same.
    """

    taken: int
    given: int
    agreeing: int
    new_classes: list[str]
    notes: list[str]

    def lines(self) -> list[str]:
        """Return the counts and the new classes."""
        lines = [f"{counted(self.taken, 'prediction')} imported: machine labels, no answers"]
        lines += _class_lines(self.new_classes)
        if self.given:
            lead = counted(self.given, "has a given label, which stays", "have given labels, which stay")
            lines.append(f"{lead}: {self.agreeing:,} of them predicted as given")
        return [*lines, *self.notes]


def import_predictions(
    project: Project,
    path: Path,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    classes: Collection[str] = (),
) -> PredictionImportReport:
    """Read labels as :func:`import_labels` does and keep them as what a model elsewhere predicts: never as given ones.

    Whatever provenance a row says; its confidence is its score.

    Raises
    ------
    SourceError, UsageError
        As :func:`import_labels`; nothing was recorded.
    """
    rows, notes, known = _rows_of(project, path, progress, classes)
    check_names(row.label for row in rows)
    session = project.session
    # reversed: of a name that stands there twice the first row counts, as for its class
    scores = {row.instance_id: row.confidence for row in reversed(rows)}
    # one transaction, as above
    with session.recorder.together():
        labels, twice = _in_classes(session, rows)
        session.imports.predictions([(name, class_id, scores[name]) for name, class_id in labels.items()], str(path))
    stands = {name: session.state.answers.get(session.pool.index(name)) for name in labels}
    given = {name: answer.class_id for name, answer in stands.items() if answer is not None and answer.kind == "label"}
    agreeing = sum(labels[name] == class_id for name, class_id in given.items())
    new = sorted({info.name for info in session.state.active_classes()} - known)
    return PredictionImportReport(len(labels), len(given), agreeing, new, notes + _left_out(twice))


def _in_classes(session: Session, rows: list[LabelRow]) -> tuple[dict[str, int], list[str]]:
    """Return instance id -> class id, with new classes made; and the instances that have two, which are left out."""
    labels: dict[str, int] = {}
    twice: dict[str, None] = {}  # in the order of the file
    # in the order of the file, each once: so new classes get their keys in that order
    class_ids = {name: session.classes.id_for(name, setup=True) for name in dict.fromkeys(row.label for row in rows)}
    for row in rows:
        class_id = class_ids[row.label]
        if labels.setdefault(row.instance_id, class_id) != class_id:
            twice[row.instance_id] = None
    return {name: class_id for name, class_id in labels.items() if name not in twice}, list(twice)


def _rows_of(
    project: Project, path: Path, progress: Callable[[Progress], None], classes: Collection[str]
) -> tuple[list[LabelRow], list[str], set[str]]:
    """The rows of a file that name instances of the pool, what is to be said of it, and the classes there were."""
    if project.source is None:
        raise ProjectError("the source of this project is not open", "is it where it was?")
    progress(Progress("reading labels"))
    # reading labels may add notes to the source: those from before were said already
    before = len(project.source.notes)
    session = project.session
    known = {info.name for info in session.state.active_classes()}
    exported = _exported(path)
    read = read_labels(path, project.source, _decoder(exported), [*known, *classes, *_classes_of(exported)])
    here = [row for row in read if row.instance_id in session.pool]
    rows = [row for row in here if row.provenance != _REJECTED]
    notes = list(project.source.notes[before:])
    if len(rows) < len(here):
        lead = counted(len(here) - len(rows), "row is of an image", "rows are of images")
        notes.append(f"{lead} that somebody rejected: left out, that is no class")
    return rows, notes, known


def _left_out(twice: list[str]) -> list[str]:
    """Describe the instances that a file gives two classes."""
    if not twice:
        return []
    lead = counted(len(twice), "instance has", "instances have")
    first = ", ".join(display_safe(name, 60) for name in twice[:_SHOWN])
    return [f"{lead} two different labels in the file: left out ({first})"]


def _exported(path: Path) -> dict[str, Any]:
    """The manifest of our own export; empty where it is none."""
    manifest = path / "manifest.json" if path.is_dir() else path.with_name(f"{path.name}.manifest.json")
    try:
        document = json.loads(manifest.read_text(encoding="utf-8"))
    # no manifest, none of ours, or brackets without end: then the labels are read as anybody's
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _classes_of(manifest: dict[str, Any]) -> list[str]:
    """The classes of an export of ours, which are what they are called, be it ``NA`` or ``1.0``."""
    classes = manifest.get("classes")
    return [name for name in classes if isinstance(name, str)] if isinstance(classes, list) else []


def _decoder(manifest: dict[str, Any]) -> Callable[[str], str]:
    """Return a function that undoes the escapes of our own exports.

    The quote of ``--csv-safe`` is undone only where the manifest says that it was set.
    """
    configuration = manifest.get("configuration")
    safe = isinstance(configuration, dict) and configuration.get("csv_safe") == "yes"
    return (lambda text: unescaped(unprefixed(text))) if safe else unescaped


def _class_lines(names: list[str]) -> list[str]:
    """Return one line that names the new classes; none where there is none."""
    return [f"new classes: {', '.join(display_safe(name, 40) for name in names[:_LISTED])}"] if names else []


def _contradictions(rows: list[tuple[str, str, str]], before: str) -> list[str]:
    """Return one line a contradiction: the imported class, and the one that stays."""
    return [
        f"  {display_safe(name)}: import says {display_safe(imported, 40)}, {before} {display_safe(stays, 40)}"
        for name, imported, stays in rows[:_LISTED]
    ]
