"""A column of texts of a CSV as a source: one text an instance, asked for with ``--text COLUMN``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from labeler.core.errors import SourceError, UnreadableInstance
from labeler.core.text import counted, display_safe, plain_text
from labeler.core.types import ByteArray
from labeler.plugins.importers.base import PlainSource, digest
from labeler.plugins.importers.encodings import EIGHT_BITS
from labeler.plugins.importers.files import file_state
from labeler.plugins.importers.label_tables import (
    ID_COLUMNS,
    LABEL_COLUMNS,
    checked_cells,
    column,
    csv_rows,
    read_encoded,
    separator_for,
)
from labeler.plugins.importers.label_words import LabelWords
from labeler.plugins.importers.names import row_ids

_NAMED = 10
_ENDINGS = (".csv", ".tsv")


class TextRows(PlainSource):
    """The texts of one column; `ids` from a column of ids, else numbered."""

    kind, content = "text", "text"

    def __init__(
        self, path: Path, ids: Sequence[str], fingerprint: str, texts: list[str], encoding: str = "utf-8"
    ) -> None:
        super().__init__(path, ids, fingerprint)
        self._texts = texts
        self._encoding = encoding if encoding in EIGHT_BITS else "utf-8"
        self._truth: dict[str, str] = {}

    def texts(self) -> list[str]:
        """All of them, in the order of the ids."""
        return self._texts

    def image(self, index: int) -> ByteArray:
        """Raises UnreadableInstance: a text has no picture."""
        raise UnreadableInstance("a text has no picture")

    def decoded(self, index: int, content: bytes, fit: int) -> ByteArray:
        """Raises UnreadableInstance: a text has no picture."""
        return self.image(index)

    def content_bytes(self, index: int) -> bytes:
        """The text in UTF-8, or in the 8-bit letters it is written in: its bytes in the file."""
        return self._texts[index].encode(self._encoding, "surrogateescape")

    def truth(self) -> dict[str, str]:
        """id -> class from the column of labels; empty without one."""
        return self._truth


def open_texts(path: Path, wanted: str) -> TextRows:
    """Read the column `wanted` of a CSV or TSV; rows without a text are left out and counted.

    Raises
    ------
    SourceError
        It is no such file, has no such column, or the column holds no text.
    """
    shown = display_safe(path.name)
    if not path.is_file() or path.suffix.lower() not in _ENDINGS:
        raise SourceError(f"{shown} is no CSV, so it has no column of texts", "--text COLUMN goes with a .csv or .tsv")
    content, encoding = read_encoded(path)
    lines = csv_rows(content, separator_for(path, content), shown)
    _, first = next(lines, (0, list[str]()))
    header = [name.strip() for name in first]
    if wanted not in header:
        there = ", ".join(repr(display_safe(name, 30)) for name in header[:_NAMED]) or "none"
        raise SourceError(f"{shown} has no column {display_safe(wanted, 40)!r}", f"its columns: {there}")
    place, names = header.index(wanted), [name.lower() for name in header]
    key, label = (_place(names, some, place) for some in (ID_COLUMNS, LABEL_COLUMNS))
    texts: list[str] = []
    keys: list[str] = []
    labels: list[str] = []
    empty = short = 0
    words = LabelWords()
    for line, row in lines:
        short += len(row) < len(header)
        cells = checked_cells(row, len(header), line, shown)
        if not cells[place].strip():
            empty += 1
            continue
        texts.append(cells[place])
        keys.append(plain_text(cells[key].strip()).replace("\0", "") if key is not None else "")
        labels.append(words.text(cells[label]) if label is not None else "")
    if not texts:
        raise SourceError(f"the column {display_safe(wanted, 40)!r} of {shown} holds no text", "name another column")
    named = key is not None and all(keys) and len(set(keys)) == len(keys)
    ids = keys if named else row_ids(len(texts))
    source = TextRows(path, ids, digest(("text", wanted, *file_state(path))), texts, encoding.name)
    source._truth = {i: name for i, name in zip(ids, labels, strict=True) if name}
    if key is not None and not named:
        lead = display_safe(header[key], 40)
        source.notes.append(f"the column {lead!r} does not name every row once: rows are numbered instead")
    if empty:
        source.notes.append(f"left out {counted(empty, 'row')} without a text")
    if short:
        source.notes.append(f"{counted(short, 'row has', 'rows have')} another number of cells than the first line")
    source.notes += [*words.odd_notes(), *([encoding.note] if encoding.note else [])]
    return source


def _place(names: list[str], wanted: tuple[str, ...], other: int) -> int | None:
    name = column(names, wanted)
    position = names.index(name) if name is not None else other
    # the column of texts itself is neither id nor label
    return position if position != other else None
