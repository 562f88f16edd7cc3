"""The pool: every instance ever seen in the source, by position and by id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from labeler.core.errors import UsageError
from labeler.core.types import BoolArray, IndexArray


class Pool:
    """Instance ids in a fixed order; positions in it are `indices` and never change while a project lives.

    New instances join at the end; an instance whose file is gone stays (its label is kept) and is `missing`.
    """

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = list(ids)
        self.noun = "image"  # what a person calls an instance
        self.missing: BoolArray = np.zeros(len(self.ids), dtype=np.bool_)
        self.unreadable: BoolArray = np.zeros(len(self.ids), dtype=np.bool_)
        self._index_of: dict[str, int] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def index(self, instance_id: str) -> int:
        """Position of an id.

        Raises
        ------
        UsageError
            The pool has no such instance.
        """
        if self._index_of is None:  # built on first use: a million ids cost half a second
            self._index_of = {name: position for position, name in enumerate(self.ids)}
        try:
            return self._index_of[instance_id]
        except KeyError:
            raise UsageError(
                f"no instance is called {instance_id!r}", "ids are paths relative to the source, as in an export"
            ) from None

    def __contains__(self, instance_id: object) -> bool:
        try:
            self.index(str(instance_id))
        except UsageError:
            return False
        return True

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
