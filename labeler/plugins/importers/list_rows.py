"""Rows of a list of images: (name, label) a line, from a CSV, a text with a path a line, or JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from labeler.core.errors import SourceError
from labeler.core.text import display_safe
from labeler.plugins.importers.annotations import coco, coco_images, is_coco
from labeler.plugins.importers.dialects import delimiter_of
from labeler.plugins.importers.encodings import encoding_of_bytes
from labeler.plugins.importers.files import first_bytes
from labeler.plugins.importers.label_columns import Known
from labeler.plugins.importers.label_tables import (
    LABEL_COLUMNS,
    checked_cells,
    column,
    csv_rows,
    read_text,
    separator_for,
)
from labeler.plugins.importers.names import IMAGE_ENDINGS, has_image_ending

PATH_COLUMNS = ("path", "file_name", "filename", "file", "image", "image_path", "img")
TABLES = (".csv", ".tsv")
TEXTS = (".txt", ".lst", ".list")
JSONS = (".json", ".jsonl", ".ndjson")
_LOOK = 1 << 16
_ENDS = "|".join(sorted(re.escape(ending) for ending in IMAGE_ENDINGS))
# up to an ending, not to a space: names may hold spaces, and the label follows
_LINE = re.compile(rf"(.+?(?:{_ENDS}))[\"']?[\s,;]+(\S.*)", re.IGNORECASE)
_JSON_NAME = re.compile(
    rf'[\[{{]\s*(?:"(?:{"|".join(PATH_COLUMNS)})"\s*:\s*)?"[^"\n]*(?:{_ENDS})"'
    rf'|"(?:{"|".join(PATH_COLUMNS)})"\s*:\s*"[^"\n]*(?:{_ENDS})"',
    re.IGNORECASE,
)


class Listed(NamedTuple):
    """One line: a name as it is written ("" = the line has none), and the cell of its label."""

    name: str
    label: Any = None


def names_images(path: Path) -> bool:
    """Whether a file is a list of images, judged by its ending and its beginning."""
    ending = path.suffix.lower()
    if ending in TABLES:
        return table_names_images(path)
    if ending in TEXTS:
        first = next((line for line in _lines(_beginning(path)) if line), "")
        return bool(_text_row(first).name)
    head = _beginning(path) if ending in JSONS else ""
    return bool(head) and (is_coco(path) or _JSON_NAME.search(head) is not None)


def listed_rows(path: Path, notes: list[str]) -> Iterator[Listed]:
    """The lines of a list; a guessed encoding is said in `notes`.

    Raises
    ------
    SourceError
        A broken quote, a cell too many, no JSON: the message names the line.
    """
    ending = path.suffix.lower()
    if ending in TABLES:
        return _table_rows(path, notes)
    if ending in TEXTS:
        return (_text_row(line) for line in _lines(read_text(path, notes)) if line)
    return _json_rows(path, notes)


# -- CSV ---------------------------------------------------------------------------------------------------------------


def table_names_images(path: Path) -> bool:
    """Whether the first row of a CSV names an image: one that is there, or one in a table without further numbers;
    or an address."""
    head = _beginning(path)
    try:
        # whole lines only: the last one may be cut within a quote
        rows = [cells for _, cells in csv_rows(head[: head.rfind("\n") + 1] or head, delimiter_of(head), "")][:2]
    except SourceError:
        return False
    if not rows:
        return False
    place, first = _place_of_paths(rows[0]), rows[-1]
    if place >= len(first) or (_header(rows[0]) and len(rows) < 2) or not has_image_ending(first[place].strip()):
        return False
    if _header(rows[0]) and "://" in first[place]:  # an address in a column that is called so
        return True
    try:
        if (path.parent / first[place].strip().replace("\\", "/")).is_file():
            return True
    except (OSError, ValueError):
        return False
    return not any(_is_number(cell) for at, cell in enumerate(first) if at != place)


def _table_rows(path: Path, notes: list[str]) -> Iterator[Listed]:
    shown = display_safe(path.name)
    text = read_text(path, notes)
    lines = csv_rows(text, separator_for(path, text), shown)
    line, first = next(lines, (0, list[str]()))
    header, place = _header(first), _place_of_paths(first)
    name_of_label = column(header, LABEL_COLUMNS)
    label = header.index(name_of_label) if name_of_label is not None else None
    if not header and first:
        yield Listed(first[place] if place < len(first) else "")
    for line, row in lines:
        cells = checked_cells(row, len(header), line, shown) if header else row
        name = cells[place] if place < len(cells) else ""
        yield Listed(name, cells[label] if label is not None and label < len(cells) else None)


def _header(cells: list[str]) -> list[str]:
    """The names of the columns in lower case; [] where the first line is none."""
    names = [cell.strip().lower() for cell in cells]
    return names if column(names, PATH_COLUMNS) is not None else []


def _place_of_paths(cells: list[str]) -> int:
    names = _header(cells)
    wanted = column(names, PATH_COLUMNS)
    return names.index(wanted) if wanted is not None else 0


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


# -- texts, JSON -------------------------------------------------------------------------------------------------------


def _beginning(path: Path) -> str:
    start = first_bytes(path, _LOOK)
    encoding = encoding_of_bytes(start)
    return start.decode(encoding.name, "replace" if encoding.errors == "replace" else "surrogateescape")


def _lines(text: str) -> Iterator[str]:
    # not splitlines(): a name may hold U+2028 and other ends of lines that are none here
    return (line.strip() for line in re.split(r"\r\n|\r|\n", text) if not line.lstrip().startswith("#"))


def _text_row(line: str) -> Listed:
    """``path`` or ``path label``; nothing where no image is named."""
    bare = line.strip("\"'")
    if has_image_ending(bare):
        return Listed(bare)
    match = _LINE.fullmatch(line)
    return Listed(match[1].strip("\"'"), match[2].strip("\"'")) if match is not None else Listed("")


def _json_rows(path: Path, notes: list[str]) -> Iterator[Listed]:
    shown = display_safe(path.name)
    try:
        if is_coco(path):
            yield from _coco_rows(path)
            return
        text = read_text(path, notes)
        documents: Iterable[Any] = [json.loads(text)] if path.suffix.lower() == ".json" else _json_lines(text)
        for document in documents:
            entries = document if isinstance(document, list) else [document]
            for entry in entries:
                yield from _json_entry(entry)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = display_safe(str(error), 80) or type(error).__name__
        raise SourceError(f"{shown} cannot be read: {reason}", "is it whole? Write it anew") from error


def _json_lines(text: str) -> Iterator[Any]:
    return (json.loads(line) for line in text.split("\n") if line.strip())


def _json_entry(entry: Any) -> Iterator[Listed]:
    """A name, an object with one, or an object of names and their labels."""
    if isinstance(entry, str):
        yield Listed(entry)
    elif isinstance(entry, dict):
        named = {str(key).lower(): value for key, value in entry.items()}
        key, label = column(list(named), PATH_COLUMNS), column(list(named), LABEL_COLUMNS)
        if key is None and entry and all(map(has_image_ending, entry)):
            yield from (Listed(str(name), value) for name, value in entry.items())
        else:
            yield Listed(str(named.get(key or "") or ""), named.get(label or ""))
    else:
        yield Listed("")


def _coco_rows(path: Path) -> Iterator[Listed]:
    labels = {row.instance_id: row.label for row in coco(path, Known())[0]}
    for name in coco_images(path):
        yield Listed(name, labels.get(name))
