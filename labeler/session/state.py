"""The fold of the journal: what the events so far amount to. Pure bookkeeping, no I/O, no choice of questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any

from labeler.core import events
from labeler.core.errors import ProjectError
from labeler.core.events import Body, Event
from labeler.core.pool import Pool
from labeler.core.types import UNLABELED, ClassInfo, IndexArray, IntArray, Provenance, Round
from labeler.session.answer_records import Answer, Conflict, Kept, Repeat, repeat_of
from labeler.session.asked import asked_of
from labeler.session.audit.audits import AuditRecord, answer_of, begun, return_page, take_page
from labeler.session.audit.pages import block_of
from labeler.session.class_index import ClassIndex
from labeler.session.classes import back_again, changed_classes, class_of, current, lookup_of, moved_labels
from labeler.session.columns import Columns
from labeler.session.predictions import Overlay, Prediction, predictions_of

ROUND_LENGTH = 10
"""Answers to a round, as the exports number them: by the journal alone, whenever the engine refitted in between."""
LOOKED_BACK = 200
"""Answers among which the classes used of late are looked for."""
SKIP_FOR = 25
"""A skipped instance comes back after this many further answers, or when nothing else is left."""


@dataclass(slots=True)
class Step:
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
        self.carried_begins: set[str] = set()  # the events that began them: each used up a share of alpha
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
        self._done: list[Step] = []
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

    def standing_events(self, kind: type[Body]) -> Iterator[Event]:
        """The events of a kind that were not taken back, in order."""
        return (event for event in self._events.values() if isinstance(event.body, kind))

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
            self._undone.clear()
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

    def _fold_undo(self, undo: Step, _: events.Undo) -> None:
        event = undo.event
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
        if step.event.instance_id is not None and asked and not isinstance(step.event.body, events.AuditAnswer):
            self.front.append(asked[0])
        undo.touched += step.touched

    def _fold_redo(self, redo: Step, _: events.Redo) -> None:
        event = redo.event
        if not self._undone or self._undone[-1].event_id != event.target:
            raise ProjectError(
                f"the journal brings back event {event.target}, which was not the last one taken back",
                "run: labeler check",
            )
        self.voided_at = self.revision
        redo.touched += self._do(self._undone.pop())

    # -- one kind of event each: do it, and say how it is taken back ----------------------------------------------

    def _fold_conflict(self, step: Step, body: events.Conflict) -> None:
        index = self.pool.index(body.instance_id)
        self.conflicts[index] = Conflict(body.answers)
        step.touched.append(index)

    def _fold_setting(self, _: Step, body: events.Setting) -> None:
        self.settings.update(body.values)
        self.voided_at = self.revision

    def _fold_answer(self, step: Step, body: events.Label | events.Unsure | events.Reject) -> None:
        self._fold_answers(step, [(self.pool.index(body.instance_id), self._answer_of(step.event, body.kind))])

    def _fold_page(self, step: Step, body: events.Page) -> None:
        self._fold_answers(step, self._answers_of_labels(step.event, body.labels))
        self.pages += 1
        step.back.append(partial(self._count_pages, -1))

    def _fold_import(self, step: Step, body: events.Import) -> None:
        answers = self._answers_of_labels(step.event, body.labels)
        self._fold_answers(step, [item for item in answers if self._takes_import(item[0])])

    def _fold_answers(self, step: Step, answers: list[tuple[int, Answer]]) -> None:
        for index, answer in answers:
            self._stand(index, answer, step)
            self._settle(index, step)
        if step.event.body.gives_labels:
            self._count_label_events(1)
            step.back.append(partial(self._count_label_events, -1))

    def _count_pages(self, change: int) -> None:
        self.pages += change

    def _count_label_events(self, change: int) -> None:
        self.label_events += change

    def _fold_skip(self, step: Step, body: events.Skip) -> None:
        index = self.pool.index(body.instance_id)
        if not self.in_conflict(index):
            self._fold_answers(step, [(index, self._answer_of(step.event, body.kind))])
            return
        self._settle(index, step, later=replace(self.conflicts[index], until=self.answers + SKIP_FOR))
        self.front = [other for other in self.front if other != index]

    def _fold_audit_begin(self, step: Step, body: events.AuditBegin) -> None:
        self._undone.clear()  # an answer to the audit before is not brought back
        self.audits.append(begun(step.event, body))
        self.labels_at_audit = self.label_events

    def _fold_audit_block(self, step: Step, body: events.AuditBlock) -> None:
        # a plan: nothing is said yet, and what was taken back may be brought back
        self._audit_of(step.event, body.audit).blocks.append(block_of(body, self.pool))

    def _fold_audit_carried(self, step: Step, body: events.AuditCarried) -> None:
        self.carried.append(step.event)
        self.carried_begins |= body.kept_under.keys()

    def _fold_audit_answer(self, step: Step, body: events.AuditAnswer) -> None:
        index = self.pool.index(body.instance_id)
        self._fold_answers(step, [(index, self._answer_of(step.event, body.said, audit=body.audit))])
        audit = self._audit_of(step.event, body.audit)
        audit.answers.append(answer_of(body, index))
        step.back.append(partial(_answer_taken_back, audit))

    def _fold_audit_page(self, step: Step, body: events.AuditPage) -> None:
        answers = self._answers_of_labels(step.event, body.labels, audit=body.audit)
        unsure = self._answer_of(step.event, "unsure", audit=body.audit)
        self._fold_answers(step, answers + [(self.pool.index(name), unsure) for name in body.unsure])
        audit = self._audit_of(step.event, body.audit)
        take_page(audit, step.event, body, self.pool)
        step.back.append(partial(return_page, audit, body))

    def _fold_audit_end(self, step: Step, body: events.AuditEnd) -> None:
        audit = self._audit_of(step.event, body.audit)
        audit.ended = True
        step.back.append(partial(setattr, audit, "ended", False))

    def _fold_classes(self, step: Step, body: Body) -> None:
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
        if isinstance(body, events.ClassAdd) and body.setup:
            self.set_up.add(body.name)

    def _restore_classes(self, before: list[tuple[int, ClassInfo | None]]) -> None:
        gone = dict(before)
        others = [info for class_id, info in self.classes.items() if class_id not in gone]
        for class_id, info in before:
            if info is None:
                del self.classes[class_id]
            else:
                self.classes[class_id] = back_again(info, others)
            self.classes_at = self.revision

    def _fold_flag(self, step: Step, body: events.Flag) -> None:
        index = self.pool.index(body.instance_id)
        self.flagged ^= {index}
        step.back.append(partial(self.flagged.symmetric_difference_update, {index}))

    def _fold_keep(self, step: Step, body: events.Keep) -> None:
        index = self.pool.index(body.instance_id)
        step.back.append(_restoring(self.kept, index))
        self.kept[index] = Kept(body.class_id, step.event.seq)
        self._settle(index, step)

    def _fold_predictions(self, step: Step, body: events.Predictions) -> None:
        before: list[tuple[int, Prediction | None]] = []
        for index, prediction in predictions_of(step.event, body, self.pool):
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

    def _fold_repeat(self, step: Step, body: events.Repeat) -> None:
        self.repeats.append(repeat_of(step.event, body, self.pool))
        step.back.append(self.repeats.pop)

    def _fold_reach(self, step: Step, body: events.Reach) -> None:
        self._reaches.append((self.pool.index(body.instance_id), body.percentile))
        step.back.append(self._reaches.pop)

    def _fold_split(self, step: Step, body: events.Split) -> None:
        self.splits.append(self.pool.index(body.instance_id))
        step.back.append(self.splits.pop)

    def _fold_source_change(self, step: Step, body: events.SourceChange) -> None:
        """Answers go with the content they were given to; where it is nowhere any more they stand no longer."""
        taken = []
        for name, place, event_id in body.answers:
            index = self.pool.index(name)
            standing = self.standings.get(index)
            if standing is not None and standing.event_id == event_id:  # else it was said anew or followed before
                self._stand(index, None, step)
                taken.append((place, standing))
        for place, standing in taken:
            index = UNLABELED if place is None else self.pool.index(place)
            if index != UNLABELED and index not in self.standings:
                self._stand(index, standing, step)

    # -- what they are made of -------------------------------------------------------------------------------------

    def _stand(self, index: int, standing: Answer | None, step: Step) -> None:
        step.touched.append(index)
        step.back.append(partial(self._put, index, self.standings.get(index)))
        self._put(index, standing)

    def _settle(self, index: int, step: Step, later: Conflict | None = None) -> None:
        """A conflict is settled by any answer, or put off: `later` is what it becomes."""
        if index in self.conflicts:
            step.settled.append(index)
            step.back.append(partial(self.conflicts.__setitem__, index, self.conflicts.pop(index)))
            if later is not None:
                self.conflicts[index] = later

    def _answer_of(self, event: Event, kind: str, *, audit: int = 0) -> Answer:
        """The answer that an event gives to one instance, of the class that its row names."""
        class_id = UNLABELED
        if kind == "label":
            class_id = class_of(event)
        provenance = Provenance.HUMAN if kind == "label" else Provenance.NONE
        return self._answer(event, kind, class_id, provenance, audit)

    def _answers_of_labels(self, event: Event, labels: events.Labels, *, audit: int = 0) -> list[tuple[int, Answer]]:
        return [
            (
                self.pool.index(instance_id),
                self._answer(event, "label", class_id, Provenance[word.upper()], audit),
            )
            for instance_id, class_id, word in labels
        ]

    def _answer(self, event: Event, kind: str, class_id: int, provenance: Provenance, audit: int) -> Answer:
        margin = asked_of(event).margin
        return Answer(
            kind=kind,
            event_id=event.event_id,
            seq=event.seq,
            at=event.at,
            annotator=event.annotator,
            class_id=current(class_id, self.classes),
            provenance=provenance,
            weight=1.0 if margin is None else float(margin),
            round=self.round,
            paged=event.body.is_paged,
            until=self.answers + SKIP_FOR if kind == "skip" else 0,
            audit=audit,
        )

    def _audit_of(self, event: Event, number: int) -> AuditRecord:
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


Fold = Callable[[State, Step, Any], None]
FOLDS: dict[type[Body], Fold] = {
    events.Label: State._fold_answer,
    events.Skip: State._fold_skip,
    events.Unsure: State._fold_answer,
    events.Reject: State._fold_answer,
    events.Repeat: State._fold_repeat,
    events.Page: State._fold_page,
    events.Flag: State._fold_flag,
    events.Keep: State._fold_keep,
    events.Undo: State._fold_undo,
    events.Redo: State._fold_redo,
    events.Import: State._fold_import,
    events.Predictions: State._fold_predictions,
    events.SourceChange: State._fold_source_change,
    events.Conflict: State._fold_conflict,
    events.Setting: State._fold_setting,
    events.Reach: State._fold_reach,
    events.Split: State._fold_split,
    events.ClassAdd: State._fold_classes,
    events.ClassRename: State._fold_classes,
    events.ClassKey: State._fold_classes,
    events.ClassRetire: State._fold_classes,
    events.ClassRestore: State._fold_classes,
    events.ClassMerge: State._fold_classes,
    events.ClassSplit: State._fold_classes,
    events.AuditBegin: State._fold_audit_begin,
    events.AuditAnswer: State._fold_audit_answer,
    events.AuditBlock: State._fold_audit_block,
    events.AuditPage: State._fold_audit_page,
    events.AuditEnd: State._fold_audit_end,
    events.AuditCarried: State._fold_audit_carried,
}
"""What each kind of event does to a state. A fold notes in its step what it touched and how it is taken back."""


def _answer_taken_back(audit: AuditRecord) -> None:
    audit.answers.pop()
    audit.taken_back += 1


def _restoring(kept: dict[int, Kept], index: int) -> Callable[[], object]:
    """What puts the present entry, or its absence, back."""
    before = kept.get(index)
    return partial(kept.pop, index) if before is None else partial(kept.__setitem__, index, before)
