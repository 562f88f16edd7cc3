"""CSV and JSONL with a column of names and a column of labels, as other programs write them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from labeler.core.errors import SourceError, UnreadableInstance
from labeler.core.text import display_safe, plain_text
from labeler.core.types import Provenance
from labeler.plugins.importers.dialects import csv_lines, delimiter_of
from labeler.plugins.importers.encodings import Encoding, encoding_of_bytes
from labeler.plugins.importers.files import read_bytes
from labeler.plugins.importers.id_matching import match_names, name_of_media
from labeler.plugins.importers.label_words import LabelWords

# the first that is there is taken: `path` is what this program writes
ID_COLUMNS = ("path", "id", "instance_id", "file_name", "filename", "file", "image")
LABEL_COLUMNS = ("label", "class", "class_name", "truth", "target", "choice")
_FILE_COLUMNS = (
    *("image_path", "img_path", "file_path", "filepath", "image_name", "img_name", "image_file"),
    *("image_file_name", "image_id"),
    *("img", "imagepath", "imagename", "uri", "url", "name", "key"),
)
"""Further names of columns that name an instance, where labels are read: in a table of features they may be more."""
_RELATIVE = frozenset({"file_name", "image_file_name"})
"""Columns of Hugging Face's metadata."""
_CLASS_COLUMNS = ("labels", "category", "classname", "class_label", "tag", "y")
COLUMNS = frozenset((*ID_COLUMNS, *_FILE_COLUMNS, *LABEL_COLUMNS, *_CLASS_COLUMNS, "provenance", "confidence"))
"""Names of columns that say something of a label."""
MAX_TABLE_BYTES = 4 << 30

_LINE_ENDS = re.compile(r"\r\n|\r|\n")  # not those of str.splitlines: a name may hold U+2028
_JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
_BESIDE = ("provenance", "confidence")
_PROVENANCES = frozenset(entry.word for entry in Provenance if entry is not Provenance.NONE) | {"rejected"}
"""What a row says that has a label, whatever the label looks like."""


class LabelRow(NamedTuple):
    """One line of a table of labels; `label` is never empty, `confidence` lies in [0, 1]."""

    instance_id: str
    label: str
    provenance: str | None = None
    confidence: float | None = None


class Record(NamedTuple):
    """One line as it was read: its number, and its cells by the names of the columns in lower case."""

    line: int
    cells: dict[str, Any]


def read_label_rows(
    path: Path,
    ids: Sequence[str] | None = None,
    classes: Iterable[str] = (),
    notes: list[str] | None = None,
    folder: str = "",
) -> list[LabelRow]:
    """The rows of a CSV or JSONL file that have a label; the others are counted in `notes`.

    Where several columns could name the instance, the one that most of `ids` are in does; `classes` are names that
    are classes even where they look like a missing value; `folder` is what names in a column ``file_name`` are
    relative to (``train/``).

    Raises
    ------
    SourceError
        Unreadable, no column of names or of labels, a broken line; the message names the line.
    """
    shown = display_safe(path.name)
    aside: list[str] = []
    text = read_text(path, aside)
    is_json = path.suffix.lower() in _JSON_ENDINGS
    records = list(_json_records(text, shown) if is_json else _csv_records(text, shown, _tabs(path)))
    rows, why = rows_of(records_in(folder, records), shown, ids, classes)
    if not rows:
        reason = f": {why[0]}" if why else ""
        raise SourceError(
            f"{shown} holds no label{reason}", "write lines of path,label below a first line 'path,label'"
        )
    if notes is not None:
        notes += [f"{shown}: {note}" for note in (*aside, *why)]
    return rows


def records_in(folder: str, records: list[Record]) -> list[Record]:
    """Records whose ``file_name`` begins with the folder it is relative to; as they are where that is ""."""
    if not folder:
        return records
    return [
        record._replace(
            cells=record.cells | {key: f"{folder}{record.cells[key]}" for key in _RELATIVE & record.cells.keys()}
        )
        for record in records
    ]


def rows_of(
    records: list[Record], shown: str, ids: Sequence[str] | None, classes: Iterable[str]
) -> tuple[list[LabelRow], list[str]]:
    """The labels of records of one table, and a line on those without one; raises as :func:`read_label_rows`."""
    words = LabelWords(classes)
    if not records:
        return [], []
    columns = _columns_of(records, shown, ids)
    rows = [row for record in records if (row := _label_row(record, columns, words, shown))]
    return rows, words.notes()


