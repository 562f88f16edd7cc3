"""Clashes of the classes of two journals: names and keys that two classes hold, and what is called otherwise now."""

from __future__ import annotations

import json
from collections.abc import Sequence

from labeler.core.class_names import class_name
from labeler.core.events import ClassKey, ClassRename, Event
from labeler.core.pool import Pool
from labeler.core.types import ClassInfo
from labeler.session.classes import free_name
from labeler.session.keys import assign_key
from labeler.session.merge.class_ids import Creations
from labeler.session.merge.journals import JournalSide, derive_id, fold_journal
from labeler.session.state import State


def settle_clashes(events: Sequence[Event], pool: Pool) -> list[Event]:
    """Return events that give classes of one name or key another one; the class named first keeps what it has."""
    state = fold_journal(events, pool)
    names: set[str] = set()
    keys: set[str] = set()
    active = sorted(state.active_classes(), key=lambda info: info.class_id)
    held = {info.key for info in active}  # a key that is given anew must be free on both sides
    settling: list[Event] = []
    # not the time of the merge: the same two journals, merged anywhere, give the same events
    at = max((event.at for event in events), default=0.0)

    def settle(body: ClassRename | ClassKey) -> None:
        payload = json.dumps({"name": body.name} if isinstance(body, ClassRename) else {"key": body.key})
        event_id = derive_id(body.kind, str(body.class_id), payload, *(event.event_id for event in events))
        settling.append(Event(event_id, body, at))

    for info in active:
        name, key = free_name(info.name, names), info.key
        if key and key in keys:
            key = assign_key(name, held)
            held.add(key)
        if name != info.name:
            settle(ClassRename(info.class_id, name, setup=True))
        if key != info.key:
            settle(ClassKey(info.class_id, key, setup=True))
        names.add(class_name(name))
        keys.add(key)
    return settling


KeyChange = tuple[str, str, str, str]
"""The name of a class, its key on the first side, on the second, and the one it has now."""


def compare_classes(
    events: Sequence[Event], state: State, sides: tuple[JournalSide, JournalSide]
) -> tuple[list[KeyChange], list[tuple[str, str]]]:
    """Return the classes of a merged journal whose keys the two have differently, and (name before, now) of others."""
    makers = Creations.of(events).by_class()
    keys: list[KeyChange] = []
    renamed: list[tuple[str, str]] = []
    for info in state.active_classes():
        own = [_counterpart(makers.get(info.class_id, []), side) for side in sides]
        first, second = ("" if before is None else before.key for before in own)
        known = [before for before in own if before is not None]
        # with a counterpart on both sides they are compared; else the one there is, with what it became
        differ = first != second if len(known) == 2 else any(before.key != info.key for before in known)
        if differ and not any(before.retired for before in known):
            keys.append((info.name, first, second, info.key))
        renamed += [(before.name, info.name) for before in known if before.name != info.name]
    return keys, renamed


def _counterpart(makers: Sequence[str], side: JournalSide) -> ClassInfo | None:
    """The class of one side that became the one which the events `makers` made; None where it had none."""
    for event_id in makers:
        if event_id in side.creations.class_of:
            return side.state.classes.get(side.creations.class_of[event_id])
    return None
