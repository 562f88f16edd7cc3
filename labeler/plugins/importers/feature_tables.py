"""Tables of features as sources, such as customers to be segmented: CSV and Parquet, one row an instance.

Columns of numbers are the features (the encoder scales them); others are named and left out. An id column names the
instances: one called ``id`` or ending in ``id``, or a first column of texts. A column called ``label`` or the like is
no feature; it is offered as truth to simulations only.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from labeler.core.errors import SourceError
from labeler.core.text import display_safe, plain_text
from labeler.core.types import FloatArray
from labeler.plugins.importers.array_source import TableRows
from labeler.plugins.importers.base import PlainSource, digest
from labeler.plugins.importers.columns import Column, features_of, is_number, without_row_numbers
from labeler.plugins.importers.dialects import Lines, lines_of, reader_of, separator_line, way_of_head
from labeler.plugins.importers.encodings import encoding_of_file, opened_text
from labeler.plugins.importers.files import file_state, first_bytes
from labeler.plugins.importers.label_tables import ID_COLUMNS, LABEL_COLUMNS, column, separator_for, with_row_names
from labeler.plugins.importers.label_words import LabelWords
from labeler.plugins.importers.list_rows import table_names_images
from labeler.plugins.importers.names import row_ids
from labeler.plugins.importers.pixel_tables import NoPixels, PixelReading, PixelTable, layout_of

if TYPE_CHECKING:
    import pyarrow

BLOCK, CELLS = 4_096, 1 << 21
"""Rows, and cells, that are read at once."""
BEGINNING, LOOK = 1 << 20, 50
"""Characters, and rows, by which is judged how a table is written and what it holds."""
MAX_LINE = 16 << 20
"""Characters of a first line at most, a hundred times what a hundred thousand columns need."""

_ENDINGS = (".csv", ".tsv")
# customer_id, customerID, customerId; not `valid` or `paid`
_ID = re.compile(r"(^|[^a-z])id$|[a-z]ID$|[a-z]Id$")


class FeatureTable(TableRows, PlainSource):
    """The rows of a CSV or Parquet file."""

    def __init__(
        self, kind: str, path: Path, ids: Sequence[str], rows: FloatArray, names: list[str], truth: dict[str, str]
    ) -> None:
        super().__init__(path, ids, digest((kind, *file_state(path))))
        self.kind, self._rows = kind, rows
        self._names, self._truth = names, truth

    def column_names(self) -> list[str]:
        """The names of the features, in their order."""
        return self._names

    def truth(self) -> dict[str, str]:
        """id -> class from the column of labels; empty without one."""
        return self._truth


class CsvImporter:
    """Recognizes .csv and .tsv files that name no images."""

    def accepts(self, path: Path) -> bool:
        """Whether it is called so, and is not a list of images."""
        return path.is_file() and path.suffix.lower() in _ENDINGS and not table_names_images(path)

    def open(self, path: Path) -> FeatureTable | PixelTable:
        """Read the table; one of pixels as images.

        Raises
        ------
        SourceError
            No rows, a row of another length, a broken quote, an infinite value, or no column of numbers.
        """
        try:
            return self._read(path, may_be_pixels=True)
        except NoPixels:
            # once more from the start: the first rows looked like pixels, one further on did not
            return self._read(path, may_be_pixels=False)

    def _read(self, path: Path, may_be_pixels: bool) -> FeatureTable | PixelTable:
        shown = display_safe(path.name)
        encoding = encoding_of_file(path)
        with opened_text(path, encoding) as stream:
            lines, separator = _lines_of(path, stream, shown)
            _, first = next(lines, (0, list[str]()))
            header = [cell.strip() for cell in first] if _is_header(first, separator) else None
            # without a header the first line is an instance
            lines = lines if header is not None else chain([(1, first)] if first else [], lines)
            peeked = list(islice(lines, LOOK))
            start = peeked[0][1] if peeked else []
            header = with_row_names(header, start) if header is not None else None
            blocks = _blocks(chain(peeked, lines), len(header or first), shown)
            layout = layout_of(header, [cells for _, cells in peeked]) if may_be_pixels and peeked else None
            if layout is not None:
                pixels = PixelReading(layout, shown)
                for block in blocks:
                    pixels.feed(block)
                source: FeatureTable | PixelTable = pixels.source(path, header)
            else:
                names = header or [f"column {n}" for n in range(1, len(first) + 1)]
                first_is_text = bool(start) and not is_number(start[0], separator != ",")
                reading = _Reading(names, first_is_text, shown, separator != ",")
                for block in blocks:
                    reading.feed_texts([list(cells) for cells in zip(*block, strict=True)])
                source = reading.source("csv", path)
        source.notes += [encoding.note] if encoding.note else []
        return source


class ParquetImporter:
    """Recognizes Parquet by ending or first bytes (extra `parquet`)."""

    def accepts(self, path: Path) -> bool:
        """Whether it is called .parquet or .pq, or begins like one."""
        return path.is_file() and (path.suffix.lower() in (".parquet", ".pq") or first_bytes(path, 4) == b"PAR1")

    def open(self, path: Path) -> FeatureTable:
        """Read the table, one batch of rows after the other.

        Raises
        ------
        SourceError
            Damaged, no rows, an infinite value, or no column of numbers.
        """
        from pyarrow import parquet  # an extra

        shown = display_safe(path.name)
        try:
            with parquet.ParquetFile(path) as file:
                names = list(file.schema_arrow.names)
                reading = _Reading(names, bool(names) and _is_text(file.schema_arrow.field(0).type), shown)
                for batch in file.iter_batches(_rows_at_once(len(names))):
                    reading.feed_arrow(batch)
        except SourceError:
            raise
        except Exception as error:  # pyarrow raises several kinds on damaged files
            reason = display_safe(str(error), 100) or type(error).__name__
            raise SourceError(f"{shown} is no Parquet file or is damaged: {reason}", "write it anew") from error
        return reading.source("parquet", path)


class _Reading:
    """A table while it is read: which column is what, and their values so far."""

    def __init__(self, header: Sequence[str], first_is_text: bool, shown: str, decimal_comma: bool = False) -> None:
        names = [name.lower() for name in header]
        self._shown, self._n = shown, 0
        label = column(names, LABEL_COLUMNS)
        self._label = names.index(label) if label is not None else None
        key = column(names, ID_COLUMNS)
        by_name = (place for place, name in enumerate(header) if _ID.search(name))
        self._key = names.index(key) if key is not None else next(by_name, 0 if first_is_text else None)
        self._key = None if self._key == self._label else self._key
        self._header = list(header)
        self._texts: dict[int, list[str]] = {p: [] for p in (self._label, self._key) if p is not None}
        self._columns = {p: Column(name, decimal_comma) for p, name in enumerate(header) if p not in self._texts}

    def feed_texts(self, cells: Sequence[Sequence[str]]) -> None:
        """Some rows of a CSV, as columns."""
        self._n += len(cells[0]) if cells else 0
        for place, some in enumerate(cells):
            if place in self._texts:
                self._texts[place] += some
            else:
                self._columns[place].feed_texts(some, self._shown)

    def feed_arrow(self, batch: pyarrow.RecordBatch) -> None:
        """Some rows of a Parquet file."""
        from pyarrow import types  # an extra

        self._n += batch.num_rows
        for place in range(batch.num_columns):
            values = batch.column(place)
            if place in self._texts:
                self._texts[place] += ["" if value is None else str(value) for value in values.to_pylist()]
            elif types.is_integer(values.type) or types.is_floating(values.type) or types.is_boolean(values.type):
                # not safe: a whole number beyond 2**53 is rounded, not refused
                numbers = values.cast("float64", safe=False).to_numpy(zero_copy_only=False)
                self._columns[place].feed_numbers(np.asarray(numbers, dtype=np.float64), self._shown)
            else:
                self._columns[place].leave_out(display_safe(str(values.type), 20))

    def source(self, kind: str, path: Path) -> FeatureTable:
        """Return the source of what was read."""
        if not self._n:
            raise SourceError(f"{self._shown} holds no rows", "give one row of numbers an instance")
        columns, numbering = list(self._columns.values()), list[str]()
        # an index stands first or nowhere
        if 0 in self._columns:
            columns, numbering = without_row_numbers(columns)
        rows, names, notes = features_of(columns, self._n, self._shown)
        notes += numbering
        ids: Sequence[str] = row_ids(self._n)
        if self._key is not None:
            # no NUL: SQLite and the system end a text there
            keys = [plain_text(text.strip()).replace("\0", "") for text in self._texts[self._key]]
            name = display_safe(self._header[self._key], 40)
            if all(keys) and len(set(keys)) == self._n:
                ids = keys
            else:
                notes.append(f"the column {name!r} does not name every row once: rows are numbered instead")
        truth = {}
        if self._label is not None:
            words = LabelWords()
            labels = [words.text(text) for text in self._texts[self._label]]
            truth = {i: label for i, label in zip(ids, labels, strict=True) if label}
            name = display_safe(self._header[self._label], 40)
            notes.append(f"the column {name!r} is no feature: --truth y simulates with it")
            notes += words.odd_notes()
        source = FeatureTable(kind, path, ids, rows, names, truth)
        source.notes += notes
        return source


def _lines_of(path: Path, stream: TextIO, shown: str) -> tuple[Lines, str]:
    """The lines of a CSV and what separates their cells, judged by its beginning: the rest is read once."""
    head = stream.readline(MAX_LINE)
    if len(head) >= MAX_LINE:
        raise SourceError(f"the first line of {shown} never ends", "it is no table, or holds millions of columns")
    separator = separator_line(head)
    if separator:
        head = stream.readline(MAX_LINE)
    beginning = head + stream.read(BEGINNING) + stream.readline(MAX_LINE)
    separator = separator or separator_for(path, beginning)
    way = way_of_head(beginning, separator)
    reader = reader_of(chain(io.StringIO(beginning, newline=""), stream), separator, way)
    return lines_of(reader, shown), separator


def _blocks(lines: Lines, width: int, shown: str) -> Iterator[list[list[str]]]:
    """Some rows at once, all of one width; raises SourceError at one that is not."""
    at_once = _rows_at_once(width)
    while part := list(islice(lines, at_once)):
        rows = []
        for line, cells in part:
            if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
                cells = cells[:width]  # separators at the end of a line
            if len(cells) != width:
                raise SourceError(
                    f"{shown}, line {line}: another number of cells than the first line, {width}", "mend the line"
                )
            rows.append(cells)
        yield rows


def _is_header(cells: Sequence[str], separator: str) -> bool:
    """Whether a first line names columns: a cell after the first is no number, or they count from 0 as pandas' do."""
    comma = separator != ","
    # the first cell says nothing: R and pandas leave it empty above their row names
    if any(not is_number(cell or "nan", comma) for cell in (cells[1:] or cells)):
        return True
    counting = cells[1:] if cells and not cells[0].strip().isdigit() else cells
    return len(counting) > 2 and all(cell.strip() == str(n) for n, cell in enumerate(counting))


def _rows_at_once(n_columns: int) -> int:
    return max(1, min(BLOCK, CELLS // max(n_columns, 1)))


def _is_text(kind: Any) -> bool:
    from pyarrow import types  # an extra

    return bool(types.is_string(kind) or types.is_large_string(kind))
