"""Turns that are drawn by lot: a share of the questions is asked otherwise, so that something can be measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from labeler.core import events
from labeler.core.events import Event, Label
from labeler.core.types import Provenance, Question
from labeler.session.asked import ASKING
from labeler.session.state import State


@dataclass(frozen=True, slots=True)
class DrawnTurns:
    """The share of the turns that is drawn (0 = none), and the seed they follow from."""

    stream: ClassVar[int]
    """Tells the draws of one kind from those of another that has the same seed."""

    share: float = 0.0
    seed: int = 0

    def generator(self, turn: int) -> np.random.Generator | None:
        """Return the random numbers of a turn that was drawn, None where it was not.

        By seed and number of the turn alone: the same answers draw the same turns, however long somebody waits.
        """
        if self.share <= 0.0:
            return None
        # a generator a turn: an answer that is taken back leaves no trace in the draws that follow
        rng = np.random.default_rng((self.seed, self.stream, turn))
        return rng if rng.random() < self.share else None


RANDOM = "random"
FIRST = 10
"""Answers before the first random question: without labels there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Control(DrawnTurns):
    """The questions that are random."""

    stream: ClassVar[int] = 404

    def draw(self, state: State) -> int | None:
        """The instance to ask at random now; None where the turn is the engine's."""
        rng = self.generator(state.answers.n_single) if state.answers.n_single >= FIRST else None
        if rng is None:
            return None
        # uniformly among all without an answer: only so does the interval speak of them
        free = ~(state.pool.missing | state.pool.unreadable)
        free[list(state.answers)] = False
        open_ = np.flatnonzero(free)
        return int(rng.choice(open_)) if len(open_) else None


@dataclass(frozen=True, slots=True)
class Blind(DrawnTurns):
    """The questions that are blind."""

    stream: ClassVar[int] = 406

    def thrown(self, question: Question, state: State) -> Question:
        """Return `question`, blind or not by the lot of its turn; as it is where nothing would be shown anyway."""
        if (
            self.share <= 0.0
            or state.answers.n_single < FIRST
            or not question.guesses
            or question.blind
            or question.first
        ):
            return question
        # `drawn` tells it later from a question that is blind for another reason, and from those before the option
        return replace(question, blind=self.generator(state.answers.n_single) is not None, drawn=True)


AGO = 20
"""Answers that lie between the two at least: what was said a moment ago is remembered, not judged anew."""
_OF_THEIR_OWN = ("chosen", "doubt", "again", "conflict")
"""Rules of questions that a person would know again by how they came."""


@dataclass(frozen=True, slots=True)
class Repeats(DrawnTurns):
    """The questions that are repeats, and whose answers are repeated."""

    stream: ClassVar[int] = 405

    annotator: str = ""

    def draw(self, state: State) -> Question | None:
        """The repeat to ask now; None where the turn is another question's.

        Any of the person's answers to a question is as likely, if it is AGO answers old, was not repeated yet and not
        looked at again since.
        """
        # repeats change no label, so that they are not among the answers: without them a turn would be drawn again
        rng = self.generator(state.answers.n_single + len(state.repeats)) if state.answers.n_single > AGO else None
        if rng is None:
            return None
        indices = list(self._askable(state))
        return repeated(state, indices[int(rng.integers(len(indices)))]) if indices else None

    def _askable(self, state: State) -> Iterator[int]:
        single = [
            (answer.seq, index)
            for index, answer in state.answers.items()
            if answer.kind == "label" and answer.provenance is Provenance.HUMAN and not answer.paged
        ]
        done = {repeat.first for repeat in state.repeats}
        # in the order of the answers: the same journal gives the same list, and so the same draw
        for _, index in sorted(single)[:-AGO]:
            answer = state.answers[index]
            if answer.annotator == self.annotator and answer.event_id not in done and self._fits(state, index):
                yield index

    @staticmethod
    def _fits(state: State, index: int) -> bool:
        """Whether it can be shown as it was: by a question with guesses (or one that has none to show)."""
        answer, pool = state.answers[index], state.pool
        event = state.event(answer.event_id)
        if event is None or not isinstance(event.body, Label) or pool.missing[index] or pool.unreadable[index]:
            return False
        # looked at again since, or in dispute: a second answer would not be blind to the first
        if index in state.looks or index in state.conflicts or state.classes[answer.class_id].retired:
            return False
        how = event.asked
        return how.screen in ASKING and how.rule not in _OF_THEIR_OWN and bool(how.guesses or how.rule == RANDOM)


def repeated(state: State, index: int) -> Question | None:
    """The question about `index` as its person was asked it; None where no label of it stands."""
    answer = state.answers.get(index)
    event = state.event(answer.event_id) if answer is not None else None
    if event is None or not isinstance(event.body, Label):
        return None
    how = event.asked
    blind = how.rule == RANDOM or bool(how.blind)  # shown as it was then, or two things would differ
    return Question(
        index,
        state.pool.ids[index],
        how.rule or "",
        margin=1.0 if how.margin is None else how.margin,
        guesses=how.guesses,
        blind=blind,
        first=event.event_id,
    )


def waits(state: State, question: Question) -> bool:
    """Whether a repeat has no second answer yet and the first one stands."""
    answer = state.answers.get(question.index)
    gone = state.pool.missing[question.index] or state.pool.unreadable[question.index]
    if gone or answer is None or answer.event_id != question.first:
        return False
    return all(repeat.first != question.first for repeat in state.repeats)


def taken_back(state: State, undone: Event) -> Question | None:
    """The repeat whose second answer is what was `undone` last: it is asked again."""
    if not isinstance(undone.body, events.Repeat):
        return None
    question = repeated(state, state.pool.index(undone.body.instance_id))
    return question if question is not None and waits(state, question) else None
