"""The random control arm: when it asks, what it records, and that its figures hold."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from labeler.core.stats.intervals import sign_test
from labeler.core.types import UNLABELED, Provenance
from labeler.session.quality.random_sample import estimate
from labeler.session.quality.turns import FIRST, Control

N = 200


@pytest.fixture
def measured(make_session, make_round):
    """A session whose engine says `labels` of instances that are of the classes `truth`; answered `count` times."""

    def run(labels, truth, count, share=0.5, seed=0, guesses=None, **given):
        session = make_session(len(labels), classes=("a", "b", "c"), with_round=False, **given)
        provenances = np.full(len(labels), Provenance.PROPAGATED)
        round_ = make_round(len(labels), session.state.revision, labels, provenances)
        if guesses is not None:
            round_.queue.guesses[:, 0], round_.queue.guess_scores[:, 0] = guesses, 0.6
        session.merge_round(round_)
        session.questions.control = Control(share, seed)
        for _ in range(count):
            index = session.question.index
            session.label(session.question.instance_id, int(truth[index]))
        return session

    return run


def rules(journal):
    return [event.payload["rule"] for event in journal.events if event.kind == "label"]


def test_nothing_is_random_unless_it_is_asked_for(measured, journal):
    zeros = np.zeros(N, dtype=int)
    session = measured(zeros, zeros, 60, share=0.0, journal=journal)
    assert set(rules(journal)) == {"uncertain"}
    assert estimate(session.state) is None


def test_about_the_share_is_random_none_at_first_and_the_engines_label_is_kept(measured, journal):
    labels = np.arange(N) % 3
    measured(labels, np.zeros(N, dtype=int), 150, share=0.2, journal=journal)
    asked = rules(journal)
    assert set(asked[:FIRST]) == {"uncertain"}
    assert 15 <= Counter(asked)["random"] <= 45
    for event in journal.events:
        if event.kind == "label":
            index = int(event.instance_id[1:])
            assert event.payload.get("machine") == (labels[index] if event.payload["rule"] == "random" else None)


def test_seed_and_number_of_answers_decide_alone(measured, make_session, new_journal):
    zeros = np.zeros(N, dtype=int)
    journals = [new_journal() for _ in range(3)]
    for journal, seed in zip(journals, (1, 1, 2), strict=True):
        measured(zeros, zeros, 80, seed=seed, journal=journal)
    asked = [[event.instance_id for event in journal.events if event.kind == "label"] for journal in journals]
    assert asked[0] == asked[1] != asked[2]


def test_every_open_instance_is_drawn_alike(make_session):
    session = make_session(20)
    for index in range(FIRST):
        session.label(f"i{index}", 0)
    session.pool.missing[19] = True
    drawn = Counter(Control(1.0, seed).draw(session.state) for seed in range(1800))
    assert set(drawn) == set(range(FIRST, 19))
    assert all(binomtest(times, 1800, 1 / 9).pvalue > 1e-4 for times in drawn.values())


@pytest.mark.slow
def test_the_interval_covers_the_accuracy_it_speaks_of(measured):
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, N)
    wrong = rng.random(N) < 0.15
    labels = np.where(wrong, (truth + 1) % 3, truth)
    accuracy, found = 1 - wrong.mean(), []
    for seed in range(60):
        order = rng.permutation(N)  # the engine asks in an order of its own: the random questions do not mind
        found.append(estimate(measured(labels[order], truth[order], 60, seed=seed).state))
    covered = sum(one.low <= accuracy <= one.high for one in found)
    assert binom.cdf(covered, len(found), 0.95) > 0.01
    assert np.mean([one.value for one in found]) == pytest.approx(accuracy, abs=0.03)


def test_active_questions_help_where_they_correct_more_labels_than_random_ones(measured, make_queue):
    truth = np.arange(N) % 3
    hard = np.arange(N) < 100  # what the engine asks first: wrong about every other one
    labels = np.where(hard & (np.arange(N) % 2 == 0), (truth + 1) % 3, truth)
    good = estimate(measured(labels, truth, 80, guesses=labels).state)
    assert good.helping is True
    assert "active questions are helping here" in good.statement
    assert good.corrected / good.active > 0.3 > 1 - good.value
    easy = np.where(~hard & (np.arange(N) % 2 == 0), (truth + 1) % 3, truth)
    bad = estimate(measured(easy, truth, 80, guesses=easy).state)
    assert bad.helping is False
    assert "active questions are not helping here" in bad.statement
    few = estimate(measured(truth, truth, 14, guesses=truth).state)
    assert few is None or few.helping is None
    assert "too few to say" in estimate(measured(truth, truth, 40).state).statement


def test_they_do_not_help_where_naming_the_commonest_class_does_better(measured):
    truth = np.where(np.arange(N) % 4 == 0, 1, 0)
    found = estimate(measured(np.full(N, 2), truth, 80).state)
    assert found.helping is False
    assert "naming the commonest class does better" in found.statement


def test_what_is_taken_back_or_was_no_label_then_counts_no_more_and_an_answer_changed_counts_as_it_is(
    measured, journal
):
    truth = np.zeros(N, dtype=int)
    session = measured(truth, truth, 60, journal=journal)
    before = estimate(session.state)
    last = next(event for event in reversed(journal.events) if event.payload.get("rule") == "random")
    session.label(last.instance_id, 1)
    assert (estimate(session.state).n, estimate(session.state).right) == (before.n, before.right - 1)
    session.classes.merge(1, 0)
    assert estimate(session.state).right == before.right
    while session.state.undo_target() is not None:
        session.undo()
    assert estimate(session.state) is None
    unlabeled = measured(np.full(N, UNLABELED), truth, 60)
    assert estimate(unlabeled.state) is None


def test_the_sign_test_is_that_of_a_fair_coin():
    assert sign_test(0, 0) == sign_test(0, 5) == 1.0
    assert sign_test(5, 0) == pytest.approx(1 / 32)
    assert sign_test(8, 2) == pytest.approx(binom.sf(7, 10, 0.5))
