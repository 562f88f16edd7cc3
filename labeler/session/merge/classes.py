"""Classes of two journals in one: names and keys that two of them hold, and what is called otherwise than before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from labeler.core.class_names import class_name
from labeler.core.events import ClassKey, ClassRename, Event
from labeler.core.pool import Pool
from labeler.core.types import ClassInfo
from labeler.session.classes import free_name
from labeler.session.keys import assign_key
from labeler.session.merge.class_ids import Creations
from labeler.session.merge.journals import Reading, folded, id_of
from labeler.session.state import State

if TYPE_CHECKING:
    from labeler.session.merge.merge import Merged


def mended(events: Sequence[Event], pool: Pool) -> list[Event]:
    """Events that give classes of one name or key another one: the class that was named first keeps what it has."""
    state = folded(events, pool)
    names: set[str] = set()
    keys: set[str] = set()
    active = sorted(state.active_classes(), key=lambda info: info.class_id)
    held = {info.key for info in active}
    found = []
    at = max((event.at for event in events), default=0.0)

    def mend(body: ClassRename | ClassKey) -> None:
        payload = json.dumps({"name": body.name} if isinstance(body, ClassRename) else {"key": body.key})
        made = id_of(body.kind, str(body.class_id), payload, *(event.event_id for event in events))
        found.append(Event(made, body, at))

    for info in active:
        name, key = free_name(info.name, names), info.key
        if key and key in keys:
            key = assign_key(name, held)
            held.add(key)
        if name != info.name:
            mend(ClassRename(info.class_id, name, setup=True))
        if key != info.key:
            mend(ClassKey(info.class_id, key, setup=True))
        names.add(class_name(name))
        keys.add(key)
    return found


def compare_classes(result: Merged, state: State, sides: tuple[Reading, Reading]) -> None:
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
        result.renamed += [(one.name, info.name) for one in own if one is not None and one.name != info.name]


def _counterpart(makers: Sequence[str], side: Reading) -> ClassInfo | None:
    """The class of one side that became the one which the events `makers` made; None where it had none."""
    for event_id in makers:
        if event_id in side.creations.class_of:
            return side.state.classes.get(side.creations.class_of[event_id])
    return None
