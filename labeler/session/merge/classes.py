"""Clashes of the classes of two journals: names and keys that two classes hold, and what is called otherwise now."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from labeler.core.class_names import class_name
from labeler.core.pool import Pool
from labeler.core.types import ClassInfo, Event
from labeler.session.classes import free_name
from labeler.session.keys import assign_key
from labeler.session.merge.class_ids import Creations
from labeler.session.merge.journals import JournalSide, derive_id, fold_journal
from labeler.session.state import State

if TYPE_CHECKING:
    from labeler.session.merge.merge import MergedJournal


def settle_clashes(events: Sequence[Event], pool: Pool) -> list[Event]:
    """Return events that give classes of one name or key another one; the class named first keeps what it has."""
    state = fold_journal(events, pool)
    names: set[str] = set()
    keys: set[str] = set()
    active = sorted(state.active_classes(), key=lambda info: info.class_id)
    held = {info.key for info in active}
    settling: list[Event] = []
    at = max((event.at for event in events), default=0.0)

    def settle(kind: str, info: ClassInfo, payload: dict[str, str]) -> None:
        event_id = derive_id(kind, str(info.class_id), json.dumps(payload), *(event.event_id for event in events))
        settling.append(Event(event_id, kind, at, class_id=info.class_id, payload={**payload, "setup": True}))

    for info in active:
        name, key = free_name(info.name, names), info.key
        if key and key in keys:
            key = assign_key(name, held)
            held.add(key)
        if name != info.name:
            settle("class_rename", info, {"name": name})
        if key != info.key:
            settle("class_key", info, {"key": key})
        names.add(class_name(name))
        keys.add(key)
    return settling


def compare_classes(result: MergedJournal, state: State, sides: tuple[JournalSide, JournalSide]) -> None:
    """Note the classes whose keys or names the two have differently."""
    makers = Creations.of(result.events).by_class()
    for info in state.active_classes():
        own = [_counterpart(makers.get(info.class_id, []), side) for side in sides]
        if own[0] is not None and own[1] is not None:
            if own[0].key != own[1].key and not (own[0].retired or own[1].retired):
                result.keys.append((info.name, own[0].key, own[1].key, info.key))
        else:
            single = own[0] or own[1]
            if single is not None and not single.retired and single.key != info.key:
                result.keys.append((info.name, own[0].key if own[0] else "", own[1].key if own[1] else "", info.key))
        result.renamed += [
            (before.name, info.name) for before in own if before is not None and before.name != info.name
        ]


def _counterpart(makers: Sequence[str], side: JournalSide) -> ClassInfo | None:
    """The class of one side that became the one which the events `makers` made; None where it had none."""
    for event_id in makers:
        if event_id in side.creations.class_of:
            return side.state.classes.get(side.creations.class_of[event_id])
    return None
