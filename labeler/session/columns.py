"""The answers once more as columns: what is asked at each key of all answers is a few operations on arrays.

A loop over the answers at each key makes the thousandth key dearer than the first.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labeler.core.types import IndexArray
from labeler.session.answer_records import Answer

KINDS = ("", "label", "skip", "unsure", "reject")
"""By their number in the column; the first marks a free row."""
_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
_ROW = np.dtype(
    [
        ("kind", np.uint8),
        ("index", np.int64),
        ("seq", np.int64),
        ("class_id", np.int32),
        ("provenance", np.uint8),
        ("weight", np.float32),
        ("until", np.int64),
        ("audit", np.int64),
    ]
)
_FIRST = 64


class Columns:
    """One row an instance that was spoken of, in no order; memory goes with the answers, not with the pool."""

    def __init__(self) -> None:
        self._rows = np.zeros(_FIRST, dtype=_ROW)
        self._used = 0  # rows up to the last one ever taken
        self._places: dict[int, int] = {}
        self._free: list[int] = []

    def put(self, index: int, answer: Answer | None) -> None:
        """Note what stands of an instance now; None = nothing any more."""
        place = self._places.get(index)
        if answer is None:
            if place is not None:
                # number 0 is no kind that is ever asked for, so that a free row is passed over
                self._rows[place] = 0
                self._free.append(self._places.pop(index))
            return
        if place is None:
            place = self._places[index] = self._take()
        self._rows[place] = (
            _NUMBERS[answer.kind],
            index,
            answer.seq,
            answer.class_id,
            answer.provenance,
            answer.weight,
            answer.until,
            answer.audit,
        )

    def of(self, *kinds: str) -> npt.NDArray[np.void]:
        """The rows of these kinds, a copy, in the order in which they were said."""
        places = self._places_of(kinds)
        # by the journal, not by row: rows that were given up are taken again. Answers of one page have the same seq
        index, seq = self._rows["index"][places], self._rows["seq"][places]
        return self._rows[places[np.lexsort((index, seq))]]

    def indices_of(self, *kinds: str) -> IndexArray:
        """Indices whose answer is one of `kinds`, in pool order."""
        return np.sort(self._rows["index"][self._places_of(kinds)])

    def _places_of(self, kinds: tuple[str, ...]) -> IndexArray:
        column = self._rows["kind"][: self._used]
        is_one = column == _NUMBERS[kinds[0]]
        for kind in kinds[1:]:
            is_one |= column == _NUMBERS[kind]
        return np.flatnonzero(is_one)

    def _take(self) -> int:
        if self._free:
            return self._free.pop()
        if self._used == len(self._rows):
            # doubled: growing by one row would copy all answers at each key
            self._rows = np.concatenate((self._rows, np.zeros_like(self._rows)))
        self._used += 1
        return self._used - 1
