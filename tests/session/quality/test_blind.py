"""The blind share: which questions hide their guesses, what is kept of them, and that the figures hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from labeler.session.quality.blind import sway
from labeler.session.quality.turns import FIRST, Blind, Control

N = 300


@pytest.fixture
def asked(make_session, make_queue):
    """`count` questions that guess class 0, `share` of them blind; `says` answers."""

    def run(count, says, share=0.3, seed=0, **given):
        session = make_session(N, **given)
        session.questions.blind = Blind(share, seed)
        session.merge_queue(make_queue(range(N), classes=(0, 1)), session.state.revision)
        for _ in range(count):
            session.label(session.question.instance_id, says(session.question))
        return session

    return run


def answers(journal):
    return [event.payload for event in journal.events if event.kind == "label"]


def test_no_question_is_blind_unless_asked_for(asked, journal):
    session = asked(60, lambda question: 0, share=0.0, journal=journal)
    assert all("blind" not in how and "hidden" not in how for how in answers(journal))
    assert sway(session.state) is None


def test_the_guess_of_a_blind_question_is_kept_but_was_not_shown(asked, journal):
    asked(200, lambda question: 0, journal=journal)
    said = answers(journal)
    assert all("blind" not in how for how in said[:FIRST])
    blind = [how for how in said[FIRST:] if how["blind"]]
    assert 40 <= len(blind) <= 75
    assert all(how["hidden"][0][0] == 0 and "shown" not in how for how in blind)
    assert all(how["shown"][0][0] == 0 and "hidden" not in how for how in said[FIRST:] if not how["blind"])


def test_seed_and_number_of_answers_decide_alone_and_it_stays_blind_over_a_restart(asked, make_session, new_journal):
    journals = [new_journal() for _ in range(3)]
    for journal, seed in zip(journals, (1, 1, 2), strict=True):
        asked(80, lambda question: 0, seed=seed, journal=journal)
    said = [[how.get("blind") for how in answers(journal)] for journal in journals]
    assert said[0] == said[1] != said[2]
    session = asked(FIRST, lambda question: 0, share=1.0)
    assert session.question.blind
    session.skip(session.question.instance_id)  # no answer: the next one is blind as well
    assert session.question.blind
    again = make_session(N, session.recorder.journal, classes=()).question  # its guesses are those of its own engine
    assert replace(again, guesses=()) == replace(session.question, guesses=())


def test_a_random_question_and_one_without_guesses_are_of_neither_kind(asked, journal, make_session):
    session = asked(0, lambda question: 0, share=0.5, journal=journal)
    session.questions.control = Control(0.4, 0)
    for _ in range(100):
        session.label(session.question.instance_id, 0)
    at_random = [how for how in answers(journal) if how["rule"] == "random"]
    assert len(at_random) > 20
    assert all("blind" not in how for how in at_random)
    found = sway(session.state)
    assert found.seen + found.unseen == 100 - FIRST - len(at_random)
    bare = make_session(N)  # a queue without guesses
    bare.questions.blind = Blind(1.0)
    for _ in range(20):
        bare.label(bare.question.instance_id, 0)
    assert not bare.question.blind
    assert sway(bare.state) is None


def test_a_person_who_follows_the_guesses_is_told_from_one_who_does_not(asked):
    followed, judged = np.random.default_rng(0).random(N) < 0.7, np.random.default_rng(1).random(N) < 0.7
    swayed = sway(asked(250, lambda q: 0 if not q.blind or followed[q.index] else 1).state)
    assert (swayed.seen_same, swayed.seen) == (swayed.seen, 250 - FIRST - swayed.unseen)
    assert swayed.low > 0.1
    assert "sways the answer towards it" in swayed.statement
    free = sway(asked(250, lambda q: 0 if judged[q.index] else 1).state)
    assert free.low < 0.0 < free.high
    assert "no sway can be told" in free.statement
    assert set(free.facts) == {"shown", "blind", "difference", "low", "high", "confidence"}


@pytest.mark.slow
def test_the_interval_covers_a_difference_that_is_there(asked):
    covered = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        draws = rng.random(N)
        found = sway(asked(200, lambda q, d=draws: 0 if d[q.index] < (0.7 if q.blind else 0.9) else 1, seed=seed).state)
        covered += found.low <= 0.2 <= found.high
    assert binom.cdf(covered, 40, 0.95) > 0.01


def test_what_is_taken_back_or_merged_counts_as_it_is_now(asked):
    session = asked(60, lambda question: 1)
    assert (sway(session.state).seen_same, sway(session.state).unseen_same) == (0, 0)
    session.classes.merge(1, 0)
    found = sway(session.state)
    assert (found.seen_same, found.unseen_same) == (found.seen, found.unseen)
    while session.state.undo_target() is not None:
        session.undo()
    assert sway(session.state) is None
