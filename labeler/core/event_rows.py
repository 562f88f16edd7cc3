"""Rows of the journal back into events: every value is read by its type, and what cannot be is kept as it is stored.

Import it from :mod:`labeler.core.events`, which knows all kinds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING
from typing import Any

from labeler.core.codec import Count, Number, Reader, Unreadable, reader
from labeler.core.event import KINDS, NOT_ASKED, Asked, Body, Event, FieldPlan, Plan, Unread, plan_of
from labeler.core.types import LATEST


def from_row(seq: int, *row: Any) -> Event:
    """Return the event of the values that ``Event.to_row`` gave, whatever they say: see :class:`Unread`."""
    event_id, kind, at, annotator, instance_id, class_id, target, payload = row
    keys: int | None = None
    more: dict[str, Any] = {}
    why = "its time is none" if not -LATEST < at < LATEST else ""
    body: Body = Unread(kind, why, instance_id, class_id, payload)
    if kind in KINDS and not why:
        try:
            fields, keys = _without_keys(KINDS[kind], payload)
            body, more = read_body(KINDS[kind], instance_id, class_id, fields)
        except Unreadable as error:
            body, keys = Unread(kind, str(error), instance_id, class_id, payload), None
    return Event(event_id, body, at, annotator, target, keys, more, seq)


def _without_keys(kind: type[Body], payload: dict[str, Any]) -> tuple[dict[str, Any], int | None]:
    """The payload of a body alone, and the keys that are kept with it."""
    if not kind.counts_presses or "keys" not in payload:
        return payload, None
    try:
        keys: int = _KEYS(payload["keys"])
    except Unreadable:
        raise Unreadable("its keys cannot be") from None
    return {name: value for name, value in payload.items() if name != "keys"}, keys


def read_body(
    kind: type[Any], instance_id: str | None, class_id: int | None, payload: Mapping[str, Any]
) -> tuple[Body, dict[str, Any]]:
    """Return the body of that kind which is stored so, and what else is stored there: of a newer version.

    Raises
    ------
    Unreadable
        It says what cannot be.
    """
    plan = plan_of(kind)
    values = _columns(plan, {"instance_id": instance_id, "class_id": class_id})
    if plan.whole:
        return _checked(kind(**values, **{plan.whole: payload})), {}
    values |= _values(plan, payload)
    known = set(plan.fields)
    if plan.is_asked:
        asked = _values(plan_of(Asked), payload)
        values["asked"] = Asked(**asked) if asked else NOT_ASKED
        known |= plan_of(Asked).fields.keys()
    more = {} if payload.keys() <= known else {key: value for key, value in payload.items() if key not in known}
    return _checked(kind(**values)), more


def _checked(body: Body) -> Body:
    body.check()
    return body


def _columns(plan: Plan, columns: Mapping[str, Any]) -> dict[str, Any]:
    values = {}
    for name, value in columns.items():
        column = plan.columns.get(name)
        if value is None and column is not None and column.default is MISSING:
            raise Unreadable(f"it names no {name.removesuffix('_id')}")
        if value is not None and column is None:
            raise Unreadable(f"it names a {name.removesuffix('_id')}")
        if value is not None and column is not None:
            values[name] = _read(column, value)
    return values


def _values(plan: Plan, payload: Mapping[str, Any]) -> dict[str, Any]:
    values = {}
    for key, item in plan.fields.items():
        if key in payload:
            values[item.name] = _read(item, payload[key])
        elif item.default is MISSING:
            raise Unreadable(f"it has no {key}")
    return values


def _read(item: FieldPlan, value: Any) -> Any:
    try:
        return item.read(value)
    except Unreadable:
        raise Unreadable(f"its {item.key} cannot be") from None


_KEYS = reader(Count)
_PACKED = ("event_id", "kind", "at", "annotator", "instance_id", "class_id", "target", "payload", "seq")


def packed(event: Event) -> dict[str, Any]:
    """An event word for word, as a mapping: all of its row by name."""
    return dict(zip(_PACKED, (*event.to_row(), event.seq), strict=True)) | {"at": event.at, "payload": event.payload}


def unpacked(values: Mapping[str, Any]) -> Event:
    """Return the event of which :func:`packed` made a mapping.

    Raises
    ------
    Unreadable
        It is none of an event.
    """
    if values.keys() != set(_PACKED) or not isinstance(values["payload"], dict):
        raise Unreadable("an event is none")
    for name, read in _PACKED_READERS.items():
        read(values[name])
    return from_row(values["seq"], *(values[name] for name in _PACKED[:-1]))


_PACKED_READERS: dict[str, Reader] = {
    **dict.fromkeys(("event_id", "kind", "annotator"), reader(str)),
    **dict.fromkeys(("instance_id", "target"), reader(str | None)),
    "class_id": reader(int | None),
    "at": reader(Number),
    "seq": reader(Count),
}
