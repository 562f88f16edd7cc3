"""The blind share: now and then a question without guesses, to see how far guesses sway the answers.

By chance, so that blind and other questions differ in nothing else. The guess that was kept from the eye is kept in the
answer's event: how often the answer is the first guess, seen and unseen, is a fold of these events.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from labeler.core.events import Label
from labeler.core.stats.intervals import difference
from labeler.core.types import Question
from labeler.session.asked import asked_of
from labeler.session.classes import class_of, current
from labeler.session.quality.random_sample import FIRST
from labeler.session.state import State

CONFIDENCE = 0.95
_STREAM = 406


@dataclass(frozen=True, slots=True)
class Blind:
    """Which share of the questions is blind (0 = none), and the seed they follow from."""

    share: float = 0.0
    seed: int = 0

    def thrown(self, question: Question, state: State) -> Question:
        """`question`, blind or not by seed and number of answers; as it is where nothing would be shown anyway."""
        if (
            self.share <= 0.0
            or state.answers.n_single < FIRST
            or not question.guesses
            or question.blind
            or question.first
        ):
            return question
        rng = np.random.default_rng((self.seed, _STREAM, state.answers.n_single))
        return replace(question, blind=bool(rng.random() < self.share), drawn=True)


@dataclass(frozen=True, slots=True)
class Sway:
    """How often the answer was the first guess: `seen_same` of `seen` questions that showed it, of `unseen` blind ones.

    `apart`, `low`, `high`: the first share less the other, with the interval of Newcombe (1998).
    """

    seen: int
    seen_same: int
    unseen: int
    unseen_same: int
    apart: float
    low: float
    high: float
    confidence: float = CONFIDENCE

    @property
    def facts(self) -> dict[str, Any]:
        """The figures, JSON-able."""
        return {
            "shown": {"n": self.seen, "same": self.seen_same},
            "blind": {"n": self.unseen, "same": self.unseen_same},
            "difference": self.apart,
            "low": self.low,
            "high": self.high,
            "confidence": self.confidence,
        }

    @property
    def brief(self) -> str:
        """The same in a line."""
        return (
            f"seen {100 * self.seen_same / self.seen:.0f} % of {self.seen:,},"
            f" hidden {100 * self.unseen_same / self.unseen:.0f} % of {self.unseen:,}:"
            f" {100 * self.apart:+.0f} points ({100 * self.low:+.0f} to {100 * self.high:+.0f})"
        )

    @property
    def statement(self) -> str:
        """What may be said, in one sentence."""
        verdict = "no sway can be told"
        if self.low > 0.0:
            verdict = "seeing the guess sways the answer towards it"
        elif self.high < 0.0:
            verdict = "seeing the guess sways the answer away from it"
        return (
            f"the answer was the first guess in {100 * self.seen_same / self.seen:.0f} % of {self.seen:,} questions"
            f" that showed it, in {100 * self.unseen_same / self.unseen:.0f} % of {self.unseen:,} blind ones:"
            f" {100 * self.apart:+.0f} points ({100 * self.confidence:g} % interval {100 * self.low:+.0f} to"
            f" {100 * self.high:+.0f}); {verdict}"
        )


def sway(state: State) -> Sway | None:
    """What the blind questions say; None until there are both kinds."""
    counts = {True: [0, 0], False: [0, 0]}  # blind? -> [questions, answers that were the first guess]
    for event in state.standing_events(Label):
        how = asked_of(event)
        guesses = how.hidden if how.blind else how.shown
        if how.blind is not None and guesses:
            same = current(class_of(event), state.classes) == current(guesses[0][0], state.classes)
            counts[how.blind][0] += 1
            counts[how.blind][1] += same
    (unseen, unseen_same), (seen, seen_same) = counts[True], counts[False]
    if not unseen or not seen:
        return None
    return Sway(seen, seen_same, unseen, unseen_same, *difference(seen_same, seen, unseen_same, unseen, CONFIDENCE))
