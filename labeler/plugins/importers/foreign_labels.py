"""Labels as other programs keep them: Label Studio, Prodigy, Hugging Face, FiftyOne, Parquet, arrays, archives; COCO,
YOLO and labelme are :mod:`annotations`.

Each reader gives rows as they are written; which instance a name means is decided by who called. What no reader here
knows is a plain table. The layouts are those of the exporters of the same names, with their sources.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from labeler.core.errors import SourceError
from labeler.core.json_file import items, members
from labeler.core.text import counted, display_safe
from labeler.plugins.importers.annotations import annotation_reader, coco, is_coco, is_labelme, labelme
from labeler.plugins.importers.base import FileSource
from labeler.plugins.importers.files import first_bytes
from labeler.plugins.importers.folder_listing import list_folder
from labeler.plugins.importers.id_matching import match_names, name_of_media
from labeler.plugins.importers.label_columns import Known, RowsAndNotes, labels_of_arrays, labels_of_parquet
from labeler.plugins.importers.label_tables import LabelRow, read_label_rows
from labeler.plugins.importers.label_words import LabelWords
from labeler.plugins.importers.list_rows import TEXTS, listed_rows, names_images
from labeler.plugins.importers.names import is_archive
from labeler.plugins.importers.nested_archives import ShardSource
from labeler.plugins.importers.tar_archive import TarImporter
from labeler.plugins.importers.zip_archive import ZipImporter

Reader = Callable[[Path, Known], RowsAndNotes]

TASK_KEYS = frozenset({"annotations", "predictions", "completions"})
_FOLDERS = ("tasks.json", "labels.json", "metadata.jsonl", "metadata.csv", "metadata.parquet")
_ANSWERED = frozenset({"_timestamp", "_annotator_id", "_session_id"})
"""What Prodigy adds to a task when a person answers it."""
_PEEK = 1 << 16


def read_others(path: Path, known: Known) -> RowsAndNotes | None:
    """The labels in `path` if it is a file or folder of one of these programs; None = something else.

    Raises
    ------
    SourceError
        It is one, and cannot be read; the message is one line.
    """
    reader = _folder_reader(path) if path.is_dir() else _file_reader(path)
    if reader is None:
        return None
    shown = display_safe(path.name)
    try:
        rows, notes = reader(path, known)
    except SourceError:
        raise
    # readers take the layout for granted: a file that does not have it fails in one of these ways
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        reason = display_safe(str(error), 100) or type(error).__name__
        raise SourceError(f"{shown} cannot be read: {reason}", "is it whole? Export it anew") from error
    if not rows:
        raise SourceError(f"{shown} holds no label" + (f": {notes[0]}" if notes else ""), "label something there first")
    return rows, [f"{shown}: {note}" for note in notes]


def _folder_reader(path: Path) -> Reader | None:
    names = set(os.listdir(path))
    folders = [path / name for name in sorted(names) if (path / name).is_dir()]
    inner = {name for folder in folders for name in os.listdir(folder)}
    # FiftyOne calls its export to COCO labels.json as well
    by_stem = [file for folder in (path, *folders) if (file := folder / "labels.json").is_file() and not is_coco(file)]
    if "tasks.json" in names:
        return lambda folder, known: _label_studio(folder / "tasks.json", known)
    if by_stem and (by_stem[0].parent == path or not names & set(_FOLDERS)):
        return _fiftyone_folder
    if (names | inner) & set(_FOLDERS[2:]):
        return _metadata_folder
    listing = list_folder(path, every_link=True)
    if listing.archives and not listing.files:
        return lambda folder, known: _carried(ShardSource(folder, listing.archives, []))
    return annotation_reader(path)


def _file_reader(path: Path) -> Reader | None:
    ending = path.suffix.lower()
    if ending in (".parquet", ".pq"):
        return labels_of_parquet
    if ending == ".npz":
        return labels_of_arrays
    if is_archive(path.name):
        importer = ZipImporter() if ending == ".zip" else TarImporter()
        return lambda file, known: _carried(importer.open(file))
    head = first_bytes(path, _PEEK).removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").lstrip()
    if ending == ".json" and is_coco(path):
        return coco
    if ending == ".json" and is_labelme(path):
        return labelme
    if ending == ".json" and head.startswith("{") and '"labels"' in head:
        return _fiftyone
    if ending == ".json" and head.startswith("[") and any(f'"{key}"' in head for key in TASK_KEYS):
        return _label_studio
    if (ending in TEXTS or (ending == ".json" and head.startswith("{"))) and names_images(path):
        return _listed
    if ending in (".jsonl", ".ndjson") and '"answer"' in head.partition("\n")[0]:
        return _prodigy
    return None


def _carried(source: FileSource) -> RowsAndNotes:
    """Read the labels that lie beside the images of archives, else their folders in it."""
    try:
        labels = source.truth() or source.folder_labels()
        return [LabelRow(name, label) for name, label in labels.items()], []
    finally:
        source.close()


def _listed(path: Path, known: Known) -> RowsAndNotes:
    """A text of ``path label`` a line, or a JSON object of paths and their labels."""
    notes: list[str] = []
    words = LabelWords(known.classes)
    listed = [(row.name, words.text(row.label)) for row in listed_rows(path, notes) if row.name]
    return [LabelRow(name_of_media(name), label) for name, label in listed if label], [*notes, *words.notes()]


def _text(path: Path) -> Any:
    return path.open(encoding="utf-8-sig", errors="surrogateescape")


# -- Label Studio ------------------------------------------------------------------------------------------------------


def _label_studio(path: Path, known: Known) -> RowsAndNotes:
    """Its JSON export: one choice a task is a label, by a person in annotations, by a model in predictions."""
    rows: list[LabelRow] = []
    odd = 0
    for task in items(path, "item"):
        data = task["data"]
        name = data.get("path") or next(map(name_of_media, _media(data)), "")
        # `completions` is what annotations were called before Label Studio 1.0
        for key in ("annotations", "completions", "predictions"):
            for annotation in task.get(key) or []:
                choices = _choices(annotation)
                if len(choices) != 1 or not name:
                    odd += bool(choices)
                    continue
                rows.append(LabelRow(str(name), choices[0], "predicted" if key == "predictions" else "human"))
    return rows, _left_out(odd, "annotation without one class and one image", "annotations without one class and image")


def _choices(annotation: dict[str, Any]) -> list[str]:
    if annotation.get("was_cancelled"):  # skipped by the annotator
        return []
    return [
        str(choice)
        for result in annotation.get("result") or []
        if result.get("type") == "choices"
        for choice in result["value"]["choices"]
    ]


def _media(data: dict[str, Any]) -> Iterator[str]:
    """The first text of a task's data that could be the image: the one called so before the others."""
    texts = {key: value for key, value in data.items() if isinstance(value, str)}
    yield from (texts[key] for key in ("image", "img", "url") if key in texts)
    yield from texts.values()


