"""The audits of a state: each as the journal tells it, and those of the files it was merged from."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from labeler.core import events
from labeler.core.errors import ProjectError
from labeler.core.events import Event
from labeler.session.answer_records import Answer
from labeler.session.audit import audits
from labeler.session.audit.audits import AuditRecord, begun, return_page, take_page
from labeler.session.audit.pages import block_of
from labeler.session.folds.answers import answer_of, answers_of, stand_all
from labeler.session.folds.step import Step, folds

if TYPE_CHECKING:
    from labeler.session.state import State


class AuditLog(list[AuditRecord]):
    """The audits of this file, the latest last."""

    def __init__(self) -> None:
        super().__init__()
        self.labels_before = 0  # events that gave labels when the latest one began
        self.carried: list[Event] = []  # audits of other files, sealed
        self.carried_begins: set[str] = set()  # the events that began them: each used up a share of alpha

    @property
    def held(self) -> int:
        """The number of the audit whose statement is not drawn yet; 0 = none: the engine must not learn from it."""
        return len(self) if self and not self[-1].drawn else 0

    def is_held(self, answer: Answer) -> bool:
        """Whether it was said in an audit whose statement is not drawn yet."""
        return 0 < answer.audit == self.held

    def of(self, event: Event, number: int) -> AuditRecord:
        """The audit that an event names. Raises ProjectError where there is none."""
        if not 0 < number <= len(self):
            raise ProjectError(f"event {event.event_id} of the journal names no audit", "run: labeler check")
        return self[number - 1]


@folds(events.AuditBegin)
def _fold_begin(state: State, step: Step, body: events.AuditBegin) -> None:
    state.forget_undone()  # an answer to the audit before is not brought back
    state.audits.append(begun(step.event, body))
    state.audits.labels_before = state.answers.label_events


@folds(events.AuditBlock)
def _fold_block(state: State, step: Step, body: events.AuditBlock) -> None:
    # a plan: nothing is said yet, and what was taken back may be brought back
    state.audits.of(step.event, body.audit).blocks.append(block_of(body, state.pool))


@folds(events.AuditCarried)
def _fold_carried(state: State, step: Step, body: events.AuditCarried) -> None:
    state.audits.carried.append(step.event)
    state.audits.carried_begins |= body.kept_under.keys()


@folds(events.AuditAnswer)
def _fold_answer(state: State, step: Step, body: events.AuditAnswer) -> None:
    index = state.pool.index(body.instance_id)
    stand_all(state, step, [(index, answer_of(state, step.event, body.word, audit=body.audit))])
    audit = state.audits.of(step.event, body.audit)
    audit.answers.append(audits.answer_of(body, index))
    step.back.append(partial(_take_back, audit))


def _take_back(audit: AuditRecord) -> None:
    audit.answers.pop()
    audit.taken_back += 1


@folds(events.AuditPage)
def _fold_page(state: State, step: Step, body: events.AuditPage) -> None:
    answers = answers_of(state, step.event, body.labels, audit=body.audit)
    unsure = answer_of(state, step.event, "unsure", audit=body.audit)
    stand_all(state, step, answers + [(state.pool.index(name), unsure) for name in body.unsure])
    audit = state.audits.of(step.event, body.audit)
    take_page(audit, step.event, body, state.pool)
    step.back.append(partial(return_page, audit, body))


@folds(events.AuditEnd)
def _fold_end(state: State, step: Step, body: events.AuditEnd) -> None:
    audit = state.audits.of(step.event, body.audit)
    audit.ended = True
    step.back.append(partial(setattr, audit, "ended", False))
