"""The random control arm: now and then a question drawn uniformly, so that something can be said of the accuracy.

The questions an engine chooses are the hard ones: how often its label is right there says nothing of the others. A
question drawn at random from those without an answer does, if no guess is shown and the engine's label of that moment
is kept beside the answer.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

from labeler.core.events import Label
from labeler.core.stats.intervals import clopper_pearson, difference, sign_test
from labeler.core.stats.measurement import Line, Measurement
from labeler.core.text import counted
from labeler.core.types import UNLABELED
from labeler.session.asked import ASKING
from labeler.session.classes import current
from labeler.session.quality.turns import RANDOM
from labeler.session.state import State

NOT_THE_ENGINES = (RANDOM, "chosen", "doubt", "repeat", "again", "conflict", "skipped")
"""Rules of questions that came otherwise than as the next of the engine's queue."""
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate(Measurement):
    """The share of `n` random questions on which the engine's label was right, as it stood when each was answered.

    The interval (Clopper-Pearson) is about the mean accuracy on what had no answer, over the moments of asking; it is
    too wide rather than too narrow where the accuracy grew meanwhile. `helping`: whether the questions that the engine
    chose meanwhile (`active`, of which `corrected` had another first guess than answer) correct labels more often than
    random ones do: that is what they are for. True or False where the interval of the difference (Newcombe 1998) leaves
    no other, and False where a sign test says at 5 % that naming the commonest class for all (`commonest` of the random
    answers) does better than the labels; else None.
    """

    name: ClassVar[str] = "estimate"
    title: ClassVar[str] = "accuracy"

    right: int
    commonest: float
    active: int
    corrected: int
    worse_than_commonest: bool

    @property
    def value(self) -> float:
        """Share right."""
        return self.right / self.n

    @property
    def helping(self) -> bool | None:
        """Whether active questions help here; None = too few to say."""
        if self.worse_than_commonest:
            return False
        if not self.active:
            return None
        # how often an active question corrected a label, less how often a random one did
        _, low, high = difference(self.corrected, self.active, self.n - self.right, self.n, self.confidence)
        return True if low > 0.0 else False if high < 0.0 else None

    @property
    def facts(self) -> dict[str, Any]:
        """The accuracy with its interval, and what the active questions corrected."""
        return {
            "accuracy": self.value,
            "low": self.low,
            "high": self.high,
            "confidence": self.confidence,
            "n": self.n,
            "helping": self.helping,
            "active": {"n": self.active, "corrected": self.corrected},
        }

    @property
    def brief(self) -> str:
        """The share right and its interval."""
        return (
            f"{100 * self.value:.0f} % right on {counted(self.n, 'random question')}"
            f" ({100 * self.confidence:g} % interval {100 * self.low:.0f} to {100 * self.high:.0f} %)"
        )

    @property
    def verdict(self) -> str:
        """Whether active questions help, and what tells."""
        if self.worse_than_commonest:
            return f"active questions are not helping here: naming the commonest class does better ({self._common})"
        verdict = {
            True: "active questions are helping here",
            False: "active questions are not helping here",
            None: "too few to say whether active questions are helping here",
        }[self.helping]
        if not self.active:
            return verdict
        shares = 100 * self.corrected / self.active, 100 * (1.0 - self.value)
        return f"{verdict}: {shares[0]:.0f} % of them corrected a label, {shares[1]:.0f} % of the random ones"

    @property
    def brief_verdict(self) -> str:
        """The verdict in a line of 60 cells."""
        if self.worse_than_commonest:
            return f"not helping: naming the commonest class does better ({self._common})"
        verdict = {True: "helping", False: "not helping", None: "too few to say"}[self.helping]
        if not self.active:
            return verdict
        shares = 100 * self.corrected / self.active, 100 * (1.0 - self.value)
        return f"{verdict}: {shares[0]:.0f} % corrected a label, {shares[1]:.0f} % of the random ones"

    @property
    def _common(self) -> str:
        return f"{100 * self.commonest:.0f} %"

    @property
    def statement(self) -> str:
        """The accuracy, and whether active questions help."""
        return f"{self._about_labels}; {self.verdict}"

    @property
    def lines(self) -> list[Line]:
        """The accuracy and what the questions were good for, a line each."""
        return [
            Line(self.title, self.brief, self._about_labels),
            Line("active questions", self.brief_verdict, self.verdict),
        ]

    @property
    def _about_labels(self) -> str:
        return f"{self.brief}, as the labels stood then"


def estimate(state: State) -> Estimate | None:
    """Return what the random questions say; None without any that had a label of the engine's."""
    # (the engine's class, the answer) of random questions; whether the first guess was wrong of chosen ones
    pairs, chosen = [], []
    for event in state.standing_events(Label):
        how = event.asked
        machine = UNLABELED if how.machine is None else how.machine
        answer = state.answers.get(state.pool.index(event.instance_id or ""))
        if machine != UNLABELED and answer is not None and answer.kind == "label":
            pairs.append((current(machine, state.classes), answer.class_id))
        # chosen ones since the first random one alone: before it there was nothing to compare them with
        elif pairs and how.screen in ASKING and how.rule not in NOT_THE_ENGINES:
            guesses = how.hidden if how.blind else how.shown
            if guesses:
                guess = current(guesses[0][0], state.classes)
                chosen.append(guess != current(event.class_named, state.classes))
    if not pairs:
        return None
    n, right = len(pairs), sum(label == answer for label, answer in pairs)
    common, times = Counter(answer for _, answer in pairs).most_common(1)[0]
    better = sum(label == answer != common for label, answer in pairs)
    worse = sum(label != answer == common for label, answer in pairs)
    low, high = clopper_pearson(right, n, CONFIDENCE)
    # only instances on which the two differ tell which is better (McNemar)
    is_worse = sign_test(worse, better) < 1.0 - CONFIDENCE
    return Estimate(
        n=n,
        low=low,
        high=high,
        confidence=CONFIDENCE,
        right=right,
        commonest=times / n,
        active=len(chosen),
        corrected=sum(chosen),
        worse_than_commonest=is_worse,
    )
