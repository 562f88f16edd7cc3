"""Bookmarks, conflicts, second looks and second answers: what is noted beside the answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from labeler.core import events
from labeler.session.answer_records import Conflict, Kept, repeat_of
from labeler.session.folds.step import Step, folds

if TYPE_CHECKING:
    from labeler.session.state import State


@folds(events.Flag)
def _fold_flag(state: State, step: Step, body: events.Flag) -> None:
    index = state.pool.index(body.instance_id)
    # a toggle: so the same step, done again, takes it back
    state.flagged ^= {index}
    step.back.append(partial(state.flagged.symmetric_difference_update, {index}))


@folds(events.Conflict)
def _fold_conflict(state: State, step: Step, body: events.Conflict) -> None:
    index = state.pool.index(body.instance_id)
    # no way back is noted: a merge records it, and that is not on the undo stack
    state.conflicts[index] = Conflict(body.answers)
    step.touched.append(index)


@folds(events.Keep)
def _fold_keep(state: State, step: Step, body: events.Keep) -> None:
    index = state.pool.index(body.instance_id)
    # before the new entry is set: what is there now is what an undo puts back
    step.back.append(_restoring(state.looks, index))
    state.looks[index] = Kept(body.class_id, step.event.seq)
    state.settle(index, step)


def _restoring(looks: dict[int, Kept], index: int) -> Callable[[], object]:
    """Return the function that puts the present entry, or its absence, back."""
    before = looks.get(index)
    return partial(looks.pop, index) if before is None else partial(looks.__setitem__, index, before)


@folds(events.Repeat)
def _fold_repeat(state: State, step: Step, body: events.Repeat) -> None:
    state.repeats.append(repeat_of(step.event, body, state.pool))
    step.back.append(state.repeats.pop)
