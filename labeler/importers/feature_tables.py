"""Tables of features as sources, such as customers to be segmented: CSV and Parquet, one row an instance.

Columns of numbers are the features (the encoder scales them); others are named and left out. An id column names the
instances: one called ``id`` or ending in ``id``, or a first column of texts. A column called ``label`` or the like is
no feature; it is offered as truth to simulations only.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from labeler.core.vocabulary import FloatArray
from labeler.display import display_safe
from labeler.errors import SourceError
from labeler.importers.arrays import TableRows
from labeler.importers.columns import Column, features_of
from labeler.importers.files import file_state, first_bytes
from labeler.importers.image_list import names_images
from labeler.importers.names import plain_text, row_ids
from labeler.importers.plain import digest
from labeler.importers.tables import ID_COLUMNS, LABEL_COLUMNS, column, delimiter_of, lines_of

if TYPE_CHECKING:
    import pyarrow

BLOCK, CELLS = 4_096, 1 << 21
"""Rows, and cells, that are read at once."""
MAX_LINE = 16 << 20
"""Characters of a first line at most, a hundred times what a hundred thousand columns need."""

_ENDINGS = (".csv", ".tsv")
_ID = re.compile(r"(^|[^a-z])id$|[a-z]ID$|[a-z]Id$")


class FeatureTable(TableRows):
    """The rows of a CSV or Parquet file."""

    def __init__(
        self, kind: str, path: Path, ids: list[str], rows: FloatArray, names: list[str], truth: dict[str, str]
    ) -> None:
        super().__init__(path, ids, digest((kind, *file_state(path))), rows)
        self.kind = kind
        self._names, self._truth = names, truth

    def column_names(self) -> list[str]:
        """Of the features, in their order."""
        return self._names

    def truth(self) -> dict[str, str]:
        """id -> class from the column of labels; empty without one."""
        return self._truth


class CsvImporter:
    """Recognizes .csv and .tsv files that name no images."""

    def accepts(self, path: Path) -> bool:
        """Whether it is called so, and is not a list of images."""
        return path.is_file() and path.suffix.lower() in _ENDINGS and not names_images(path)

    def open(self, path: Path) -> FeatureTable:
        """Read the table.

        Raises
        ------
        SourceError
            No rows, a row of another length, a broken quote, an infinite value, or no column of numbers.
        """
        shown = display_safe(path.name)
        with _text_of(path) as stream:
            head = stream.readline(MAX_LINE)
            if len(head) >= MAX_LINE:
                raise SourceError(
                    f"the first line of {shown} never ends", "it is no table, or holds millions of columns"
                )
            reader = csv.reader(chain([head], stream), delimiter=delimiter_of(head), strict=True)
            lines = lines_of(reader, shown)
            _, first = next(lines, (0, list[str]()))
            named = any(not _is_number(cell) for cell in (first[1:] or first))
            header = [cell.strip() for cell in first] if named else [f"column {n}" for n in range(1, len(first) + 1)]
            lines = lines if named else chain([(1, first)], lines)
            peeked = list(islice(lines, 1))
            start = peeked[0][1] if peeked else []
            reading = _Reading(header, bool(start) and not _is_number(start[0]), shown)
            lines = chain(peeked, lines)
            at_once = _rows_at_once(len(header))
            while part := list(islice(lines, at_once)):
                wrong = next((line for line, cells in part if len(cells) != len(header)), None)
                if wrong is not None:
                    raise SourceError(
                        f"{shown}, line {wrong}: another number of cells than the first line, {len(header)}",
                        "mend the line",
                    )
                reading.feed_texts([list(cells) for cells in zip(*(cells for _, cells in part), strict=True)])
        return reading.source("csv", path)


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
        from pyarrow import parquet

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

    def __init__(self, header: Sequence[str], first_is_text: bool, shown: str) -> None:
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
        self._columns = {p: Column(name) for p, name in enumerate(header) if p not in self._texts}

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
        from pyarrow import types

        self._n += batch.num_rows
        for place in range(batch.num_columns):
            values = batch.column(place)
            if place in self._texts:
                self._texts[place] += ["" if value is None else str(value) for value in values.to_pylist()]
            elif types.is_integer(values.type) or types.is_floating(values.type) or types.is_boolean(values.type):
                numbers = values.cast("float64", safe=False).to_numpy(zero_copy_only=False)
                self._columns[place].feed_numbers(np.asarray(numbers, dtype=np.float64), self._shown)
            else:
                self._columns[place].leave_out(display_safe(str(values.type), 20))

    def source(self, kind: str, path: Path) -> FeatureTable:
        """What was read."""
        if not self._n:
            raise SourceError(f"{self._shown} holds no rows", "give one row of numbers an instance")
        rows, names, notes = features_of(list(self._columns.values()), self._n, self._shown)
        ids = row_ids(self._n)
        if self._key is not None:
            found = [plain_text(text.strip()).replace("\0", "") for text in self._texts[self._key]]
            name = display_safe(self._header[self._key], 40)
            if all(found) and len(set(found)) == self._n:
                ids = found
            else:
                notes.append(f"the column {name!r} does not name every row once: rows are numbered instead")
        truth = {}
        if self._label is not None:
            labels = (plain_text(text.strip()) for text in self._texts[self._label])
            truth = {i: label for i, label in zip(ids, labels, strict=True) if label}
            name = display_safe(self._header[self._label], 40)
            notes.append(f"the column {name!r} is no feature: --truth y simulates with it")
        source = FeatureTable(kind, path, ids, rows, names, truth)
        source.notes += notes
        return source


@contextmanager
def _text_of(path: Path) -> Iterator[TextIO]:
    """The file as text: UTF-8 with or without BOM or UTF-16 with one; bytes that are none stay as surrogates."""
    wide = first_bytes(path, 2) in (b"\xff\xfe", b"\xfe\xff")
    with path.open("rb") as raw:
        errors = "replace" if wide else "surrogateescape"
        yield io.TextIOWrapper(raw, "utf-16" if wide else "utf-8-sig", errors, newline="")


def _rows_at_once(n_columns: int) -> int:
    return max(1, min(BLOCK, CELLS // max(n_columns, 1)))


def _is_number(cell: str) -> bool:
    try:
        float(cell or "nan")
    except ValueError:
        return False
    return True


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind))