def read_names(path: Path, notes: list[str] | None = None) -> list[str]:
    """The lines of a text file that are not blank, such as class names: one a line; a guessed encoding is said in
    `notes`.

    Raises
    ------
    SourceError
        It cannot be read, is not text, or holds no name.
    """
    aside: list[str] = []
    names = [line.strip() for line in _LINE_ENDS.split(read_text(path, aside)) if line.strip()]
    if not names:
        raise SourceError(f"{display_safe(path.name)} is empty", "write one name a line, or leave it out")
    strange = next((name for name in names if plain_text(name) != name or "\0" in name), None)
    if strange is not None:
        raise SourceError(
            f"{display_safe(path.name)} is no text: {display_safe(strange, 40)!r}", "one name a line, UTF-8"
        )
    if notes is not None:
        notes += [f"{display_safe(path.name)}: {note}" for note in aside]
    return names


def read_text(path: Path, notes: list[str] | None = None) -> str:
    """A text file in the encoding it is in (:func:`encoding_of`), a guess said in `notes`; raises SourceError."""
    text, encoding = read_encoded(path)
    if notes is not None and encoding.note:
        notes.append(encoding.note)
    return text


def read_encoded(path: Path) -> tuple[str, Encoding]:
    """A text file, and what it is written in.

    Raises
    ------
    SourceError
        It cannot be read.
    """
    try:
        # a link that a person names is meant, and read_bytes() follows none by itself
        content = read_bytes(os.path.realpath(path), MAX_TABLE_BYTES)
    except UnreadableInstance as error:
        raise SourceError(f"cannot read {display_safe(str(path))}: {error}", "check the path") from error
    encoding = encoding_of_bytes(content)
    return content.decode(encoding.name, encoding.errors), encoding


