"""What the questions that measure say: in short for the dashboard, in a sentence for the summary."""

from __future__ import annotations

from dataclasses import dataclass

from labeler.session.audit.audits import Certificate, floored
from labeler.session.quality.blind import sway
from labeler.session.quality.random_sample import estimate
from labeler.session.quality.repeats import self_agreement
from labeler.session.state import State

NOT_KNOWN = "not known: an audit (E) or --control 0.1 tells it"


@dataclass(frozen=True, slots=True)
class Measured:
    """One of them: its name, what it says in a line of 60 cells, and the sentence that may stand alone."""

    name: str
    brief: str
    statement: str


def measured(state: State, certificate: Certificate | None = None) -> list[Measured]:
    """All there is; of an audit what holds now, once something was looked at."""
    control, twice, swayed = estimate(state), self_agreement(state), sway(state)
    found = []
    if certificate is not None and certificate.checked:
        brief = (
            f"≥ {floored(certificate.lower_bound)} % of {certificate.population:,} frozen labels right "
            f"({100 * certificate.confidence:g} %)"
        )
        name = "certificate" if state.audits and state.audits[-1].drawn else "audit so far"
        found.append(Measured(name, brief, certificate.statement))
    if control is not None:
        found.append(Measured("accuracy", control.figure, f"{control.figure}, as the labels stood then"))
        found.append(Measured("active questions", control.brief, control.verdict))
    if twice is not None:
        found.append(Measured("repeats", twice.brief, twice.statement))
    if swayed is not None:
        found.append(Measured("first guess", swayed.brief, swayed.statement))
    return found
