from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from labeler.core.errors import PROJECT_ERRORS, GuessChanged, NotSaved, UsageError
from labeler.core.types import UNLABELED, Advice, Provenance, Question
from labeler.session.folds.answers import SKIP_FOR
from tests.memory_journal import MemoryJournal

PROPAGATED, PREDICTED = Provenance.PROPAGATED, Provenance.PREDICTED


def answer_all(session, count, class_id=0):
    for _ in range(count):
        session.label(session.question.instance_id, class_id)


def facts(session):
    """What a screen would show of the state, as plain values."""
    view = session.view()
    hidden = ("round", "last", "advice")
    return {name: getattr(view, name) for name in view.__dataclass_fields__ if name not in hidden}


# -- answers


def test_an_answer_counts_once_and_the_next_question_comes_in_the_order_of_the_queue(make_session):
    session = make_session()
    assert session.question.instance_id == "i0"
    session.label("i0", 1)
    view = session.view()
    assert (view.answers, view.given, view.question.instance_id) == (1, 1, "i1")
    assert [(row.info.name, row.human) for row in view.classes] == [("a", 0), ("b", 1)]
    assert session.label_of(0) == (1, Provenance.HUMAN)


def test_an_answer_given_again_replaces_the_first_and_counts_once(make_session):
    session = make_session()
    session.label("i0", 0)
    session.label("i0", 1)
    assert (session.view().answers, session.label_of(0)) == (1, (1, Provenance.HUMAN))
    session.undo()
    assert (session.view().answers, session.label_of(0)) == (1, (0, Provenance.HUMAN))


def test_an_answer_records_how_it_was_asked(make_session, make_round, journal):
    session = make_session(journal=journal)
    round_ = make_round(40, session.state.revision)
    session.label("i0", 0)
    session.merge_round(make_round(40, session.state.revision))
    session.label("i1", 0)
    session.label("i9", 1, screen="sheet")
    asked, chosen = journal.events[-2:]
    assert (asked.payload["rule"], asked.payload["margin"]) == (round_.queue.rule_names[0], 0.5)
    assert (chosen.payload["rule"], chosen.payload["margin"], chosen.payload["screen"]) == ("chosen", 1.0, "sheet")


@pytest.mark.parametrize("command", ["skip", "unsure", "reject", "flag"])
def test_an_unknown_instance_is_refused_and_nothing_changes(make_session, journal, command):
    session = make_session(journal=journal)
    before, n_events = facts(session), len(journal.events)
    with pytest.raises(UsageError):
        getattr(session, command)("nobody")
    assert (facts(session), len(journal.events)) == (before, n_events)


def test_an_unknown_class_is_refused_and_nothing_changes(make_session, journal):
    session = make_session(journal=journal)
    before, n_events = facts(session), len(journal.events)
    for give in (
        lambda: session.label("i0", 7),
        lambda: session.page([("i0", 7, "confirmed")]),
        lambda: session.imports.labels([("i0", 7)], "file"),
        lambda: session.page([("i0", 0, "propagated")]),
        lambda: session.page([("i0", 0, "confirmed"), ("nobody", 0, "confirmed")]),
    ):
        with pytest.raises(UsageError):
            give()
    assert (facts(session), len(journal.events)) == (before, n_events)


def test_unsure_is_not_asked_again_and_keeps_the_machine_label(make_session, make_round):
    session = make_session(3)
    session.unsure("i0")
    session.merge_round(make_round(3, session.state.revision, labels=[1, 1, 1], provenances=[PREDICTED] * 3))
    answer_all(session, 2)
    assert session.question is None
    assert session.label_of(0) == (1, PREDICTED)
    assert session.snapshot().held_back.tolist() == [0]


def test_reject_leaves_the_pool_and_hides_the_machine_label(make_session, make_round):
    session = make_session(3)
    session.merge_round(make_round(3, session.state.revision, labels=[1, 1, 0], provenances=[PROPAGATED] * 3))
    session.reject("i0")
    view = session.view()
    assert session.label_of(0) == (UNLABELED, Provenance.NONE)
    assert (view.rejected, view.n_usable, view.propagated) == (1, 2, 2)
    assert session.snapshot().excluded.tolist() == [0]


