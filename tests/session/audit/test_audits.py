"""Audits in a session: what is frozen and drawn, answers in order, undo, what the engine may learn, restarts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from labeler.core.errors import PROJECT_ERRORS, NotSaved, UsageError
from labeler.core.stats.certificate import WHOLE, bounds_along, share_of_alpha
from labeler.core.types import UNLABELED, Provenance
from labeler.session.audit import audits
from labeler.session.final_labels import final_labels

N = 400
SPREAD, PREDICTED = Provenance.PROPAGATED, Provenance.PREDICTED


@pytest.fixture
def session(make_session, make_round):
    """Answers of every kind over a round that spreads class 0 to all but the last hundred, which it predicts."""
    session = make_session(N)
    provenances = np.full(N, SPREAD)
    provenances[300:] = PREDICTED
    round_ = make_round(N, session.state.revision, np.zeros(N), provenances)
    session.merge_round(round_)
    for index in range(10):
        session.label(f"i{index}", 0)
    session.page([("i10", 0, "confirmed"), ("i11", 1, "human")])
    session.imports.labels([("i12", 1)], "before")
    session.reject("i13")
    session.unsure("i14")
    session.closing = round_
    return session


def begin(session, **given):
    goal = {"target": 0.98, "confidence": 0.95, "seed": 0} | given
    return session.audit.begin(final_labels(session.state, session.closing), **goal)


def answer(session, class_id=0):
    index = session.audit.next_index()
    session.audit.answer(f"i{index}", class_id)
    return index


class TestBegin:
    def test_covers_what_machines_and_pages_and_imports_say(self, session):
        """Single answers, a page's exceptions, predicted and rejected ones are not in it."""
        audit = begin(session)
        order = session.audit.frozen(audit).order
        assert sorted(order) == [10, 12, *range(14, 300)]
        assert audit.population == len(order) == 288

    def test_predicted_only_where_the_export_holds_them(self, session):
        assert begin(session, predicted=True).population == 388

    def test_what_cannot_be_shown_is_not_drawn(self, session):
        session.pool.mark_unreadable([20])
        session.pool.missing[12] = True
        assert begin(session).population == 286

    def test_the_order_is_recorded_before_anything_is_shown(self, session):
        audit = begin(session)
        event = session.recorder.journal.events[-1]
        frozen = session.recorder.journal.frozen(1)
        assert event.kind == "audit_begin"
        assert event.payload["order_sha256"] == audits.order_sha256(frozen["order"])
        assert event.payload["set_sha256"] == audit.set_sha256
        assert (np.sort(frozen["order"]) == np.sort(session.audit.frozen(audit).order)).all()

    def test_the_same_set_is_drawn_the_same_and_another_otherwise(self, session):
        first = session.audit.frozen(begin(session)).order
        assert not np.array_equal(first, np.sort(first))
        assert not np.array_equal(first, session.audit.frozen(begin(session)).order)  # the second audit draws afresh
        again = audits.draw(np.sort(first), 0, 1, session.state.audits[0].set_sha256)
        assert np.array_equal(again, first)
        other = audits.draw(np.sort(first), 1, 1, session.state.audits[0].set_sha256)
        assert not np.array_equal(other, first)

    @pytest.mark.parametrize(
        "bad", [{"target": 1.0}, {"target": 0.0}, {"target": float("nan")}, {"confidence": 1.0}, {"confidence": 0.2}]
    )
    def test_goals_that_cannot_be(self, session, bad):
        before = len(session.recorder.journal.events)
        with pytest.raises(UsageError):
            begin(session, **bad)
        assert len(session.recorder.journal.events) == before

    def test_nothing_to_audit(self, make_session, make_round):
        session = make_session(5)
        session.closing = make_round(5, session.state.revision)
        session.label("i0", 0)
        with pytest.raises(UsageError, match="no label to audit"):
            begin(session)

    def test_not_saved_begins_nothing(self, session):
        session.recorder.journal.full = True
        with pytest.raises(NotSaved):
            begin(session)
        session.recorder.journal.full = False
        assert session.audit.latest is None
        assert begin(session).number == 1


