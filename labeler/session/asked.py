"""How a question was asked, as the event of its answer keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labeler.core import codec
from labeler.core.types import Event, Question

QUESTION = "question"
"""The screen of the pinned question."""
PYTHON = "python"
"""A script or a notebook that is handed the pinned question."""
ASKING = frozenset({QUESTION, PYTHON})
"""Where the pinned question is asked: what is said there answers it as it was asked. Elsewhere a person chose."""

Guesses = tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HowAsked:
    """Where and by which rule; the guesses that were `shown` or `hidden`; `blind` where chance decided about that.

    `margin`: the model's at that moment. `machine`: of a random question the engine's label before the answer.
    """

    screen: str = ""
    rule: str = ""
    margin: float = 1.0
    shown: Guesses | None = None
    hidden: Guesses | None = None
    blind: bool | None = None
    machine: int | None = None

    @property
    def guesses(self) -> Guesses:
        """Those the engine had, seen or not."""
        return self.shown or self.hidden or ()

    @property
    def payload(self) -> dict[str, Any]:
        """For an event; without what there is nothing to say of."""
        return {name: value for name, value in codec.encode(self, {}).items() if value is not None}


def how_asked(event: Event) -> HowAsked:
    """What an event keeps of its question; nothing where it keeps none, or none that can be read."""
    try:
        return codec.decode(HowAsked, event.payload)
    except codec.Unreadable:
        return HowAsked()


def as_asked(question: Question, screen: str) -> HowAsked:
    """How `question` is asked now."""
    guesses = tuple((guess, round(score, 4)) for guess, score in question.guesses) or None
    return HowAsked(
        screen=screen,
        rule=question.rule,
        margin=question.margin,
        shown=None if question.blind else guesses,
        hidden=guesses if question.blind else None,
        blind=question.blind if question.drawn else None,
    )
