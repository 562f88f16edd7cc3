"""The pool: every instance ever seen in the source, by position and by id; and the ids of rows without names."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice
from operator import eq, lt
from typing import overload

import numpy as np

from labeler.core.errors import UsageError
from labeler.core.types import BoolArray, IndexArray


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


class Pool:
    """Instance ids in a fixed order; positions in it are `indices` and never change while a project lives.

    New instances join at the end; an instance whose file is gone stays (its label is kept) and is `missing`.
    A list of `ids` is not copied: a pool and its source hold the same one, where they hold the same instances.
    """

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids: Sequence[str] = ids if isinstance(ids, list | RowIds) else list(ids)
        self.noun = "image"  # what a person calls an instance
        self.missing: BoolArray = np.zeros(len(self.ids), dtype=np.bool_)
        self.unreadable: BoolArray = np.zeros(len(self.ids), dtype=np.bool_)
        self._index_of: dict[str, int] | None = None
        self._is_sorted: bool | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def index(self, instance_id: str) -> int:
        """Position of an id.

        Raises
        ------
        UsageError
            The pool has no such instance.
        """
        position = self.position(instance_id)
        if position is None:
            raise UsageError(
                f"no instance is called {instance_id!r}", "ids are paths relative to the source, as in an export"
            )
        return position

    def position(self, instance_id: str) -> int | None:
        """Position of an id, None where the pool has no such instance."""
        if isinstance(self.ids, RowIds):
            return self.ids.position(instance_id)
        # by bisection where the ids are sorted: a dictionary of a million takes a second and 100 MB
        if self._is_sorted is None:
            self._is_sorted = all(map(lt, self.ids, islice(self.ids, 1, None)))
        if self._is_sorted:
            place = bisect_left(self.ids, instance_id)
            return place if place < len(self.ids) and self.ids[place] == instance_id else None
        if self._index_of is None:
            self._index_of = {name: position for position, name in enumerate(self.ids)}
        return self._index_of.get(instance_id)

    def __contains__(self, instance_id: object) -> bool:
        try:
            self.index(str(instance_id))
        except UsageError:
            return False
        return True

    def is_of(self, ids: Sequence[str]) -> bool:
        """Whether its instances are just these, in this order."""
        return ids is self.ids or (len(ids) == len(self.ids) and all(map(eq, ids, self.ids)))

    def mark_missing(self, present: Iterable[str]) -> int:
        """Mark every instance that is not in `present`; returns how many are missing."""
        there = set(present)
        self.missing = np.fromiter((name not in there for name in self.ids), dtype=np.bool_, count=len(self.ids))
        return int(self.missing.sum())

    def mark_unreadable(self, indices: Iterable[int]) -> None:
        """Mark instances whose content could not be read."""
        self.unreadable[list(indices)] = True

    def unusable(self) -> IndexArray:
        """Indices of missing and unreadable instances."""
        return np.flatnonzero(self.missing | self.unreadable).astype(np.int64)
