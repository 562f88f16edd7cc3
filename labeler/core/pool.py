"""The pool: every instance ever seen in the source, by position and by id."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import islice
from operator import eq, lt

import numpy as np

from labeler.core.errors import UsageError
from labeler.core.row_ids import RowIds
from labeler.core.types import BoolArray, IndexArray


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
