"""Records as JSON and arrays, and back, by :func:`dataclasses.fields`: the one way in which they are stored and sent.

The types of the fields say how a record is read. A field that the stored record lacks has its default, one that this
version does not know is passed over; anything else that is not of its field's type makes the record unreadable.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

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


Record = TypeVar("Record")
Arrays = Mapping[str, NDArray[Any]]

DTYPES = frozenset(np.dtype(name) for name in ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"])
"""What an array may be made of, in either order of bytes: numbers and booleans, never objects."""
MOST_DIMENSIONS = 8
DEEPEST = 20
"""Lists within lists: what labeler writes has five at most."""
_ODD = re.compile(r"\d{16}|[eE]\+?\d{3}|NaN|Infinity")
"""A number that may be beyond what arrays and columns hold; what does not match is not looked through."""
_PLAIN = frozenset((str, int, float, bool, NoneType))
LARGEST = 2**63 - 1
"""Whole numbers beyond it, either way, are none of ours."""


class Unreadable(ValueError):
    """Stored text or arrays are no such record; the message names the field."""


# -- records ----------------------------------------------------------------------------------------------------------


def encode(record: Any, arrays: dict[str, NDArray[Any]], *, prefix: str = "") -> dict[str, Any]:
    """A record's fields by name, JSON-able; its arrays go into `arrays` under their names, ``queue.indices`` nested."""
    packed = {}
    for item in fields(record):
        value = getattr(record, item.name)
        if isinstance(value, np.ndarray):
            arrays[prefix + item.name] = value
        else:
            packed[item.name] = _plain(value, arrays, f"{prefix}{item.name}.")
    return packed


def _plain(value: Any, arrays: dict[str, NDArray[Any]], prefix: str) -> Any:
    if is_dataclass(value):
        return encode(value, arrays, prefix=prefix)
    if isinstance(value, dict):
        return {str(key): _plain(item, arrays, f"{prefix}{key}.") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        if _PLAIN.issuperset(map(type, value)):  # a million ids, say
            return list(value)
        return [_plain(item, arrays, f"{prefix}{place}.") for place, item in enumerate(value)]
    if isinstance(value, np.ndarray):
        raise TypeError(f"{prefix.removesuffix('.')}: an array is stored as a field of a record, not inside another")
    if isinstance(value, Enum):
        return value.value
    return value.item() if isinstance(value, np.generic) else value


def decode(kind: type[Record], stored: object, arrays: Arrays | None = None, *, finite: bool = True) -> Record:
    """The record that :func:`encode` made `stored` and `arrays` of.

    Parameters
    ----------
    kind
        The class to make.
    stored, arrays
        What is stored; `arrays` by their names.
    finite
        Whether infinite numbers and those that are none are refused, outside of arrays.

    Raises
    ------
    Unreadable
        A field is missing that has no default, or not of its type, or beyond all bounds.
    """
    return _Reader(arrays or {}, finite).record(kind, stored, "")


class _Reader:
    """Reads one record and all that is in it."""

    def __init__(self, arrays: Arrays, finite: bool) -> None:
        self._arrays, self._finite = arrays, finite

    def record(self, kind: type[Record], stored: object, prefix: str) -> Record:
        if not isinstance(stored, Mapping):
            raise Unreadable(f"{prefix.removesuffix('.') or kind.__name__} is no record")
        values: dict[str, Any] = {}
        for name, (hint, needed) in _fields_of(kind).items():  # type: ignore[arg-type]
            place = prefix + name
            is_array = get_origin(hint) is np.ndarray
            if is_array and place in self._arrays:
                values[name] = _as_typed(self._arrays[place], hint, place)
            elif not is_array and name in stored:
                values[name] = self.value(hint, stored[name], place)
            elif needed:
                raise Unreadable(f"{place} is missing")
        return kind(**values)

    def value(self, hint: Any, value: object, place: str) -> Any:
        origin = get_origin(hint)
        if hint is Any:
            return value
        if origin in (Union, UnionType):
            return self._any_of(get_args(hint), value, place)
        if origin in (list, tuple):
            return self._sequence(origin, get_args(hint), value, place)
        if origin is dict:
            return self._mapping(get_args(hint), value, place)
        if is_dataclass(hint):
            return self.record(hint, value, f"{place}.")  # type: ignore[arg-type]
        return self._scalar(hint, value, place)

    def _any_of(self, hints: tuple[Any, ...], value: object, place: str) -> Any:
        for hint in hints:
            try:
                return self.value(hint, value, place)
            except Unreadable as error:
                last = error
        raise last

    def _sequence(self, kind: Any, hints: tuple[Any, ...], value: object, place: str) -> Any:
        if not isinstance(value, (list, tuple)):
            raise Unreadable(f"{place} is no list")
        if kind is list or hints[1:] == (...,):
            if hints[0] is str and {str}.issuperset(map(type, value)):  # a million ids, say
                return kind(value)
            hints = hints[:1] * len(value)
        if len(hints) != len(value):
            raise Unreadable(f"{place} has {len(value):,} entries, not {len(hints)}")
        return kind(
            self.value(hint, item, f"{place}.{number}")
            for number, (hint, item) in enumerate(zip(hints, value, strict=True))
        )

    def _mapping(self, hints: tuple[Any, ...], value: object, place: str) -> Any:
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise Unreadable(f"{place} is no mapping")
        keys, items = hints
        return {_key(keys, key, place): self.value(items, item, f"{place}.{key}") for key, item in value.items()}

    def _scalar(self, hint: Any, value: object, place: str) -> Any:
        if hint is int and type(value) is int and -LARGEST <= value <= LARGEST:
            return value
        if hint is float and type(value) in (int, float):
            return self._number(value, place)
        if hint in (str, bool, NoneType) and type(value) is hint:
            return value
        if isinstance(hint, type) and issubclass(hint, Enum):
            try:
                return hint(value)
            except ValueError:
                raise Unreadable(f"{place} is none of {hint.__name__}") from None
        if hint not in (int, float, str, bool, NoneType):
            raise TypeError(f"{place}: no record may have a field of type {hint}")
        raise Unreadable(f"{place} is no {getattr(hint, '__name__', hint)}")

    def _number(self, value: Any, place: str) -> float:
        if not self._finite:
            return float(value)
        if not -LARGEST <= value <= LARGEST and not (isinstance(value, float) and math.isfinite(value)):
            raise Unreadable(f"{place} is no number of ours")
        return float(value)


@cache
def _fields_of(kind: type[Any]) -> dict[str, tuple[Any, bool]]:
    """The type of each field and whether a record must have it."""
    hints = get_type_hints(kind)
    return {
        item.name: (hints[item.name], item.default is MISSING and item.default_factory is MISSING)
        for item in fields(kind)
    }


def _key(kind: Any, key: str, place: str) -> Any:
    if kind is str:
        return key
    if len(key) < 20 and key.removeprefix("-").isdecimal():  # more digits fit no 64 bits
        return kind(key)
    raise Unreadable(f"{place} has a key that is no {kind.__name__}")


# -- text and arrays --------------------------------------------------------------------------------------------------


def loads(text: str | bytes, *, finite: bool = True) -> Any:
    """The JSON in `text`.

    Raises
    ------
    Unreadable
        It is none, nested too deep, or has numbers that nothing can hold (with `finite`, NaN and infinity as well).
    """
    try:
        value = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise Unreadable(f"no JSON of ours ({type(error).__name__})") from None
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    # a cheap bound: most texts have not brackets enough to be deep, nor digits enough to be large
    if text.count("[") + text.count("{") > DEEPEST or _ODD.search(text) is not None:
        _check_bounds(value, finite)
    return value


def _check_bounds(value: Any, finite: bool) -> None:
    level = [value]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, list):
                below += item
            elif isinstance(item, int) and not -LARGEST <= item <= LARGEST:
                raise Unreadable("a number is too large")
            elif isinstance(item, float) and finite and not math.isfinite(item):
                raise Unreadable("a number is none")
        if not below:
            return
        level = below
    raise Unreadable("JSON that is too deep")