# -- Prodigy -----------------------------------------------------------------------------------------------------------


def _prodigy(path: Path, known: Known) -> RowsAndNotes:
    """``db-out``: accepted tasks with one option chosen, or accepted with their label."""
    rows: list[LabelRow] = []
    refused = odd = 0
    with _text(path) as stream:
        for line in stream:
            if not line.strip():
                continue
            task = json.loads(line)
            # the choice interface lists what was accepted; the classification interface has one label to judge
            chosen = task.get("accept", [task["label"]] if "label" in task else [])
            if task.get("answer") != "accept":
                refused += 1
            elif len(chosen) != 1:
                odd += 1
            else:
                meta = task.get("meta") or {}
                # this program's own exports first: they keep the path in `meta`; an image inside the line has no name
                names = (meta.get("path"), task.get("path"), meta.get("file"), task.get("image"), task.get("text"))
                name = next((str(name) for name in names if name and not str(name).startswith("data:")), "")
                provenance = "human" if _ANSWERED & task.keys() else str(meta.get("provenance") or "human")
                rows.append(LabelRow(name, str(chosen[0]), provenance))
    notes = _left_out(refused, "task that was rejected or ignored", "tasks that were rejected or ignored")
    return rows, [*notes, *_left_out(odd, "task without exactly one class", "tasks without exactly one class")]


# -- Hugging Face, FiftyOne --------------------------------------------------------------------------------------------


def _metadata_folder(path: Path, known: Known) -> RowsAndNotes:
    """Every ``metadata.*`` in the folder and in those of its splits, whose names are relative to itself."""
    rows: list[LabelRow] = []
    notes: list[str] = []
    files = [file for folder in (path, *sorted(path.iterdir())) if folder.is_dir() for file in sorted(folder.iterdir())]
    for file in files:
        if file.name in _FOLDERS[2:]:
            some, why = _metadata(file, known, "" if file.parent == path else f"{file.parent.name}/")
            rows, notes = rows + some, notes + why
    return rows, notes


def _metadata(file: Path, known: Known, lead: str) -> RowsAndNotes:
    """One of them; where no instance lies in a folder called as its own, names go without that."""
    for folder in dict.fromkeys((lead, "")):
        notes: list[str] = []
        if file.suffix == ".parquet":
            rows, notes = labels_of_parquet(file, known, folder)
        else:
            rows = read_label_rows(file, known.ids, known.classes, notes, folder)
        if known.ids is None or match_names((row.instance_id for row in rows), known.ids):
            break
    return rows, notes


def _fiftyone_folder(path: Path, known: Known) -> RowsAndNotes:
    rows: list[LabelRow] = []
    notes: list[str] = []
    for folder in (path, *sorted(path.iterdir())):
        if (folder / "labels.json").is_file():
            some, why = _fiftyone(folder / "labels.json", known)
            rows, notes = rows + some, notes + why
    return rows, notes


def _fiftyone(path: Path, known: Known) -> RowsAndNotes:
    """``{"classes": [...], "labels": {stem: class}}``; a class is a number, a name, or an object with one."""
    data = path.parent / "data"
    files = {os.path.splitext(name)[0]: name for name in os.listdir(data)} if data.is_dir() else {}
    classes = [str(name) for name in items(path, "classes.item")]
    rows = []
    odd = 0
    for stem, value in members(path, "labels"):
        target = value.get("label") if isinstance(value, dict) else value
        attributes = value.get("attributes") or {} if isinstance(value, dict) else {}
        if isinstance(target, int) and 0 <= target < len(classes):
            target = classes[target]
        if not isinstance(target, str):
            odd += target is not None
            continue
        # a stem has lost its ending: exports of this program keep the path, of others the file in data/ has it
        name = attributes.get("path") or files.get(stem, stem)
        rows.append(LabelRow(str(name), target, str(attributes.get("provenance") or "human")))
    return rows, _left_out(odd, "label that is no class of the list", "labels that are no class of the list")


def _left_out(number: int, thing: str, things: str) -> list[str]:
    return [f"{counted(number, thing, things)} left out"] if number else []
