"""All that is measured of the labels and of the person who gave them, each as far as there is something to say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from labeler.core.stats.measurement import Measurement
from labeler.session.audit.audits import Certificate
from labeler.session.quality.blind import Sway, sway
from labeler.session.quality.random_sample import Estimate, estimate
from labeler.session.quality.repeats import SelfAgreement, self_agreement
from labeler.session.state import State

NOT_KNOWN = "not known: an audit (E) or --control 0.1 tells it"


def measure(state: State, certificate: Certificate | None = None) -> list[Measurement]:
    """Measure what can be measured; of an audit what it certifies now, once something was looked at."""
    # with no look the bound is trivial: "at least 0 % right" would only frighten
    certified = certificate if certificate is not None and certificate.n else None
    measurements = (certified, estimate(state), self_agreement(state), sway(state))
    return [measurement for measurement in measurements if measurement is not None]


def records(measurements: Iterable[Measurement]) -> dict[str, dict[str, Any] | None]:
    """Return what the questions that measure say, by name, as JSON holds it; None for what was not measured."""
    measured = {measurement.name: measurement.record for measurement in measurements}
    return {kind.name: measured.get(kind.name) for kind in (Estimate, SelfAgreement, Sway)}
