"""Audits that were made in one of two merged files: what was drawn, looked at and said goes along, sealed as it was.

A certificate speaks of the labels of one file as they were frozen, in the classes of that file; merged labels are
others. So its events travel word for word in one ``audit_carried`` event, and the frozen arrays beside it: anybody can
compute the statement again and compare the hashes. What was answered in it is an answer of the merged journal besides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from labeler.core.errors import ProjectError
from labeler.core.events import (
    AuditAnswer,
    AuditBegin,
    AuditBlock,
    AuditCarried,
    AuditEnd,
    AuditPage,
    Event,
    Redo,
    Undo,
    packed,
    unpacked,
)
from labeler.core.pool import Pool
from labeler.session.audit import audits
from labeler.session.audit.audits import AuditRecord, Certificate
from labeler.session.fold import take
from labeler.session.merge.journals import Reading, id_of, text
from labeler.session.state import State

PLACES = "places"
"""The array that says where in the pool the rows of the frozen ones are."""

_OF_AUDITS = (AuditBegin, AuditAnswer, AuditBlock, AuditPage, AuditEnd)

Frozen = Callable[[int], Mapping[str, NDArray[Any]]]


@dataclass(frozen=True, slots=True)
class CarriedAudit:
    """An audit of another file. `certificate` is None where its frozen labels are not those its events name."""

    by: str
    audit: AuditRecord
    certificate: Certificate | None

    @property
    def statement(self) -> str:
        """What holds, and of what."""
        if self.certificate is None:
            return "its frozen labels are damaged: nothing of it can be proven"
        drawn = "" if self.audit.drawn else "; it was under way"
        return f"{self.certificate.statement}{drawn}; of the labels as they were frozen there, not of these"

    @property
    def facts(self) -> dict[str, Any]:
        """The figures, JSON-able."""
        found = self.certificate
        facts: dict[str, Any] = {"by": self.by, "audit": self.audit.number, "frozen_at": self.audit.at}
        facts |= {"statement": self.statement, "set_sha256": self.audit.set_sha256, "drawn": self.audit.drawn}
        if found is not None:
            names = ("target", "confidence", "population", "checked", "wrong", "lower_bound", "reached")
            facts |= {name: getattr(found, name) for name in names}
        return facts


def audit_events(events: Iterable[Event]) -> list[Event]:
    """The events of a journal that are about its own audits, with their undos and redos, in order."""
    found: list[Event] = []
    ids: set[str] = set()
    for event in events:
        about = event.target in ids if isinstance(event.body, Undo | Redo) else isinstance(event.body, _OF_AUDITS)
        if about:
            found.append(event)
            ids.add(event.event_id)
    return found


def united_records(first: Reading, second: Reading) -> list[Event]:
    """The ``audit_carried`` events of a merged journal: what each side carries and its own, none that another holds.

    `kept_under` names for each event that begins an audit the number its arrays are stored under (below 0).
    """
    records: dict[str, tuple[Event, AuditCarried]] = {}
    for record, body in [*_records(first), *_records(second)]:
        bare = AuditCarried(body.events, {})
        record = replace(record, body=bare, seq=0)
        other = records.get(record.event_id)
        if other is None or text(record) < text(other[0]):
            records[record.event_id] = record, bare
    held = {name: {one["event_id"] for one in body.events} for name, (_, body) in records.items()}
    whole = [pair for name, pair in records.items() if not any(held[name] < other for other in held.values())]
    numbers: dict[str, int] = {}
    found = []
    for record, body in sorted(whole, key=lambda pair: (pair[0].at, pair[0].event_id)):
        begins = [one["event_id"] for one in body.events if one["kind"] == AuditBegin.kind]
        kept = {name: numbers.setdefault(name, -len(numbers) - 1) for name in begins}
        found.append(replace(record, body=AuditCarried(body.events, kept)))
    return found


def _records(side: Reading) -> list[tuple[Event, AuditCarried]]:
    """What a side carries of others, and its own audits, if anything was looked at in them, as one more."""
    found = [(event, event.body) for event in side.side.events if isinstance(event.body, AuditCarried)]
    if any(audit.answers for audit in side.state.audits):
        own = audit_events(side.side.events)
        who = " and ".join(sorted({event.annotator for event in own if event.annotator})) or side.side.annotator
        made = id_of(AuditCarried.kind, *(event.event_id for event in own))
        body = AuditCarried(tuple(map(packed, own)), {})
        found.append((Event(made, body, own[-1].at, who), body))
    return found


def carried_audits(records: Iterable[Event], frozen: Frozen, pool: Pool) -> list[CarriedAudit]:
    """The audits that a merged journal carries, each with what it says by its events and frozen labels."""
    return [one for record in records for one in _opened(record, frozen, pool)]


def _opened(record: Event, frozen: Frozen, pool: Pool) -> list[CarriedAudit]:
    if not isinstance(record.body, AuditCarried):
        raise TypeError(f"event {record.event_id} carries no audits")
    kept = {begin: dict(frozen(number)) for begin, number in record.body.kept_under.items()}
    ids = {begin: _named(arrays.pop(PLACES, None), pool) for begin, arrays in kept.items()}
    longest = max(ids.values(), key=len, default=[])
    state, begins = State(Pool(longest) if longest else pool), []
    for event in map(unpacked, record.body.events):
        take(state, event, classes_known=False)
        if isinstance(event.body, AuditBegin):
            begins.append(event.event_id)
    looked_at = [(begin, audit) for begin, audit in zip(begins, state.audits, strict=True) if audit.answers]
    return [
        CarriedAudit(record.annotator, audit, _certificate(audit, kept[begin], ids[begin]))
        for begin, audit in looked_at
    ]


def _named(places: NDArray[Any] | None, pool: Pool) -> list[str]:
    """The ids at some places of the pool; none where one of them is no place: nothing can be proven then."""
    if places is None or places.dtype.kind not in "iu" or places.ndim != 1 or not places.size:
        return []
    if int(places.min()) < 0 or int(places.max()) >= len(pool):
        return []
    return [pool.ids[place] for place in places.tolist()]


def _certificate(audit: AuditRecord, arrays: Mapping[str, NDArray[Any]], ids: list[str]) -> Certificate | None:
    """What the looks say; None where the frozen labels are not those that were drawn from."""
    try:
        return audits.certificate(audit, audits.thawed(audit, arrays, ids))
    except (ProjectError, TypeError):  # not the hashes of its events, or not the arrays at all
        return None