class TestAnswers:
    def test_only_in_the_drawn_order(self, session):
        order = session.audit.frozen(begin(session)).order
        with pytest.raises(UsageError, match="order"):
            session.audit.answer(f"i{order[1]}", 0)
        session.audit.answer(f"i{order[0]}", 0)
        assert session.audit.next_index() == order[1]
        assert session.audit.upcoming(3) == order[2:5].tolist()

    def test_wrong_is_what_the_person_says_otherwise(self, session):
        begin(session)
        answer(session)
        answer(session, 1)
        session.audit.answer(f"i{session.audit.next_index()}", None, "unsure")
        session.audit.answer(f"i{session.audit.next_index()}", None, "reject")
        found = session.audit.certificate()
        assert (found.checked, found.wrong) == (4, 3)
        assert (
            found.most_wrong
            == bounds_along(np.array([False, True, True, True]), 288, share_of_alpha(0.05, 1) * WHOLE)[-1]
        )

    def test_what_is_found_wrong_is_corrected_and_the_statement_stays(self, session):
        begin(session)
        index = answer(session, 1)
        assert session.label_of(index) == (1, Provenance.HUMAN)
        assert session.audit.frozen(session.audit.latest).final.labels[index] == 0
        assert session.audit.certificate().wrong == 1

    def test_a_class_that_came_later_is_another_class(self, session):
        begin(session)
        answer(session, session.classes.add("c"))
        assert session.audit.certificate().wrong == 1

    @pytest.mark.parametrize("bad", [(None, "label"), (0, "unsure"), (0, "skip"), (99, "label")])
    def test_what_is_no_answer(self, session, bad):
        begin(session)
        with pytest.raises(UsageError):
            session.audit.answer(f"i{session.audit.next_index()}", *bad)
        assert session.audit.certificate().checked == 0

    def test_without_an_audit(self, session):
        with pytest.raises(UsageError, match="no audit"):
            session.audit.answer("i20", 0)
        assert session.audit.certificate() is None
        assert session.audit.next_index() is None

    def test_the_bound_rises_to_the_target_and_says_so(self, session):
        begin(session, target=0.9)
        more = session.audit.certificate().more
        for _ in range(more):
            assert not session.audit.certificate().reached
            answer(session)
        found = session.audit.certificate()
        assert found.reached
        assert found.lower_bound >= 0.9
        assert found.more == 0
        assert session.recorder.journal.events[-1].payload["reached"]
        assert not session.recorder.journal.events[-2].payload["reached"]

    def test_everything_checked_is_exact(self, session):
        begin(session)
        while session.audit.next_index() is not None:
            answer(session, 1 if session.audit.next_index() == 10 else 0)
        found = session.audit.certificate()
        assert found.wrong == found.most_wrong == 2  # 10, and 12 that was imported as another class
        assert found.checked == found.population


class TestWhatTheEngineLearns:
    def test_nothing_until_the_statement_is_drawn(self, session):
        begin(session, target=0.9)
        first = answer(session, 1)
        assert first not in session.snapshot().indices
        assert first in session.snapshot().deferred
        while not session.audit.certificate().reached:
            answer(session)
        assert first in session.snapshot().indices
        assert first not in session.snapshot().deferred
        session.undo()
        assert first not in session.snapshot().indices

    def test_after_the_end(self, session):
        begin(session)
        first = answer(session, 1)
        session.audit.end()
        assert first in session.snapshot().indices
        with pytest.raises(UsageError, match="ended"):
            session.audit.answer(f"i{session.audit.next_index()}", 0)
        session.undo()
        assert first not in session.snapshot().indices
        answer(session)

    def test_after_another_began(self, session):
        begin(session)
        first = answer(session, 1)
        begin(session)
        assert first in session.snapshot().indices
        assert first not in session.audit.frozen(session.audit.latest).order
        assert session.audit.certificate().alpha == pytest.approx(share_of_alpha(0.05, 2))

    def test_no_end_without_an_answer(self, session):
        begin(session)
        with pytest.raises(UsageError, match="nothing was checked"):
            session.audit.end()


