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

from labeler.core.intervals import clopper_pearson, sign_test
from labeler.core.vocabulary import UNLABELED
from labeler.session.classes import current
from labeler.session.state import State

RANDOM = "random"
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
        if self.share <= 0.0 or state.answers < FIRST:
            return None
        rng = np.random.default_rng((self.seed, _STREAM, state.answers))
        if rng.random() >= self.share:
            return None
        free = ~(state.pool.missing | state.pool.unreadable)
        free[list(state.standings)] = False
        open_ = np.flatnonzero(free)
        return int(rng.choice(open_)) if len(open_) else None


@dataclass(frozen=True, slots=True)
class Estimate:
    """How often the engine's label was right on the `n` random questions, as it stood when each was answered.

    The interval (Clopper-Pearson) is about the mean accuracy on what had no answer, over the moments of asking; it is
    too wide rather than too narrow where the accuracy grew meanwhile. `helping`: whether the labels do better than
    naming the commonest class for all (`commonest` of the random answers are of it): True or False where a sign test on
    the questions on which the two differ says so at 5 %, else None.
    """

    n: int
    right: int
    low: float
    high: float
    commonest: float
    helping: bool | None
    confidence: float = CONFIDENCE

    @property
    def accuracy(self) -> float:
        """Share right."""
        return self.right / self.n

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
        }

    @property
    def statement(self) -> str:
        """What may be said, in one sentence."""
        verdict = {
            True: "the questions help here: better than naming the commonest class",
            False: "the questions do not help here: worse than naming the commonest class",
            None: "too few to say whether the questions help here",
        }[self.helping]
        return (
            f"{100 * self.accuracy:.0f} % right on {self.n:,} random questions, as the labels stood then"
            f" ({100 * self.confidence:g} % interval {100 * self.low:.0f} to {100 * self.high:.0f} %);"
            f" {verdict} ({100 * self.commonest:.0f} %)"
        )


def estimate(state: State) -> Estimate | None:
    """What the random questions say; None without any that had a label of the engine's."""
    said = []
    for event in state.standing_events("label"):
        machine = int(event.payload.get("machine", UNLABELED))
        standing = state.standings.get(state.pool.index(event.instance_id or ""))
        if machine != UNLABELED and standing is not None and standing.kind == "label":
            said.append((current(machine, state.classes), standing.class_id))
    if not said:
        return None
    n, right = len(said), sum(one == other for one, other in said)
    common, times = Counter(answer for _, answer in said).most_common(1)[0]
    better = sum(one == other != common for one, other in said)
    worse = sum(one != other == common for one, other in said)
    helping = None
    if sign_test(better, worse) < 1.0 - CONFIDENCE:
        helping = True
    elif sign_test(worse, better) < 1.0 - CONFIDENCE:
        helping = False
    low, high = clopper_pearson(right, n, CONFIDENCE)
    return Estimate(n, right, low, high, times / n, helping)
