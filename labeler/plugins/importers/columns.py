"""Columns of strangers -> features: numbers stay, what is none is named, gaps are filled and said."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labeler.core.errors import SourceError
from labeler.core.text import counted, display_safe
from labeler.core.types import FloatArray

# compared in lower case; `?` is how tables of the UCI repository mark a gap
_MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "<na>", "?", "-"})
_NAMED = 5
# pandas reads an empty heading as `Unnamed: 0`, readr as `...1`
_NAMELESS = re.compile(r"|unnamed: ?\d+(\.\d+)*|\.\.\.1", re.IGNORECASE)
_NUMBERING = frozenset(
    {"index", "row", "rownames", "row number", "row_number", "level_0", "no", "no.", "nr", "nr.", "#"}
)
"""Names of a first column that is an index if it counts the rows; with other numbers it is a feature."""
# thousands may be set apart by a point, a space, a no-break space or an apostrophe
_COMMA = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:[.\u00a0\u202f' ]\d{3})+),\d+(?:[eE][+-]?\d+)?")
_MARKS = "[.\u00a0\u202f' ]"
_GROUPS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")


class Column:
    """One column, block by block: `missing` values so far, `odd` = the first cell that is no number, and its row."""

    def __init__(self, name: str, decimal_comma: bool = False) -> None:
        self.name, self.missing, self.odd = name, 0, ""
        self.commas = False  # whether a number was written with one
        self._decimal_comma = decimal_comma
        self._parts: list[FloatArray] = []
        self._rows = 0

    def feed_texts(self, cells: Sequence[str], shown: str) -> None:
        """Add some cells as they are written."""
        if not self.odd:
            try:
                # the whole block at once: most columns are clean, and a cell at a time takes twice as long
                values = np.array(cells, dtype=np.float64)
            except ValueError:
                values = np.array([self._value(cell) for cell in cells])
                # infinity may have been written out (`inf`): only what does not parse makes the column no numbers
                bad = np.flatnonzero(np.isposinf(values))
                word = next((cells[at] for at in bad.tolist() if not is_number(cells[at], self._decimal_comma)), None)
                if word is not None:
                    self.leave_out(f"{display_safe(word, 20)!r}")
            self.feed_numbers(values, shown)

    def _value(self, cell: str) -> float:
        """The number in a cell, NaN where it says that there is none, infinity where it is no number."""
        if cell.strip().lower() in _MISSING:
            return np.nan
        value = cell_number(cell, self._decimal_comma)
        self.commas = self.commas or ("," in cell and value != np.inf)
        return value

    def row_numbers(self) -> str:
        """Say why this is an index: it counts the rows, or is a nameless key; "" where it is a feature."""
        values = None if self.odd or self.missing else self.values()
        nameless = _NAMELESS.fullmatch(self.name) is not None
        if values is None or not (nameless or self.name.lower() in _NUMBERING):
            return ""
        if _counts(values):
            return "it numbers the rows"
        # the index of a frame that was filtered or shuffled: whole numbers, each once, in any order
        whole = bool((values == np.floor(values)).all()) and len(np.unique(values)) == len(values)
        return "whole numbers, each once, without a name: an index" if nameless and whole else ""

    def feed_numbers(self, values: NDArray[np.float64], shown: str) -> None:
        """Add some values (m,); NaN = missing.

        Raises
        ------
        SourceError
            A value is infinite or beyond float32.
        """
        if self.odd:
            return
        # what float32 cannot hold becomes infinite, and is refused below with its row
        with np.errstate(over="ignore"):
            narrow = values.astype(np.float32)
        infinite = np.flatnonzero(np.isinf(narrow))
        if len(infinite):
            row, value = self._rows + int(infinite[0]) + 1, values[infinite[0]]
            raise SourceError(
                f"{shown}: column {display_safe(self.name, 40)!r}, row {row:,} is {value}", "fill or drop such values"
            )
        self.missing += int(np.isnan(narrow).sum())
        self._parts.append(narrow)
        self._rows += len(narrow)

    def leave_out(self, odd: str) -> None:
        """Count as no column of numbers."""
        self.odd, self._parts = odd, []

    def values(self) -> FloatArray | None:
        """(n,) float32, gaps filled with the median; None where nothing is there to use."""
        if self.odd or self.missing == self._rows:
            return None
        values: FloatArray = np.concatenate(self._parts)
        if self.missing:
            # the median, not the mean: one wrong cell of 1e9 would move all gaps
            values[np.isnan(values)] = np.nanmedian(values)
        return values


def features_of(columns: Sequence[Column], n: int, shown: str) -> tuple[FloatArray, list[str], list[str]]:
    """(features (n, d), names of their columns, notes: what was left out or filled).

    Raises
    ------
    SourceError
        No column of numbers is left.
    """
    used = [column for column in columns if not column.odd and column.missing < n]
    if not used:
        odd = ", ".join(f"{display_safe(column.name, 30)!r}" for column in columns[:_NAMED]) or "none"
        raise SourceError(
            f"{shown} has no column of numbers (columns: {odd})",
            "give one column a feature; where one holds texts: --text COLUMN",
        )
    rows = np.empty((n, len(used)), dtype=np.float32)
    for place, column in enumerate(used):
        values = column.values()
        if values is not None:
            rows[:, place] = values
    return rows, [column.name for column in used], _notes(columns, n)


def without_row_numbers(columns: Sequence[Column]) -> tuple[list[Column], list[str]]:
    """The columns but for an index that pandas, R or a spreadsheet has written before them, and a line on it."""
    features, notes = list(columns), []
    # a loop: a frame that was saved and read twice has two of them
    while features and (why := features[0].row_numbers()):
        notes.append(f"left out the column {display_safe(features.pop(0).name, 40)!r}: {why}")
    return features, notes


def counts_rows(name: str, cells: Sequence[str]) -> bool:
    """Whether a column called `name` holds the numbers of the rows."""
    if _NAMELESS.fullmatch(name) is None and name.lower() not in _NUMBERING:
        return False
    try:
        return _counts(np.array(cells, dtype=np.float32))
    except ValueError:
        return False


def _counts(values: FloatArray) -> bool:
    # pandas counts from 0, R from 1
    return len(values) > 1 and values[0] in (0, 1) and bool((np.diff(values) == 1).all())


def _notes(columns: Sequence[Column], n: int) -> list[str]:
    notes = []
    commas = [display_safe(column.name, 30) for column in columns if column.commas and not column.odd]
    if commas:
        notes.append(f"decimal commas are read as such: {_listed(commas)}")
    odd = [f"{display_safe(column.name, 30)} ({column.odd})" for column in columns if column.odd]
    if odd:
        lead = counted(len(odd), "column that is no number", "columns that are no numbers")
        notes.append(f"left out {lead}: {_listed(odd)}")
    empty = [display_safe(column.name, 30) for column in columns if not column.odd and column.missing == n]
    if empty:
        notes.append(f"left out {counted(len(empty), 'empty column')}: {_listed(empty)}")
    gaps = [column for column in columns if not column.odd and 0 < column.missing < n]
    if gaps:
        total = sum(column.missing for column in gaps)
        where = _listed([f"{display_safe(column.name, 30)} {column.missing:,}" for column in gaps])
        notes.append(f"{counted(total, 'missing value')} filled with the median of the column: {where}")
    return notes


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def cell_number(cell: str, decimal_comma: bool = False) -> float:
    """The number, or infinity where it is none: ``1,5`` and ``1.234,5`` with decimal commas, else ``1,234.5``."""
    try:
        return float(cell)
    except ValueError:
        text = cell.strip()
    if decimal_comma and _COMMA.fullmatch(text):
        whole, _, rest = text.partition(",")
        return float(f"{re.sub(_MARKS, '', whole)}.{rest}")
    return float(text.replace(",", "")) if not decimal_comma and _GROUPS.fullmatch(text) else np.inf


def is_number(cell: str, decimal_comma: bool = False) -> bool:
    """Whether a cell holds a number, be it infinite, as :class:`Column` reads them."""
    try:
        float(cell)
    except ValueError:
        return cell_number(cell, decimal_comma) != np.inf
    return True
