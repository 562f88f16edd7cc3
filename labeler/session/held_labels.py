"""The label that machine and people hold an instance to have, and the guesses that follow: what `enter` would save."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from labeler.core.events import Guesses
from labeler.core.types import UNLABELED, IntArray, Question, Queue
from labeler.session.classes import current
from labeler.session.machine_labels import MachineLabels
from labeler.session.quality.turns import RANDOM
from labeler.session.state import State

_NOBODYS: Guesses = ()


def restated_question(question: Question, lookup: IntArray) -> Question:
    """`question` with its guesses in the classes there are."""
    scores: dict[int, float] = {}
    for class_id, score in question.guesses:
        stands_for = int(lookup[class_id]) if class_id < len(lookup) else UNLABELED
        if stands_for != UNLABELED:
            scores[stands_for] = scores.get(stands_for, 0.0) + score
    guesses = tuple(sorted(scores.items(), key=lambda item: -item[1]))
    return question if guesses == question.guesses else replace(question, guesses=guesses)


class Held:
    """The label of an instance now: a person's, else the last round's, else what the latest queue guesses of it.

    The queue has a say only where the round says nothing and is not the newer of the two. Always in the classes there
    are: a label of a class that cannot be answered is none.
    """

    def __init__(self, state: State, derived: MachineLabels) -> None:
        self._state, self._machine_labels = state, derived
        self._queue: Queue | None = None
        self._queue_at = -1

    def take(self, queue: Queue, revision: int) -> None:
        """Remember the latest queue, and the revision it rests on."""
        self._queue, self._queue_at = queue, revision

    def label_of(self, index: int) -> int:
        """The class that `index` is held to be; UNLABELED where nobody says."""
        answer = self._state.answers.get(index)
        if answer is not None and answer.kind == "reject":
            return UNLABELED
        if answer is not None and answer.kind == "label":
            info = self._state.classes[answer.class_id]
            # the label stays, but `enter` cannot save a class that nobody can answer with
            return UNLABELED if info.retired else answer.class_id
        class_id, _ = self._machine_labels.label_of(index)
        if class_id != UNLABELED:
            return class_id
        queued = self._queued(index)
        return queued[0][0] if queued else UNLABELED

    def guesses_of(self, index: int) -> Guesses:
        """(class, score) of an instance, the class it is held to be first; empty where it is held to be nothing."""
        held = self.label_of(index)
        if held == UNLABELED:
            return _NOBODYS
        if self._state.in_conflict(index):
            return self._to_settle(index, held)
        queued = self._queued(index)
        # only where both begin alike: `enter` saves the first guess, and that must be what is held
        if queued and queued[0][0] == held:
            return queued
        return self._by_round(index, held)

    def restated(self, question: Question) -> Question:
        """`question` with the guesses there are now; a repeat keeps its own, or it would not be hidden."""
        if question.first:
            return restated_question(question, self._state.stands_for())
        guesses = _NOBODYS if question.rule == RANDOM else self.guesses_of(question.index)
        return question if guesses == question.guesses else replace(question, guesses=guesses)

    # -- inside --------------------------------------------------------------------------------------------------

    def _to_settle(self, index: int, held: int) -> Guesses:
        """The answers of two people, the one that stands first."""
        answers = self._state.conflicts[index].answers
        given = [current(class_id, self._state.classes) for _, _, class_id in reversed(answers)]
        known = [class_id for class_id in given if class_id != UNLABELED and not self._state.classes[class_id].retired]
        return tuple((class_id, 0.0) for class_id in dict.fromkeys([held, *known]))

    def _by_round(self, index: int, held: int) -> Guesses:
        round_ = self._machine_labels.round
        if round_ is None or index >= len(round_.labels) or int(round_.labels[index]) != held:
            return ((held, 0.0),)
        other = int(round_.runner_ups[index])
        known = other not in (UNLABELED, held) and not self._state.classes[other].retired
        first = (held, float(round_.scores[index]))
        return (first, (other, 0.0)) if known else (first,)

    def _queued(self, index: int) -> Guesses:
        """Return what the latest queue guesses, where it is not older than the round."""
        queue = self._queue
        if queue is None or self._queue_at < self._machine_labels.revision:
            return _NOBODYS
        places = np.flatnonzero(queue.indices == index)
        if not len(places):
            return _NOBODYS
        pairs = zip(queue.guesses[places[0]].tolist(), queue.guess_scores[places[0]].tolist(), strict=True)
        guesses = tuple((class_id, score) for class_id, score in pairs if class_id != UNLABELED)
        lookup = self._state.stands_for()
        return restated_question(Question(index, "", "", guesses=guesses), lookup).guesses