def pack_array(array: NDArray[Any]) -> tuple[str, list[int], bytes]:
    """(dtype, shape, bytes) of an array without objects.

    Raises
    ------
    TypeError
        It is made of something else than numbers and booleans.
    """
    array = np.ascontiguousarray(array)
    if array.dtype.newbyteorder("=") not in DTYPES:
        raise TypeError(f"an array of {array.dtype} is never stored")
    return array.dtype.str, list(array.shape), array.tobytes()


def unpack_array(dtype: object, shape: object, data: bytes | memoryview) -> NDArray[Any]:
    """The inverse of :func:`pack_array`; read-only, the bytes are not copied.

    Raises
    ------
    Unreadable
        It is an array of something else than numbers, or the bytes do not fit the shape.
    """
    try:
        # longer ones are whole expressions
        kind = np.dtype(dtype) if isinstance(dtype, str) and len(dtype) <= 4 else None
    except TypeError:
        kind = None
    if kind is None or kind.newbyteorder("=") not in DTYPES:
        raise Unreadable("an array of objects, or of what is no number, is never stored")
    lengths = _shape_of(shape)
    if math.prod(lengths) * kind.itemsize != len(data):  # whole numbers of Python's: a product in numpy may wrap around
        raise Unreadable("the bytes of an array do not fit its shape")
    flat = np.frombuffer(data, kind) if len(data) else np.empty(0, kind)
    try:
        return flat.reshape(lengths)
    except ValueError as error:
        raise Unreadable(f"the shape of an array is none ({error})") from None


def _shape_of(shape: object) -> tuple[int, ...]:
    if not isinstance(shape, (list, tuple)) or len(shape) > MOST_DIMENSIONS:
        raise Unreadable("the shape of an array is none")
    if not all(type(length) is int and 0 <= length <= LARGEST for length in shape):
        raise Unreadable("the shape of an array is none")
    return tuple(shape)


def _as_typed(array: NDArray[Any], hint: Any, place: str) -> NDArray[Any]:
    """The array in the type its field has; another one of the same kind holds the same numbers."""
    wanted = get_args(get_args(hint)[1])[0]
    if not (isinstance(wanted, type) and issubclass(wanted, np.generic)):  # any
        return array
    dtype = np.dtype(wanted)
    if array.dtype == dtype:
        return array
    if array.dtype.kind not in "biuf" or (array.dtype.kind == "f" and dtype.kind != "f"):
        raise Unreadable(f"{place} is of {array.dtype}, not {dtype}")
    with np.errstate(over="ignore"):  # what does not fit is refused below, with its name
        cast = array.astype(dtype)
    if dtype.kind != "f" and not np.array_equal(cast, array):
        raise Unreadable(f"{place} does not fit into {dtype}")
    return cast
