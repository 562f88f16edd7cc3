"""The next question: chosen, taken back, skipped and due, the engine's queue, whatever is left; in that order.

The one on the screen is pinned: nothing that arrives from the engine replaces it. Its guesses are those of the moment
it comes to the front: they follow what is held of it until they are painted, and stay from then on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from labeler.core.types import UNLABELED, Question, Queue, Round
from labeler.session.answer_records import Answer
from labeler.session.held_labels import Held, restated_question
from labeler.session.machine_labels import MachineLabels
from labeler.session.quality.turns import RANDOM, Blind, Control, Repeats, taken_back, waits
from labeler.session.state import State
from labeler.session.view import Stage

REPRESENTATIVE = "representative"
CHOSEN = "chosen"
CONFLICT = "conflict"
_SPREAD = {"nothing": "nothing", "unproven": "nothing yet"}
"""How far labels spread by themselves, where it is not as far as the engine sees fit."""


class Questions:
    """The ready queue and the pinned question."""

    def __init__(self, state: State, derived: MachineLabels) -> None:
        self._state = state
        self.held = Held(state, derived)
        self._queue: Queue | None = None
        self._position = 0
        self.control = Control()
        self.repeats = Repeats()
        self.blind = Blind()
        self.current: Question | None = None
        self._painted: Question | None = None  # the pinned one as it was painted
        self._chosen: tuple[int, Answer | None, list[int]] | None = None  # index, what stood of it, the front then

    def refill(self, queue: Queue, revision: int) -> None:
        """Take a newer queue, which rests on `revision`; the pinned question stays."""
        self._queue, self._position = queue, 0
        self.held.take(queue, revision)

    def restore(self, question: Question, revision: int) -> None:
        """Pin the question that was on the screen when the program ended, if the journal has not moved since."""
        ids = self._state.pool.ids
        if revision != self._state.revision or not 0 <= question.index < len(ids):
            return
        name = ids[question.index]
        if question.instance_id not in ("", name):  # older versions did not keep it
            return
        blind = question.blind or question.rule == RANDOM  # older versions forgot that
        self.current = replace(question, instance_id=name, blind=blind)
        if self._stays(self.current):
            return
        if question.rule == CHOSEN:  # the person chose to be asked again
            self._hold(question.index)
        else:  # a repeat, as older versions kept it: an answer to it would replace the first one
            self.current = None

    def ask(self, index: int) -> None:
        """Pin an instance that the person chose, answered before or not, until something is said of it or undone."""
        queued = self._queued(index)
        self.current = replace(queued, rule=CHOSEN) if queued is not None else self._question(index, CHOSEN)
        self._hold(index)

    def _hold(self, index: int) -> None:
        self._chosen = (index, self._state.answers.get(index), self._state.answers.front[-1:])

    def _is_held(self) -> bool:
        if self._chosen is None:
            return False
        index, answer, front = self._chosen
        state = self._state
        same = state.answers.get(index) is answer and (state.answers.front[-1:] == front or not state.answers.front)
        if not same or state.pool.missing[index] or state.pool.unreadable[index]:
            self._chosen = None
        return self._chosen is not None

    def _queued(self, index: int) -> Question | None:
        """The question about `index` as the engine put it, where it waits in the queue."""
        if self._queue is None:
            return None
        places = np.flatnonzero(self._queue.indices == index)
        return self._from_queue(self._queue, int(places[0])) if len(places) else None

    def asked(self, index: int) -> Question | None:
        """The pinned question as it is shown, if it is about `index`."""
        return self.shown() if self.current is not None and self.current.index == index else None

    def shown(self) -> Question | None:
        """The pinned question: with the guesses that were painted, else with those there are now."""
        question, painted = self.current, self._painted
        if question is None:
            return None
        if painted is not None and (painted.index, painted.first) == (question.index, question.first):
            return restated_question(replace(question, guesses=painted.guesses), self._state.stands_for())
        return self.held.restated(question)

    def painted(self, question: Question) -> None:
        """`question` stands before the eye as it is: its guesses do not move until :meth:`renew`."""
        if self.current is not None and (question.index, question.first) == (self.current.index, self.current.first):
            self._painted = question

    def renew(self) -> None:
        """The question comes to the front anew, and so do its guesses."""
        self._painted = None

    def draw(self) -> Question | None:
        """Keep the pinned question while it is open; else pin and return the next one (None = nothing left)."""
        if self._is_held():
            return self.current
        undone = self._state.redo_target()  # the last thing taken back, as long as nothing was said since
        repeat = taken_back(self._state, undone) if undone is not None else None
        front = next((index for index in reversed(self._state.answers.front) if self._can_be_asked(index)), None)
        if repeat is not None:
            self.current = repeat
        elif front is not None:
            if self.current is None or self.current.index != front:
                self.current = self._question(front, CONFLICT if self._state.in_conflict(front) else "again")
        elif self.current is None or not self._stays(self.current):
            question = next(self._candidates(), None)
            if question is not None and self.blind.share:
                question = self.blind.thrown(question, self._state)
            self.current = question
        return self.current

    def repeat(self, index: int) -> Question | None:
        """The pinned question where it is a repeat about `index` that waits for its second answer."""
        question = self.asked(index)
        return question if question is not None and question.first and waits(self._state, question) else None

    def _stays(self, question: Question) -> bool:
        """Whether a pinned question waits for its answer still."""
        return waits(self._state, question) if question.first else self._is_open(question.index)

    def upcoming(self, count: int) -> list[int]:
        """Indices of the next questions after the pinned one, for decoding ahead. Moves nothing."""
        ahead: list[int] = []
        if self._queue is not None:
            for index in self._queue.indices[self._position :]:
                if len(ahead) == count:
                    break
                if self._is_open(int(index)) and (self.current is None or int(index) != self.current.index):
                    ahead.append(int(index))
        return ahead

    def chain(self, round_: Round | None, percentile: float | None) -> tuple[Stage, ...]:
        """The chain of the status line with the link in force marked."""
        if round_ is None:
            asking = self.current is not None  # the first questions come before the first round
            return (
                Stage("encode", not asking),
                Stage("cluster"),
                Stage("representatives", asking),
                Stage("propagate"),
            )
        facts = round_.facts
        asked = sum(
            1 for index in round_.representatives if (s := self._state.answers.get(int(index))) and s.kind != "skip"
        )
        rule = self.current.rule if self.current else ""
        on_representatives = rule == REPRESENTATIVE
        representatives = f"representatives {asked}/{len(round_.representatives)}"
        if on_representatives and asked == len(round_.representatives):
            representatives = "more representatives"  # of finer clusters, while new classes turn up
        reach = _SPREAD.get(str(facts.get("spread")), "auto") if percentile is None else f"{percentile:g} %"
        last = "nothing left to ask" if self.current is None else rule
        return (
            Stage(str(facts.get("encoder", "encode"))),
            Stage(f"{facts.get('clusterer', 'k-means')} {facts.get('n_clusters', len(round_.representatives))}"),
            Stage(representatives, on_representatives),
            Stage(f"propagate {reach}"),
            Stage(str(facts.get("classifier", "classifier")).replace(" x ", "×")),
            Stage("uncertain" if on_representatives or not last else last, bool(last) and not on_representatives),
        )

    def representatives_left(self, round_: Round | None) -> int:
        """Representatives that wait for their answer."""
        return 0 if round_ is None else sum(self._is_open(int(index)) for index in round_.representatives)

    def _candidates(self) -> Iterator[Question]:
        state = self._state
        # before all else: until somebody settles it the later of two answers stands, for no better reason than the time
        for index in state.conflicts:
            if self._is_open(index):
                yield self._question(index, CONFLICT)
        skips = state.answers.columns.of("skip")
        # in the order in which they are due
        skips = skips[np.lexsort((skips["index"], skips["seq"], skips["until"]))]
        for index in skips["index"][skips["until"] <= state.answers.n_single].tolist():
            yield self._question(index, "skipped")
        # drawn by lot, before the queue: a share of the turns is theirs, whatever the engine wants to know
        repeat = self.repeats.draw(state) if self.repeats.share else None
        if repeat is not None:
            yield repeat
        at_random = self.control.draw(state) if self.control.share else None
        if at_random is not None:
            yield replace(self._question(at_random, RANDOM), blind=True)
        if self._queue is not None:
            while self._position < len(self._queue.indices):
                index = int(self._queue.indices[self._position])
                if self._is_open(index) and index not in state.answers:
                    yield self._from_queue(self._queue, self._position)
                self._position += 1
            # the queue ran dry before the engine sent another: any open instance rather than a wait
            gone = state.pool.missing | state.pool.unreadable
            for index in map(int, np.flatnonzero(~gone)):
                if index not in state.answers:
                    yield self._question(index, "waiting for the engine")
            for index in skips["index"].tolist():
                yield self._question(index, "skipped")
            for index in state.conflicts:
                if self._can_be_asked(index):
                    yield self._question(index, CONFLICT)

    def _is_open(self, index: int) -> bool:
        state = self._state
        waits = state.conflicts[index] if state.in_conflict(index) else state.answers.get(index)
        return self._can_be_asked(index) and (waits is None or state.answers.n_single >= waits.until)

    def _can_be_asked(self, index: int) -> bool:
        """Whether it waits for an answer, be it skipped a moment ago."""
        if self._state.pool.missing[index] or self._state.pool.unreadable[index]:
            return False
        answer = self._state.answers.get(index)
        return answer is None or answer.kind == "skip" or self._state.in_conflict(index)

    def _question(self, index: int, rule: str) -> Question:
        return Question(index, self._state.pool.ids[index], rule)

    def _from_queue(self, queue: Queue, position: int) -> Question:
        index = int(queue.indices[position])
        rule = queue.rule_names[int(queue.rules[position])]
        guesses = tuple(
            (int(guess), float(score))
            for guess, score in zip(queue.guesses[position], queue.guess_scores[position], strict=True)
            if guess != UNLABELED
        )
        return Question(
            index,
            self._state.pool.ids[index],
            rule,
            float(queue.utilities[position]),
            float(queue.margins[position]),
            guesses,
        )
