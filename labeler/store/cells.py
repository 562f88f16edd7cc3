"""What may stand in the cells of a project file: SQLite lets any type into any column, and JSON may be of any depth."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEEPEST = 20
"""Lists within lists: what labeler writes has five at most."""
MOST_DIMENSIONS = 4
DTYPES = frozenset(("|b1", "|u1", "|i1", "<u2", "<u4", "<u8", "<i2", "<i4", "<i8", "<f2", "<f4", "<f8"))
"""Arrays hold numbers: no objects, dates or texts, and nothing of size 0."""

_BIGGEST = 2**63
_ODD = re.compile(r"\d{16}|[eE]\+?\d{3}|NaN|Infinity")
"""A number that may be beyond what arrays and columns hold; what does not match is not looked through."""
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


MOST_EVENTS = 2**40
_EVENT_NAMES = ("place", "id", "kind", "time", "annotator", "instance", "class", "target", "payload")


def read_json(text: str, *, finite: bool = True) -> Any:
    """What JSON text of the file says.

    Raises
    ------
    ValueError
        It is none, too deep, or holds numbers that nothing can hold (with `finite`, NaN and infinity as well).
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("JSON that is too deep") from None
    if text.count("[") + text.count("{") > DEEPEST or (_ODD.search(text) is not None):
        _check(value, finite)
    return value


def read_object(text: str, *, finite: bool = True) -> dict[str, Any]:
    """The same, of JSON that must be an object. Raises as :func:`read_json`."""
    value = read_json(text, finite=finite)
    if not isinstance(value, dict):
        raise ValueError(f"{_called(value)} in place of an object")  # noqa: TRY004 - as above
    return value


def read_array(dtype: str, shape: str, data: bytes) -> NDArray[Any]:
    """An array from its row, read-only. Raises ValueError where its parts do not fit or it holds no numbers."""
    if dtype not in DTYPES:
        raise ValueError(f"an array of {dtype[:20]!r} is never stored")
    sizes = read_json(shape)
    if not isinstance(sizes, list) or len(sizes) > MOST_DIMENSIONS:
        raise ValueError("an array without a shape")
    if not all(type(size) is int and size >= 0 for size in sizes):
        raise ValueError("an array of a shape that is none")
    kind = np.dtype(dtype)
    if math.prod(sizes) * kind.itemsize != len(data):
        raise ValueError("an array whose bytes do not fit its shape")
    return np.frombuffer(data, dtype=kind).reshape(sizes)


def _check(value: Any, finite: bool) -> None:
    level = [value]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, list):
                below += item
            elif isinstance(item, int) and not -_BIGGEST <= item < _BIGGEST:
                raise ValueError("a number that is too large")
            elif isinstance(item, float) and finite and not math.isfinite(item):
                raise ValueError("a number that is none")
        if not below:
            return
        level = below
    raise ValueError("JSON that is too deep")


def _called(value: Any) -> str:
    return {dict: "an object", list: "a list", str: "text", bool: "yes or no", bytes: "bytes"}.get(
        type(value), "empty" if value is None else "a number"
    )
