"""Columns of strangers -> features: numbers stay, what is none is named, gaps are filled and said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labeler.core.vocabulary import FloatArray
from labeler.display import display_safe
from labeler.errors import SourceError
from labeler.importers.names import counted

_MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "<na>", "?", "-"})
_NAMED = 5


class Column:
    """One column, block by block: `missing` values so far, `odd` = the first cell that is no number, and its row."""

    def __init__(self, name: str) -> None:
        self.name, self.missing, self.odd = name, 0, ""
        self._parts: list[FloatArray] = []
        self._rows = 0

    def feed_texts(self, cells: Sequence[str], shown: str) -> None:
        """Add some cells as they are written."""
        if not self.odd:
            try:
                values = np.array(cells, dtype=np.float64)
            except ValueError:
                values = np.array([np.nan if cell.strip().lower() in _MISSING else _number(cell) for cell in cells])
                bad = np.flatnonzero(np.isposinf(values))
                word = next((cells[at] for at in bad.tolist() if not _is_number(cells[at])), None)
                if word is not None:
                    self.leave_out(f"{display_safe(word, 20)!r}")
            self.feed_numbers(values, shown)

    def feed_numbers(self, values: NDArray[np.float64], shown: str) -> None:
        """Add some values (m,); NaN = missing.

        Raises
        ------
        SourceError
            A value is infinite or beyond float32.
        """
        if self.odd:
            return
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
        """It is no column of numbers."""
        self.odd, self._parts = odd, []

    def values(self) -> FloatArray | None:
        """(n,) float32, gaps filled with the median; None where nothing is there to use."""
        if self.odd or self.missing == self._rows:
            return None
        values: FloatArray = np.concatenate(self._parts)
        if self.missing:
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


def _notes(columns: Sequence[Column], n: int) -> list[str]:
    notes = []
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


def _number(cell: str) -> float:
    """The number, or infinity where it is none."""
    try:
        return float(cell)
    except ValueError:
        return np.inf


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
