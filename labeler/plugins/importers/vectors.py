"""Feature vectors made elsewhere (`--features FILE`), joined to the instances of a source."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from labeler.core.errors import MissingExtra, SourceError
from labeler.core.text import counted, display_safe
from labeler.core.types import FloatArray
from labeler.plugins.importers.array_source import finite_table, main_array
from labeler.plugins.importers.columns import cell_number, counts_rows, is_number
from labeler.plugins.importers.files import first_bytes
from labeler.plugins.importers.id_matching import match_names
from labeler.plugins.importers.label_tables import ID_COLUMNS, LABEL_COLUMNS, column, csv_rows, read_text, separator_for
from labeler.plugins.importers.npy import ArrayFile, text_array
from labeler.plugins.importers.other_formats import refuse

if TYPE_CHECKING:
    import pyarrow

_TAKES = "npy, npz, csv or parquet"


def read_features(path: Path, ids: Sequence[str]) -> FloatArray:
    """Features of the instances `ids`, in their order.

    `.npy` is one array (n, d); `.npz` holds `X` (or one array) and maybe `ids`; `.csv` has one row an instance,
    a header or none, and maybe a column of ids (`path`, `id`, ..., or a first column that is no number).
    `.parquet` (an extra) has numbers or lists of them in its columns, and maybe such a column of ids. With ids
    the rows are joined by id, and further rows do no harm; without, row i belongs to instance i.

    Returns
    -------
    (len(ids), d) float32, finite; memory-mapped where the file holds just that.

    Raises
    ------
    SourceError
        Not readable, not (n, d), NaN or infinite values, another number of rows, instances without a row.
    """
    shown = display_safe(path.name)
    _check_there(path)
    refuse(path)
    ending = path.suffix.lower()
    if ending in (".npy", ".npz") or first_bytes(path, 6) == b"\x93NUMPY":
        rows, names = _from_arrays(path)
    elif ending in (".csv", ".tsv", ".txt"):
        rows, names = _from_csv(path)
    elif ending in (".parquet", ".pq"):
        rows, names = _from_parquet(path)
    else:
        raise SourceError(f"{shown} is no features file this program reads", f"--features takes {_TAKES}")
    order = _match(len(rows), names, ids, shown)
    # indexing copies: rows in order stay in the file they are mapped from
    return rows if order is None or order == list(range(len(rows))) else rows[order]


def check_rows(path: Path, ids: Sequence[str]) -> None:
    """Refuse a file of arrays that has not a row for each of `ids`, without reading its vectors.

    Raises
    ------
    SourceError
        As :func:`read_features`, as far as shapes and ids tell.
    """
    _check_there(path)
    if path.suffix.lower() in (".npy", ".npz") or first_bytes(path, 6) == b"\x93NUMPY":
        file, name, names = _array_of(path)
        count = file.header(name).shape[0]
        _match(count, names, ids, display_safe(path.name))


def _check_there(path: Path) -> None:
    if not path.is_file():
        what = f"there are no features at {display_safe(str(path))}: no such file or folder"
        raise SourceError(what, f"where are they now? --features PLACE: {_TAKES}, or a folder of labeler features")


def _match(count: int, names: list[str] | None, ids: Sequence[str], shown: str) -> list[int] | None:
    """The row of each of `ids` where rows have `names`; None: row i belongs to instance i."""
    if names is not None:
        return _rows_of(names, ids, shown)
    if count != len(ids):
        raise SourceError(
            f"{shown} has {counted(count, 'row')}, the source has {counted(len(ids), 'instance')}",
            "give one row an instance in the same order, or add ids (an array 'ids' or a column 'id')",
        )
    return None


def _rows_of(names: list[str], ids: Sequence[str], shown: str) -> list[int]:
    if len(set(names)) < len(names):
        twice = Counter(names).most_common(1)[0][0]
        raise SourceError(f"{shown} has two rows for {display_safe(twice, 60)}", "give one row an instance")
    row_of = {name: row for row, name in enumerate(names)}
    id_to_row = {instance_id: row_of[name] for name, instance_id in match_names(names, ids).items()}
    missing = [i for i in ids if i not in id_to_row]
    if missing:
        raise SourceError(
            f"{shown} has {counted(len(names), 'row')}, none for {len(missing):,} of"
            f" {counted(len(ids), 'instance')} (first: {display_safe(missing[0], 60)})",
            "ids are paths relative to the source; write the file anew for the source as it is now",
        )
    return [id_to_row[i] for i in ids]


def _from_arrays(path: Path) -> tuple[FloatArray, list[str] | None]:
    file, name, names = _array_of(path)
    return finite_table(file.read(name), file.shown), names


def _array_of(path: Path) -> tuple[ArrayFile, str, list[str] | None]:
    """The file, the name of the vectors in it, and the ids beside them; nothing large is read."""
    file = ArrayFile(path)
    name = main_array(file)
    header = file.header(name)
    if len(header.shape) != 2 or 0 in header.shape or header.dtype.kind not in "biuf":
        size = "x".join(map(str, header.shape)) or "a single value"
        raise SourceError(
            f"{file.shown}: features are (n, d) numbers, this is {size} {header.dtype.name}",
            "flatten it: features.reshape(len(features), -1)",
        )
    return file, name, text_array(file, "ids", header.shape[0]) if "ids" in file.names else None


def _from_csv(path: Path) -> tuple[FloatArray, list[str] | None]:
    shown = display_safe(path.name)
    text = read_text(path)
    separator = separator_for(path, text)
    comma = separator != ","
    lines = list(csv_rows(text, separator, shown))
    header = [cell.strip().lower() for cell in lines[0][1]] if lines and _is_header(lines[0][1], comma) else []
    body = lines[1:] if header else lines
    if not body:
        raise SourceError(f"{shown} holds no rows", "give one row of numbers an instance")
    label = column(header, LABEL_COLUMNS)
    if label is not None:
        raise SourceError(
            f"{shown} has a column {label!r}: a label is no feature", "drop it, or rename it if it is one"
        )
    key = column(header, ID_COLUMNS)
    place = header.index(key) if key is not None else (None if is_number(body[0][1][0], comma) else 0)
    width = len(lines[0][1])
    if header and place != 0 and len(body[0][1]) == width and counts_rows(header[0], [cells[0] for _, cells in body]):
        lines, width = [(line, cells[1:]) for line, cells in lines], width - 1  # the index of pandas or R
        header, body = header[1:], lines[1:]
        place = place - 1 if place is not None else None
    if width - (place is not None) < 1:
        raise SourceError(f"{shown} has no column of numbers", "give one column a feature")
    for line, cells in body:  # before any memory is taken for rows that may not be there
        if len(cells) != width:
            raise SourceError(f"{shown}, line {line}: {len(cells)} cells, the first line has {width}", "mend the line")
    rows = np.empty((len(body), width - (place is not None)), np.float32)
    names: list[str] = []
    for index, (line, cells) in enumerate(body):
        if place is not None:
            names.append(cells.pop(place))
        _fill(rows[index], cells, line, shown, comma)
    return rows, (names if place is not None else None)


def _from_parquet(path: Path) -> tuple[FloatArray, list[str] | None]:
    if importlib.util.find_spec("pyarrow") is None:
        raise MissingExtra("reading Parquet", "parquet")
    from pyarrow import parquet  # an extra

    shown = display_safe(path.name)
    try:
        with parquet.ParquetFile(path) as file:
            columns = [name.lower() for name in file.schema_arrow.names]
            label = column(columns, LABEL_COLUMNS)
            if label is None:
                key = column(columns, ID_COLUMNS)
                place = columns.index(key) if key is not None else None
                batches = [_numbers_of(batch, place) for batch in file.iter_batches()]
                names = [name for batch, _ in batches for name in batch]
    except SourceError:
        raise
    except Exception as error:  # pyarrow raises several kinds on damaged files
        reason = display_safe(str(error), 100) or type(error).__name__
        raise SourceError(f"{shown} cannot be read: {reason}", "give numbers, or lists of one length") from error
    if label is not None:
        raise SourceError(
            f"{shown} has a column {label!r}: a label is no feature", "drop it, or rename it if it is one"
        )
    rows = [part for _, part in batches if len(part)]
    if not rows or not rows[0].shape[1]:
        raise SourceError(f"{shown} holds no numbers", "give one row of numbers an instance")
    return finite_table(np.concatenate(rows), shown), (names if place is not None else None)


def _numbers_of(batch: pyarrow.RecordBatch, place: int | None) -> tuple[list[str], NDArray[np.float64]]:
    """(ids, numbers (m, d)) of some rows; lists become as many columns as they are long."""
    ids = [] if place is None else [str(value) for value in batch.column(place).to_pylist()]
    parts: list[NDArray[np.float64]] = [np.empty((batch.num_rows, 0))]
    for at in range(batch.num_columns):
        if at != place:
            values = batch.column(at)
            if hasattr(values, "flatten"):
                values = values.flatten()  # a gap shifts the rest, and the reshaping below fails
            # not safe: a whole number beyond 2**53 is rounded, not refused
            flat = np.asarray(values.cast("float64", safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)
            parts.append(flat.reshape(batch.num_rows, -1) if batch.num_rows else np.empty((0, 0)))
    return ids, np.concatenate(parts, axis=1) if batch.num_rows else np.empty((0, 0))


def _fill(row: FloatArray, cells: list[str], line: int, shown: str, comma: bool) -> None:
    """Write the numbers of one line into `row`; raises SourceError naming the cell that is none."""
    try:
        with np.errstate(over="ignore"):
            if comma and any("," in cell for cell in cells):
                cells = [str(cell_number(cell, comma)) if is_number(cell, comma) else cell for cell in cells]
            row[:] = np.array(cells, dtype=np.float64)
        if np.isfinite(row).all():
            return
    except ValueError:
        pass
    with np.errstate(over="ignore"):
        bad = next((c for c in cells if not _number(c) or not np.isfinite(np.float32(float(c)))), cells[0])
    raise SourceError(f"{shown}, line {line}: {display_safe(bad, 30)!r} is no finite number", "fill or drop the row")


def _is_header(cells: list[str], comma: bool) -> bool:
    """A first line is a header if a cell after the first is no number (one that is all numbers never is)."""
    return any(not is_number(cell, comma) for cell in (cells[1:] or cells))


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
