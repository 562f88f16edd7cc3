"""Events, rounds and the pinned question as rows, and back; and the seal of a row, a digest of its values.

An event's seal covers that of the event before it as well: see :mod:`labeler.store.seals`.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from numpy.typing import NDArray

from labeler.core import codec
from labeler.core.events import Event, from_row
from labeler.core.types import Question, Round

# -- seals ------------------------------------------------------------------------------------------------------------

COLUMNS: dict[str, tuple[str, ...]] = {
    "project": ("key", "value"),
    "pool": ("start", "count", "ids", "joined_at"),
    "rounds": ("round", "revision", "facts"),
    "arrays": ("owner", "name", "dtype", "shape", "data"),
    "frozen": ("audit", "name", "dtype", "shape", "data"),
    "question": ("only_row", "value"),
}
"""The tables whose rows are sealed one by one, with the columns that a seal covers."""
EVENT_COLUMNS = ("event_id", "kind", "at", "annotator", "instance", "class_id", "target", "payload")
EVENTS = ", ".join(EVENT_COLUMNS)
"""The same, as SQL lists them."""
FIRST = b""
"""What the first event follows."""
_SIZE = 16  # against accidents, not against people, who could compute any seal: 128 bits will do


def seal(values: Sequence[Any]) -> bytes:
    """The digest (16 bytes) of a row's values as SQLite hands them out: None, int, float, str, bytes.

    They are written with :func:`ascii`, which is the same in every version of Python; blobs are taken as they are.
    """
    written = [("blob", len(value)) if isinstance(value, bytes) else value for value in values]
    digest = hashlib.blake2b(ascii(written).encode("ascii"), digest_size=_SIZE)
    for value in values:
        if isinstance(value, bytes):
            digest.update(value)
    return digest.digest()


def chain(before: bytes, seq: int, values: Sequence[Any]) -> bytes:
    """The seal of the event at `seq` with the values of :data:`EVENT_COLUMNS`, after one whose seal is `before`."""
    return hashlib.blake2b(before + ascii((seq, *values)).encode("ascii"), digest_size=_SIZE).digest()


def next_event(db: Any, values: Sequence[Any]) -> tuple[Any, ...]:
    """(seq, values..., seal) of the event that comes next. To be asked in the transaction that writes it."""
    last = db.execute("SELECT seq, seal FROM events ORDER BY seq DESC LIMIT 1").fetchone()
    seq, before = (last[0] + 1, last[1]) if last else (1, FIRST)
    return (seq, *values, chain(before, seq, values))


# -- rows -------------------------------------------------------------------------------------------------------------


def marks(values: Sequence[Any]) -> str:
    """Placeholders of as many values."""
    return ", ".join("?" * len(values))


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


_LATER = frozenset(item.name for item in fields(Round) if item.default_factory is not MISSING)
"""What rounds of older versions do not hold."""


def event_row(event: Event) -> tuple[Any, ...]:
    """The values of an event in the order of the events table, without `seq`."""
    event_id, kind, at, annotator, instance_id, class_id, target, payload = event.to_row()
    instance = None if instance_id is None else encode_name(instance_id)
    text = json.dumps(payload, separators=(",", ":"), allow_nan=False)  # NaN is no JSON: no other program could read it
    return event_id, kind, at, encode_name(annotator), instance, class_id, target, text


def event_of(row: tuple[Any, ...]) -> Event:
    """An event from (seq, event_id, kind, at, annotator, instance, class_id, target, payload).

    Raises
    ------
    ValueError
        A value is not of the type that is written there, or the payload is no object.
    """
    check_event(row)
    seq, event_id, kind, at, annotator, instance, class_id, target, payload = row
    name = None if instance is None else decode_name(instance)
    return from_row(seq, event_id, kind, at, decode_name(annotator), name, class_id, target, _object(payload))


def _object(text: str) -> dict[str, Any]:
    value = codec.loads(text)
    if not isinstance(value, dict):
        raise codec.Unreadable("what it says is no object")
    return value


def encode_name(name: str) -> str | bytes:
    """A name as SQLite takes it: text, or the raw bytes where it is not UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name)
    return name


def decode_name(stored: str | bytes) -> str:
    """The inverse of :func:`encode_name`."""
    return os.fsdecode(stored) if isinstance(stored, bytes) else stored


_PACKED = 10_000
"""Ids that are packed at once: fewer take their time, more their memory."""


