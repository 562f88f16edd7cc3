"""The way in which a question was asked, as the event of its answer keeps it."""

from __future__ import annotations

from labeler.core.events import NOT_ASKED, Asked, Event, Guesses
from labeler.core.types import Question

__all__ = ["Guesses"]

QUESTION = "question"
"""The screen of the pinned question."""
PYTHON = "python"
"""A script or a notebook that is handed the pinned question."""
ASKING = frozenset({QUESTION, PYTHON})
"""Where the pinned question is asked: what is said there answers it as it was asked. Elsewhere a person chose."""


def asked_of(event: Event) -> Asked:
    """The record that an event keeps of its question; nothing where it keeps none."""
    asked: Asked = getattr(event.body, "asked", NOT_ASKED)
    return asked


def as_asked(question: Question, screen: str) -> Asked:
    """Return how `question` is asked now."""
    # four digits: more than any screen shows, and a short row in a journal that keeps every answer for good
    guesses = tuple((guess, round(score, 4)) for guess, score in question.guesses) or None
    return Asked(
        screen=screen,
        rule=question.rule,
        margin=question.margin,
        shown=None if question.blind else guesses,
        hidden=guesses if question.blind else None,
        # None where no lot was drawn: such a question belongs to neither side of the comparison in `sway`
        blind=question.blind if question.drawn else None,
    )
