"""Events and rounds as rows, and back."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.core.vocabulary import Advice, Event, Queue, Round

_ROUND_ARRAYS = (
    "labels",
    "provenances",
    "scores",
    "tiers",
    "sources",
    "clusters",
    "distances",
    "runner_ups",
    "representatives",
)
_LATER_ARRAYS = ("doubts", "foreign", "shares", "seconds", "outliers")
"""What rounds of older versions do not hold."""
_QUEUE_ARRAYS = ("indices", "utilities", "rules", "margins", "guesses", "guess_scores")


def event_row(event: Event) -> tuple[Any, ...]:
    """The values of an event in the order of the events table, without `seq`."""
    return (
        event.event_id,
        event.kind,
        float(event.at),
        encode_name(event.annotator),
        None if event.instance_id is None else encode_name(event.instance_id),
        event.class_id,
        event.target,
        json.dumps(event.payload, separators=(",", ":"), allow_nan=False),
    )


def event_of(row: tuple[Any, ...]) -> Event:
    """An event from (seq, event_id, kind, at, annotator, instance, class_id, target, payload)."""
    seq, event_id, kind, at, annotator, instance, class_id, target, payload = row
    name = None if instance is None else decode_name(instance)
    return Event(event_id, kind, at, decode_name(annotator), name, class_id, target, json.loads(payload), seq)


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


def pack_ids(ids: list[str]) -> bytes:
    """Ids as one blob, separated by NUL (no file name holds one)."""
    return b"\0".join(os.fsencode(name) for name in ids)


def unpack_ids(blob: bytes, count: int) -> list[str]:
    """The inverse of :func:`pack_ids`."""
    return [os.fsdecode(name) for name in blob.split(b"\0")] if count else []


_ADVICE = tuple(field.name for field in fields(Advice))


def round_arrays(round_: Round) -> dict[str, NDArray[Any]]:
    """The array columns of a round by name; those of its queue as ``queue.<name>``."""
    arrays: dict[str, NDArray[Any]] = {name: getattr(round_, name) for name in _ROUND_ARRAYS + _LATER_ARRAYS}
    return arrays | {f"queue.{name}": getattr(round_.queue, name) for name in _QUEUE_ARRAYS}


def round_facts(round_: Round) -> dict[str, Any]:
    """What of a round is no array, JSON-able."""
    return {
        "stage": round_.stage,
        "advice": {name: text for name in _ADVICE if (text := getattr(round_.advice, name)) or name != "short"},
        "facts": round_.facts,
        "rule_names": list(round_.queue.rule_names),
    }


def round_of(number: int, revision: int, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Round:
    """A round from its stored halves. Raises KeyError where one is missing."""
    queue = Queue(
        rule_names=tuple(meta["rule_names"]),
        **{name: arrays[f"queue.{name}"] for name in _QUEUE_ARRAYS},
    )
    return Round(
        revision=revision,
        round=number,
        stage=meta["stage"],
        queue=queue,
        advice=Advice(**{name: text for name, text in meta["advice"].items() if name in _ADVICE}),
        facts=meta["facts"],
        **{name: arrays[name] for name in _ROUND_ARRAYS},
        **{name: arrays[name] for name in _LATER_ARRAYS if name in arrays},
    )


def pack_array(array: NDArray[Any]) -> tuple[str, str, bytes]:
    """(dtype, shape, bytes) of an array without objects."""
    array = np.ascontiguousarray(array)
    return array.dtype.str, json.dumps(array.shape), array.tobytes()


def unpack_array(dtype: str, shape: str, data: bytes) -> NDArray[Any]:
    """The inverse of :func:`pack_array`; read-only.

    Raises
    ------
    ValueError
        The bytes do not fit the shape: the file is damaged.
    """
    kind = np.dtype(dtype)
    if kind.hasobject:
        raise ValueError("an array of objects is never stored")
    return np.frombuffer(data, dtype=kind).reshape(json.loads(shape))
