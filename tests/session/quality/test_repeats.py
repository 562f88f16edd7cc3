"""Hidden repeats: when one comes, that it looks like any question, that the first answer stays, and what they say."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from scipy.stats import binom

from labeler.commands.simulate.oracle import Oracle
from labeler.core.stats.intervals import clopper_pearson
from labeler.core.types import UNLABELED, Provenance
from labeler.session.quality.repeats import error_rate, self_agreement, to_look_at
from labeler.session.quality.turns import AGO, Repeats

N = 400
NAMES = tuple("abcdefghij")


@pytest.fixture
def asked(make_session, make_queue):
    """A session over N instances of ten classes, `share` of its questions repeats, answered `count` times by `says`."""

    def run(count, says, share=0.5, seed=0, **given):
        session = make_session(N, classes=NAMES, **given)
        session.questions.repeats = Repeats(share, seed)
        session.merge_queue(make_queue(range(N), classes=(0, 1, 2)), session.state.revision)
        for _ in range(count):
            question = session.question
            session.label(question.instance_id, says(question))
        return session

    return run


def by_number(question):
    return question.index % 10


def first_repeat(session, says=by_number):
    """Answer until the question is a repeat."""
    while not session.question.first:
        session.label(session.question.instance_id, says(session.question))
    return session.question


def test_none_unless_asked_for_and_none_among_the_first_answers(asked, journal):
    asked(60, by_number, share=0.0, journal=journal)
    assert {event.kind for event in journal.events} == {"class_add", "label"}
    session = asked(3 * AGO, by_number, share=0.5)
    assert session.state.repeats
    assert all(repeat.seq > session.state.answers[repeat.index].seq + AGO for repeat in session.state.repeats)


def test_about_the_share_is_repeated_each_answer_once(asked, journal):
    session = asked(300, by_number, share=0.1, journal=journal)
    kinds = Counter(event.kind for event in journal.events)
    assert 15 <= kinds["repeat"] <= 45
    assert kinds["repeat"] + kinds["label"] == 300
    assert len({repeat.first for repeat in session.state.repeats}) == len(session.state.repeats)


def test_it_looks_like_the_question_it_repeats_and_says_nothing_of_the_answer(asked):
    session = asked(AGO + 2, by_number)
    question = first_repeat(session)
    event = session.state.event(question.first)
    assert (question.rule, question.margin) == (event.payload["rule"], event.payload["margin"])
    assert [list(guess) for guess in question.guesses] == event.payload["shown"]
    assert not question.blind
    view = session.view()
    assert view.question == question


@pytest.mark.parametrize("said", ["label", "skip", "unsure", "reject"])
def test_the_second_answer_changes_no_label_and_is_an_event_of_its_own(asked, journal, said):
    session = asked(AGO + 2, by_number, journal=journal)
    question = first_repeat(session)
    state, before = session.state, dict(session.state.answers)
    answers = state.answers.n_single
    if said == "label":
        session.label(question.instance_id, (question.index + 1) % 10)
    else:
        getattr(session, said)(question.instance_id)
    event = journal.events[-1]
    assert (event.kind, event.payload["said"]) == ("repeat", said)
    assert (event.payload["first"], event.payload["first_class"]) == (question.first, question.index % 10)
    assert (dict(state.answers), state.answers.n_single) == (before, answers)
    assert session.last.what == said
    assert session.question.index != question.index
    session.undo()
    assert session.question == question
    session.redo()
    assert session.question.index != question.index
    assert len(state.repeats) == 1


def test_what_is_said_of_it_elsewhere_is_an_answer_like_any_other(asked, journal):
    session = asked(AGO + 2, by_number, journal=journal)
    question = first_repeat(session)
    session.label(question.instance_id, 3, screen="search")
    assert journal.events[-1].kind == "label"
    assert session.state.answers[question.index].class_id == 3
    assert session.question.index != question.index  # there is nothing to repeat any more


def test_it_is_still_there_after_a_restart_and_when_the_engine_sends_others(asked, make_session, make_queue, journal):
    session = asked(AGO + 2, by_number, journal=journal)
    question = first_repeat(session)
    session.merge_queue(make_queue(range(N), classes=(4,)), session.state.revision)
    assert session.question == question
    again = make_session(N, journal, classes=())
    assert again.question == question
    again.label(question.instance_id, 0)
    assert journal.events[-1].kind == "repeat"


def test_a_repeat_that_an_older_version_kept_never_takes_the_place_of_the_first_answer(asked, make_session, journal):
    session = asked(AGO + 2, by_number, journal=journal)
    question = first_repeat(session)
    kept = json.loads(journal.kept)
    journal.kept = json.dumps(
        {name: kept[name] for name in ("revision", "index", "rule", "utility", "margin", "guesses")}
    )
    again = make_session(N, journal, classes=())
    assert again.question.index not in again.state.answers
    again.label(again.question.instance_id, 9)
    assert again.state.answers[question.index].class_id == question.index % 10


def test_seed_and_answers_decide_alone(asked, new_journal):
    journals = [new_journal() for _ in range(3)]
    for journal, seed in zip(journals, (1, 1, 2), strict=True):
        asked(120, by_number, seed=seed, share=0.2, journal=journal)
    said = [[(event.kind, event.instance_id) for event in journal.events] for journal in journals]
    assert said[0] == said[1] != said[2]


def test_only_the_persons_own_single_answers_to_questions_come_again(make_session, make_queue):
    session = make_session(N, classes=NAMES)
    session.merge_queue(make_queue(range(N), classes=(0, 1, 2)), session.state.revision)
    session.page([(f"i{index}", 0, "human") for index in range(100, 110)])
    session.label("i120", 0)  # chosen by hand
    session.recorder.annotator = "bob"
    session.label(session.question.instance_id, 0)
    session.recorder.annotator = ""
    own = []
    for _ in range(5):
        own.append(session.question.index)
        session.label(session.question.instance_id, 0)
    for _ in range(AGO):
        session.label(session.question.instance_id, 0)
    session.keep(f"i{own[0]}")
    drawn = Counter(Repeats(1.0, seed).draw(session.state).index for seed in range(400))
    assert set(drawn) == set(own[1:])
    assert min(drawn.values()) > 60


def test_two_different_answers_wait_in_the_second_look_until_somebody_decides(asked):
    session = asked(AGO + 2, by_number)
    question = first_repeat(session)
    session.label(question.instance_id, (question.index + 1) % 10)
    assert session.view().doubts == (question.index,)
    (repeat,) = to_look_at(session.state)
    assert repeat.class_id == (question.index + 1) % 10
    session.keep(question.instance_id)
    assert session.view().doubts == ()
    session.undo()
    assert session.view().doubts == (question.index,)
    session.label(question.instance_id, repeat.class_id, screen="second-look")
    assert session.view().doubts == ()
    session.undo()
    session.classes.merge(repeat.class_id, question.index % 10)  # then they are the same
    assert session.view().doubts == ()


def test_a_class_found_right_stays_so_where_it_is_merged_into_another(make_session):
    session = make_session(classes=("a", "b"))
    session.label("i1", 0)
    session.keep("i1")
    session.classes.merge(0, 1)
    assert session.state.is_kept(1)
    session.undo()
    assert session.state.is_kept(1)
    session.label("i1", 1)
    assert not session.state.is_kept(1)
    session.undo()
    session.undo()
    assert not session.state.is_kept(1)


# -- what they say -----------------------------------------------------------------------------------------------------


def test_what_came_without_a_class_is_counted_apart_and_what_was_undone_not_at_all(asked):
    session = asked(AGO + 2, by_number)
    assert self_agreement(session.state) is None
    session.skip(first_repeat(session).instance_id)
    assert self_agreement(session.state) is None
    question = first_repeat(session)
    session.label(question.instance_id, (question.index + 1) % 10)
    session.label(first_repeat(session).instance_id, session.question.index % 10)
    found = self_agreement(session.state)
    assert (found.n, found.same, found.others) == (2, 1, 1)
    assert "1 of 2 hidden repeats answered alike" in found.statement
    session.classes.merge((question.index + 1) % 10, question.index % 10)
    assert self_agreement(session.state).same == 2
    while session.state.repeats:
        session.undo()
    assert self_agreement(session.state) is None


@pytest.mark.parametrize("n_classes", [2, 3, 10])
@pytest.mark.parametrize("wrong", [0.0, 0.01, 0.05, 0.3])
def test_the_error_rate_solves_its_model(n_classes, wrong):
    differ = 1 - (1 - wrong) ** 2 - wrong**2 / (n_classes - 1)
    assert error_rate(differ, n_classes) == pytest.approx(wrong, abs=1e-12)
    assert error_rate(1.0, n_classes) == pytest.approx((n_classes - 1) / n_classes)  # no better than guessing


@pytest.mark.slow
def test_a_person_who_errs_at_5_percent_is_found_to():
    """Two answers of the simulated person to each of 400 instances, in 40 sessions' worth: figures and coverage."""
    truth = {f"i{index}": NAMES[index % 10] for index in range(N)}
    covered, rates = 0, []
    for seed in range(40):
        person = Oracle(truth, 0.05, seed)
        one = [person.answer(name) for name in truth]
        other = [person.answer(name, again=True) for name in truth]
        n, same = 60, sum(a == b for a, b in list(zip(one, other, strict=True))[:60])
        rates.append(error_rate(1 - same / n, 10))
        low, high = clopper_pearson(same, n)
        covered += error_rate(1 - high, 10) <= 0.05 <= error_rate(1 - low, 10)
    assert np.mean(rates) == pytest.approx(0.05, abs=0.008)
    assert binom.cdf(covered, 40, 0.95) > 0.01


@pytest.mark.slow
def test_the_session_finds_what_its_person_does(asked):
    truth = {f"i{index}": NAMES[index % 10] for index in range(N)}
    person = Oracle(truth, 0.05, 3)
    session = asked(390, lambda q: NAMES.index(person.answer(q.instance_id, again=bool(q.first))), share=0.4, seed=5)
    found = self_agreement(session.state)
    assert found.n > 100
    assert found.facts["error_low"] <= 0.05 <= found.facts["error_high"]
    assert found.error_rate == pytest.approx(0.05, abs=0.03)


def test_a_held_back_or_confirmed_label_is_never_overwritten(asked):
    session = asked(350, lambda q: 0 if q.first else q.index % 10, share=0.3)
    for index, standing in session.state.answers.items():
        assert standing.class_id == index % 10
        assert standing.provenance is Provenance.HUMAN
    assert len(session.state.repeats) > 50
    assert UNLABELED not in [standing.class_id for standing in session.state.answers.values()]