def test_flag_toggles_and_answers_nothing(make_session):
    session = make_session()
    session.flag("i0")
    assert session.view().question_flagged
    assert session.question.instance_id == "i0"
    session.flag("i0")
    assert session.view().flagged == 0


def test_skip_comes_back_after_25_answers_and_not_before(make_session):
    session = make_session(60)
    session.skip("i0")
    for _ in range(SKIP_FOR):
        assert session.question.instance_id != "i0"
        answer_all(session, 1)
    assert (session.question.instance_id, session.question.rule) == ("i0", "skipped")


def test_skip_comes_back_when_nothing_else_is_left(make_session):
    session = make_session(4)
    session.skip("i0")
    session.skip("i1")
    answer_all(session, 2)
    assert session.question.instance_id == "i0"
    session.skip("i0")
    assert session.question.instance_id == "i1"
    answer_all(session, 2)
    assert session.question is None


def test_undo_of_a_skip_of_a_skipped_one_asks_it_again_at_once(make_session):
    session = make_session(2)
    session.skip("i0")
    session.skip("i1")
    session.skip("i0")
    assert session.question.instance_id == "i1"
    session.undo()
    assert session.question.instance_id == "i0"


def test_a_page_is_one_event_and_one_undo(make_session, journal):
    session = make_session(journal=journal)
    n_events = len(journal.events)
    session.page([("i0", 0, "confirmed"), ("i1", 1, "human"), ("i2", 0, "confirmed")])
    assert len(journal.events) == n_events + 1
    assert [session.label_of(i) for i in range(3)] == [
        (0, Provenance.CONFIRMED),
        (1, Provenance.HUMAN),
        (0, Provenance.CONFIRMED),
    ]
    assert session.state.answers.pages == 1
    session.undo()
    assert (session.view().given, session.state.answers.pages) == (0, 0)


# -- imports


def test_an_import_never_replaces_what_a_person_said_and_names_the_contradictions(make_session):
    session = make_session()
    session.label("i0", 0)
    session.label("i1", 0)
    session.page([("i2", 0, "confirmed")])
    session.reject("i3")
    session.unsure("i4")
    taken, conflicts = session.imports.labels([(f"i{i}", 1) for i in (0, 2, 3, 4, 5)] + [("i1", 0)], "file.csv")
    assert taken == 2
    assert conflicts == [("i0", 1), ("i2", 1)]
    assert [session.label_of(i)[0] for i in range(6)] == [0, 0, 0, UNLABELED, 1, 1]
    assert session.state.answers[3].kind == "reject"


def test_an_import_replaces_an_earlier_import_where_it_is_said_and_a_person_replaces_both(make_session):
    session = make_session()
    session.imports.labels([("i0", 0)], "first")
    assert session.imports.labels([("i0", 1)], "second") == (0, [("i0", 1)])
    assert session.label_of(0) == (0, Provenance.IMPORTED)
    assert session.imports.labels([("i0", 1)], "second", replace_imported=True) == (1, [])
    assert session.label_of(0) == (1, Provenance.IMPORTED)
    session.label("i0", 0)
    assert session.label_of(0) == (0, Provenance.HUMAN)
    assert session.view().answers == 1


def test_an_import_is_one_undo_and_no_answer(make_session):
    session = make_session()
    session.imports.labels([(f"i{i}", i % 2) for i in range(10)], "file")
    assert (session.view().given, session.view().answers) == (10, 0)
    session.undo()
    assert session.view().given == 0


# -- classes and settings


def test_class_names_are_one_to_200_characters_and_unique(make_session):
    session = make_session()
    for name in ("", "  ", "x" * 201, "a", " a "):
        with pytest.raises(UsageError):
            session.classes.add(name)
    assert session.classes.add("x" * 200) == 2
    assert session.classes.id_for(" a ") == 0


def test_a_taken_key_is_refused(make_session):
    session = make_session()
    key = session.view().classes[0].info.key
    with pytest.raises(UsageError):
        session.classes.add("new", key)


