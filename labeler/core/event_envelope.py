"""The envelope of an event: who, when, at which place of the journal; and its row of the events table, there and back.

Import it from :mod:`labeler.core.events`, which knows all kinds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labeler.core.codec import Count, Number, Reader, Unreadable, plain, reader
from labeler.core.event_body import KINDS, Body, payload_of, read_body
from labeler.core.types import LATEST


@dataclass(frozen=True, slots=True)
class Unread(Body):
    """An event that this version cannot read, kept as it is stored; `why` is empty where its kind is a newer one."""

    undoable = False
    name: str
    why: str
    instance_id: str | None
    class_id: int | None
    payload: Mapping[str, Any]

    def refuse(self) -> None:
        """Raise ValueError where it says what cannot be."""
        if self.why:
            raise ValueError(self.why)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a person did, as the journal keeps it. `seq` is 0 until the journal gave it its place.

    `keys`: presses since the event before, where a screen counted them. `target`: of an undo or a redo the event that
    it takes back or brings back. `more`: what a newer version stored of it, handed on as it is.
    """

    event_id: str
    body: Body
    at: float  # seconds since 1970, UTC
    annotator: str = ""
    target: str | None = None
    keys: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    seq: int = 0

    @property
    def kind(self) -> str:
        """The name of its kind, as the journal has it."""
        return self.body.name if isinstance(self.body, Unread) else self.body.kind

    @property
    def instance_id(self) -> str | None:
        """The one instance that it is about."""
        return getattr(self.body, "instance_id", None)

    @property
    def class_id(self) -> int | None:
        """The class that its row names."""
        return getattr(self.body, "class_id", None)

    @property
    def payload(self) -> dict[str, Any]:
        """The rest of what it says, as JSON holds it."""
        payload: dict[str, Any] = plain(self._payload())
        return payload

    def _payload(self) -> dict[str, Any]:
        if isinstance(self.body, Unread):
            return dict(self.body.payload)
        keys = {} if self.keys is None else {"keys": self.keys}
        return {**payload_of(self.body), **self.more, **keys}

    @property
    def presses(self) -> int:
        """The keys a person pressed for it: as a screen counted them, else one, and one an exception on a page."""
        body = self.body
        if not body.presses or body.is_setup:
            return 0
        return body.presses + body.exceptions if self.keys is None else self.keys

    def to_row(self) -> tuple[Any, ...]:
        """The values of the events table in its order, without `seq`; the last one is to be written as JSON."""
        return (
            *(self.event_id, self.kind, float(self.at), self.annotator),
            *(self.instance_id, self.class_id, self.target, self._payload()),
        )

    @classmethod
    def from_row(cls, seq: int, *row: Any) -> Event:
        """Return the event of the values that :meth:`to_row` gave, whatever they say: see :class:`Unread`."""
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
        return cls(event_id, body, at, annotator, target, keys, more, seq)


def _without_keys(kind: type[Body], payload: dict[str, Any]) -> tuple[dict[str, Any], int | None]:
    """The payload of a body alone, and the keys that are kept with it."""
    if not kind.counts_presses or "keys" not in payload:
        return payload, None
    try:
        keys: int = _KEYS(payload["keys"])
    except Unreadable:
        raise Unreadable("its keys cannot be") from None
    return {name: value for name, value in payload.items() if name != "keys"}, keys


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
    return Event.from_row(values["seq"], *(values[name] for name in _PACKED[:-1]))


_PACKED_READERS: dict[str, Reader] = {
    **dict.fromkeys(("event_id", "kind", "annotator"), reader(str)),
    **dict.fromkeys(("instance_id", "target"), reader(str | None)),
    "class_id": reader(int | None),
    "at": reader(Number),
    "seq": reader(Count),
}
