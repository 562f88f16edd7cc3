"""The blind share: now and then a question without guesses, to see how far guesses sway the answers.

By chance, so that blind and other questions differ in nothing else. The guess that was kept from the eye is kept in the
answer's event: how often the answer is the first guess, seen and unseen, is a fold of these events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from labeler.core.events import Label
from labeler.core.stats.intervals import difference
from labeler.core.stats.measurement import Measurement
from labeler.session.classes import current
from labeler.session.state import State

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Sway(Measurement):
    """The share of answers like the first guess: `seen_same` of `seen` questions that showed it, `unseen_same` of
    `unseen` blind ones.

    `difference`: the first share less the other; its interval is that of Newcombe (1998).
    """

    name: ClassVar[str] = "sway"
    title: ClassVar[str] = "first guess"

    seen: int
    seen_same: int
    unseen: int
    unseen_same: int
    difference: float

    @property
    def value(self) -> float:
        """The share of answers like the guess where it was shown, less that share where it was not."""
        return self.difference

    @property
    def facts(self) -> dict[str, Any]:
        """The shares, their difference and its interval."""
        return {
            "shown": {"n": self.seen, "same": self.seen_same},
            "blind": {"n": self.unseen, "same": self.unseen_same},
            "difference": self.difference,
            "low": self.low,
            "high": self.high,
            "confidence": self.confidence,
        }

    @property
    def brief(self) -> str:
        """The two shares and their difference."""
        return (
            f"seen {100 * self.seen_same / self.seen:.0f} % of {self.seen:,},"
            f" hidden {100 * self.unseen_same / self.unseen:.0f} % of {self.unseen:,}:"
            f" {100 * self.difference:+.0f} points ({100 * self.low:+.0f} to {100 * self.high:+.0f})"
        )

    @property
    def statement(self) -> str:
        """The same, and whether the guess sways the answer."""
        verdict = "no sway can be told"
        if self.low > 0.0:
            verdict = "seeing the guess sways the answer towards it"
        elif self.high < 0.0:
            verdict = "seeing the guess sways the answer away from it"
        return (
            f"the answer was the first guess in {100 * self.seen_same / self.seen:.0f} % of {self.seen:,} questions"
            f" that showed it, in {100 * self.unseen_same / self.unseen:.0f} % of {self.unseen:,} blind ones:"
            f" {100 * self.difference:+.0f} points ({100 * self.confidence:g} % interval {100 * self.low:+.0f} to"
            f" {100 * self.high:+.0f}); {verdict}"
        )


def sway(state: State) -> Sway | None:
    """Return what the blind questions say; None until there are both kinds."""
    counts = {True: [0, 0], False: [0, 0]}  # blind? -> [questions, answers that were the first guess]
    for event in state.standing_events(Label):
        how = event.asked
        guesses = how.hidden if how.blind else how.shown
        if how.blind is not None and guesses:
            # by the classes as they are now: after a merge of classes the two may be one
            same = current(event.class_named, state.classes) == current(guesses[0][0], state.classes)
            counts[how.blind][0] += 1
            counts[how.blind][1] += same
    (unseen, unseen_same), (seen, seen_same) = counts[True], counts[False]
    if not unseen or not seen:
        return None
    apart, low, high = difference(seen_same, seen, unseen_same, unseen, CONFIDENCE)
    return Sway(
        n=seen + unseen,
        low=low,
        high=high,
        confidence=CONFIDENCE,
        seen=seen,
        seen_same=seen_same,
        unseen=unseen,
        unseen_same=unseen_same,
        difference=apart,
    )
