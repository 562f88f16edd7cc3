"""The answers of a state: what was last said of each instance, counted; labels, pages, imports, a changed source."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from labeler.core import events
from labeler.core.events import Event
from labeler.core.types import UNLABELED, IndexArray, Provenance
from labeler.session.answer_records import Answer
from labeler.session.folds.step import Step, folds

if TYPE_CHECKING:
    from labeler.session.state import State

KINDS = ("", "label", "skip", "unsure", "reject")
"""By their number in the column; the first marks a free row."""
_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
_ROW = np.dtype(
    [
        ("kind", np.uint8),
        ("index", np.int64),
        ("seq", np.int64),
        ("class_id", np.int32),
        ("provenance", np.uint8),
        ("weight", np.float32),
        ("until", np.int64),
        ("audit", np.int64),
    ]
)
_FIRST = 64


class Columns:
    """One row an instance that was spoken of, in no order; memory goes with the answers, not with the pool."""

    def __init__(self) -> None:
        self._rows = np.zeros(_FIRST, dtype=_ROW)
        self._used = 0  # rows up to the last one ever taken
        self._places: dict[int, int] = {}
        self._free: list[int] = []

    def put(self, index: int, answer: Answer | None) -> None:
        """Note what stands of an instance now; None = nothing any more."""
        place = self._places.get(index)
        if answer is None:
            if place is not None:
                # number 0 is no kind that is ever asked for, so that a free row is passed over
                self._rows[place] = 0
                self._free.append(self._places.pop(index))
            return
        if place is None:
            place = self._places[index] = self._take()
        self._rows[place] = (
            _NUMBERS[answer.kind],
            index,
            answer.seq,
            answer.class_id,
            answer.provenance,
            answer.weight,
            answer.until,
            answer.audit,
        )

    def of(self, *kinds: str) -> npt.NDArray[np.void]:
        """The rows of these kinds, a copy, in the order in which they were said."""
        places = self._places_of(kinds)
        # by the journal, not by row: rows that were given up are taken again. Answers of one page have the same seq
        index, seq = self._rows["index"][places], self._rows["seq"][places]
        return self._rows[places[np.lexsort((index, seq))]]

    def indices_of(self, *kinds: str) -> IndexArray:
        """Indices whose answer is one of `kinds`, in pool order."""
        return np.sort(self._rows["index"][self._places_of(kinds)])

    def _places_of(self, kinds: tuple[str, ...]) -> IndexArray:
        column = self._rows["kind"][: self._used]
        is_one = column == _NUMBERS[kinds[0]]
        for kind in kinds[1:]:
            is_one |= column == _NUMBERS[kind]
        return np.flatnonzero(is_one)

    def _take(self) -> int:
        if self._free:
            return self._free.pop()
        if self._used == len(self._rows):
            # doubled: growing by one row would copy all answers at each key
            self._rows = np.concatenate((self._rows, np.zeros_like(self._rows)))
        self._used += 1
        return self._used - 1


LOOKED_BACK = 200
"""Answers among which the classes used of late are looked for."""
SKIP_FOR = 25
"""A skipped instance comes back after this many further answers, or when nothing else is left."""


class AnswerTable(dict[int, Answer]):
    """Index -> the answer that stands, the latest last; and the counts of them."""

    def __init__(self) -> None:
        super().__init__()
        self.columns = Columns()  # the same, for what is asked of all of them at once
        self.counts: Counter[str] = Counter()  # "label", "skip", "unsure", "reject" -> instances
        self.given: Counter[tuple[int, int]] = Counter()  # (class_id, provenance) -> instances
        self.n_single = 0  # instances labeled one at a time and not undone
        self.pages = 0
        self.label_events = 0  # events that gave labels and stand: an answer, a page, an import
        self.front: list[int] = []  # instances whose answer was taken back: asked next, the latest first

    def put(self, index: int, answer: Answer | None) -> None:
        """Let an answer stand in place of the one before; None = nothing any more."""
        before = self.get(index)
        self.columns.put(index, answer)
        if before is not None and (answer is None or answer.event_id != before.event_id):
            del self[index]  # what is said anew goes to the end; the same label of another class stays
        for changed, step in ((before, -1), (answer, 1)):
            if changed is not None:
                self._count(changed, step)
        if answer is not None:
            self[index] = answer
            if index in self.front:
                self.front.remove(index)

    def _count(self, answer: Answer, step: int) -> None:
        self.counts[answer.kind] += step
        if answer.kind == "label":
            self.given[answer.class_id, answer.provenance] += step
            self.n_single += step * (answer.provenance is Provenance.HUMAN and not answer.paged)

    def count_events(self, *, labels: int = 0, pages: int = 0) -> None:
        """Count events that gave labels, and pages; below 0 where they are taken back."""
        self.label_events += labels
        self.pages += pages

    def latest_classes(self) -> list[int]:
        """The classes of the latest labels, the latest first; of a page all that it says."""
        return [answer.class_id for answer in islice(reversed(self.values()), LOOKED_BACK) if answer.kind == "label"]

    def takes_import(self, index: int) -> bool:
        """Whether no person has labeled or rejected it; in a merged journal the import may come later."""
        before = self.get(index)
        if before is None or before.kind != "label":
            return before is None or before.kind != "reject"
        return before.provenance is Provenance.IMPORTED


# -- the answers that an event gives -----------------------------------------------------------------------------------


def answer_of(state: State, event: Event, kind: str, *, audit: int = 0) -> Answer:
    """The answer that an event gives to one instance, of the class that its row names."""
    if kind == "label":
        return _answer(state, event, kind, event.class_named, Provenance.HUMAN, audit)
    return _answer(state, event, kind, UNLABELED, Provenance.NONE, audit)


def answers_of(state: State, event: Event, labels: events.Labels, *, audit: int = 0) -> list[tuple[int, Answer]]:
    """The answers that an event gives to many instances, by their index."""
    rows = ((state.pool.index(name), class_id, Provenance[word.upper()]) for name, class_id, word in labels)
    return [(index, _answer(state, event, "label", class_id, word, audit)) for index, class_id, word in rows]


def _answer(state: State, event: Event, kind: str, class_id: int, provenance: Provenance, audit: int) -> Answer:
    margin = event.asked.margin
    return Answer(
        kind=kind,
        event_id=event.event_id,
        seq=event.seq,
        at=event.at,
        annotator=event.annotator,
        class_id=state.class_now(class_id),
        provenance=provenance,
        weight=1.0 if margin is None else float(margin),
        round=state.round,
        paged=event.body.is_paged,
        until=state.answers.n_single + SKIP_FOR if kind == "skip" else 0,
        audit=audit,
    )


def stand(state: State, step: Step, index: int, answer: Answer | None) -> None:
    """Let an answer stand, so that it can be taken back."""
    step.touched.append(index)
    step.back.append(partial(state.answers.put, index, state.answers.get(index)))
    state.answers.put(index, answer)


def stand_all(state: State, step: Step, answers: list[tuple[int, Answer]]) -> None:
    """Let the answers of an event stand; each settles the conflict about its instance."""
    for index, answer in answers:
        stand(state, step, index, answer)
        state.settle(index, step)
    if step.event.body.gives_labels:
        state.answers.count_events(labels=1)
        step.back.append(partial(state.answers.count_events, labels=-1))


# -- the folds ---------------------------------------------------------------------------------------------------------


@folds(events.Label, events.Unsure, events.Reject)
def _fold_answer(state: State, step: Step, body: events.Label | events.Unsure | events.Reject) -> None:
    stand_all(state, step, [(state.pool.index(body.instance_id), answer_of(state, step.event, body.kind))])


@folds(events.Skip)
def _fold_skip(state: State, step: Step, body: events.Skip) -> None:
    index = state.pool.index(body.instance_id)
    if not state.in_conflict(index):
        stand_all(state, step, [(index, answer_of(state, step.event, body.kind))])
        return
    state.settle(index, step, until=state.answers.n_single + SKIP_FOR)
    state.answers.front = [other for other in state.answers.front if other != index]


@folds(events.Page)
def _fold_page(state: State, step: Step, body: events.Page) -> None:
    stand_all(state, step, answers_of(state, step.event, body.labels))
    state.answers.count_events(pages=1)
    step.back.append(partial(state.answers.count_events, pages=-1))


@folds(events.Import)
def _fold_import(state: State, step: Step, body: events.Import) -> None:
    answers = answers_of(state, step.event, body.labels)
    stand_all(state, step, [(index, answer) for index, answer in answers if state.answers.takes_import(index)])


@folds(events.SourceChange)
def _fold_source_change(state: State, step: Step, body: events.SourceChange) -> None:
    """Let answers go with the content they were given to; where it is nowhere any more they stand no longer."""
    taken = []
    for name, place, event_id in body.answers:
        index = state.pool.index(name)
        answer = state.answers.get(index)
        if answer is not None and answer.event_id == event_id:  # else it was said anew or followed before
            stand(state, step, index, None)
            taken.append((place, answer))
    for place, answer in taken:
        index = UNLABELED if place is None else state.pool.index(place)
        if index != UNLABELED and index not in state.answers:
            stand(state, step, index, answer)
