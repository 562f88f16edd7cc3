"""The chance that there is a class nobody has named: counted from the given labels alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from labeler.session.state import State


@dataclass(frozen=True, slots=True)
class Unseen:
    """The share of given labels (`once` of `labels`) that are the only one of their class: the chance that the next
    answer is of a class without one (Good, Biometrika 40, 1953). Questions are not drawn at random: it is a sign."""

    labels: int
    once: int

    @property
    def chance(self) -> float:
        """The chance, in [0, 1]."""
        return self.once / self.labels

    @property
    def brief(self) -> str:
        """In a line of 60 cells."""
        only = "is its class's only one" if self.once == 1 else "are their classes' only ones"
        return f"about {100 * self.chance:.1f} % ({self.once:,} of {self.labels:,} labels {only})"

    @property
    def statement(self) -> str:
        """In a sentence that may stand alone."""
        return f"the chance of a class that nobody has named yet is {self.brief}; a sign, no measurement"

    @property
    def facts(self) -> dict[str, Any]:
        """JSON-able."""
        return {"labels": self.labels, "once": self.once, "chance": self.chance}


def unseen_class(state: State) -> Unseen | None:
    """The meter as the journal stands; None before the first given label."""
    given: Counter[int] = Counter()
    # over all provenances: a class with one answer and one import has two labels
    for (class_id, _), count in state.answers.given.items():
        given[class_id] += count
    total = given.total()
    return Unseen(total, sum(count == 1 for count in given.values())) if total else None
