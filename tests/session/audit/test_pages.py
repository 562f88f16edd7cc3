"""An audit in pages: what is laid out and planted, what counts and when, undo, restarts, and that the bound holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from labeler.core.errors import NotSaved, UsageError
from labeler.core.events import AuditAnswer
from labeler.core.stats.certificate import WHOLE, betting_bound, share_of_alpha
from labeler.core.stats.reviewer import Reviewer
from labeler.core.types import UNLABELED, Provenance
from labeler.session.audit.pages import Block, Cell
from labeler.session.final_labels import final_labels

N, CLASSES = 1000, ("a", "b", "c")
SPREAD = Provenance.PROPAGATED


@pytest.fixture
def session(make_session, make_round):
    """Thirty answers over a round that gives classes in turn; the second of them is taken for the one after."""
    session = make_session(N, classes=CLASSES)
    labels = np.arange(N) % 3
    round_ = make_round(N, session.state.revision, labels, np.full(N, SPREAD))
    round_ = replace(round_, runner_ups=((labels + 1) % 3).astype(np.int32))
    session.merge_round(round_)
    for index in range(30):
        session.label(f"i{index}", index % 3)
    session.closing = round_
    session.audit.begin(final_labels(session.state, round_), target=0.98, confidence=0.95, seed=0)
    return session


def right(index: int) -> int:
    return index % 3


def page(session, size=24, sight=1.0, wrong=(), rng=None):
    """Confirm the next page as one who sees a share `sight` of what is wrong; `wrong`: frozen labels that are."""
    block = session.audit.pages.lay_out(size)
    shown, said = block.page, {}
    for cell in shown:
        truth = (right(cell.index) + (cell.index in wrong)) % 3
        if cell.class_id != truth and (sight == 1.0 or rng.random() < sight):
            said[cell.index] = truth
    return shown, session.audit.pages.answer(said)


def block(session, **given):
    while True:
        page(session, **given)
        laid_out = session.audit.latest.block
        if laid_out is None or not laid_out.answers:
            return


class TestLayout:
    def test_what_comes_next_in_the_drawn_order_class_by_class(self, session):
        order = session.audit.frozen(session.audit.latest).order
        block = session.audit.pages.lay_out(24)
        cells = [cell for page in block.pages for cell in page]
        drawn = sorted((cell.place, cell.index) for cell in cells if not cell.planted)
        assert [index for _, index in drawn] == order[: len(drawn)].tolist()
        assert [place for place, _ in drawn] == list(range(len(drawn)))
        assert [len(page) for page in block.pages] == [24] * 4
        assert [cell.class_id for cell in cells] == sorted(cell.class_id for cell in cells)
        labels = session.audit.frozen(session.audit.latest).final.labels
        assert all(cell.class_id == labels[cell.index] for cell in cells if not cell.planted)

    def test_the_planted_ones_were_answered_by_a_person_as_another_class(self, session):
        block = session.audit.pages.lay_out(24)
        plants = [cell for page in block.pages for cell in page if cell.planted]
        assert 5 <= len(plants) <= 7
        assert all(cell.index < 30 and cell.class_id != right(cell.index) for cell in plants)
        assert len({cell.index for cell in plants}) == len(plants)

    @pytest.mark.slow
    def test_they_lie_anywhere_among_their_class(self, session):
        """Neither first nor last of their class: over many layouts their places are even."""
        places = []
        for start in range(60):
            name, class_id = _next(session)
            answer = AuditAnswer(instance_id=name, class_id=class_id, audit=1, word="label", reached=False)
            session.recorder.record(answer)
            for cells in session.audit.pages.draw_block(session.audit.latest, 24).pages:
                places += [place / (len(cells) - 1) for place, cell in enumerate(cells) if cell.planted]
            assert len(session.audit.latest.answers) == start + 1
        assert stats.kstest(places, "uniform").pvalue > 0.01

    @pytest.mark.slow
    def test_most_stand_under_the_class_they_are_taken_for(self, session):
        confused = total = 0
        for _ in range(60):
            name, class_id = _next(session)
            answer = AuditAnswer(instance_id=name, class_id=class_id, audit=1, word="label", reached=False)
            session.recorder.record(answer)
            for cells in session.audit.pages.draw_block(session.audit.latest, 24).pages:
                confused += sum(cell.class_id == (right(cell.index) + 1) % 3 for cell in cells if cell.planted)
                total += sum(cell.planted for cell in cells)
        assert 0.8 < confused / total < 0.95  # three of four, and half of the others by chance

    def test_it_is_recorded_before_it_is_shown_and_found_again(self, session, make_session):
        laid_out = session.audit.pages.lay_out(24)
        event = session.recorder.journal.events[-1]
        assert event.kind == "audit_block"
        assert session.audit.pages.lay_out(10) is laid_out
        again = make_session(N, session.recorder.journal, classes=CLASSES)
        assert again.audit.latest.block == laid_out
        assert again.state.undo_target().kind == "label"

    def test_each_answer_is_planted_once_before_any_comes_again(self, session):
        seen = []
        for _ in range(4):
            laid_out = session.audit.pages.lay_out(24)
            seen += [cell.index for page in laid_out.pages for cell in page if cell.planted]
            block(session)
        assert len(seen) == len(set(seen))

    def test_too_few_answers(self, make_session, make_round):
        session = make_session(N, classes=CLASSES)
        session.closing = make_round(N, session.state.revision, np.arange(N) % 3, np.full(N, SPREAD))
        session.merge_round(session.closing)
        session.label("i0", 0)
        session.audit.begin(final_labels(session.state, session.closing), target=0.98, confidence=0.95, seed=0)
        before = len(session.recorder.journal.events)
        with pytest.raises(UsageError, match="too few pictures were answered"):
            session.audit.pages.lay_out(24)
        assert len(session.recorder.journal.events) == before

    def test_pages_a_person_confirmed_serve_where_single_answers_are_few(self, make_session, make_round):
        session = make_session(N, classes=CLASSES)
        session.closing = make_round(N, session.state.revision, np.arange(N) % 3, np.full(N, SPREAD))
        session.merge_round(session.closing)
        session.label("i0", 0)
        session.page([(f"i{index}", right(index), "confirmed") for index in range(1, 12)])
        session.closing.provenances[1:12] = Provenance.CONFIRMED
        session.audit.begin(final_labels(session.state, session.closing), target=0.98, confidence=0.95, seed=0)
        laid_out = session.audit.pages.lay_out(24)
        plants = [cell.index for page in laid_out.pages for cell in page if cell.planted]
        drawn = [cell.index for page in laid_out.pages for cell in page if not cell.planted]
        assert plants
        assert not set(plants) & set(drawn)

    def test_what_was_answered_otherwise_since_is_not_planted(self, session):
        for index in range(29):
            session.label(f"i{index}", (right(index) + 1) % 3)
        with pytest.raises(UsageError, match="too few"):
            session.audit.pages.lay_out(24)

    def test_no_audit_and_an_ended_one(self, session, make_session):
        with pytest.raises(UsageError, match="no audit"):
            make_session(5).audit.pages.lay_out(10)
        block(session)
        session.audit.end()
        with pytest.raises(UsageError, match="ended"):
            session.audit.pages.lay_out(24)
        with pytest.raises(UsageError, match="no page"):
            session.audit.pages.answer()


def _next(session):
    index = session.audit.next_index()
    return f"i{index}", right(index)


class TestWhatCounts:
    def test_nothing_until_all_pages_of_the_block_are_confirmed(self, session):
        for left in (3, 2, 1):
            page(session)
            assert session.audit.certificate().checked == 0
            with pytest.raises(UsageError, match=f"{left} page"):
                session.audit.answer(*_next(session))
            with pytest.raises(UsageError, match=f"{left} page"):
                session.audit.refuse_within_block()
        with pytest.raises(UsageError, match="nothing was checked"):
            session.audit.end()
        page(session)
        found = session.audit.certificate()
        assert found.checked == found.in_pages == 96 - found.planted
        assert (found.planted_seen, found.wrong) == (found.planted, 0)
        order = session.audit.frozen(session.audit.latest).order
        assert [answer.index for answer in session.audit.latest.answers] == order[: found.checked].tolist()

    def test_the_bound_is_that_of_looks_and_plants(self, session):
        block(session)
        found = session.audit.certificate()
        alpha = share_of_alpha(0.05, 1) * WHOLE
        eye = Reviewer(found.planted_seen, found.planted)
        assert found.most_wrong == betting_bound(0, found.checked, found.population, alpha, 0.98, eye)
        assert f"({found.planted} of {found.planted} seen)" in found.statement

    def test_single_looks_before_and_between_count_as_such(self, session):
        for _ in range(20):
            session.audit.answer(*_next(session))
        block(session)
        session.audit.answer(*_next(session))
        found = session.audit.certificate()
        alpha = share_of_alpha(0.05, 1) * WHOLE
        eye = Reviewer(found.planted_seen, found.planted, 21)
        assert found.checked == found.in_pages + 21
        assert found.most_wrong == betting_bound(0, found.checked, found.population, alpha, 0.98, eye)

    def test_errors_are_wrong_and_corrected(self, session):
        order = session.audit.frozen(session.audit.latest).order
        wrong = {int(order[3]), int(order[50])}
        block(session, wrong=wrong)
        found = session.audit.certificate()
        assert found.wrong == 2
        assert all(session.label_of(index) == ((right(index) + 1) % 3, Provenance.HUMAN) for index in wrong)
        assert session.label_of(int(order[4])) == (right(int(order[4])), Provenance.CONFIRMED)
        assert session.state.answers.n_single == 30  # said on a page

    def test_cannot_tell_counts_as_wrong(self, session):
        laid_out = session.audit.pages.lay_out(24)
        drawn = next(cell.index for cell in laid_out.page if not cell.planted)
        session.audit.pages.answer({drawn: UNLABELED})
        block(session)
        assert session.audit.certificate().wrong == 1
        assert session.state.answers[drawn].kind == "unsure"

    def test_one_who_overlooks_the_planted_gets_little(self, session):
        block(session, sight=0.0, rng=np.random.default_rng(0))
        found = session.audit.certificate()
        assert found.planted_seen == 0
        assert found.lower_bound < 0.2

    def test_more_are_planted_where_some_were_overlooked(self, session):
        block(session, sight=0.0, rng=np.random.default_rng(0))
        laid_out = session.audit.pages.lay_out(24)
        assert sum(cell.planted for page in laid_out.pages for cell in page) >= 4

    def test_to_the_target_in_eight_pages(self, session):
        pages = 0
        while not session.audit.certificate().reached:
            page(session)
            pages += 1
        assert pages <= 9
        assert session.audit.latest.drawn
        assert session.state.keys - 30 <= 9 + session.audit.certificate().planted

    def test_to_the_end(self, make_session, make_round):
        session = make_session(60, classes=CLASSES)
        session.closing = make_round(60, session.state.revision, np.arange(60) % 3, np.full(60, SPREAD))
        session.merge_round(session.closing)
        for index in range(10):
            session.label(f"i{index}", right(index))
        session.audit.begin(final_labels(session.state, session.closing), target=0.99, confidence=0.95, seed=0)
        while session.audit.next_index() is not None:
            page(session, size=20)
        assert session.audit.certificate().checked == 50
        with pytest.raises(UsageError, match="every label"):
            session.audit.pages.lay_out(20)

    def test_the_planted_teach_nothing_and_keep_their_labels(self, session):
        before = {index: session.state.answers[index] for index in range(30)}
        shown, told = page(session)
        assert told.shown == len(told.seen) == sum(cell.planted for cell in shown)
        assert all(known == right(index) != under for index, under, known in told.seen)
        assert {index: session.state.answers[index] for index in range(30)} == before

    def test_what_was_looked_at_is_held_until_the_statement_is_drawn(self, session):
        shown, _ = page(session)
        drawn = {cell.index for cell in shown if not cell.planted}
        assert not drawn & set(session.snapshot().indices.tolist())
        block(session)
        session.audit.end()
        assert drawn <= set(session.snapshot().indices.tolist())

    @pytest.mark.parametrize("bad", [{10_000: 0}, {29: 99}])
    def test_what_cannot_be_said_changes_nothing(self, session, bad):
        laid_out = session.audit.pages.lay_out(24)
        if 29 in bad:
            bad = {laid_out.page[0].index: 99}
        before = len(session.recorder.journal.events)
        with pytest.raises(UsageError):
            session.audit.pages.answer(bad)
        assert len(session.recorder.journal.events) == before

    def test_not_saved_changes_nothing(self, session):
        session.audit.pages.lay_out(24)
        session.recorder.journal.full = True
        with pytest.raises(NotSaved):
            session.audit.pages.answer()
        session.recorder.journal.full = False
        assert session.audit.latest.block.answers == []

    def test_errors_of_the_less_trusted_are_found_by_a_cut_off(self, make_session, make_round):
        session = make_session(3000, classes=CLASSES)
        labels = np.arange(3000) % 3
        scores = np.where(np.arange(3000) < 2000, 0.75, 0.5).astype(np.float32)
        session.closing = replace(make_round(3000, 0, labels, np.full(3000, SPREAD)), scores=scores)
        session.merge_round(session.closing)
        for index in range(30):
            session.label(f"i{index}", right(index))
        session.audit.begin(final_labels(session.state, session.closing), target=0.9, confidence=0.95, seed=0)
        wrong = {index for index in range(2000, 3000) if index % 2}
        for _ in range(4):
            block(session, wrong=wrong)
        found = session.audit.certificate()
        assert not found.reached
        assert (found.cutoff, found.cutoff_population) == (0.75, 1970)


class TestTime:
    def test_undo_takes_a_page_back_and_redo_brings_it(self, session):
        states = [dict(session.state.answers)]
        for _ in range(4):
            page(session)
            states.append(dict(session.state.answers))
        checked = session.audit.certificate()
        assert checked.checked > 0
        for back in (3, 2, 1, 0):
            session.undo()
            assert session.state.answers == states[back]
            assert session.audit.certificate().checked == 0
            assert len(session.audit.latest.block.answers) == back
        for _ in range(4):
            session.redo()
        assert session.audit.certificate() == replace(checked, taken_back=checked.checked)

    def test_the_first_look_at_the_planted_counts(self, session):
        """They are told when the page is confirmed: seen afterwards says nothing of the eye."""
        missed = 0
        for _ in range(4):
            _, told = page(session, sight=0.0, rng=np.random.default_rng(0))
            missed += told.shown
        session.undo()
        _, told = page(session)
        assert told.shown == 0
        found = session.audit.certificate()
        assert (found.planted_seen, found.planted) == (0, missed)
        assert found.taken_back > 0

    def test_a_restart_within_a_block(self, session, make_session):
        page(session)
        page(session)
        session.undo()
        again = make_session(N, session.recorder.journal, classes=CLASSES)
        assert again.audit.latest == session.audit.latest
        assert again.audit.certificate() == session.audit.certificate()
        for one in (session, again):
            one.redo()
        assert again.audit.latest == session.audit.latest

    def test_a_block_that_was_left_for_single_looks_is_laid_out_anew(self, session):
        first = session.audit.pages.lay_out(24)
        session.audit.answer(*_next(session))
        second = session.audit.pages.lay_out(24)
        assert (first.start, second.start) == (0, 1)
        session.undo()
        assert session.audit.pages.lay_out(24) is first

    def test_class_of_a_page_merged_meanwhile(self, session):
        session.audit.pages.lay_out(24)
        session.classes.merge(1, 0)
        for _ in range(4):
            session.audit.pages.answer()
        assert session.audit.certificate().in_pages > 0
        assert 1 not in {s.class_id for s in session.state.answers.values()}


class TestItHolds:
    @pytest.mark.slow
    @pytest.mark.parametrize("sight", [1.0, 0.7])
    def test_over_simulated_audits_looked_at_after_every_page(self, sight):
        """The fold's own arithmetic over blocks: errors seen with `sight`, plants alike; at every end of a block."""
        rng = np.random.default_rng(7)
        population, wrong, alpha, misses, runs = 300, 24, 0.2, 0, 300
        for _ in range(runs):
            errors = np.zeros(population, dtype=bool)
            errors[rng.choice(population, wrong, replace=False)] = True
            s = t = found = shown = 0
            for looks, plants in ((60, 6), (50, 4), (50, 1), (50, 0), (50, 2)):
                s += rng.binomial(int(errors[t : t + looks].sum()), sight)
                t, found, shown = t + looks, found + rng.binomial(plants, sight), shown + plants
                if betting_bound(int(s), t, population, alpha, 0.9, Reviewer(int(found), shown)) < wrong:
                    misses += 1
                    break
        assert stats.binomtest(misses, runs, alpha, alternative="greater").pvalue > 0.01


def test_a_block_tells_its_drawn_order():
    cells = (Cell(5, 0, 1), Cell(9, 0, -1)), (Cell(3, 1, 0), Cell(4, 2, 2))
    laid_out = Block(0, cells)
    laid_out.confirm({5: 0, 9: 1})
    laid_out.confirm({3: 1, 4: 0})
    assert laid_out.in_order() == [(3, 1), (5, 0), (4, 0)]
    assert (laid_out.size, laid_out.planted, laid_out.seen) == (3, 1, 1)
