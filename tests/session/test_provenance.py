"""Why a label is what it is: the facts that `labeler why` and the why screen share."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from labeler.core.types import Provenance
from labeler.session.provenance import LEAST_SHARE, MOST_NAMED, carried, percent_of_belief, press_of, reasons
from labeler.session.quality.turns import AGO, FIRST, Blind, Repeats

PROPAGATED = Provenance.PROPAGATED


@pytest.fixture
def session(make_session, make_round, make_queue):
    """Classes a, b; instance 0 was asked with guesses and answered a, 1 came on a page, 2 with an import."""
    session = make_session(12, with_round=False)
    session.recorder.annotator = "anna"
    session.merge_queue(make_queue(range(12), classes=(0, 1), rule="guard"), session.state.revision)
    session.label(session.question.instance_id, 0)
    session.page([("i1", 1, "confirmed")])
    session.imports.labels([("i2", 1)], "old labels.csv")
    sources = np.full(12, 0)
    sources[:3] = range(3)
    labels, doubts = np.zeros(12), np.zeros(12)
    labels[1:3], doubts[0] = 1, 0.75
    round_ = make_round(12, session.state.revision, labels, [PROPAGATED] * 12, doubts=doubts, sources=sources, number=3)
    session.merge_round(dataclasses.replace(round_, runner_ups=np.ones(12, dtype=np.int32)))
    return session


def test_a_machine_label_names_round_score_cluster_and_nearest_answer(session):
    found = reasons(session, 7)
    assert found.heading == "a · propagated in round 3 · score 0.500 · tier ask"
    assert found.lines == [
        "runner-up b",
        "cluster 0, 7.000 from its center; its representative i0 (a)",
        "through the graph of neighbors, by answers of its class",
    ]
    assert found.nearest.instance_id == "i0"
    assert found.press is None


def test_a_given_label_is_its_key_press_and_what_the_engine_would_say(session):
    found = reasons(session, 0)
    event = next(event for event in session.recorder.journal.events if event.kind == "label")
    assert found.press.event_id == event.event_id
    assert found.heading.startswith("a · human on ")
    assert found.heading.endswith(" by anna, round 1")
    assert found.lines == [
        "on the question screen, asked as guard",
        "guesses shown: a 62 %, b 25 %",
        "without it the engine believes a at 25 % and would say b",
        "cluster 0, 0.000 from its center; it is its representative",
    ]


def test_pages_and_imports_say_where_they_came_from(session):
    assert reasons(session, 1).lines[0] == "on a page of one class"
    assert reasons(session, 1).heading.startswith("b · confirmed on ")
    assert reasons(session, 2).lines[0] == "imported from old labels.csv"


def test_a_second_look_is_told(session):
    session.keep("i0")
    assert "looked at twice and kept" in reasons(session, 0).lines


def test_what_a_person_said_without_a_label(session):
    session.unsure("i5")
    assert reasons(session, 5).heading.startswith("a · propagated")
    assert reasons(session, 5).lines[0].startswith("unsure on ")
    session.reject("i6")
    assert reasons(session, 6).heading == "no label: rejected"


def test_nothing_known_is_one_line(make_session):
    found = reasons(make_session(3, with_round=False), 1)
    assert found.heading == "no label yet: no round has been computed since it joined"
    assert found.lines == []


def test_shares_name_only_answers_that_stand(session):
    session.unsure("i3")
    named, more = carried(session, [(1, 0.6), (3, 0.2), (0, 0.1), (9, 0.05), (2, LEAST_SHARE / 2)])
    assert [(press.instance_id, share) for press, share in named] == [("i1", 0.6), ("i0", 0.1)]
    assert more == 1
    session.undo()
    session.undo()
    assert press_of(session, 2) is None
    assert carried(session, [(1, 0.6), (2, 0.4)])[0][-1][0].instance_id == "i1"


def test_many_carriers_are_counted(make_session):
    session = make_session(60)
    for index in range(40):
        session.label(f"i{index}", 0)
    named, more = carried(session, [(index, 1 / 40) for index in range(40)])
    assert (len(named), more) == (MOST_NAMED, 40 - MOST_NAMED)


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "<0.1 %"), (0.0004, "<0.1 %"), (0.003, "0.3 %"), (0.25, "25 %"), (0.994, "99.4 %"), (0.99999, ">99.9 %")],
)
def test_small_beliefs_are_told_apart(share, text):
    assert percent_of_belief(share) == text


def test_outside_strings_are_safe(make_session):
    session = make_session(3, classes=("a\x1b[2J", "[/x]"))
    session.recorder.annotator = "\x1b]2;pwned\x07"
    session.label("i1", 0)
    session.imports.labels([("i2", 1)], "\u202egpj.csv")
    for index in (1, 2):
        found = reasons(session, index)
        assert not {"\x1b", "\x07", "\u202e"} & set("".join([found.heading, *found.lines]))


def test_soft_assignment_and_anomalies_are_said_where_they_are_known(session):
    round_ = session.machine_labels.round
    n = len(round_.labels)
    shares, seconds = np.full(n, 0.83, np.float32), np.full(n, 4, np.int32)
    outliers = np.zeros(n, np.uint8)
    outliers[8] = 1
    session.merge_round(dataclasses.replace(round_, shares=shares, seconds=seconds, outliers=outliers))
    assert reasons(session, 7).lines[-2] == "soft assignment: 83 % of it to this cluster, most of the rest to cluster 4"
    assert reasons(session, 8).lines[-2].startswith("in no cluster, an anomaly; nearest cluster 0, 8.000 from")
    assert (reasons(session, 7).share, reasons(session, 7).second) == (pytest.approx(0.83), 4)


def test_a_blind_answer_and_a_second_one_say_so(make_session, make_queue):
    session = make_session(40, classes=("a", "b"))
    session.merge_queue(make_queue(range(40), classes=(0, 1)), session.state.revision)
    session.questions.blind = Blind(1.0)
    for _ in range(AGO + FIRST + 1):
        session.label(session.question.instance_id, 0)
    session.questions.repeats = Repeats(1.0, 3)
    session.recorder.annotator = ""
    session.label(session.question.instance_id, 0)
    blind = session.state.answers[FIRST]
    lines = reasons(session, FIRST).lines
    assert "no guesses shown: blind; the first was a 62 %" in lines
    assert blind.class_id == 0
    index = session.question.index
    assert session.question.first
    session.label(session.question.instance_id, 1)
    (again,) = [line for line in reasons(session, index).lines if line.startswith("answered again on ")]
    assert again.endswith(", blind to this: b")
    session.undo()
    session.unsure(session.question.instance_id)
    assert any(line.endswith("blind to this: unsure") for line in reasons(session, index).lines)


def test_how_a_label_came_is_said_as_the_engine_goes_about_it(session, make_round):
    round_ = make_round(12, session.state.revision, np.zeros(12), [PROPAGATED] * 11 + [Provenance.PREDICTED])
    session.merge_round(dataclasses.replace(round_, facts={"engine": "book"}))
    assert "through its cluster, from the nearest answer in it" in reasons(session, 7).lines
    assert "by the classifier; the nearest answer of its class is named" in reasons(session, 11).lines