class TestTime:
    def test_undo_and_redo(self, session):
        begin(session)
        first = answer(session, 1)
        session.undo()
        assert session.audit.next_index() == first
        assert session.audit.certificate().checked == 0
        assert session.audit.certificate().taken_back == 1
        assert session.label_of(first)[1] in (SPREAD, Provenance.CONFIRMED, Provenance.IMPORTED)
        session.redo()
        assert session.audit.certificate().wrong == 1
        assert session.question is None or session.question.index != first

    def test_undo_of_a_correction_brings_the_page_back(self, session):
        begin(session)
        while session.audit.next_index() != 10:
            answer(session)
        answer(session, 1)
        assert session.label_of(10) == (1, Provenance.HUMAN)
        session.undo()
        assert session.label_of(10) == (0, Provenance.CONFIRMED)

    def test_an_undo_never_takes_the_beginning_back(self, session):
        begin(session)
        target = session.state.undo_target()
        assert target.kind == "unsure"

    def test_another_audit_ends_what_could_be_brought_back(self, session):
        begin(session)
        answer(session)
        session.undo()
        begin(session)
        with pytest.raises(UsageError, match="nothing to redo"):
            session.redo()

    def test_a_restart_goes_on_where_it_was(self, session, make_session):
        begin(session)
        for class_id in (0, 1, 0):
            answer(session, class_id)
        before, following = session.audit.certificate(), session.audit.next_index()
        again = make_session(N, session.recorder.journal)
        assert again.audit.certificate() == before
        assert again.audit.next_index() == following

    def test_instances_that_joined_since_change_nothing(self, session, make_session):
        begin(session)
        answer(session, 1)
        again = make_session(N + 5, session.recorder.journal)
        assert again.audit.certificate() == session.audit.certificate()

    @pytest.mark.parametrize("name", ["labels", "order", "scores"])
    def test_labels_that_were_tampered_with_are_refused(self, session, make_session, name):
        begin(session)
        kept = session.recorder.journal.kept_labels[1]
        kept[name] = kept[name][::-1] if name == "order" else kept[name] + 1
        with pytest.raises(PROJECT_ERRORS, match="frozen"):
            make_session(N, session.recorder.journal).audit.certificate()

    def test_labels_given_since_are_counted(self, session):
        begin(session)
        answer(session)
        assert session.audit.labels_since() == 0
        session.label("i350", 0)
        assert session.audit.labels_since() == 1


class TestCutOff:
    def test_a_score_from_which_on_the_labels_hold(self, make_session, make_round):
        """The less trusted half is mostly wrong: the whole misses, the other half is certified."""
        session = make_session(2000)
        scores = np.where(np.arange(2000) < 1200, 0.75, 0.5).astype(np.float32)
        base = make_round(2000, session.state.revision, np.zeros(2000), np.full(2000, SPREAD))
        session.closing = type(base)(**{f: getattr(base, f) for f in base.__slots__} | {"scores": scores})
        audit = begin(session)
        order = session.audit.frozen(audit).order
        session.state.audits[0].answers.extend(
            audits.AuditAnswer(int(i), 0 if i < 1200 or i % 2 else UNLABELED) for i in order[:700]
        )
        found = session.audit.certificate()
        assert not found.reached
        assert found.more is None
        assert (found.cutoff, found.cutoff_population) == (0.75, 1200)

    def test_it_is_the_number_that_the_exports_print(self, make_session, make_round):
        """Else whoever filters a table by it loses the rows that stand on it: 0.8 as float32 is above 0.8."""
        session = make_session(2000)
        scores = np.where(np.arange(2000) < 1200, 0.8, 0.5).astype(np.float32)
        assert float(scores[0]) > 0.8
        base = make_round(2000, session.state.revision, np.zeros(2000), np.full(2000, SPREAD))
        session.closing = replace(base, scores=scores)
        order = session.audit.frozen(begin(session)).order
        session.state.audits[0].answers.extend(
            audits.AuditAnswer(int(i), 0 if i < 1200 or i % 2 else UNLABELED) for i in order[:700]
        )
        found = session.audit.certificate()
        assert (found.cutoff, found.cutoff_population) == (0.8, 1200)
        assert (scores >= found.cutoff).sum() == 1200