def csv_rows(text: str, delimiter: str, shown: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) for the lines of a CSV that are not blank; raises SourceError at a broken quote."""
    return csv_lines(text, shown, delimiter)


def column(names: list[str], wanted: tuple[str, ...]) -> str | None:
    """The first of `wanted` that is among the (lower-case) column names."""
    return next((name for name in wanted if name in names), None)


def checked_cells(cells: list[str], width: int, line: int, shown: str) -> list[str]:
    """`cells` as many as the first line has, short lines filled up.

    Raises
    ------
    SourceError
        There are more of them, and what is too much is not empty: a separator that was no separator.
    """
    if len(cells) > width and any(cell.strip() for cell in cells[width:]):
        raise SourceError(
            f"{shown}, line {line}: {len(cells)} cells, the first line names {width}",
            'nothing was taken; put a cell that holds the separator in quotes: "salt, pepper"',
        )
    return (cells + [""] * (width - len(cells)))[:width]


def _tabs(path: Path) -> bool:
    return path.suffix.lower() in (".tsv", ".tab")


def separator_for(path: Path, text: str) -> str:
    """A tab in what is called .tsv and has one in its first line, else :func:`delimiter_of`."""
    return "\t" if _tabs(path) and "\t" in text.partition("\n")[0] else delimiter_of(text)


def _csv_records(text: str, shown: str, tabs: bool) -> Iterator[Record]:
    # without a tab in its first line a .tsv has one column, or is a CSV under another name
    separator = "\t" if tabs and "\t" in text.partition("\n")[0] else ""
    lines = csv_lines(text, shown, separator)
    _, first = next(lines, (0, list[str]()))
    header = [_column_name(name) for name in first]
    _check_label_column(header, shown)
    start = next(lines, None)
    if start is None:
        return
    # R writes row names without a heading: the first line is one cell short
    header = with_row_names(header, start[1])
    for line, cells in chain([start], lines):
        yield Record(line, dict(zip(header, checked_cells(cells, len(header), line, shown), strict=True)))


def _column_name(name: str) -> str:
    # a file that was marked as UTF-8 twice keeps the second mark: decoding takes off one
    return name.strip().strip("\ufeff").lower().replace(" ", "_")


def with_row_names(header: list[str], first: list[str]) -> list[str]:
    """The header with a nameless column before it where R has written none above its row names."""
    if len(first) != len(header) + 1 or not first[-1].strip():
        return header
    named = any(_column_name(name) in (*ID_COLUMNS, *_FILE_COLUMNS) for name in header)
    return header if named and first[0].strip() != "1" else ["", *header]


def _json_records(text: str, shown: str) -> Iterator[Record]:
    numbered: Iterable[tuple[int, object]]
    if text.lstrip().startswith("["):
        listed = _json(text, 1, shown)
        numbered = enumerate(listed if isinstance(listed, list) else [listed], 1)
    else:
        lines = enumerate(text.split("\n"), 1)  # not splitlines(): JSON strings may hold other line separators
        numbered = ((number, _json(line, number, shown)) for number, line in lines if line.strip())
    for number, record in numbered:
        if not isinstance(record, dict):
            raise SourceError(f"{shown}, line {number}: no JSON object", 'write {"path": ..., "label": ...} a line')
        named = {_column_name(str(name)): value for name, value in record.items()}
        _check_label_column(list(named), f"{shown}, line {number}")
        yield Record(number, {name: named[name] for name in named if _says_something(name, named[name])})


def _says_something(name: str, value: object) -> bool:
    # lists and objects in other columns are of no concern: records of other programs are full of them
    return name in COLUMNS or isinstance(value, (str, int))


def _json(text: str, line: int, shown: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", "nested too deeply")
        raise SourceError(f"{shown}, line {line}: no JSON ({reason})", "write one JSON object a line") from error


def _check_label_column(names: list[str], shown: str) -> None:
    if column(names, (*ID_COLUMNS, *_FILE_COLUMNS)) is None and column(names, LABEL_COLUMNS) is None:
        raise _no_column(ID_COLUMNS[0], names, shown)
    if column(names, (*LABEL_COLUMNS, *_CLASS_COLUMNS)) is None:
        raise _no_column(LABEL_COLUMNS[0], names, shown)


def _no_column(wanted: str, names: list[str], shown: str) -> SourceError:
    there = ", ".join(display_safe(name, 30) or "''" for name in names[:10]) or "none"
    return SourceError(f"{shown} has no column {wanted!r} (columns: {there})", "it needs path,label or id,label")


class _Columns(NamedTuple):
    """The columns that may name the instance, and those that may say its class, the best first."""

    keys: list[str]
    labels: list[str]


def _columns_of(records: list[Record], shown: str, ids: Sequence[str] | None) -> _Columns:
    # a record of JSON may leave columns out: a hundred of them show what there is
    names = list(dict.fromkeys(name for record in records[:100] for name in record.cells))
    labels = [name for name in (*LABEL_COLUMNS, *_CLASS_COLUMNS) if name in names]
    if "choice" in names and "image" in names and "path" not in names:  # Label Studio: its id is the task's
        return _Columns(["image"], labels)
    candidates = [name for name in (*ID_COLUMNS, *_FILE_COLUMNS) if name in names and name not in labels[:1]]
    if not candidates and ids is not None:
        candidates = [name for name in names if name not in (*labels, *_BESIDE)]
        candidates = [name for name in candidates if _matches(name, records, ids)]
    if not candidates:
        raise _no_column(ID_COLUMNS[0], names, shown)
    if len(candidates) > 1 and ids is not None:
        # several columns may look like names, and only the source knows which of them are its own
        counts = {name: _matches(name, records, ids) for name in candidates}
        candidates = sorted(candidates, key=lambda name: -counts[name])  # stable: the usual order where they tie
    return _Columns(candidates, labels)


def _matches(name: str, records: list[Record], ids: Sequence[str]) -> int:
    """Count the instances that a column names, those that it writes as they are twice: numbers count rows, or files."""
    values = {str(cell) for record in records if (cell := record.cells.get(name)) not in (None, "")}
    matches = match_names(values, ids)
    return len(matches) + sum(value == instance_id for value, instance_id in matches.items())


def _label_row(record: Record, columns: _Columns, words: LabelWords, shown: str) -> LabelRow | None:
    """The label of one record, None where there is none; raises SourceError."""
    line, cells = record
    value = cells.get(next((name for name in columns.labels if name in cells), ""))
    _text(value, line, shown)
    provenance = _text(cells.get("provenance"), line, shown).strip().lower()
    label = words.text(value, is_given=provenance in _PROVENANCES)
    if not label:
        return None
    name = _text(cells.get(next((key for key in columns.keys if key in cells), "")), line, shown)
    if not name:
        raise SourceError(f"{shown}, line {line}: a label without a path or id", "name the instance or drop the line")
    confidence = _confidence(cells.get("confidence"), line, shown)
    return LabelRow(name_of_media(name), label, plain_text(provenance) or None, confidence)


def _text(value: object, line: int, shown: str) -> str:
    """A cell as text: JSON's whole numbers without a point, null as nothing."""
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        raise SourceError(f"{shown}, line {line}: a list or object where text belongs", "one label an instance")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _confidence(value: object, line: int, shown: str) -> float | None:
    if value is None or value == "" or value != value:  # only NaN differs from itself
        return None
    try:
        # spreadsheets write a comma in many languages
        number = float(str(value).replace(",", ".")) if isinstance(value, (str, int, float)) else -1.0
    except (ValueError, OverflowError):
        number = -1.0
    if not 0 <= number <= 1:
        cell = display_safe(str(value), 30)
        raise SourceError(f"{shown}, line {line}: confidence {cell!r} is not between 0 and 1", "mend or empty the cell")
    return number