def test_a_class_id_is_never_given_to_another_class(make_session, make_round):
    session = make_session()
    first = session.classes.add("cat")
    session.label("i0", first)
    session.merge_round(make_round(40, session.state.revision, labels=[first] * 40, provenances=[PREDICTED] * 40))
    session.undo()
    session.undo()
    second = session.classes.add("dog")
    assert second != first  # the round on display still speaks of cats
    assert session.view().classes[-1].predicted == 0


def test_setup_classes_are_not_on_the_undo_stack(make_session):
    session = make_session(classes=("a", "b"))
    with pytest.raises(UsageError):
        session.undo()
    session.classes.add("c")
    session.undo()
    assert [info.name for info in session.state.active_classes()] == ["a", "b"]


def test_a_setting_that_changes_nothing_leaves_no_event(make_session, journal):
    session = make_session(journal=journal)
    session.set(percentile=20.0)
    n_events = len(journal.events)
    session.set(percentile=20.0)
    assert len(journal.events) == n_events
    assert session.state.percentile == 20.0
    session.set(percentile="auto")
    assert session.state.percentile is None


def test_a_changed_setting_makes_older_rounds_outdated(make_session, make_round):
    session = make_session()
    before = session.state.revision
    session.set(percentile=50.0)
    assert session.merge_round(make_round(40, before)) is False
    assert session.merge_round(make_round(40, session.state.revision)) is True


# -- undo and redo


def test_undo_and_redo_have_no_limit(make_session):
    session = make_session(300)
    start = facts(session)
    answer_all(session, 300)
    full = facts(session)
    for _ in range(300):
        session.undo()
    again = facts(session)
    assert again["question"].instance_id == "i0"
    changes = ("revision", "question", "can_redo", "chain", "pace", "keys")
    assert {k: v for k, v in again.items() if k not in changes} == {k: v for k, v in start.items() if k not in changes}
    for _ in range(300):
        session.redo()
    changes = ("revision", "keys")  # an undo and a redo are presses too
    assert {k: v for k, v in facts(session).items() if k not in changes} == {
        k: v for k, v in full.items() if k not in changes
    }


def test_undone_instances_are_asked_first_the_latest_first(make_session, make_round):
    session = make_session()
    answer_all(session, 3)
    session.undo()
    assert (session.question.instance_id, session.question.rule) == ("i2", "again")
    session.undo()
    assert session.question.instance_id == "i1"
    session.merge_round(make_round(40, session.state.revision, queue=range(30, 40)))
    assert session.question.instance_id == "i1"
    session.label("i1", 0)
    assert session.question.instance_id == "i2"
    session.label("i2", 0)
    assert session.question.instance_id == "i30"


def test_a_new_answer_clears_the_redo_stack(make_session):
    session = make_session()
    answer_all(session, 2)
    session.undo()
    assert session.view().can_redo
    session.label("i5", 0)
    assert not session.view().can_redo
    with pytest.raises(UsageError):
        session.redo()


def test_undo_takes_back_the_latest_event_whatever_it_was(make_session):
    session = make_session()
    session.label("i0", 0)
    session.flag("i7")
    session.classes.add("c")
    session.imports.labels([("i8", 1)], "file")
    session.unsure("i1")
    kinds = [session.undo().kind for _ in range(5)]
    assert kinds == ["unsure", "import", "class_add", "flag", "label"]
    assert not session.view().can_undo


def test_undo_and_redo_survive_a_restart(make_session, journal):
    session = make_session(journal=journal)
    answer_all(session, 3)
    session.undo()
    again = make_session(journal=journal)
    assert facts(again) == facts(session)
    again.redo()
    assert again.view().answers == 3
    for _ in range(3):
        again.undo()
    assert again.view().answers == 0


def test_a_journal_that_takes_back_what_is_not_the_latest_is_refused(make_session, journal):
    session = make_session(journal=journal)
    answer_all(session, 2)
    session.undo()
    journal.events[-1] = journal.events[-1].__class__("x", "undo", 0.0, target=journal.events[2].event_id, seq=9)
    with pytest.raises(PROJECT_ERRORS):
        make_session(journal=journal)


