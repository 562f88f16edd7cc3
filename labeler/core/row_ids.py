"""The ids of rows that have no names of their own, made when they are asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from operator import eq
from typing import overload


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows that are counted together: each id is `lead` and a number of `width` digits."""

    lead: str
    width: int
    count: int

    def ids(self, rows: range) -> Iterator[str]:
        return (self.lead + str(row).zfill(self.width) for row in rows)


class RowIds(Sequence[str]):
    """``00000``, ``00001``, ..., or ``train:00000``, ..., part by part; wide enough that text order is row order.

    It equals a list of the same ids. A million of them as a list are 65 MB, and a fifth of a second to make.

    Parameters
    ----------
    parts
        (name, rows) of each part; "" where the rows are one pool. No name stands twice.
    """

    def __init__(self, parts: Sequence[tuple[str, int]]) -> None:
        self._parts = [
            _Part(f"{name}:" if name else "", max(5, len(str(count - 1))), count) for name, count in parts if count
        ]
        self._starts = list(accumulate((part.count for part in self._parts), initial=0))

    def __len__(self) -> int:
        return self._starts[-1]

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            rows = range(len(self))[place]
            return list(self._between(rows.start, rows.stop)) if rows.step == 1 else [self[row] for row in rows]
        row = range(len(self))[place]
        number = bisect_right(self._starts, row) - 1
        part = self._parts[number]
        return part.lead + str(row - self._starts[number]).zfill(part.width)

    def __iter__(self) -> Iterator[str]:
        return self._between(0, len(self))

    def _between(self, first: int, last: int) -> Iterator[str]:
        spans = (
            part.ids(range(max(first - start, 0), min(last - start, part.count)))
            for start, part in zip(self._starts, self._parts, strict=False)
        )
        return chain.from_iterable(spans)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.position(name) is not None

    def __eq__(self, other: object) -> bool:
        if isinstance(other, RowIds):
            return self._parts == other._parts
        if not isinstance(other, list | tuple):
            return NotImplemented
        return len(self) == len(other) and all(map(eq, self, other))

    def __repr__(self) -> str:
        return f"RowIds({[(part.lead.removesuffix(':'), part.count) for part in self._parts]})"

    def position(self, name: str) -> int | None:
        """The row that is called so, without a look at the others; None where there is none."""
        for start, part in zip(self._starts, self._parts, strict=False):
            digits = name.removeprefix(part.lead)
            # of this width, as int() refuses thousands of digits; made again, as it takes those of other scripts
            row = int(digits) if len(digits) == part.width and digits.isdecimal() else part.count
            if row < part.count and self[start + row] == name:
                return start + row
        return None
