"""Hidden repeats: now and then a question its person answered before, to see how far two answers of one agree.

It looks like any question: with the guesses it had then, and without a word of the first answer. The second answer is
an event of its own and changes no label; where it differs, the second look asks which of the two is right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from labeler.core.stats.intervals import clopper_pearson
from labeler.core.stats.measurement import Measurement
from labeler.core.types import UNLABELED
from labeler.session.answer_records import Answer, Repeat
from labeler.session.classes import current
from labeler.session.state import State

CONFIDENCE = 0.95


def to_look_at(state: State) -> list[Repeat]:
    """Repeats answered differently of which nobody said since which answer is right, the latest first."""
    return [repeat for repeat in reversed(state.repeats) if _is_open(state, repeat)]


def _is_open(state: State, repeat: Repeat) -> bool:
    answer = state.answers.get(repeat.index)
    if answer is None or answer.kind != "label" or answer.seq > repeat.seq or repeat.word != "label":
        return False
    if state.pool.missing[repeat.index] or state.pool.unreadable[repeat.index]:
        return False
    return _class_now(state, repeat.class_id) != answer.class_id and not _was_kept_since(state, repeat, answer)


def _was_kept_since(state: State, repeat: Repeat, answer: Answer) -> bool:
    confirmed = state.looks.get(repeat.index)
    if confirmed is None or confirmed.seq <= repeat.seq:
        return False
    return _class_now(state, confirmed.class_id) == answer.class_id


def _class_now(state: State, class_id: int) -> int:
    return current(class_id, state.classes)


# -- what they say -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfAgreement(Measurement):
    """The share of repeats that a person gave the same class twice: `same` of `n`; `others` came without a class.

    `low`, `high`: Clopper-Pearson. `error_rate` with its interval: what share of the answers is wrong, if the two
    answers to an instance err independently of one another, all classes alike, and wrong ones fall on each of the
    other `n_classes` - 1 alike (one annotator, one rate, in the model of Dawid and Skene, Applied Statistics 28:20,
    1979). Then two answers differ with probability ``1 - (1 - e)^2 - e^2 / (k - 1)``, which is solved for e and for
    both ends of the interval. What a person mistakes the same way both times does not show: it is the rate of slips.
    """

    name: ClassVar[str] = "self_agreement"
    title: ClassVar[str] = "repeats"

    same: int
    others: int
    n_classes: int

    @property
    def value(self) -> float:
        """Share answered alike."""
        return self.same / self.n

    @property
    def error_rate(self) -> float:
        """Share of the answers that is wrong, as far as two of one person tell."""
        return error_rate(1.0 - self.value, self.n_classes)

    @property
    def facts(self) -> dict[str, Any]:
        """The share answered alike and the rate of slips, with their intervals."""
        return {
            "agreement": self.value,
            "low": self.low,
            "high": self.high,
            "confidence": self.confidence,
            "n": self.n,
            "same": self.same,
            "without_a_class": self.others,
            "error_rate": self.error_rate,
            "error_low": error_rate(1.0 - self.high, self.n_classes),
            "error_high": error_rate(1.0 - self.low, self.n_classes),
            "model": "two answers err independently of one another, classes alike",
        }

    @property
    def brief(self) -> str:
        """The share answered alike and the rate of slips."""
        low, high = (error_rate(1.0 - share, self.n_classes) for share in (self.high, self.low))
        return (
            f"{100 * self.value:.0f} % of {self.n:,} alike ({100 * self.low:.0f} to {100 * self.high:.0f} %);"
            f" slips {100 * self.error_rate:.1f} % ({100 * low:.1f} to {100 * high:.1f} %)"
        )

    @property
    def statement(self) -> str:
        """The share answered alike, and the rate of slips that follows."""
        facts = self.facts
        return (
            f"{self.same:,} of {self.n:,} hidden repeats answered alike, {100 * self.value:.0f} %"
            f" ({100 * self.confidence:g} % interval {100 * self.low:.0f} to {100 * self.high:.0f} %); so about"
            f" {100 * self.error_rate:.1f} % of the answers are slips ({100 * facts['error_low']:.1f} to"
            f" {100 * facts['error_high']:.1f} %), if two answers err independently"
        )


def error_rate(differ: float, n_classes: int) -> float:
    """The e of ``1 - (1 - e)^2 - e^2 / (k - 1) = differ``; at most what guessing would give."""
    k = max(n_classes, 2)  # with one class nobody can err
    # where more differ than guessing would give there is no such e: the root would be of a negative number
    return (k - 1) / k * (1.0 - math.sqrt(max(0.0, 1.0 - differ * k / (k - 1))))


def self_agreement(state: State) -> SelfAgreement | None:
    """Return what the repeats say; None without any that was answered with a class."""
    named = [repeat for repeat in state.repeats if repeat.word == "label" and state.event(repeat.first) is not None]
    if not named:
        return None
    same = sum(_class_now(state, one.first_class) == _class_now(state, one.class_id) for one in named)
    low, high = clopper_pearson(same, len(named), CONFIDENCE)
    # retired classes count: their answers were given as the others were
    n_classes = sum(1 for info in state.classes.values() if info.merged_into == UNLABELED)
    return SelfAgreement(
        n=len(named),
        low=low,
        high=high,
        confidence=CONFIDENCE,
        same=same,
        others=len(state.repeats) - len(named),
        n_classes=n_classes,
    )
