"""`labeler import-labels`: labels made elsewhere, as one undoable event."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labeler.core.errors import ProjectError
from labeler.core.text import counted, display_safe, unescaped
from labeler.core.types import Progress, Provenance
from labeler.plugins.exporters.csv_jsonl import unprefixed
from labeler.plugins.importers.label_tables import LabelRow
from labeler.plugins.importers.labels import read_labels
from labeler.project.open import Project
from labeler.session.parts.classes import check_names
from labeler.session.session import Session

_SHOWN = 5
_REJECTED = "rejected"
_MACHINE = (Provenance.PROPAGATED.word, Provenance.PREDICTED.word)


@dataclass(frozen=True, slots=True)
class Imported:
    """How many labels were taken, and (id, imported class, class that stays) of the contradictions: to a person's
    label, and to an earlier import's (`earlier`)."""

    taken: int
    new_classes: list[str]
    conflicts: list[tuple[str, str, str]]
    notes: list[str]
    earlier: list[tuple[str, str, str]] = field(default_factory=list)


def import_labels(
    project: Project,
    path: Path,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    replace_imported: bool = False,
    classes: Collection[str] = (),
) -> Imported:
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
    kept: dict[bool, list[tuple[str, str, str]]] = {True: [], False: []}
    for name, class_id in conflicts:
        stays, provenance = session.label_of(session.pool.index(name))
        kept[provenance is Provenance.IMPORTED].append((name, names[class_id], names.get(stays, "?")))
    new = sorted({info.name for info in session.state.active_classes()} - known)
    return Imported(taken, new, kept[False], notes, kept[True])


@dataclass(frozen=True, slots=True)
class Predicted:
    """How many predictions were taken; of them the `given` ones have a person's or an imported label, which stays, and
    `agreeing` of these say the same."""

    taken: int
    given: int
    agreeing: int
    new_classes: list[str]
    notes: list[str]


def import_predictions(
    project: Project,
    path: Path,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    classes: Collection[str] = (),
) -> Predicted:
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
    scores = {row.instance_id: row.confidence for row in reversed(rows)}
    with session.recorder.together():
        labels, twice = _in_classes(session, rows)
        session.imports.predictions([(name, class_id, scores[name]) for name, class_id in labels.items()], str(path))
    stands = {name: session.state.answers.get(session.pool.index(name)) for name in labels}
    given = {name: one.class_id for name, one in stands.items() if one is not None and one.kind == "label"}
    agreeing = sum(labels[name] == class_id for name, class_id in given.items())
    new = sorted({info.name for info in session.state.active_classes()} - known)
    return Predicted(len(labels), len(given), agreeing, new, notes + _left_out(twice))


def _in_classes(session: Session, rows: list[LabelRow]) -> tuple[dict[str, int], list[str]]:
    """Instance id -> class id, its classes made where there are none; and the instances that have two, left out."""
    labels: dict[str, int] = {}
    twice: dict[str, None] = {}  # in the order of the file
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
    """What to say of the instances that a file gives two classes."""
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
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _classes_of(manifest: dict[str, Any]) -> list[str]:
    """The classes of an export of ours, which are what they are called, be it ``NA`` or ``1.0``."""
    classes = manifest.get("classes")
    return [name for name in classes if isinstance(name, str)] if isinstance(classes, list) else []


def _decoder(manifest: dict[str, Any]) -> Callable[[str], str]:
    """What undoes the escapes of our own exports; the quote of ``--csv-safe`` only where the manifest says so."""
    configuration = manifest.get("configuration")
    safe = isinstance(configuration, dict) and configuration.get("csv_safe") == "yes"
    return (lambda text: unescaped(unprefixed(text))) if safe else unescaped


def report_predictions(predicted: Predicted, shown: int = 20) -> str:
    """What to say of imported predictions."""
    lines = [f"{counted(predicted.taken, 'prediction')} imported: machine labels, no answers"]
    if predicted.new_classes:
        lines.append(f"new classes: {', '.join(display_safe(name, 40) for name in predicted.new_classes[:shown])}")
    if predicted.given:
        lead = counted(predicted.given, "has a given label, which stays", "have given labels, which stay")
        lines.append(f"{lead}: {predicted.agreeing:,} of them predicted as given")
    return "\n".join([*lines, *predicted.notes])


def report(imported: Imported, shown: int = 20) -> str:
    """What to say of an import."""
    lines = [f"{counted(imported.taken, 'label')} imported"]
    if imported.new_classes:
        names = list(dict.fromkeys(imported.new_classes))
        lines.append(f"new classes: {', '.join(display_safe(name, 40) for name in names[:shown])}")
    if imported.conflicts:
        lines.append(f"{len(imported.conflicts):,} contradict a person's label, which stays:")
        lines += [
            f"  {display_safe(name)}: import says {display_safe(theirs, 40)}, you said {display_safe(mine, 40)}"
            for name, theirs, mine in imported.conflicts[:shown]
        ]
    if imported.earlier:
        lines.append(f"{len(imported.earlier):,} contradict a label that was imported before, which stays (--replace):")
        lines += [
            f"  {display_safe(name)}: import says {display_safe(theirs, 40)}, before it was {display_safe(mine, 40)}"
            for name, theirs, mine in imported.earlier[:shown]
        ]
    return "\n".join([*lines, *imported.notes])
