"""Labels in the columns of Parquet files and the arrays of npz files."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from labeler.core.errors import MissingExtra, SourceError
from labeler.core.text import display_safe
from labeler.plugins.importers.array_layouts import label_texts, parts_of
from labeler.plugins.importers.label_tables import COLUMNS, LabelRow, Record, records_in, rows_of
from labeler.plugins.importers.label_words import UNLABELED_INDICES, LabelWords
from labeler.plugins.importers.npy import ArrayFile, text_array

RowsAndNotes = tuple[list[LabelRow], list[str]]
"""Rows, and a line for each reason that left something out."""


class Known(NamedTuple):
    """The names that are there already: the instances of the source, and the names of the project's classes."""

    ids: Sequence[str] | None = None
    classes: Iterable[str] = ()


def labels_of_parquet(path: Path, known: Known, folder: str = "") -> RowsAndNotes:
    """The columns that a CSV of labels has; numbers of a ClassLabel of Hugging Face become its names. `folder`: as of
    :func:`read_label_rows`."""
    if importlib.util.find_spec("pyarrow") is None:
        raise MissingExtra("reading Parquet", "parquet")
    from pyarrow import ArrowException, parquet  # an extra

    shown = display_safe(path.name)
    records: list[Record] = []
    try:
        with parquet.ParquetFile(path) as file:
            names = _class_names(file.schema_arrow.metadata or {})
            wanted = [name for name in file.schema_arrow.names if name.lower() in COLUMNS]
            for batch in file.iter_batches(columns=wanted):
                for cells in batch.to_pylist():
                    row = len(records)
                    named = {key.lower(): _named(value, names.get(key), row, shown) for key, value in cells.items()}
                    records.append(Record(row + 1, named))
    except (ArrowException, OSError) as error:
        reason = display_safe(str(error), 100)
        raise SourceError(f"{shown} is no Parquet file or is damaged: {reason}", "write it anew") from error
    return rows_of(records_in(folder, records), shown, known.ids, known.classes)


def _class_names(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """Column -> its class names, from what Hugging Face writes into a Parquet file."""
    try:
        # the entry is the writer's own affair: one that is not laid out so says nothing of classes
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        lists = {str(name): feature.get("names") for name, feature in features.items() if isinstance(feature, dict)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return {name: [str(entry) for entry in names] for name, names in lists.items() if isinstance(names, list)}


def _named(value: Any, names: list[str] | None, row: int, shown: str) -> Any:
    if names is None or not isinstance(value, int):
        return value
    return class_at(str(value), names, row, shown) or None


def labels_of_arrays(path: Path, known: Known) -> RowsAndNotes:
    """``ids`` and ``y`` (or ``labels``) with the class names, as the exports npz, sklearn and cleanlab have; without
    ids, the labels of a file whose rows the source has."""
    file = ArrayFile(path)
    ids, values = _with_ids(file) if "ids" in file.names else _by_row(file, known)
    key = next((name for name in ("classes", "target_names", "class_names") if name in file.names), None)
    names = text_array(file, key, file.header(key).shape[0]) if key is not None else None
    provenances = text_array(file, "provenance", len(ids)) if "provenance" in file.names else [""] * len(ids)
    # in a list of classes `NA` or `None` is a name, and no gap
    words = LabelWords([*known.classes, *(names or ())])
    rows = []
    for row, (name, value, provenance) in enumerate(zip(ids, values, provenances, strict=True)):
        if value and names is not None:
            label = class_at(value, names, row, file.shown)
            label = label or words.none(value)
        elif _is_index(value) and int(value) in UNLABELED_INDICES:
            label = words.none(value)
        else:
            label = words.text(value)
        if label:
            rows.append(LabelRow(name, label, provenance or None))
    return rows, words.notes()


def _with_ids(file: ArrayFile) -> tuple[list[str], list[str]]:
    labels = next((name for name in ("y", "labels", "label", "targets", "target") if name in file.names), None)
    if labels is None:
        raise _no_arrays(file)
    n = file.header("ids").shape[0]
    return text_array(file, "ids", n), label_texts(file, labels, n)


def _by_row(file: ArrayFile, known: Known) -> tuple[list[str], list[str]]:
    """Labels beside arrays of instances: they mean the rows of a source that has them, never files called so."""
    ids: list[str] = []
    values: list[str] = []
    try:
        parts = parts_of(file)
    except SourceError as error:
        raise _no_arrays(file) from error
    for part in parts:
        count = file.header(part.content).shape[0]
        if part.labels is not None:
            ids += part.ids(count)
            values += label_texts(file, part.labels, count)
    if not ids or (known.ids is not None and not set(ids) <= set(known.ids)):
        raise _no_arrays(file)
    return ids, values


def _no_arrays(file: ArrayFile) -> SourceError:
    return SourceError(
        f"{file.shown} has no arrays 'ids' and 'y'",
        "labels are ids and y, maybe with classes; without ids they go with the rows of the same file",
    )


def class_at(value: str, names: Sequence[str], row: int, shown: str) -> str:
    """The class that a number (or the name itself) stands for, "" where it says that there is none.

    Raises
    ------
    SourceError
        It is a number of no class: the message names the row.
    """
    if _is_index(value):
        place = int(value)
        if place in UNLABELED_INDICES:
            return ""
        if 0 <= place < len(names):
            return names[place]
    elif value in names:
        return value
    there = f"0 to {len(names) - 1}" if names else "none"
    raise SourceError(
        f"{shown}: row {row:,} has the class {display_safe(value, 30)}, classes are numbered {there}",
        "nothing was taken; rows and classes count from 0, and -1 is no label: do the labels count from 1?",
    )


def _is_index(value: str) -> bool:
    # int() refuses more than some thousand digits, and no row has a number of twenty
    return value.removeprefix("-").isascii() and value.removeprefix("-").isdigit() and len(value) < 20
