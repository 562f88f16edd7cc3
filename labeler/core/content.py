"""Instances that are no images: a row of a table as what stands out in it, and a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeler.core.mapped import let_go
from labeler.core.types import BoolArray, ByteArray, FloatArray, IndexArray

SAMPLE_ROWS, SAMPLE_CELLS = 10_000, 4_000_000
"""Rows, and cells, that the spread of the columns is taken from at most."""
AT_ONCE = 500
"""Rows of the sample that are read at once."""
RANK_ROWS = 500
"""Rows a value is compared with to say where it stands: steps of 0.2 %."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One column of a row or the mean of some rows: `apart` = standard deviations from the pool's mean, `rank` = share
    of the pool below it, half of what equals it counted."""

    name: str
    value: str
    apart: float
    rank: float


@dataclass(frozen=True, slots=True)
class Card:
    """A row of a table; its facts in the order of the columns."""

    facts: tuple[Fact, ...]

    def outstanding(self, count: int) -> list[Fact]:
        """The `count` facts farthest from the pool's mean, the farthest first; equals in the order of the columns."""
        return sorted(self.facts, key=lambda fact: -abs(fact.apart))[:count]


@dataclass(frozen=True, slots=True)
class Passage:
    """A text as the source has it: to be made safe before it is shown."""

    text: str


Shown = ByteArray | Card | Passage
"""What a person looks at to answer: pixels (h, w[, 3]) uint8, a card, a text."""


class Columns:
    """The range in which the values of each column of a table lie, so that one value can be said to be high or low.

    Parameters
    ----------
    table
        (n, d) float32, maybe memory-mapped; rows spread evenly over it are looked at.
    names
        Of the columns; empty = they are numbered.
    """

    def __init__(self, table: FloatArray, names: Sequence[str]) -> None:
        n, d = table.shape
        self._table = table
        self.names = list(names) or [f"column {number}" for number in range(d)]
        size = min(n, SAMPLE_ROWS, max(SAMPLE_CELLS // max(d, 1), 1))
        sample = _sampled(table, np.linspace(0, n - 1, size).astype(np.int64))
        self._mean = sample.mean(axis=0)
        deviation = sample.std(axis=0)
        # a deviation that is only the rounding of a large constant is none
        self._deviation = np.where(deviation > 1e-7 * np.maximum(np.abs(self._mean), 1e-30), deviation, np.inf)
        self._whole = (sample == np.rint(sample)).all(axis=0)
        some = sample[np.linspace(0, size - 1, min(size, RANK_ROWS)).astype(np.int64)]
        self._sorted = np.sort(some, axis=0)

    def card(self, index: int) -> Card:
        """The row at `index`."""
        values = np.asarray(self._table[index], dtype=np.float64)
        return Card(self._facts(values, self._whole))

    def mean_of(self, members: IndexArray) -> Card:
        """The means of some rows."""
        values = np.asarray(self._table[members], dtype=np.float64).mean(axis=0)
        return Card(self._facts(values, np.zeros(len(values), dtype=np.bool_)))

    def _facts(self, values: NDArray[np.float64], whole: BoolArray) -> tuple[Fact, ...]:
        apart = (values - self._mean) / self._deviation
        below = (self._sorted < values).mean(axis=0)
        equal = (self._sorted == values).mean(axis=0)
        return tuple(
            Fact(name, number(value, whole=is_whole), z, rank)
            for name, value, is_whole, z, rank in zip(
                self.names, values.tolist(), whole.tolist(), apart.tolist(), (below + equal / 2).tolist(), strict=True
            )
        )


def _sampled(table: FloatArray, rows: IndexArray) -> NDArray[np.float64]:
    sample = np.empty((len(rows), table.shape[1]))
    for start in range(0, len(rows), AT_ONCE):
        sample[start : start + AT_ONCE] = table[rows[start : start + AT_ONCE]]
        let_go(table)  # a row brings its neighbors with it: all of them would be nearly the whole file
    return sample


def number(value: float, *, whole: bool = False) -> str:
    """A value as a person reads it: four significant digits, whole numbers whole."""
    if whole or 1_000 <= abs(value) < 1e9:
        return f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.4g}"
    return f"{value:.4g}"
