"""The predictions of a model elsewhere, as they were imported and stand."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from labeler.core import events
from labeler.core.types import BoolArray, IntArray, Round
from labeler.session.folds.step import Step, folds
from labeler.session.predictions import Overlay, Prediction, predictions_of

if TYPE_CHECKING:
    from labeler.session.state import State


class PredictionTable(dict[int, Prediction]):
    """Index -> what a model elsewhere says of it, given or not."""

    def __init__(self) -> None:
        super().__init__()
        self.changed_at = 0  # the revision at which they last changed
        self._overlay: tuple[int, Overlay] | None = None

    def onto(self, round_: Round, lookup: IntArray, unusable: BoolArray) -> Round:
        """A round with what they say where the engine only predicts, or says nothing."""
        if not self:
            return round_
        if self._overlay is None or self._overlay[0] != self.changed_at:
            self._overlay = self.changed_at, Overlay.of(self)
        return self._overlay[1].onto(round_, lookup, unusable)


@folds(events.Predictions)
def _fold_predictions(state: State, step: Step, body: events.Predictions) -> None:
    before: list[tuple[int, Prediction | None]] = []
    for index, prediction in predictions_of(step.event, body, state.pool):
        before.append((index, state.predictions.get(index)))
        state.predictions[index] = prediction
    step.back.append(partial(_restore, state, before))
    state.predictions.changed_at = state.revision


def _restore(state: State, before: list[tuple[int, Prediction | None]]) -> None:
    # from the end: where a file names an instance twice, the first entry holds what was there before it
    for index, prediction in reversed(before):
        if prediction is None:
            state.predictions.pop(index, None)
        else:
            state.predictions[index] = prediction
    state.predictions.changed_at = state.revision
