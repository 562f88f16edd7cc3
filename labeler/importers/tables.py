"""CSV and JSONL with a column of names and a column of labels, as other programs write them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from labeler.display import display_safe
from labeler.errors import SourceError, UnreadableInstance
from labeler.importers.files import read_bytes
from labeler.importers.matching import name_of_media
from labeler.importers.names import plain_text

ID_COLUMNS = ("path", "id", "instance_id", "file_name", "filename", "file", "image")
LABEL_COLUMNS = ("label", "class", "class_name", "truth", "target", "choice")
MAX_TABLE_BYTES = 4 << 30

_LINE_ENDS = re.compile(r"\r\n|\r|\n")  # not those of str.splitlines: a name may hold U+2028
_JSON_ENDINGS = (".jsonl", ".ndjson", ".json")


class LabelRow(NamedTuple):
    """One line of a table of labels; `label` is never empty, `confidence` lies in [0, 1]."""

    instance_id: str
    label: str
    provenance: str | None = None
    confidence: float | None = None


def read_label_rows(path: Path) -> list[LabelRow]:
    """The rows of a CSV or JSONL file that have a label; rows with an empty one are left out.

    Raises
    ------
    SourceError
        Unreadable, no column of names or of labels, a broken line; the message names the line.
    """
    shown = display_safe(path.name)
    text = read_text(path)
    records = _json_records(text, shown) if path.suffix.lower() in _JSON_ENDINGS else _csv_records(text, shown)
    rows = [row for line, record in records if (row := label_row(record, line, shown))]
    if not rows:
        raise SourceError(f"{shown} holds no label", "write lines of path,label below a first line 'path,label'")
    return rows


def read_names(path: Path) -> list[str]:
    """The lines of a text file that are not blank, such as class names: one a line.

    Raises
    ------
    SourceError
        It cannot be read, is not text, or holds no name.
    """
    names = [line.strip() for line in _LINE_ENDS.split(read_text(path)) if line.strip()]
    if not names:
        raise SourceError(f"{display_safe(path.name)} is empty", "write one name a line, or leave it out")
    strange = next((name for name in names if plain_text(name) != name or "\0" in name), None)
    if strange is not None:
        raise SourceError(
            f"{display_safe(path.name)} is no text: {display_safe(strange, 40)!r}", "one name a line, UTF-8"
        )
    return names


def read_text(path: Path) -> str:
    """A text file: UTF-8 with or without BOM, or UTF-16 with one; other bytes stay as surrogates, as in file names.

    Raises
    ------
    SourceError
        It cannot be read.
    """
    try:
        content = read_bytes(os.path.realpath(path), MAX_TABLE_BYTES)
    except UnreadableInstance as error:
        raise SourceError(f"cannot read {display_safe(str(path))}: {error}", "check the path") from error
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def csv_rows(text: str, delimiter: str, shown: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) for the lines of a CSV that are not blank; raises SourceError at a broken quote."""
    return lines_of(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), shown)


def lines_of(reader: Any, shown: str) -> Iterator[tuple[int, list[str]]]:
    """The same for what a :func:`csv.reader` of a stream reads."""
    try:
        for row in reader:
            if any(row):
                yield reader.line_num, row
    except csv.Error as error:
        raise SourceError(
            f"{shown}, line {reader.line_num}: {error}", "check the quotes: one cell seems never to end"
        ) from error


def delimiter_of(text: str) -> str:
    """The one of comma, semicolon and tab that the first line uses most."""
    head = text[: text.find("\n")] if "\n" in text else text
    return max(",;\t", key=head.count)


def column(names: list[str], wanted: tuple[str, ...]) -> str | None:
    """The first of `wanted` that is among the (lower-case) column names."""
    return next((name for name in wanted if name in names), None)


def _csv_records(text: str, shown: str) -> Iterator[tuple[int, dict[str, Any]]]:
    lines = csv_rows(text, delimiter_of(text), shown)
    _, first = next(lines, (0, list[str]()))
    header = [name.strip().lower() for name in first]
    _check_columns(header, shown)
    for line, row in lines:
        yield line, dict(zip(header, row, strict=False))


def _json_records(text: str, shown: str) -> Iterator[tuple[int, dict[str, Any]]]:
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
        named = {str(name).strip().lower(): value for name, value in record.items()}
        _check_columns(list(named), f"{shown}, line {number}")
        yield number, named


def _json(text: str, line: int, shown: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", "nested too deeply")
        raise SourceError(f"{shown}, line {line}: no JSON ({reason})", "write one JSON object a line") from error


def _check_columns(names: list[str], shown: str) -> None:
    for wanted in (ID_COLUMNS, LABEL_COLUMNS):
        if column(names, wanted) is None:
            there = ", ".join(display_safe(name, 30) for name in names[:10]) or "none"
            raise SourceError(
                f"{shown} has no column {wanted[0]!r} (columns: {there})", "it needs path,label or id,label"
            )


def label_row(record: dict[str, Any], line: int, shown: str) -> LabelRow | None:
    """The label of one record (names of columns in lower case), None where there is none; raises SourceError."""
    by_task = "choice" in record and "image" in record and "path" not in record  # Label Studio: its id is the task's
    name = record.get(column(list(record), ID_COLUMNS) or "")
    if by_task:
        name = name_of_media(_text(record["image"], line, shown))
    label = _text(record.get(column(list(record), LABEL_COLUMNS) or ""), line, shown).strip()
    if not label:
        return None
    if name is None or name == "":
        raise SourceError(f"{shown}, line {line}: a label without a path or id", "name the instance or drop the line")
    provenance = _text(record.get("provenance"), line, shown).strip().lower()
    confidence = _confidence(record.get("confidence"), line, shown)
    return LabelRow(_text(name, line, shown), plain_text(label), plain_text(provenance) or None, confidence)


def _text(value: object, line: int, shown: str) -> str:
    """A cell as text: JSON's whole numbers without a point, null as nothing."""
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        raise SourceError(f"{shown}, line {line}: a list or object where text belongs", "one label an instance")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _confidence(value: object, line: int, shown: str) -> float | None:
    if value is None or value == "":
        return None
    try:
        number = float(value) if isinstance(value, (str, int, float)) else -1.0
    except (ValueError, OverflowError):
        number = -1.0
    if not 0 <= number <= 1:
        cell = display_safe(str(value), 30)
        raise SourceError(f"{shown}, line {line}: confidence {cell!r} is not between 0 and 1", "mend or empty the cell")
    return number
