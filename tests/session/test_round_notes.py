"""Numbers that fall, and totals that change, are explained in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from labeler.core.events import ClassMerge, Label, Setting, Split, Undo
from labeler.core.types import Provenance
from labeler.session.round_notes import notes_of

N = 400
LABEL = Label("i0", 0)
PROPAGATED, PREDICTED, HUMAN = Provenance.PROPAGATED, Provenance.PREDICTED, Provenance.HUMAN


@pytest.fixture
def spread_to(make_round):
    """A round in which `count` labels spread; `answers` of so many classes stand in it."""

    def make(count, revision, spread="likely", answers=(0, 1), clusters=3):
        provenances = np.where(np.arange(N) < count, PROPAGATED, PREDICTED)
        labels = np.zeros(N, dtype=int)
        labels[-len(answers) :], provenances[-len(answers) :] = answers, HUMAN
        round_ = make_round(N, revision, labels, provenances)
        return replace(round_, facts={"spread": spread}, representatives=np.arange(clusters))

    return make


@pytest.mark.parametrize(
    ("spread", "answers", "events", "words"),
    [
        ("likely", (0, 1), [LABEL, Undo()], "an answer was taken back"),
        ("likely", (0, 1, 2), [LABEL], "a class was added"),
        ("likely", (0, 1), [ClassMerge(0, 1)], "the classes were changed"),
        ("likely", (0, 1), [Setting({})], "how far labels spread was changed"),
        ("nothing", (0, 1), [LABEL], "left-out answers say that labels do not spread here"),
        ("unproven", (0, 1), [LABEL], "nothing spreads until left-out answers bear it out"),
        ("locked", (0, 1), [LABEL], "only the surest labels spread now"),
        ("likely", (0, 1), [LABEL], "the latest answers make it less sure of them"),
    ],
)
def test_a_fall_says_why(spread_to, spread, answers, events, words):
    (note,) = notes_of(spread_to(283, 1), spread_to(10, 2, spread, answers), (283, 10), events)
    assert note.startswith("labeled fell from 283 to 10: ")
    assert words in note


def test_a_fall_names_views_that_are_not_here_before_it_guesses(spread_to):
    before, after = spread_to(283, 1), spread_to(10, 2, "locked")
    before = replace(before, facts=before.facts | {"lead": [1, 20]})
    (note,) = notes_of(before, after, (283, 10), [LABEL])
    assert "not all views of the pool that it was labeled by are here" in note
    assert "an answer was taken back" in notes_of(before, after, (283, 10), [Undo()])[0]
    led = replace(after, facts=after.facts | {"lead": [0, 20]})
    assert "only the surest labels" in notes_of(before, led, (283, 10), [LABEL])[0]


def test_growth_and_a_few_labels_to_and_fro_are_no_news(spread_to):
    assert notes_of(spread_to(10, 1), spread_to(283, 2), (10, 283), [LABEL]) == []
    assert notes_of(spread_to(283, 1), spread_to(281, 2), (283, 281), [LABEL]) == []
    assert notes_of(None, spread_to(281, 2), (283, 1), [LABEL]) == []


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ((2, 0), "2 divisions of yours may be gone"),
        ((0, 1), "1 percentile of a cluster's own may hold for other instances"),
        ((1, 1), "1 division of yours may be gone, 1 percentile of a cluster's own"),
        ((0, 0), ""),
    ],
)
def test_rules_of_clusters_are_named_where_another_encoder_made_the_clusters(spread_to, rules, words):
    first, same, other = (
        replace(spread_to(9, revision), facts={"encoder": encoder})
        for revision, encoder in ((1, "scattering"), (2, "scattering"), (3, "net"))
    )
    notes = notes_of(same, other, (9, 9), [LABEL], rules)
    assert len(notes) == bool(words)
    assert words in "".join(notes)
    assert notes_of(first, same, (9, 9), [LABEL], rules) == []
    assert notes_of(replace(first, facts={}), other, (9, 9), [LABEL], rules) == []


def test_a_session_names_its_own_rules_when_the_lead_changes(make_session, make_round):
    session = make_session()
    round_ = session.machine_labels.round
    name = session.pool.ids[int(round_.representatives[0])]
    session.clusters.split(name)
    session.clusters.reach(name, 0.0)
    session.clusters.reach("i1", 50.0)
    session.clusters.reach("i1", None)  # as everywhere: no rule of its own
    for encoder in ("scattering", "net"):
        session.merge_round(replace(make_round(40, session.state.revision), facts={"encoder": encoder}))
    assert any("1 division of yours" in note and "1 percentile" in note for note in session.round_notes)


def test_another_number_of_representatives_is_said(spread_to):
    few, many = spread_to(9, 1, clusters=20), spread_to(9, 2, clusters=60)
    assert notes_of(few, many, (9, 9), [LABEL]) == ["finer clusters: 60 representatives"]
    assert notes_of(many, few, (9, 9), [Undo()]) == ["coarser clusters: 20 representatives"]
    assert notes_of(few, spread_to(9, 2, clusters=21), (9, 9), [Split("i0")]) == [
        "a cluster was divided: 21 representatives"
    ]


def test_the_session_says_it_of_the_round_it_took_and_once(make_session, spread_to):
    session = make_session(N)
    session.merge_round(spread_to(300, session.state.revision))
    assert session.round_notes == []
    session.label("i399", 1)
    session.undo()
    session.merge_round(spread_to(20, session.state.revision))
    assert session.round_notes == ["labeled fell from 300 to 20: an answer was taken back"]
    session.merge_round(spread_to(20, session.state.revision))
    assert session.round_notes == []
    session.merge_round(spread_to(0, session.state.revision, "unproven"))
    assert session.round_notes == ["labeled fell from 20 to 0: nothing spreads until left-out answers bear it out"]


def test_the_chain_names_what_is_in_force(make_session, spread_to, make_round):
    session = make_session(N)

    def active():
        return [stage.text for stage in session.view().chain if stage.active]

    def propagates():
        return next(stage.text for stage in session.view().chain if stage.text.startswith("propagate"))

    session.merge_round(spread_to(300, session.state.revision))
    assert propagates() == "propagate auto"
    session.merge_round(spread_to(0, session.state.revision, "unproven"))
    assert propagates() == "propagate nothing yet"
    session.merge_round(spread_to(0, session.state.revision, "nothing"))
    assert propagates() == "propagate nothing"
    session.set(percentile=20.0)
    assert propagates() == "propagate 20 %"
    assert active() == ["uncertain"]
    small = make_session(2)
    for index in range(2):
        small.label(f"i{index}", 0)
    assert [stage.text for stage in small.view().chain if stage.active] == ["nothing left to ask"]


def test_which_view_leads_is_said_when_it_changes_and_not_again(spread_to):
    def led(view):
        round_ = spread_to(9, 2)
        return replace(round_, facts=round_.facts | {"view": view})

    network, own = "lite0 leads, by the look of the pool", "hog leads, by 20 left-out answers"
    assert notes_of(spread_to(9, 1), led(network), (9, 9), [LABEL]) == [network]
    assert notes_of(led(network), led(own), (9, 9), [LABEL]) == [own]
    assert notes_of(led(own), led(own), (9, 9), [LABEL]) == []
    assert notes_of(spread_to(9, 1), led(7), (9, 9), [LABEL]) == []