# -- the machine


def test_a_round_never_changes_a_given_label(make_session, make_round):
    session = make_session(6)
    session.label("i0", 0)
    session.page([("i1", 0, "confirmed")])
    session.imports.labels([("i2", 0)], "file")
    given = [session.label_of(i) for i in range(3)]
    for provenance in (PROPAGATED, PREDICTED):
        session.merge_round(make_round(6, session.state.revision, labels=[1] * 6, provenances=[provenance] * 6))
        assert [session.label_of(i) for i in range(3)] == given
        assert session.label_of(4) == (1, provenance)


def test_a_round_that_rests_on_something_taken_back_is_dropped(make_session, make_round, make_queue):
    session = make_session()
    session.label("i0", 0)
    before = session.state.revision
    session.undo()
    assert session.merge_round(make_round(40, before)) is False
    assert session.merge_queue(make_queue([9]), before) is False
    assert session.merge_round(make_round(40, session.state.revision)) is True


def test_a_round_older_than_the_one_shown_is_dropped_but_answers_since_do_not_drop_one(make_session, make_round):
    session = make_session()
    first = session.state.revision
    answer_all(session, 3)
    middle = session.state.revision
    answer_all(session, 2)
    assert session.merge_round(make_round(40, middle, labels=[1] * 40, provenances=[PREDICTED] * 40)) is True
    assert session.merge_round(make_round(40, first)) is False
    assert session.question.instance_id == "i5"
    assert session.view().predicted == 35


def test_neither_queue_nor_round_replaces_the_question_on_the_screen(make_session, make_round, make_queue):
    session = make_session()
    session.label("i0", 0)
    pinned = session.question
    session.merge_queue(make_queue(range(20, 40)), session.state.revision)
    assert session.question == pinned
    session.merge_round(make_round(40, session.state.revision, queue=range(30, 40)))
    assert session.question == pinned
    session.flag(pinned.instance_id)
    session.classes.add("new")
    assert session.question == pinned
    session.label(pinned.instance_id, 0)
    assert session.question.instance_id == "i30"


def test_a_dry_queue_asks_any_open_instance_rather_than_nothing(make_session, make_queue):
    session = make_session(4, with_round=False)
    assert session.question is None  # nothing is known yet
    session.merge_queue(make_queue([2]), session.state.revision)
    answer_all(session, 1)
    assert (session.question.instance_id, session.question.rule) == ("i0", "waiting for the engine")


def test_missing_and_unreadable_instances_are_not_asked(make_session, make_queue):
    session = make_session(4, with_round=False)
    session.pool.missing[0] = session.pool.unreadable[1] = True
    session.merge_queue(make_queue(range(4)), session.state.revision)
    answer_all(session, 2)
    assert session.question is None
    assert sorted(session.snapshot().excluded.tolist()) == [0, 1]
    assert sorted(session.snapshot().indices.tolist()) == [2, 3]


def test_a_missing_instance_keeps_its_label_and_does_not_skew_the_counts(make_session):
    session = make_session(4)
    session.label("i0", 0)
    session.reject("i1")
    session.pool.missing[[0, 1]] = True
    view = session.view()
    assert session.label_of(0) == (0, Provenance.HUMAN)
    assert (view.given, view.n_usable, view.open_questions) == (1, 2, 2)


def test_upcoming_moves_nothing_and_leaves_out_what_is_answered(make_session):
    session = make_session(6)
    session.label("i2", 0)
    before = session.question
    assert session.questions.upcoming(3) == [1, 3, 4]
    assert session.questions.upcoming(3) == [1, 3, 4]
    assert session.question == before


# -- durability


@pytest.mark.parametrize(
    "command",
    [
        lambda session: session.label("i0", 0),
        lambda session: session.skip("i0"),
        lambda session: session.page([("i0", 0, "confirmed")]),
        lambda session: session.imports.labels([("i5", 0)], "file"),
        lambda session: session.classes.add("new"),
        lambda session: session.set(percentile=1.0),
        lambda session: session.undo(),
        lambda session: session.redo(),
    ],
)
def test_what_could_not_be_saved_did_not_happen(make_session, journal, command):
    session = make_session(journal=journal)
    answer_all(session, 2, 1)
    session.undo()
    before = facts(session)
    journal.full = True
    with pytest.raises(NotSaved):
        command(session)
    assert facts(session) == before
    journal.full = False
    command(session)
    assert session.state.revision == before["revision"] + 1


