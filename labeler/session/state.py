"""The fold of the journal: what the events so far amount to. Pure bookkeeping, no I/O, no choice of questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any

from labeler.core.errors import ProjectError
from labeler.core.pool import Pool
from labeler.core.types import UNLABELED, ClassInfo, Event, IndexArray, IntArray, Provenance, Round
from labeler.session.answer_records import Answer, Conflict, Kept, Repeat, repeat_of
from labeler.session.audit.audits import AuditRecord, answer_of, begun, return_page, take_page
from labeler.session.audit.pages import block_of
from labeler.session.class_index import ClassIndex
from labeler.session.classes import (
    CLASS_KINDS,
    VOIDING,
    back_again,
    changed_classes,
    class_of,
    current,
    lookup_of,
    moved_labels,
)
from labeler.session.columns import Columns
from labeler.session.event_kinds import ANSWERS, AUDITED, CARRIED, GIVES_LABELS, PAGES, UNDOABLE, keys_of
from labeler.session.predictions import Overlay, Prediction, predictions_of

ROUND_LENGTH = 10
"""Answers to a round, as the exports number them: by the journal alone, whenever the engine refitted in between."""
LOOKED_BACK = 200
"""Answers among which the classes used of late are looked for."""
SKIP_FOR = 25
"""A skipped instance comes back after this many further answers, or when nothing else is left."""


@dataclass(slots=True)
class _Step:
    """An event that was folded in, and how to take it back."""

    event: Event
    touched: list[int] = field(default_factory=list)  # instances whose standing changed
    settled: list[int] = field(default_factory=list)  # instances whose conflict changed
    back: list[Callable[[], object]] = field(default_factory=list)  # to be called from the last to the first


class State:
    """Answers, classes, flags, settings and the undo stack. `apply` is the only way in."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.revision = 0
        self.standings: dict[int, Answer] = {}
        self.columns = Columns()  # the same, for what is asked of all of them at once
        self.classes = ClassIndex()
        self.next_class_id = 0  # never given twice: a round computed before an undo may still speak of the old class
        self.classes_at = 0  # the revision at which a class was last added or changed
        self.set_up: set[str] = set()  # names given when the project was opened: said once, however they fared since
        self.flagged: set[int] = set()
        self.kept: dict[int, Kept] = {}  # index -> the class that a second look found right
        self.predictions: dict[int, Prediction] = {}  # what a model elsewhere says, given or not
        self.predictions_at = 0  # the revision at which they last changed
        self._overlay: tuple[int, Overlay] | None = None
        self.repeats: list[Repeat] = []  # second answers to hidden repeats
        self.conflicts: dict[int, Conflict] = {}  # instances that wait for somebody to settle them
        self.settings: dict[str, Any] = {}
        self._reaches: list[tuple[int, float | None]] = []  # as they were said and stand
        self.splits: list[int] = []  # representatives whose clusters were divided in two, in that order
        self.audits: list[AuditRecord] = []
        self.carried: list[Event] = []  # audits of merged files, as older versions took them along
        self.labels_at_audit = 0  # events that gave labels when the latest audit began
        self.front: list[int] = []  # instances whose answer was taken back: asked next, the latest first
        self.counts: Counter[str] = Counter()  # "label", "skip", "unsure", "reject" -> instances
        self.given: Counter[tuple[int, int]] = Counter()  # (class_id, provenance) -> instances
        self.answers = 0  # instances labeled one at a time and not undone
        self.pages = 0
        self.label_events = 0  # events that gave labels and stand: an answer, a page, an import
        self.keys = 0  # presses: as counted by a screen, else one an event and one an exception on a page
        self.times: list[float] = []  # when a person answered, taken back or not: the time was spent
        self.voided_at = 0  # results computed before this revision rest on something taken back
        self._events: dict[str, Event] = {}  # those that stand, by id
        self._done: list[_Step] = []
        self._undone: list[Event] = []

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

    def standing_events(self, kind: str) -> Iterator[Event]:
        """The events of a kind that were not taken back, in order."""
        return (event for event in self._events.values() if event.kind == kind)

    def recent_classes(self) -> tuple[int, ...]:
        """The classes of the latest answers, the latest first; of a page all that it says."""
        latest = islice(reversed(self.standings.values()), LOOKED_BACK)
        given = (standing.class_id for standing in latest if standing.kind == "label")
        return tuple(dict.fromkeys(class_id for class_id in given if not self.classes[class_id].retired))

    # -- folding -------------------------------------------------------------------------------------------------

    def apply(self, event: Event) -> list[int]:
        """Fold one event in; returns the indices whose standing changed.

        Raises
        ------
        ProjectError
            The journal holds an event this version does not know, or an undo of something not on the stack.
        """
        self.revision += 1
        self.keys += keys_of(event)
        if event.kind in UNDOABLE:
            self._undone.clear()
            if event.kind in ANSWERS:
                self.times.append(event.at)
            return self._do(event)
        if event.kind == "undo":
            return self._undo(event)
        if event.kind == "redo":
            return self._redo(event)
        return self._note(event)

    def _note(self, event: Event) -> list[int]:
        """Events that no undo takes back."""
        if event.kind == "audit_begin":
            self._undone.clear()  # an answer to the audit before is not brought back
            self.audits.append(begun(event))
            self.labels_at_audit = self.label_events
        elif event.kind == "audit_block":  # a plan: nothing is said yet, and what was taken back may be brought back
            self._audit_of(event).blocks.append(block_of(event, self.pool))
        elif event.kind == "setting":
            self.settings.update(event.payload)
            self.voided_at = self.revision
        elif event.kind == CARRIED:
            self.carried.append(event)
        elif event.kind == "conflict":  # of two merged journals
            index, said = self._index_of(event), event.payload["answers"]
            self.conflicts[index] = Conflict(tuple((by, annotator, int(class_id)) for by, annotator, class_id in said))
            return [index]
        else:
            raise ProjectError(
                f"the journal holds an event of a kind this version does not know: {event.kind!r}",
                "open the project with the version of labeler that wrote it, or a newer one",
            )
        return []

    def _do(self, event: Event) -> list[int]:
        step = _Step(event)
        _FOLDS.get(event.kind, State._fold_answer)(self, step)
        self._events[event.event_id] = event
        if not event.payload.get("setup"):  # classes named before the first question are no answer to take back
            self._done.append(step)
        return step.touched

    def _undo(self, event: Event) -> list[int]:
        if not self._done or self._done[-1].event.event_id != event.target:
            raise ProjectError(
                f"the journal takes back event {event.target}, which is not the latest one", "run: labeler check"
            )
        step = self._done.pop()
        self._undone.append(step.event)
        del self._events[step.event.event_id]
        self.voided_at = self.revision
        for take_back in reversed(step.back):
            take_back()
        asked = [*step.touched, *step.settled]
        if step.event.instance_id is not None and asked and step.event.kind != "audit_answer":
            self.front.append(asked[0])
        return step.touched

    def _redo(self, event: Event) -> list[int]:
        if not self._undone or self._undone[-1].event_id != event.target:
            raise ProjectError(
                f"the journal brings back event {event.target}, which was not the last one taken back",
                "run: labeler check",
            )
        self.voided_at = self.revision
        return self._do(self._undone.pop())

    # -- one kind of event each: do it, and say how it is taken back ----------------------------------------------

    def _fold_answer(self, step: _Step) -> None:
        """Label, skip, unsure, reject; a page; an import; what is said in an audit."""
        event = step.event
        for index, standing in self._standings_of(event):
            self._stand(index, standing, step)
            self._settle(index, step)
        self._count(event, 1)
        step.back.append(partial(self._count, event, -1))

    def _count(self, event: Event, one: int) -> None:
        self.pages += one * (event.kind == "page")
        self.label_events += one * (event.kind in GIVES_LABELS)

    def _fold_skip(self, step: _Step) -> None:
        index = self._index_of(step.event)
        if not self.in_conflict(index):
            self._fold_answer(step)
            return
        self._settle(index, step, later=replace(self.conflicts[index], until=self.answers + SKIP_FOR))
        self.front = [other for other in self.front if other != index]

    def _fold_audit_answer(self, step: _Step) -> None:
        self._fold_answer(step)
        audit = self._audit_of(step.event)
        audit.answers.append(answer_of(step.event, step.touched[0]))
        step.back.append(partial(_answer_taken_back, audit))

    def _fold_audit_page(self, step: _Step) -> None:
        self._fold_answer(step)
        audit = self._audit_of(step.event)
        take_page(audit, step.event, self.pool)
        step.back.append(partial(return_page, audit, step.event))

    def _fold_audit_end(self, step: _Step) -> None:
        audit = self._audit_of(step.event)
        audit.ended = True
        step.back.append(partial(setattr, audit, "ended", False))

    def _fold_classes(self, step: _Step) -> None:
        event = step.event
        for index, standing in moved_labels(event, self.standings, self.classes, self.pool):
            self._stand(index, standing, step)
        before = []
        for info in changed_classes(event, self.classes):
            before.append((info.class_id, self.classes.get(info.class_id)))
            self.classes[info.class_id] = info
            self.next_class_id = max(self.next_class_id, info.class_id + 1)
        step.back.append(partial(self._restore_classes, before))
        self.classes_at = self.revision
        if event.kind in VOIDING:
            self.voided_at = self.revision
        if event.kind == "class_add" and event.payload.get("setup"):
            self.set_up.add(event.payload["name"])

    def _restore_classes(self, before: list[tuple[int, ClassInfo | None]]) -> None:
        gone = dict(before)
        others = [info for class_id, info in self.classes.items() if class_id not in gone]
        for class_id, info in before:
            if info is None:
                del self.classes[class_id]
            else:
                self.classes[class_id] = back_again(info, others)
            self.classes_at = self.revision

    def _fold_flag(self, step: _Step) -> None:
        index = self._index_of(step.event)
        self.flagged ^= {index}
        step.back.append(partial(self.flagged.symmetric_difference_update, {index}))

    def _fold_keep(self, step: _Step) -> None:
        index = self._index_of(step.event)
        step.back.append(_restoring(self.kept, index))
        self.kept[index] = Kept(class_of(step.event), step.event.seq)
        self._settle(index, step)

    def _fold_predictions(self, step: _Step) -> None:
        before: list[tuple[int, Prediction | None]] = []
        for index, prediction in predictions_of(step.event, self.pool):
            before.append((index, self.predictions.get(index)))
            self.predictions[index] = prediction
        step.back.append(partial(self._restore_predictions, before))
        self.predictions_at = self.revision

    def _restore_predictions(self, before: list[tuple[int, Prediction | None]]) -> None:
        for index, prediction in reversed(before):
            if prediction is None:
                self.predictions.pop(index, None)
            else:
                self.predictions[index] = prediction
        self.predictions_at = self.revision

    def _fold_repeat(self, step: _Step) -> None:
        self.repeats.append(repeat_of(step.event, self.pool))
        step.back.append(self.repeats.pop)

    def _fold_reach(self, step: _Step) -> None:
        self._reaches.append((self._index_of(step.event), step.event.payload["percentile"]))
        step.back.append(self._reaches.pop)
        self.voided_at = self.revision

    def _fold_split(self, step: _Step) -> None:
        self.splits.append(self._index_of(step.event))
        step.back.append(self.splits.pop)
        self.voided_at = self.revision

    def _fold_source_change(self, step: _Step) -> None:
        """Answers go with the content they were given to; where it is nowhere any more they stand no longer."""
        taken = []
        for name, place, event_id in step.event.payload["answers"]:
            index = self.pool.index(name)
            standing = self.standings.get(index)
            if standing is not None and standing.event_id == event_id:  # else it was said anew or followed before
                self._stand(index, None, step)
                taken.append((place, standing))
        for place, standing in taken:
            index = UNLABELED if place is None else self.pool.index(place)
            if index != UNLABELED and index not in self.standings:
                self._stand(index, standing, step)
        self.voided_at = self.revision

    # -- what they are made of -------------------------------------------------------------------------------------

    def _stand(self, index: int, standing: Answer | None, step: _Step) -> None:
        step.touched.append(index)
        step.back.append(partial(self._put, index, self.standings.get(index)))
        self._put(index, standing)

    def _settle(self, index: int, step: _Step, later: Conflict | None = None) -> None:
        """A conflict is settled by any answer, or put off: `later` is what it becomes."""
        if index in self.conflicts:
            step.settled.append(index)
            step.back.append(partial(self.conflicts.__setitem__, index, self.conflicts.pop(index)))
            if later is not None:
                self.conflicts[index] = later

    def _standings_of(self, event: Event) -> list[tuple[int, Answer]]:
        def standing(kind: str, class_id: int = UNLABELED, provenance: Provenance = Provenance.NONE) -> Answer:
            return Answer(
                kind,
                event.event_id,
                event.seq,
                event.at,
                event.annotator,
                current(class_id, self.classes),
                provenance,
                float(event.payload.get("margin", 1.0)),
                self.round,
                event.kind in PAGES,
                self.answers + SKIP_FOR if kind == "skip" else 0,
                int(event.payload["audit"]) if event.kind in AUDITED else 0,
            )

        if event.kind in ("import", *PAGES):
            said = [
                (self.pool.index(instance_id), standing("label", class_id, Provenance[word.upper()]))
                for instance_id, class_id, word in event.payload["labels"]
            ]
            said += [
                (self.pool.index(instance_id), standing("unsure")) for instance_id in event.payload.get("unsure", ())
            ]
            return said if event.kind in PAGES else [item for item in said if self._takes_import(item[0])]
        kind = event.payload["said"] if event.kind == "audit_answer" else event.kind
        if kind == "label":
            return [(self._index_of(event), standing("label", class_of(event), Provenance.HUMAN))]
        return [(self._index_of(event), standing(kind))]

    def _index_of(self, event: Event) -> int:
        return self.pool.index(event.instance_id or "")

    def _audit_of(self, event: Event) -> AuditRecord:
        number = int(event.payload["audit"])
        if not 0 < number <= len(self.audits):
            raise ProjectError(f"event {event.event_id} of the journal names no audit", "run: labeler check")
        return self.audits[number - 1]

    def _takes_import(self, index: int) -> bool:
        """Whether no person has labeled or rejected it; in a merged journal the import may come later."""
        before = self.standings.get(index)
        if before is None or before.kind != "label":
            return before is None or before.kind != "reject"
        return before.provenance is Provenance.IMPORTED

    def _put(self, index: int, standing: Answer | None) -> None:
        before = self.standings.get(index)
        self.columns.put(index, standing)
        if before is not None and (standing is None or standing.event_id != before.event_id):
            del self.standings[index]  # what is said anew goes to the end; the same label of another class stays
        for one, step in ((before, -1), (standing, 1)):
            if one is None:
                continue
            self.counts[one.kind] += step
            if one.kind == "label":
                self.given[one.class_id, one.provenance] += step
                self.answers += step * (one.provenance is Provenance.HUMAN and not one.paged)
        if standing is not None:
            self.standings[index] = standing
            if index in self.front:
                self.front.remove(index)

    @property
    def reaches(self) -> dict[int, float | None]:
        """Representative -> percentile of its cluster, the latest last."""
        latest: dict[int, float | None] = {}
        for index, percentile in self._reaches:
            latest.pop(index, None)
            latest[index] = percentile
        return latest

    # -- reading -------------------------------------------------------------------------------------------------

    def indices_of(self, *kinds: str) -> IndexArray:
        """Indices whose standing is one of `kinds`, in pool order."""
        return self.columns.indices_of(*kinds)

    @property
    def audit_held(self) -> int:
        """The number of the audit whose statement is not drawn yet; 0 = none: the engine must not learn from it."""
        return len(self.audits) if self.audits and not self.audits[-1].drawn else 0

    def is_held(self, standing: Answer) -> bool:
        """Whether it was said in an audit whose statement is not drawn yet."""
        return 0 < standing.audit == self.audit_held

    def in_conflict(self, index: int) -> bool:
        """Whether two people's answers to an instance differ, nobody settled it, and both stand."""
        conflict = self.conflicts.get(index)
        return conflict is not None and all(event_id in self._events for event_id, _, _ in conflict.answers)

    def is_kept(self, index: int) -> bool:
        """Whether a second look found the given label right; a class it was merged into counts as the same."""
        kept, standing = self.kept.get(index), self.standings.get(index)
        if kept is None or standing is None or standing.kind != "label":
            return False
        return current(kept.class_id, self.classes) == standing.class_id

    def active_classes(self) -> list[ClassInfo]:
        """Classes that can be answered, in the order they were added."""
        return self.classes.active()

    def stands_for(self) -> IntArray:
        """Class id -> the active class it stands for now; see :func:`labeler.session.classes.lookup_of`."""
        return lookup_of(self.classes, self.next_class_id)

    def with_predictions(self, round_: Round) -> Round:
        """A round with what a model elsewhere says where the engine only predicts, or says nothing."""
        if not self.predictions:
            return round_
        if self._overlay is None or self._overlay[0] != self.predictions_at:
            self._overlay = self.predictions_at, Overlay.of(self.predictions)
        unusable = self.pool.missing | self.pool.unreadable
        return self._overlay[1].onto(round_, self.stands_for(), unusable)

    @property
    def round(self) -> int:
        """The round the next answer falls into, counted from 1."""
        return 1 + self.label_events // ROUND_LENGTH


_FOLDS: dict[str, Callable[[State, _Step], None]] = {
    **dict.fromkeys(CLASS_KINDS, State._fold_classes),
    "skip": State._fold_skip,
    "flag": State._fold_flag,
    "keep": State._fold_keep,
    "predictions": State._fold_predictions,
    "repeat": State._fold_repeat,
    "reach": State._fold_reach,
    "split": State._fold_split,
    "source_change": State._fold_source_change,
    "audit_answer": State._fold_audit_answer,
    "audit_page": State._fold_audit_page,
    "audit_end": State._fold_audit_end,
}
"""What an undoable event does; the others are answers."""


def _answer_taken_back(audit: AuditRecord) -> None:
    audit.answers.pop()
    audit.taken_back += 1


def _restoring(kept: dict[int, Kept], index: int) -> Callable[[], object]:
    """What puts the present entry, or its absence, back."""
    before = kept.get(index)
    return partial(kept.pop, index) if before is None else partial(kept.__setitem__, index, before)
