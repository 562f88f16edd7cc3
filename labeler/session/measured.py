"""What the questions that measure say, a line each: for the dashboard and the summary."""

from __future__ import annotations

from labeler.session.blind import sway
from labeler.session.control import estimate
from labeler.session.repeats import self_agreement
from labeler.session.state import State

NOT_KNOWN = "not known: only an audit (E), or questions drawn at random (--control 0.1), tell it"


def measured(state: State) -> list[tuple[str, str]]:
    """(name, statement) of each; the accuracy always, if only to say that nobody knows it."""
    control, twice, swayed = estimate(state), self_agreement(state), sway(state)
    found = [("accuracy", control.figure if control is not None else NOT_KNOWN)]
    found += [("active questions", control.verdict)] if control is not None else []
    found += [("repeats", twice.statement)] if twice is not None else []
    found += [("blind", swayed.statement)] if swayed is not None else []
    return found