def test_a_saved_answer_does_not_seem_lost_when_only_the_derived_data_do_not_fit(make_session, make_round, journal):
    session = make_session(journal=journal)
    journal.full_for_derived = True
    session.label("i0", 0)
    assert session.merge_round(make_round(40, session.state.revision))
    assert session.question.instance_id == "i1"
    assert make_session(journal=journal).view().answers == 1


def test_a_restart_shows_the_same_question_with_its_rule_and_what_is_held_of_it(
    make_session, make_round, make_queue, journal
):
    session = make_session(journal=journal)
    session.merge_round(make_round(40, session.state.revision, [0] * 40, [Provenance.PROPAGATED] * 40))
    session.merge_queue(make_queue(range(5, 40), classes=(1, 0)), session.state.revision)
    session.label("i0", 0)
    assert session.question.guesses == ((0, 0.5),)  # the round's word, as every other screen has it
    assert make_session(journal=journal).question == session.question


def test_the_guesses_follow_until_they_are_painted_and_stay_from_then_on(make_session, make_round, make_queue):
    session = make_session()

    def says(class_id):
        session.merge_round(make_round(40, session.state.revision, [class_id] * 40, [Provenance.PREDICTED] * 40))

    says(0)
    assert session.question.guesses[0][0] == 0
    says(1)
    shown = session.question
    assert shown.guesses[0][0] == 1
    session.painted(shown)
    says(0)
    assert session.question == shown
    with pytest.raises(GuessChanged, match="now a"):
        session.accept(shown.instance_id, 1)
    assert session.question.guesses[0][0] == 0
    assert session.state.answers.n_single == 0
    session.accept(shown.instance_id, 0)
    assert session.label_of(shown.index) == (0, Provenance.HUMAN)


def test_where_nobody_knows_there_is_nothing_to_accept(make_session):
    session = make_session()
    with pytest.raises(UsageError, match="no guess"):
        session.accept(session.question.instance_id, UNLABELED)


def test_a_queue_guesses_where_no_newer_round_says_nothing(make_session, make_round, make_queue):
    session = make_session()
    session.merge_queue(make_queue(range(40), classes=(1, 0)), session.state.revision)
    assert session.held(3) == 1
    session.label("i0", 0)
    session.merge_round(make_round(40, session.state.revision))
    assert session.held(3) == UNLABELED


def test_a_kept_question_of_another_revision_is_not_trusted(make_session, journal):
    session = make_session(journal=journal)
    kept = journal.kept
    session.label("i0", 0)
    journal.kept = kept  # as if the program was killed between the answer and its next question
    again = make_session(journal=journal)
    assert again.question.instance_id == "i1"


def test_a_stored_round_of_a_larger_pool_is_not_used(make_session, make_round, journal):
    make_session(10, journal=journal)
    journal.round = make_round(11)
    assert make_session(10, journal=journal).machine_labels.round is None
    journal.round = make_round(9)
    grown = make_session(10, journal=journal)
    assert grown.label_of(9) == (UNLABELED, Provenance.NONE)


def test_snapshot_lists_answers_in_their_order_with_the_margin_they_were_asked_at(make_session, make_round):
    session = make_session(with_round=False)
    session.merge_round(make_round(40, session.state.revision, queue=[7, 3, 5]))
    session.label("i7", 1)
    session.label("i30", 0)
    session.label("i3", 0)
    snapshot = session.snapshot()
    assert snapshot.indices.tolist() == [7, 30, 3]
    assert snapshot.class_ids.tolist() == [1, 0, 0]
    assert np.allclose(snapshot.weights, [0.5, 1.0, 0.5])
    assert (snapshot.indices.dtype, snapshot.class_ids.dtype) == (np.int64, np.int32)


