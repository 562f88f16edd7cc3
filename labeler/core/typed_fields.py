"""Fields with a type and bounds: how a stored value is read, and which of it are classes. Both are built once a type.

A journal of a million rows is read through these functions, so they are closures and no interpreter of types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from labeler.core.codec import Unreadable

MOST_CLASSES = 1_000_000
"""Above every class id: ids are given one after the other, and arrays have a place for each."""
_MOST = 2**31 - 1  # what an int32 column holds

Reader = Callable[[Any], Any]
Restate = Callable[[Any, Callable[[int], int]], Any]


@dataclass(frozen=True, slots=True)
class Between:
    """The bounds of a number; `inside`: they themselves are beyond it."""

    low: float
    high: float
    inside: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    """The words that a text may be."""

    words: frozenset[str]


class IsClass:
    """The mark of a number that is the id of a class."""


Count = Annotated[int, Between(0, _MOST)]
Whole = Annotated[int, Between(-_MOST, _MOST)]
Number = Annotated[float, Between(-1e12, 1e12, inside=True)]
Share = Annotated[float, Between(0, 1, inside=True)]
Percent = Annotated[float, Between(0, 100)]
Confidence = Annotated[float, Between(0, 1)]
Answered = Annotated[str, OneOf(frozenset({"label", "skip", "unsure", "reject"}))]
"""What a person can say of one instance."""
GivenAs = Annotated[str, OneOf(frozenset({"human", "confirmed", "imported", "propagated", "predicted"}))]
"""The word of a label's provenance."""
ClassId = Annotated[int, Between(-1, MOST_CLASSES - 1), IsClass]  # -1 is UNLABELED


def reader(hint: Any) -> Reader:
    """Return the function that reads a stored value of a type: lists become tuples, numbers stay as they are.

    It raises Unreadable where the value is not of the type or out of its bounds.
    """
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        read, bound = reader(inner[0]), inner[1]
        return _word(bound.words) if isinstance(bound, OneOf) else _bounded(read, bound)
    if origin in (Union, UnionType):
        (kind,) = (part for part in inner if part is not NoneType)
        read = reader(kind)
        return lambda value: None if value is None else read(value)
    if origin is tuple:
        return _list_of(reader(inner[0])) if inner[1:] == (...,) else _row_of([reader(part) for part in inner])
    if origin in (dict, Mapping):
        return _mapping_of(reader(inner[1]))
    return _scalar(hint)


def _scalar(hint: Any) -> Reader:
    if hint is Any:
        return lambda value: value
    kinds = {float: (int, float)}.get(hint, (hint,))

    def read(value: Any) -> Any:
        if type(value) not in kinds:  # a bool is no number
            raise Unreadable
        return value

    return read


def _bounded(read: Reader, bound: Between) -> Reader:
    low, high, inside = bound.low, bound.high, bound.inside

    def check(value: Any) -> Any:
        read(value)
        if not (low < value < high if inside else low <= value <= high):
            raise Unreadable
        return value

    return check


def _word(words: frozenset[str]) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not str or value not in words:
            raise Unreadable
        return value

    return read


def _list_of(read: Reader) -> Reader:
    def check(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise Unreadable
        return tuple([read(item) for item in value])

    return check


def _row_of(reads: list[Reader]) -> Reader:
    width = len(reads)

    def check(value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(value) != width:
            raise Unreadable
        return tuple([read(item) for read, item in zip(reads, value, strict=True)])

    return check


def _mapping_of(read: Reader) -> Reader:
    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Unreadable
        return {name: read(item) for name, item in value.items()}

    return check


def restater(hint: Any) -> Restate | None:
    """Return the function that puts other class ids into a value of a type; None where no part of it is a class."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return (lambda value, change: change(value)) if IsClass in inner else None
    if origin in (Union, UnionType):
        parts = [part for part in map(restater, inner) if part is not None]
        return _unless_none(parts[0]) if parts else None
    if origin is not tuple:
        return None
    if inner[1:] == (...,):
        each = restater(inner[0])
        return None if each is None else lambda value, change: tuple([each(item, change) for item in value])
    columns = [restater(part) for part in inner]
    return None if not any(columns) else lambda row, change: _restated_row(columns, row, change)


def _unless_none(restate: Restate) -> Restate:
    return lambda value, change: None if value is None else restate(value, change)


def _restated_row(columns: list[Restate | None], row: Any, change: Callable[[int], int]) -> Any:
    pairs = zip(columns, row, strict=True)
    return tuple([item if restate is None else restate(item, change) for restate, item in pairs])


def plain(value: Any) -> Any:
    """A value as JSON hands it out: lists in place of tuples."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return {name: plain(item) for name, item in value.items()} if isinstance(value, dict) else value
