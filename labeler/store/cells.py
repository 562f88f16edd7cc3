"""Types of the cells of a project file: SQLite lets any type into any column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

_NULL = type(None)
_TYPES: dict[str, tuple[tuple[type, ...], ...]] = {
    "project": ((str,), (str,)),
    "pool": ((int,), (int,), (bytes,), (int, float, _NULL)),
    "rounds": ((int,), (int, _NULL), (str,)),
    "arrays": ((str,), (str,), (str,), (str,), (bytes,)),
    "frozen": ((int,), (str,), (str,), (str,), (bytes,)),
    "question": ((int,), (str,)),
}
_EVENT: tuple[tuple[type, ...], ...] = (
    (int,),
    (str,),
    (str,),
    (int, float),
    (str, bytes),
    (str, bytes, _NULL),
    (int, _NULL),
    (str, _NULL),
    (str,),
)


def is_typed(table: str, row: Sequence[Any]) -> bool:
    """Whether a row of a sealed table holds values of the types that are written there."""
    return all(isinstance(value, types) for value, types in zip(row, _TYPES[table], strict=True))


def check_event(row: Sequence[Any]) -> None:
    """Raise ValueError where a row of the journal (with its seq) holds another type than is written there."""
    for name, value, types in zip(_EVENT_NAMES, row, _EVENT, strict=True):
        if not isinstance(value, types):
            raise ValueError(f"its {name} is {_called(value)}")  # noqa: TRY004 - a value of the file, not of a caller
    if not 0 < row[0] < MOST_EVENTS:
        raise ValueError("its place is none")
    if not math.isfinite(row[3]):
        raise ValueError("its time is no time")


MOST_EVENTS = 2**40  # no hand comes so far, and the next one still fits SQLite's 64 bits
_EVENT_NAMES = ("place", "id", "kind", "time", "annotator", "instance", "class", "target", "payload")


def _called(value: Any) -> str:
    return {dict: "an object", list: "a list", str: "text", bool: "yes or no", bytes: "bytes"}.get(
        type(value), "empty" if value is None else "a number"
    )