def test_undo_then_redo_leaves_the_snapshot_as_it_was(make_session):
    session = make_session()
    answer_all(session, 4)
    before = session.snapshot()
    session.undo()
    session.undo()
    session.redo()
    session.redo()
    after = session.snapshot()
    for name in ("indices", "class_ids", "provenances", "weights", "class_list", "excluded"):
        assert np.array_equal(getattr(before, name), getattr(after, name)), name


# -- second look


def doubted_session(make_session, make_round, journal=None):
    """Instances 0, 1 and 2 labeled a, b, b; the engine doubts 1 a little, 2 and 0 much."""
    session = make_session(10, journal)
    for index, class_id in enumerate((0, 1, 1)):
        session.label(f"i{index}", class_id)
    labels, sources = np.zeros(10), np.full(10, -1)
    labels[:3], sources[:3] = (0, 1, 1), range(3)
    doubts = np.zeros(10)
    doubts[:3] = (0.992, 0.5, 0.999)
    session.merge_round(make_round(10, session.state.revision, labels, np.full(10, 5), doubts=doubts, sources=sources))
    return session


def test_answers_the_engine_doubts_are_offered_the_most_doubted_first(make_session, make_round, journal):
    session = doubted_session(make_session, make_round, journal)
    assert session.view().doubts == (2, 0)
    belief, other = session.machine_labels.left_out(2)
    assert belief == pytest.approx(0.001, abs=1e-6)
    assert other == UNLABELED
    assert make_session(10, journal).view().doubts == (2, 0)


def test_a_kept_answer_is_not_offered_again_unless_its_label_changes(make_session, make_round, journal):
    session = doubted_session(make_session, make_round, journal)
    session.keep("i2")
    assert (journal.events[-1].kind, journal.events[-1].class_id) == ("keep", 1)
    assert session.view().doubts == (0,)
    assert make_session(10, journal).view().doubts == (0,)
    session.undo()
    assert session.view().doubts == (2, 0)
    session.redo()
    assert session.view().doubts == (0,)
    session.label("i2", 0)
    assert session.view().doubts == (0,)  # the round speaks of another label
    labels, sources = np.zeros(10), np.full(10, -1)
    sources[2] = 2
    again = make_round(10, session.state.revision, labels, doubts=np.eye(10)[2], sources=sources)
    session.merge_round(again)
    assert session.view().doubts == (2,)


def test_keeping_twice_is_undone_one_at_a_time(make_session, make_round):
    session = doubted_session(make_session, make_round)
    session.keep("i2")
    session.keep("i2")
    session.undo()
    assert session.view().doubts == (0,)
    session.undo()
    assert session.view().doubts == (2, 0)


def test_a_changed_or_missing_answer_is_not_doubted(make_session, make_round):
    session = doubted_session(make_session, make_round)
    session.label("i0", 1, screen="second-look", asked=Question(0, "i0", "doubt", 0.992, 1.0, ((1, 0.9),)))
    assert session.view().doubts == (2,)
    event = session.state.event(session.state.answers[0].event_id)
    assert event.payload == {"screen": "second-look", "rule": "doubt", "margin": 1.0, "shown": [[1, 0.9]]}
    session.undo()
    assert session.view().doubts == (2, 0)
    assert session.state.event(event.event_id) is None
    session.pool.missing[2] = True
    assert session.view().doubts == (0,)


def test_only_a_given_label_can_be_kept(make_session):
    session = make_session()
    session.unsure("i1")
    for name in ("i0", "i1"):
        with pytest.raises(UsageError, match="no given label"):
            session.keep(name)


def test_before_stopping_the_doubted_answers_come_first(make_session, make_round):
    session = doubted_session(make_session, make_round)
    stop = dataclasses.replace(session.machine_labels.round, advice=Advice("stop", "enough", "Q"))
    session.merge_round(stop)
    advice = session.view().advice
    assert (advice.code, advice.key) == ("second-look", "S")
    assert "2 answers look odd" in advice.text
    session.keep("i2")
    session.keep("i0")
    assert session.view().advice.code == "stop"


# -- clusters


