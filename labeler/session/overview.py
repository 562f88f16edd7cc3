"""The state of a session as screens see it: one small record, made in O(classes)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labeler.core.advice import look_again, rest_from_pages
from labeler.core.types import Advice, Provenance
from labeler.session.pace import Pacing, pace
from labeler.session.state import State
from labeler.session.view import View

if TYPE_CHECKING:
    from labeler.session.session import Session


def view_of(session: Session) -> View:
    """Return what a screen draws from."""
    state, labels = session.state, session.machine_labels
    question, doubts = session.question, labels.doubted()
    gone = gone_kinds(state)
    n_usable = count_usable(state)
    given = state.answers.counts["label"]
    # what is gone is no usable instance, and so its answer settles nothing: else fewer than none could be open
    settled = given + state.answers.counts["unsure"] - gone.count("label") - gone.count("unsure")
    conflicts = sum(state.in_conflict(index) for index in state.conflicts)
    return View(
        revision=state.revision,
        noun=session.pool.noun,
        question=question,
        n_instances=len(session.pool),
        n_usable=n_usable,
        answers=state.answers.n_single,
        given=given,
        propagated=labels.total(Provenance.PROPAGATED),
        predicted=labels.total(Provenance.PREDICTED),
        skipped=state.answers.counts["skip"],
        unsure=state.answers.counts["unsure"],
        rejected=state.answers.counts["reject"],
        flagged=len(state.flagged),
        open_questions=n_usable - settled + conflicts,
        conflicts=conflicts,
        classes=labels.class_counts(),
        retired=labels.retired_counts(),
        chain=session.questions.chain(labels.round, session.percentile),
        percentile=session.percentile,
        rounds=state.round,
        round=labels.round,
        advice=_advice(labels.round.advice if labels.round else None, len(doubts), session.pacing),
        last=session.last,
        can_undo=state.undo_target() is not None,
        can_redo=state.redo_target() is not None,
        question_flagged=question is not None and question.index in state.flagged,
        doubts=doubts,
        pace=pace(state.times),
        keys=state.keys,
        representatives_left=session.questions.representatives_left(labels.round),
        history=labels.history,
        given_gone=gone.count("label"),
        recent=state.recent_classes(),
    )


def gone_kinds(state: State) -> list[str]:
    """The kinds of answers to instances that are missing or cannot be read; empty but for a broken source."""
    gone = [state.answers.get(int(index)) for index in state.pool.unusable()]
    return ["" if answer is None else answer.kind for answer in gone]


def count_usable(state: State) -> int:
    """The number of instances that can be labeled."""
    gone = gone_kinds(state)
    return len(state.pool) - len(gone) - state.answers.counts["reject"] + gone.count("reject")


def _advice(advice: Advice | None, n_doubts: int, pacing: Pacing) -> Advice | None:
    """The engine's advice; before the end, the answers it doubts come first, and pages come with pauses."""
    if advice is not None and advice.code == "grids" and not pacing.wants_page:
        return rest_from_pages(pacing.singles_left)
    if advice is None or advice.code != "stop" or not n_doubts:
        return advice
    return look_again(n_doubts)