def pack_ids(ids: Sequence[str], first: int = 0, last: int = sys.maxsize) -> bytes:
    """Ids, or those from `first` on and before `last`, as one blob, separated by NUL (no file name holds one)."""
    last = min(last, len(ids))
    starts = range(first, last, _PACKED)
    return b"\0".join(os.fsencode("\0".join(ids[start : min(start + _PACKED, last)])) for start in starts)


def unpack_ids(blob: bytes, count: int) -> list[str]:
    """The inverse of :func:`pack_ids`."""
    return os.fsdecode(blob).split("\0") if count else []  # all at once: a million are resumed in a quarter of the time


def round_arrays(round_: Round) -> dict[str, NDArray[Any]]:
    """The array columns of a round by name; those of its queue as ``queue.<name>``."""
    arrays: dict[str, NDArray[Any]] = {}
    codec.encode(round_, arrays)
    return arrays


def round_facts(round_: Round) -> dict[str, Any]:
    """Return all of a round that is no array, JSON-able, its queue included, but for its number and revision."""
    packed = codec.encode(round_, {})
    queue: dict[str, Any] = packed.pop("queue")
    return queue | {name: value for name, value in packed.items() if name not in ("revision", "round")}


def round_of(number: int, revision: int, facts: object, arrays: Mapping[str, NDArray[Any]]) -> Round:
    """A round from its stored halves.

    Raises
    ------
    Unreadable
        One is not whole, or the two are not of one round.
    """
    if not isinstance(facts, Mapping):
        raise codec.Unreadable("its facts are none")
    stored = {**facts, "queue": facts, "revision": revision, "round": number}
    round_ = codec.decode(Round, stored, arrays)
    _check_shapes(round_)
    return round_


def _check_shapes(round_: Round) -> None:
    """Every column of the instances is of one length, or of a version that did not have it; every one of the queue."""
    arrays = round_arrays(round_)
    queue = {name: array for name, array in arrays.items() if name.startswith("queue.")}
    own = {name for name in ("representatives", "foreign") if name in arrays}
    for name, array in arrays.items():
        if array.ndim != (2 if name in ("queue.guesses", "queue.guess_scores") else 1):
            raise codec.Unreadable(f"{name} has {array.ndim} dimensions")
        if name not in queue and name not in own and len(array) not in _lengths(round_, name):
            raise codec.Unreadable(f"{name} has {len(array):,} entries for {len(round_.labels):,} instances")
    if (
        len({len(array) for array in queue.values()}) > 1
        or round_.queue.guesses.shape != round_.queue.guess_scores.shape
    ):
        raise codec.Unreadable("the columns of the queue are of several lengths")
    if len(round_.queue.rules) and round_.queue.rules.max() >= len(round_.queue.rule_names):
        raise codec.Unreadable("the queue names a rule that there is none of")


def _lengths(round_: Round, name: str) -> tuple[int, ...]:
    return (len(round_.labels), 0) if name in _LATER else (len(round_.labels),)


def pack_array(array: NDArray[Any]) -> tuple[str, str, bytes]:
    """(dtype, shape as JSON, bytes) of an array of numbers."""
    dtype, shape, data = codec.pack_array(array)
    return dtype, json.dumps(shape), data


def unpack_array(dtype: object, shape: str, data: bytes) -> NDArray[Any]:
    """The inverse of :func:`pack_array`; read-only.

    Raises
    ------
    Unreadable
        The bytes do not fit the shape, or are no numbers: the file is damaged.
    """
    if not isinstance(data, bytes):
        raise codec.Unreadable("the bytes of an array are none")
    return codec.unpack_array(dtype, codec.loads(shape), data)


def question_value(question: Question | None, revision: int) -> str:
    """The pinned question and the revision it was drawn at, as JSON."""
    return json.dumps(None if question is None else codec.encode(question, {}) | {"revision": revision})


def question_of(value: str) -> tuple[Question, int] | None:
    """The inverse of :func:`question_value`; without its instance's id in rows of older versions.

    Raises
    ------
    Unreadable
        It is no question.
    """
    stored = codec.loads(value)
    if stored is None:
        return None
    if not isinstance(stored, dict) or type(revision := stored.get("revision")) is not int:  # a truth value is none
        raise codec.Unreadable("the question is none")
    return codec.decode(Question, {"instance_id": "", **stored}), revision
