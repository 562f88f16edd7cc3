"""The points of the learning curve."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from labeler.core.types import Provenance, Tier
from labeler.session.learning_curve import MOST, Point, grown, packed, standing, unpacked

PROPAGATED, PREDICTED = Provenance.PROPAGATED, Provenance.PREDICTED


def point(answers: int, **others) -> Point:
    return Point(answers, answers, 100, answers, 0, 0, 0, 0, **others)


def test_it_stays_bounded_and_keeps_both_ends():
    history: tuple[Point, ...] = ()
    for answers in range(1, 2_000):
        history = grown(history, point(answers))
        assert len(history) <= MOST
    assert [history[0].answers, history[-1].answers] == [1, 1_999]
    answers = [one.answers for one in history]
    assert answers == sorted(answers)
    assert answers[-MOST // 4 :] == list(range(2_000 - MOST // 4, 2_000))  # the latest ones, every one


@given(st.lists(st.integers(0, 60), max_size=40))
def test_what_came_after_an_undo_is_dropped_and_a_round_at_the_same_answer_replaces(sequence):
    history: tuple[Point, ...] = ()
    for keys, answers in enumerate(sequence):
        history = grown(history, Point(answers, keys, 100, answers, 0, 0, 0, 0))
        assert history[-1] == Point(answers, keys, 100, answers, 0, 0, 0, 0)
        assert [one.answers for one in history] == sorted({one.answers for one in history})
    assert all(one.answers <= 30 for one in standing(history, 30))


def test_it_survives_json():
    history = (point(3, expected_errors=1.5), point(4, agreement=0.9931), point(5))
    assert unpacked(json.loads(json.dumps(packed(history)))) == history
    assert unpacked(None) == unpacked([[1, 2]]) == unpacked(7) == ()


def test_a_point_a_round(make_session, make_round, journal):
    session = make_session(40, journal)
    for label in (0, 1, 0):
        session.label(session.question.instance_id, label)
    round_ = make_round(40, session.state.revision, [0] * 40, [PROPAGATED] * 10 + [PREDICTED] * 30)
    round_.tiers[:20], round_.tiers[20:30] = Tier.LOCKED, Tier.LIKELY
    round_.facts["expected_errors"] = 2.345
    session.merge_round(round_)
    latest = session.view().history[-1]
    assert latest == Point(3, 3, 40, 3, 7, 17, 10, 10, 2.3, None)
    assert (latest.coverage, latest.trusted) == (10 / 40, 30 / 40)


def test_agreement_is_with_the_round_before(make_session, make_round):
    session = make_session(40)
    for labels, agreement in (([0, 1] * 20, None), ([0, 1] * 20, 1.0), ([1, 0] * 20, -1.0)):
        session.label(session.question.instance_id, 0)
        session.merge_round(make_round(40, session.state.revision, labels, [PREDICTED] * 40))
        assert session.view().history[-1].agreement == agreement
    session.merge_round(make_round(40, session.state.revision, [1, 0] * 20, [PREDICTED] * 40))
    assert session.view().history[-1].agreement == -1.0  # no answer since: nothing to agree about


def test_undo_hides_later_points_and_redo_shows_them_and_a_restart_keeps_them(make_session, make_round, journal):
    session = make_session(40, journal)
    for _ in range(3):
        session.label(session.question.instance_id, 0)
        session.merge_round(make_round(40, session.state.revision, [0] * 40, [PREDICTED] * 40))
    full = session.view().history
    assert [one.answers for one in full] == [0, 1, 2, 3]
    session.undo()
    assert session.view().history == full[:3]
    session.redo()
    assert session.view().history == full
    assert make_session(40, journal).view().history == full


def test_keys_are_presses(make_session, journal):
    session = make_session(40, journal)
    session.label("i0", 0)
    session.page([("i1", 0, "confirmed"), ("i2", 1, "human"), ("i3", 1, "human")])
    session.undo()
    session.flag("i5")
    session.imports.labels([("i6", 0)], "file")
    session.set(percentile=30.0)
    assert session.view().keys == 1 + 3 + 1 + 1
    assert make_session(40, journal).view().keys == 6
