"""Records with values other than their defaults, made from the types of their fields: none can be forgotten."""

from __future__ import annotations

import itertools
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

ROWS = 3
"""Entries of every array."""


def example(kind: type, /, **given: Any) -> Any:
    """A `kind` none of whose fields has its default; `given` where the types alone do not say enough."""
    count = itertools.count(1)
    return _record(kind, count, given)


def _record(kind: type, count: Any, given: dict[str, Any]) -> Any:
    hints, values = get_type_hints(kind), {}
    for item in fields(kind):
        value = given[item.name] if item.name in given else _value(hints[item.name], count, given)
        default = item.default if item.default_factory is MISSING else item.default_factory()
        if type(default) is bool and hints[item.name] is bool:
            value = not default
        assert not same(value, default), f"{kind.__name__}.{item.name} has its default"
        values[item.name] = value
    return kind(**values)


def _value(hint: Any, count: Any, given: dict[str, Any]) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is np.ndarray:
        dtype = get_args(inner[1])[0]
        return (np.arange(ROWS) % 2).astype(dtype if isinstance(dtype, type) and dtype is not Any else np.int16)
    if origin in (Union, UnionType):
        return _value(next(one for one in inner if one is not NoneType), count, given)
    if origin is tuple and inner[1:] != (...,):
        return tuple(_value(one, count, given) for one in inner)
    if origin in (list, tuple):
        return origin(_value(inner[0], count, given) for _ in range(2))
    if origin is dict:
        return {_value(inner[0], count, given): _value(inner[1], count, given)}
    if is_dataclass(hint):
        return _record(hint, count, given)
    return _scalar(hint, count)


def _scalar(hint: Any, count: Any) -> Any:
    number = next(count)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return list(hint)[-1]
    return {
        int: number,
        float: number / 8,
        str: f"näme \udcff {number}",
        bool: True,
        Any: [number, {"some": None, "thing": [0.5, True]}],
    }[hint]


def same(first: Any, second: Any) -> bool:
    """Whether two values are of the same types and equal, through all their fields."""
    if isinstance(first, np.ndarray):
        is_array = isinstance(second, np.ndarray)
        return (
            is_array and first.dtype == second.dtype and first.shape == second.shape and np.array_equal(first, second)
        )
    if is_dataclass(first):
        names = [item.name for item in fields(first)]
        return type(first) is type(second) and all(same(getattr(first, n), getattr(second, n)) for n in names)
    if isinstance(first, (list, tuple)):
        return type(first) is type(second) and len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, dict):
        return type(second) is dict and first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)
    return type(first) is type(second) and first == second
