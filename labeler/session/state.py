"""The fold of the journal: what the events so far amount to. Pure bookkeeping, no I/O, no choice of questions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from labeler.core import events
from labeler.core.errors import ProjectError, UsageError
from labeler.core.events import Body, Event
from labeler.core.pool import Pool
from labeler.core.types import UNLABELED, ClassInfo, IndexArray, IntArray, Round
from labeler.session.answer_records import Conflict, Kept, Repeat
from labeler.session.classes import ClassIndex, current, lookup_of
from labeler.session.folds import classes, reviews  # each enters its folds into the table
from labeler.session.folds.answers import AnswerTable
from labeler.session.folds.audits import AuditLog
from labeler.session.folds.clusters import ClusterMarks
from labeler.session.folds.predictions import PredictionTable
from labeler.session.folds.step import FOLDS, Step, folds

__all__ = ["FOLDS", "ROUND_LENGTH", "State", "Step", "classes", "folds", "reviews"]

ROUND_LENGTH = 10
"""Answers to a round, as the exports number them: by the journal alone, whenever the engine refitted in between."""


class State:
    """Answers, classes, clusters, audits, predictions, marks and the undo stack. `apply` is the only way in."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.revision = 0
        self.answers = AnswerTable()
        self.classes = ClassIndex()
        self.clusters = ClusterMarks()
        self.audits = AuditLog()
        self.predictions = PredictionTable()
        self.flagged: set[int] = set()
        self.looks: dict[int, Kept] = {}  # index -> the class that a second look found right
        self.repeats: list[Repeat] = []  # second answers to hidden repeats
        self.conflicts: dict[int, Conflict] = {}  # instances that wait for somebody to settle them
        self.settings: dict[str, Any] = {}
        self.keys = 0  # presses: as counted by a screen, else one an event and one an exception on a page
        self.times: list[float] = []  # when a person answered, taken back or not: the time was spent
        self.voided_at = 0  # results computed before this revision rest on something taken back
        self._events: dict[str, Event] = {}  # those that stand, by id
        self._done: list[Step] = []
        self._undone: list[Event] = []
        self._of_classes: tuple[tuple[int, int], list[ClassInfo], IntArray] | None = None

    # -- the undo stack ------------------------------------------------------------------------------------------

    def undo_target(self) -> Event | None:
        """The event an undo would take back."""
        return self._done[-1].event if self._done else None

    def redo_target(self) -> Event | None:
        """The event a redo would bring back."""
        return self._undone[-1] if self._undone else None

    def event(self, event_id: str) -> Event | None:
        """An event that stands; None where it was taken back."""
        return self._events.get(event_id)

    def standing_events(self, kind: type[Body]) -> Iterator[Event]:
        """The events of a kind that were not taken back, in order."""
        return (event for event in self._events.values() if isinstance(event.body, kind))

    # -- folding -------------------------------------------------------------------------------------------------

    def apply(self, event: Event) -> list[int]:
        """Fold one event in; returns the indices whose answer changed.

        Raises
        ------
        ProjectError
            The journal holds an event this version does not know, or an undo of something not on the stack.
        """
        body = event.body
        if type(body) not in FOLDS:
            raise ProjectError(
                f"the journal holds an event of a kind this version does not know: {event.kind!r}",
                "open the project with the version of labeler that wrote it, or a newer one",
            )
        self.revision += 1
        self.keys += event.presses
        if body.timed:
            self.times.append(event.at)
        if body.undoable:
            self.forget_undone()
            return self._do(event)
        step = Step(event)
        FOLDS[type(body)](self, step, body)
        return step.touched

    def _do(self, event: Event) -> list[int]:
        step = Step(event)
        FOLDS[type(event.body)](self, step, event.body)
        if event.body.voids:
            self.voided_at = self.revision
        self._events[event.event_id] = event
        if not event.body.is_setup:  # classes named before the first question are no answer to take back
            self._done.append(step)
        return step.touched

    def take_back(self, undo: Step) -> None:
        """Take the latest event back, which an undo must name. Raises ProjectError."""
        target = undo.event.target
        if not self._done or self._done[-1].event.event_id != target:
            raise ProjectError(f"the journal takes back event {target}, which is not the latest one", _CHECK)
        step = self._done.pop()
        self._undone.append(step.event)
        del self._events[step.event.event_id]
        self.voided_at = self.revision
        for take_back in reversed(step.back):
            take_back()
        # asked again next: who takes an answer back wants to give another; an audit has its own order
        asked = [*step.touched, *step.settled]
        if step.event.instance_id is not None and asked and not isinstance(step.event.body, events.AuditAnswer):
            self.answers.front.append(asked[0])
        undo.touched += step.touched

    def bring_back(self, redo: Step) -> None:
        """Bring back what the last undo took, which a redo must name. Raises ProjectError."""
        target = redo.event.target
        if not self._undone or self._undone[-1].event_id != target:
            raise ProjectError(f"the journal brings back event {target}, which was not the last one taken back", _CHECK)
        self.voided_at = self.revision
        redo.touched += self._do(self._undone.pop())

    def forget_undone(self) -> None:
        """Let nothing that was taken back be brought back."""
        self._undone.clear()

    def settle(self, index: int, step: Step, *, until: int | None = None) -> None:
        """Settle the conflict about an instance, if there is one, or put it off `until` so many answers were given."""
        conflict = self.conflicts.pop(index, None)
        if conflict is None:
            return
        step.settled.append(index)
        step.back.append(partial(self.conflicts.__setitem__, index, conflict))
        if until is not None:
            self.conflicts[index] = replace(conflict, until=until)

    # -- reading -------------------------------------------------------------------------------------------------

    def indices_of(self, *kinds: str) -> IndexArray:
        """Indices whose answer is one of `kinds`, in pool order."""
        return self.answers.columns.indices_of(*kinds)

    def recent_classes(self) -> tuple[int, ...]:
        """The classes of the latest answers that can be answered still, the latest first."""
        latest = dict.fromkeys(self.answers.latest_classes())
        return tuple(class_id for class_id in latest if not self.classes[class_id].retired)

    def in_conflict(self, index: int) -> bool:
        """Whether two people's answers to an instance differ, nobody settled it, and both stand."""
        conflict = self.conflicts.get(index)
        return conflict is not None and all(event_id in self._events for event_id, _, _ in conflict.answers)

    def is_kept(self, index: int) -> bool:
        """Whether a second look found the given label right; a class it was merged into counts as the same."""
        look, answer = self.looks.get(index), self.answers.get(index)
        if look is None or answer is None or answer.kind != "label":
            return False
        return current(look.class_id, self.classes) == answer.class_id

    def active_classes(self) -> list[ClassInfo]:
        """Classes that can be answered, in the order they were added; not to be changed."""
        return self._as_of_classes()[1]

    def stands_for(self) -> IntArray:
        """Class id -> the active class it stands for now, read-only; see :func:`labeler.session.classes.lookup_of`."""
        return self._as_of_classes()[2]

    def _as_of_classes(self) -> tuple[tuple[int, int], list[ClassInfo], IntArray]:
        """Return what follows from the classes alone: worked out when one changed, not at every key."""
        at = self.classes.changed_at, len(self.classes)
        if self._of_classes is None or self._of_classes[0] != at:
            lookup = lookup_of(self.classes, self.classes.next_id)
            lookup.flags.writeable = False
            self._of_classes = at, self.classes.active(), lookup
        return self._of_classes

    def class_now(self, class_id: int) -> int:
        """The class that `class_id` is by now; see :func:`labeler.session.classes.current`."""
        info = self.classes.get(class_id)
        return class_id if info is None or info.merged_into == UNLABELED else current(class_id, self.classes)

    def class_with(self, class_id: int) -> ClassInfo:
        """The class of that id, be it retired. Raises UsageError where there is none, or it was merged into another."""
        info = self.classes.get(class_id)
        if info is None:
            raise UsageError(f"there is no class with id {class_id}", "add it first (N in the application)")
        if info.merged_into != UNLABELED:
            into = self.classes[info.merged_into].name
            raise UsageError(f"the class {info.name!r} was merged into {into!r}", "take that one")
        return info

    def check_active(self, class_id: int) -> None:
        """Refuse a class that cannot be answered. Raises UsageError."""
        info = self.class_with(class_id)
        if info.retired:
            raise UsageError(f"the class {info.name!r} is retired", "bring it back first (C in the application)")

    @property
    def percentile(self) -> float | None:
        """The reach: closest P % of each cluster, or None = auto."""
        value = self.settings.get("percentile")
        return None if value is None or value == "auto" else float(value)

    def with_predictions(self, round_: Round) -> Round:
        """A round with what a model elsewhere says where the engine only predicts, or says nothing."""
        if not self.predictions:
            return round_
        return self.predictions.onto(round_, self.stands_for(), self.pool.missing | self.pool.unreadable)

    @property
    def round(self) -> int:
        """The round the next answer falls into, counted from 1."""
        return 1 + self.answers.label_events // ROUND_LENGTH


_CHECK = "run: labeler check"


@folds(events.Undo)
def _fold_undo(state: State, step: Step, _: events.Undo) -> None:
    state.take_back(step)


@folds(events.Redo)
def _fold_redo(state: State, step: Step, _: events.Redo) -> None:
    state.bring_back(step)
