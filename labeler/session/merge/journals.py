"""The two sides of a merge: a journal each, folded, with what was taken back in it and what its classes are called."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from labeler.core.events import Event, Flag, Merge, Redo, Undo, packed
from labeler.core.pool import Pool
from labeler.session.fold import fold
from labeler.session.merge.class_ids import Creations
from labeler.session.state import State


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: its events in order, who answered where no name was given, and what merges left out before."""

    events: Sequence[Event]
    annotator: str = ""
    dropped: frozenset[str] = frozenset()

    @property
    def known(self) -> frozenset[str]:
        """Ids of all the events it has seen."""
        return frozenset(event.event_id for event in self.events) | self.dropped


class JournalSide:
    """One side, folded: its state, its classes, and what was taken back."""

    def __init__(self, side: Side, pool: Pool) -> None:
        self.events, self.annotator, self.dropped = side.events, side.annotator, side.dropped
        self.known = side.known
        self.state = State(pool)
        self.flags: dict[str, bool] = {}  # event -> whether it set the bookmark
        fold(self.state, side.events, self._note_flag)
        self.creations = Creations.of(side.events)
        # the two sides have to be folded before anybody can tell which of their classes are the same
        self.names: dict[int, str] = {}  # class id -> what both journals call it
        self._moves: dict[str, set[str]] = {}
        for event in side.events:
            if isinstance(event.body, Undo | Redo) and event.target is not None:
                self._moves.setdefault(event.target, set()).add(event.event_id)
        undone = {event.target for event in side.events if isinstance(event.body, Undo) and event.target is not None}
        self.taken_back = {event_id for event_id in undone if self.state.event(event_id) is None}

    def _note_flag(self, event: Event) -> None:
        if isinstance(event.body, Flag):
            self.flags[event.event_id] = self.state.pool.index(event.body.instance_id) in self.state.flagged

    def moves(self, event_id: str) -> set[str]:
        """Return the undos and redos of an event."""
        return self._moves.get(event_id, set())

    def without(self, dropped: Collection[str]) -> list[Event]:
        """Return the events that go into the merged journal."""
        return [
            event for event in self.events if event.event_id not in dropped and event.body.merge is not Merge.MADE_ANEW
        ]


def fold_journal(events: Iterable[Event], pool: Pool) -> State:
    """Return the state that a journal amounts to."""
    return fold(State(pool), events)


def event_text(event: Event) -> str:
    """Return all of an event but its place, as one line: two that are the same have the same."""
    return json.dumps(packed(replace(event, seq=0)), sort_keys=True)


def derive_id(*parts: str) -> str:
    """Return an id that follows from what the event is about: merging again makes the same one."""
    # a zero byte in between: the parts (ab, c) and (a, bc) are different things
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