def test_a_reach_or_a_split_makes_older_rounds_outdated_and_undo_takes_it_back(make_session, make_round):
    session = make_session()
    for command in (lambda: session.clusters.reach("i1", 40.0), lambda: session.clusters.split("i0")):
        before = session.state.revision
        command()
        assert session.merge_round(make_round(40, before)) is False
        assert session.merge_round(make_round(40, session.state.revision)) is True
    snapshot = session.snapshot()
    assert (snapshot.reach_indices.tolist(), snapshot.reach_percentiles.tolist()) == ([1], [40.0])
    assert snapshot.splits.tolist() == [0]
    session.undo()
    session.undo()
    snapshot = session.snapshot()
    assert not len(snapshot.reach_indices)
    assert not len(snapshot.splits)


@pytest.mark.parametrize(
    "command",
    [
        lambda session: session.clusters.reach("nobody", 20.0),
        lambda session: session.clusters.reach("i0", 101.0),
        lambda session: session.clusters.split("nobody"),
        lambda session: session.clusters.split("i30"),  # represents no cluster
    ],
)
def test_a_cluster_that_is_none_is_refused_and_nothing_changes(make_session, journal, command):
    session = make_session(journal=journal)
    before, n_events = facts(session), len(journal.events)
    with pytest.raises(UsageError):
        command(session)
    assert (facts(session), len(journal.events)) == (before, n_events)


def test_a_cluster_of_like_instances_is_not_divided(make_session, make_round):
    session = make_session(with_round=False)
    with pytest.raises(UsageError):
        session.clusters.split("i0")
    round_ = make_round(40, session.state.revision)
    round_.distances[:] = 0.0
    session.merge_round(round_)
    with pytest.raises(UsageError, match="like images"):
        session.clusters.split("i0")


# -- asked for by the person


def test_what_the_person_chose_is_asked_next_and_stays_while_rounds_come(make_session, make_round):
    session = make_session()
    session.ask("i30")
    assert (session.question.index, session.question.rule, session.question.margin) == (30, "chosen", 0.5)
    session.merge_round(make_round(40, session.state.revision))
    session.flag("i30")
    assert session.question.index == 30
    session.label("i30", 0)
    assert session.question.index == 0


def test_an_answered_one_may_be_chosen_and_stays_until_something_is_said_of_it(make_session, journal):
    session = make_session(journal=journal)
    session.label("i0", 0)
    session.ask("i0")
    session.label("i5", 1)
    assert session.question.index == 0
    again = make_session(journal=journal)  # killed and resumed
    assert again.question.index == 0
    again.label("i0", 1)
    assert again.label_of(0)[0] == 1
    assert again.question.index == 1


def test_an_undo_is_asked_before_what_was_chosen(make_session):
    session = make_session()
    session.label("i0", 0)
    session.ask("i9")
    session.undo()
    assert session.question.index == 0
    session.ask("i9")
    assert session.question.index == 9
    session.reject("i9")
    assert session.question.index == 0


def test_what_cannot_be_shown_is_not_chosen(make_session):
    session = make_session()
    session.pool.unreadable[3] = True
    with pytest.raises(UsageError, match="missing or unreadable"):
        session.ask("i3")
    assert session.question.index == 0


def test_a_round_that_is_put_off_is_saved_when_there_is_time_for_it(make_session, make_round):
    journal = MemoryJournal()
    session = make_session(journal=journal, with_round=False)
    for number in (1, 2):  # the second takes the place of the first
        assert session.merge_round(make_round(40, session.state.revision, number=number), put_off=True)
    assert journal.round is None
    assert session.machine_labels.round is not None
    assert session.keep_round()
    assert journal.round.round == 2
    assert not session.keep_round()


def test_a_round_that_is_saved_at_once_takes_the_place_of_one_that_was_put_off(make_session, make_round):
    journal = MemoryJournal()
    session = make_session(journal=journal, with_round=False)
    session.merge_round(make_round(40, session.state.revision, number=1), put_off=True)
    session.merge_round(make_round(40, session.state.revision, number=2), save=False)
    assert journal.round is None
    session.merge_round(make_round(40, session.state.revision, number=3))
    assert journal.round.round == 3
    assert not session.keep_round()
