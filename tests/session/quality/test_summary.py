"""All that is measured at once: in which order, under which names, and that every text is of the same figures."""

from __future__ import annotations

import json

import numpy as np
import pytest

from labeler.core.types import Provenance
from labeler.session.audit.audits import Certificate
from labeler.session.quality.summary import measure, records
from labeler.session.quality.turns import Blind, Control, Repeats

N = 400


def certificate(**given):
    figures = {"number": 1, "target": 0.98, "alpha": 0.05, "population": 200, "wrong": 1, "most_wrong": 10}
    figures |= {"n": 50, "low": 0.95, "high": 0.995, "confidence": 0.95, "set_sha256": "", "taken_back": 0}
    return Certificate(**figures | given)


@pytest.fixture
def session(make_session, make_round):
    session, labels = make_session(N, classes=("a", "b"), with_round=False), np.arange(N) % 2
    round_ = make_round(N, session.state.revision, labels, np.full(N, Provenance.PROPAGATED))
    round_.queue.guesses[:, 0], round_.queue.guess_scores[:, 0] = labels, 0.6
    session.merge_round(round_)
    session.questions.control = Control(0.2, 1)
    session.questions.repeats = Repeats(0.2, 1)
    session.questions.blind = Blind(0.3, 1)
    for number in range(150):
        session.label(session.question.instance_id, int(number % 7 > 2))
    return session


def test_each_is_measured_once_and_has_its_name(session):
    measurements = measure(session.state, certificate())
    assert [measurement.name for measurement in measurements] == ["certificate", "estimate", "self_agreement", "sway"]
    for measurement in measurements:
        assert measurement.low <= measurement.value <= measurement.high
        assert measurement.n > 0
        assert json.loads(json.dumps(measurement.record))["statement"] == measurement.statement
        assert all(len(line.brief) <= 76 and line.brief and line.statement for line in measurement.lines)
    written = records(measurements)
    assert list(written) == ["estimate", "self_agreement", "sway"]
    assert written["sway"] == measurements[3].facts | {"statement": measurements[3].statement}


def test_what_was_not_measured_is_said_to_be_none(make_session):
    session = make_session(N)
    assert measure(session.state) == []
    assert measure(session.state, certificate(n=0, wrong=0)) == []  # begun, but nothing was looked at
    assert records([]) == {"estimate": None, "self_agreement": None, "sway": None}


def test_an_audit_is_a_certificate_once_its_statement_is_drawn():
    assert [line.title for line in certificate().lines] == ["audit so far"]
    (line,) = certificate(drawn=True).lines
    assert line.title == "certificate"
    assert line.brief == "≥ 95.00 % of 200 frozen labels right (95 %)"
    assert certificate().value == pytest.approx(1 - 1 / 50)


def test_the_turns_of_one_kind_do_not_follow_those_of_another():
    kinds = (Control(0.5, 7), Repeats(0.5, 7), Blind(0.5, 7))
    drawn = [np.array([kind.generator(turn) is not None for turn in range(400)]) for kind in kinds]
    for one in drawn:
        assert 150 < one.sum() < 250
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert 120 < (drawn[first] == drawn[second]).sum() < 280
    assert all(kind.generator(3) is None for kind in (Control(), Repeats(), Blind()))
