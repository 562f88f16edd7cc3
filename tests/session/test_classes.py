"""Classes renamed, re-keyed, retired, brought back, merged and split: one event each, one undo each."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.core.errors import PROJECT_ERRORS, NotSaved, UsageError
from labeler.core.events import ClassRename, ClassRetire, Event
from labeler.core.types import UNLABELED, Provenance

PROPAGATED, PREDICTED = Provenance.PROPAGATED, Provenance.PREDICTED
A, B = 0, 1


@pytest.fixture
def session(make_session, journal):
    """Labels of every provenance: i0 ... i5 are a, i6 and i7 are b; a knows the margin it was asked at."""
    session = make_session(journal=journal)
    session.label("i0", A)
    session.label("i1", A)
    session.page([("i2", A, "confirmed"), ("i3", A, "human"), ("i6", B, "confirmed")])
    session.imports.labels([("i4", A), ("i5", A), ("i7", B)], "file.csv")
    return session


def frozen(session):
    state = session.state
    return (
        dict(state.answers),
        dict(state.classes),
        dict(state.answers.counts),
        +state.answers.given,
        state.answers.n_single,
        state.round,
    )


def legend(session):
    return [(row.info.name, row.info.key, row.given) for row in session.view().classes]


CHANGES = {
    "rename": lambda session: session.classes.rename(A, "ant"),
    "key": lambda session: session.classes.set_key(A, "b"),
    "retire": lambda session: session.classes.retire(A),
    "merge": lambda session: session.classes.merge(A, B),
    "split": lambda session: session.classes.split(A, "ant", ["i0", "i2", "i4"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_one_event_one_undo_and_redo_and_a_restart_agree(session, make_session, journal, change):
    before, n_events = frozen(session), len(journal.events)
    CHANGES[change](session)
    assert len(journal.events) == n_events + 1
    changed = frozen(session)
    assert changed != before
    session.undo()
    assert frozen(session) == before
    session.redo()
    assert frozen(session) == changed
    again = make_session(journal=journal, classes=())
    assert frozen(again) == changed
    again.undo()
    assert frozen(again) == before


@pytest.mark.parametrize("change", CHANGES)
def test_what_could_not_be_saved_did_not_happen(session, journal, change):
    before = frozen(session)
    journal.full = True
    with pytest.raises(NotSaved):
        CHANGES[change](session)
    assert frozen(session) == before


# -- names and keys


def test_a_new_name_keeps_key_and_labels(session):
    session.classes.rename(A, " ant ")
    assert legend(session) == [("ant", "a", 6), ("b", "b", 2)]


def test_the_name_or_key_it_has_leaves_no_event(session, journal):
    n_events = len(journal.events)
    session.classes.rename(A, "a")
    session.classes.set_key(A, "a")
    assert len(journal.events) == n_events


@pytest.mark.parametrize("name", ["", "  ", "b", "x" * 201])
def test_a_name_that_cannot_be_is_refused(session, name):
    before = frozen(session)
    for give in (
        lambda: session.classes.rename(A, name),
        lambda: session.classes.split(A, name, ["i0"]),
        lambda: session.classes.rename(7, "ant"),
    ):
        with pytest.raises(UsageError):
            give()
    assert frozen(session) == before


def test_a_key_that_another_class_has_is_swapped(session):
    session.classes.set_key(A, "b")
    assert legend(session) == [("a", "b", 6), ("b", "a", 2)]
    session.classes.set_key(B, "7")
    assert [key for _, key, _ in legend(session)] == ["b", "7"]


@pytest.mark.parametrize("key", ["", "A", "12", " ", "É", "é\u0301", "!", "\x1b"])
def test_a_key_that_answers_nothing_is_refused(session, key):
    with pytest.raises(UsageError):
        session.classes.set_key(A, key)


# -- retire and restore


def test_a_retired_class_keeps_its_labels_and_nothing_else(session):
    session.classes.retire(A)
    view = session.view()
    assert legend(session) == [("b", "b", 2)]
    assert [(row.info.name, row.info.key, row.given) for row in view.retired] == [("a", "", 6)]
    assert session.label_of(0) == (A, Provenance.HUMAN)
    assert view.given == 8
    for answer in (
        lambda: session.label("i9", A),
        lambda: session.page([("i9", A, "confirmed")]),
        lambda: session.imports.labels([("i9", A)], "file"),
        lambda: session.classes.set_key(A, "z"),
        lambda: session.classes.retire(A),
        lambda: session.classes.split(A, "ant", ["i0"]),
        lambda: session.classes.merge(B, A),
    ):
        with pytest.raises(UsageError, match="retired"):
            answer()


def test_the_engine_is_not_told_of_a_retired_class_and_asks_none_of_its_instances(session):
    session.classes.retire(A)
    snapshot = session.snapshot()
    assert snapshot.class_list.tolist() == [B]
    assert snapshot.indices.tolist() == [6, 7]
    assert snapshot.excluded.tolist() == [0, 1, 2, 3, 4, 5]
    assert session.question.index not in range(8)


def test_brought_back_it_has_its_key_unless_somebody_took_it(session):
    session.classes.retire(A)
    session.classes.restore(A)
    assert legend(session)[0] == ("a", "a", 6)
    session.classes.retire(A)
    session.classes.set_key(B, "a")
    session.classes.restore(A)
    assert legend(session) == [("a", "1", 6), ("b", "a", 2)]


def test_its_name_may_be_taken_up_again_but_then_it_does_not_come_back_under_it(session):
    session.classes.retire(A)
    new = session.classes.add("a")
    assert new != A
    assert legend(session) == [("b", "b", 2), ("a", "a", 0)]
    with pytest.raises(UsageError, match="already"):
        session.classes.restore(A)
    session.classes.rename(A, "old a")
    session.classes.restore(A)
    assert [name for name, _, _ in legend(session)] == ["old a", "b", "a"]
    with pytest.raises(UsageError, match="not retired"):
        session.classes.restore(A)


# -- merge


def test_merged_labels_keep_who_said_them_when_and_how(session):
    before = dict(session.state.answers)
    session.classes.merge(A, B)
    assert legend(session) == [("b", "b", 8)]
    assert session.view().retired == ()
    for index, was in before.items():
        now = session.state.answers[index]
        assert now.class_id == B
        fields = ("event_id", "seq", "at", "annotator", "provenance", "weight", "round", "paged")
        assert [getattr(now, name) for name in fields] == [getattr(was, name) for name in fields]
    snapshot = session.snapshot()
    assert set(snapshot.class_ids.tolist()) == {B}
    assert snapshot.indices.tolist() == [0, 1, 2, 3, 6, 4, 5, 7]


def test_a_merged_class_frees_its_key_and_is_gone_for_good(session):
    session.classes.merge(A, B)
    assert session.classes.add("ant", "a") == 2
    for command in (
        lambda: session.label("i9", A),
        lambda: session.classes.restore(A),
        lambda: session.classes.rename(A, "x"),
        lambda: session.classes.merge(A, B),
    ):
        with pytest.raises(UsageError, match="was merged into 'b'"):
            command()
    with pytest.raises(UsageError, match="itself"):
        session.classes.merge(B, B)


def test_a_retired_class_may_be_merged_and_a_class_after_another(session):
    session.classes.add("c")
    session.classes.retire(A)
    session.classes.merge(A, B)
    session.classes.merge(B, 2)
    assert legend(session) == [("c", "c", 8)]
    for _ in range(4):
        session.undo()
    assert legend(session) == [("a", "a", 6), ("b", "b", 2)]


# -- split


def test_a_split_moves_what_was_chosen_with_its_provenance(session):
    new = session.classes.split(A, "ant", ["i0", "i2", "i4"])
    assert legend(session) == [("a", "a", 3), ("b", "b", 2), ("ant", "1", 3)]
    assert [session.label_of(index) for index in (0, 2, 4)] == [
        (new, Provenance.HUMAN),
        (new, Provenance.CONFIRMED),
        (new, Provenance.IMPORTED),
    ]


@pytest.mark.parametrize("moved", [[], ["i6"], ["i9"], ["nobody"], ["i0", "i6"]])
def test_only_given_labels_of_the_class_can_move(session, journal, moved):
    before, n_events = frozen(session), len(journal.events)
    with pytest.raises(UsageError):
        session.classes.split(A, "ant", moved)
    assert (frozen(session), len(journal.events)) == (before, n_events)


# -- what the engine said before


def machine_round(session, make_round, labels, revision=None, **given):
    n = len(session.pool)
    labels = np.resize(labels, n)
    revision = session.state.revision if revision is None else revision
    return make_round(n, revision, labels, [PREDICTED] * n, **given)


@pytest.mark.parametrize("change", ["retire", "merge", "split"])
def test_results_from_before_are_dropped(session, make_round, make_queue, change):
    before = session.state.revision
    CHANGES[change](session)
    assert not session.merge_round(machine_round(session, make_round, [A, B], before))
    assert not session.merge_queue(make_queue([20, 21]), before)
    assert session.merge_round(machine_round(session, make_round, [B]))


@pytest.mark.parametrize("change", ["rename", "key"])
def test_a_name_or_key_makes_no_result_outdated(session, make_round, change):
    before = session.state.revision
    CHANGES[change](session)
    assert session.merge_round(machine_round(session, make_round, [A, B], before))


def test_the_round_on_display_follows_at_once_and_comes_back_with_an_undo(session, make_round, make_session, journal):
    session.merge_round(machine_round(session, make_round, [A, B]))
    shown = session.view()
    assert [row.predicted for row in shown.classes] == [16, 16]
    session.classes.merge(A, B)
    assert [row.predicted for row in session.view().classes] == [32]
    assert session.label_of(8) == (B, PREDICTED)
    session.undo()
    session.classes.retire(A)
    view = session.view()
    assert [row.predicted for row in (*view.classes, *view.retired)] == [16, 0]
    assert (view.predicted, session.label_of(8)) == (16, (UNLABELED, Provenance.NONE))
    assert set(view.round.labels.tolist()) == {UNLABELED, B}
    assert make_session(journal=journal, classes=()).view().classes == view.classes
    session.undo()
    assert session.view().classes == shown.classes


def test_guesses_follow_too(session, make_queue):
    session.label(session.question.instance_id, A)
    session.classes.add("c")
    session.merge_queue(make_queue(range(20, 40), classes=(A, B, 2)), session.state.revision)
    session.label(session.question.instance_id, A)
    assert session.question.guesses == ((A, 0.625), (B, 0.25), (2, 0.125))
    session.classes.merge(2, A)
    assert session.question.guesses == ((A, 0.75), (B, 0.25))
    session.classes.retire(A)
    assert session.question.guesses == ((B, 0.25),)
    session.label(session.question.instance_id, B)
    assert session.question.guesses == ((B, 0.25),)
    session.undo()
    session.undo()
    session.undo()
    session.label(session.question.instance_id, A)
    assert session.question.guesses == ((A, 0.625), (B, 0.25), (2, 0.125))


# -- names said when a project is opened are on no undo stack


def test_a_class_that_an_undo_brings_back_gives_way_to_one_that_came_meanwhile(session, make_session, journal):
    session.classes.retire(A)
    session.classes.id_for("a", setup=True)
    session.classes.rename(B, "bee")
    session.classes.id_for("b", setup=True)
    session.classes.set_key(3, "b")
    session.undo()
    session.undo()
    assert legend(session) == [("b (2)", "b", 2), ("a", "a", 0), ("b", "1", 0)]
    session.undo()
    assert legend(session) == [("a (2)", "2", 6), ("b (2)", "b", 2), ("a", "a", 0), ("b", "1", 0)]
    assert legend(make_session(journal=journal, classes=())) == legend(session)


def test_names_said_at_the_opening_are_remembered_whatever_became_of_them(session):
    session.classes.rename(A, "ant")
    session.classes.retire(B)
    assert session.state.classes.set_up == {"a", "b"}


@pytest.mark.parametrize("body", [ClassRename(9, "z"), ClassRetire(9)])
def test_a_journal_that_changes_a_class_nobody_added_is_refused(session, make_session, journal, body):
    journal.append(Event("x", body, 0.0))
    with pytest.raises(PROJECT_ERRORS):
        make_session(journal=journal)
