"""The random control arm: now and then a question drawn uniformly, so that something can be said of the accuracy.

The questions an engine chooses are the hard ones: how often its label is right there says nothing of the others. A
question drawn at random from those without an answer does, if no guess is shown and the engine's label of that moment
is kept beside the answer.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from labeler.core.events import Label
from labeler.core.stats.intervals import clopper_pearson, difference, sign_test
from labeler.core.types import UNLABELED
from labeler.session.asked import ASKING, asked_of
from labeler.session.classes import class_of, current
from labeler.session.state import State

RANDOM = "random"
NOT_THE_ENGINES = (RANDOM, "chosen", "doubt", "repeat", "again", "conflict", "skipped")
"""Rules of questions that came otherwise than as the next of the engine's queue."""
FIRST = 10
"""Answers before the first random question: without labels there is nothing to measure."""
CONFIDENCE = 0.95
_STREAM = 404


@dataclass(frozen=True, slots=True)
class Control:
    """Which share of the questions is random (0 = none), and the seed they follow from."""

    share: float = 0.0
    seed: int = 0

    def draw(self, state: State) -> int | None:
        """The instance to ask at random now; None where the turn is the engine's.

        The same answers and seed give the same draw: by the number of answers alone, however long somebody waits.
        """
        if self.share <= 0.0 or state.answers.n_single < FIRST:
            return None
        rng = np.random.default_rng((self.seed, _STREAM, state.answers.n_single))
        if rng.random() >= self.share:
            return None
        free = ~(state.pool.missing | state.pool.unreadable)
        free[list(state.answers)] = False
        open_ = np.flatnonzero(free)
        return int(rng.choice(open_)) if len(open_) else None


@dataclass(frozen=True, slots=True)
class Estimate:
    """How often the engine's label was right on the `n` random questions, as it stood when each was answered.

    The interval (Clopper-Pearson) is about the mean accuracy on what had no answer, over the moments of asking; it is
    too wide rather than too narrow where the accuracy grew meanwhile. `helping`: whether the questions that the engine
    chose meanwhile (`active`, of which `corrected` had another first guess than answer) correct labels more often than
    random ones do: that is what they are for. True or False where the interval of the difference (Newcombe 1998) leaves
    no other, and False where a sign test says at 5 % that naming the commonest class for all (`commonest` of the random
    answers) does better than the labels; else None.
    """

    n: int
    right: int
    low: float
    high: float
    commonest: float
    active: int
    corrected: int
    worse_than_commonest: bool
    confidence: float = CONFIDENCE

    @property
    def accuracy(self) -> float:
        """Share right."""
        return self.right / self.n

    @property
    def helping(self) -> bool | None:
        """Whether active questions help here; None = too few to say."""
        if self.worse_than_commonest:
            return False
        if not self.active:
            return None
        _, low, high = difference(self.corrected, self.active, self.n - self.right, self.n, self.confidence)
        return True if low > 0.0 else False if high < 0.0 else None

    @property
    def facts(self) -> dict[str, Any]:
        """The figures, JSON-able."""
        return {
            "accuracy": self.accuracy,
            "low": self.low,
            "high": self.high,
            "confidence": self.confidence,
            "n": self.n,
            "helping": self.helping,
            "active": {"n": self.active, "corrected": self.corrected},
        }

    @property
    def figure(self) -> str:
        """The share and its interval, in short."""
        return (
            f"{100 * self.accuracy:.0f} % right on {_amount(self.n, 'random question')}"
            f" ({100 * self.confidence:g} % interval {100 * self.low:.0f} to {100 * self.high:.0f} %)"
        )

    @property
    def verdict(self) -> str:
        """Whether active questions help, and what tells."""
        if self.worse_than_commonest:
            return f"active questions are not helping here: naming the commonest class does better ({self._common})"
        said = {
            True: "active questions are helping here",
            False: "active questions are not helping here",
            None: "too few to say whether active questions are helping here",
        }[self.helping]
        if not self.active:
            return said
        of_active, of_random = self.corrected / self.active, 1.0 - self.accuracy
        return f"{said}: {100 * of_active:.0f} % of them corrected a label, {100 * of_random:.0f} % of the random ones"

    @property
    def brief(self) -> str:
        """The verdict in a line."""
        if self.worse_than_commonest:
            return f"not helping: naming the commonest class does better ({self._common})"
        said = {True: "helping", False: "not helping", None: "too few to say"}[self.helping]
        if not self.active:
            return said
        shares = 100 * self.corrected / self.active, 100 * (1.0 - self.accuracy)
        return f"{said}: {shares[0]:.0f} % corrected a label, {shares[1]:.0f} % of the random ones"

    @property
    def _common(self) -> str:
        return f"{100 * self.commonest:.0f} %"

    @property
    def statement(self) -> str:
        """What may be said, in one sentence."""
        return f"{self.figure}, as the labels stood then; {self.verdict}"


def estimate(state: State) -> Estimate | None:
    """What the random questions say; None without any that had a label of the engine's."""
    said, chosen = [], []
    for event in state.standing_events(Label):
        how = asked_of(event)
        machine = UNLABELED if how.machine is None else how.machine
        standing = state.answers.get(state.pool.index(event.instance_id or ""))
        if machine != UNLABELED and standing is not None and standing.kind == "label":
            said.append((current(machine, state.classes), standing.class_id))
        elif said and how.screen in ASKING and how.rule not in NOT_THE_ENGINES:
            guesses = how.hidden if how.blind else how.shown
            if guesses:
                guess = current(guesses[0][0], state.classes)
                chosen.append(guess != current(class_of(event), state.classes))
    if not said:
        return None
    n, right = len(said), sum(one == other for one, other in said)
    common, times = Counter(answer for _, answer in said).most_common(1)[0]
    better = sum(one == other != common for one, other in said)
    worse = sum(one != other == common for one, other in said)
    low, high = clopper_pearson(right, n, CONFIDENCE)
    is_worse = sign_test(worse, better) < 1.0 - CONFIDENCE
    return Estimate(n, right, low, high, times / n, len(chosen), sum(chosen), is_worse)


def _amount(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
