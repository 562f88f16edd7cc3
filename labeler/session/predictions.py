"""The predictions of a model elsewhere: machine labels with their source, below everything that a person gave.

They stand where the engine itself would only predict, or says nothing; a label that spread from answers stands over
them. The engine does not learn from them, and nothing counts them as given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from labeler.core.events import Event, Predictions
from labeler.core.pool import Pool
from labeler.core.types import (
    UNLABELED,
    BoolArray,
    FloatArray,
    IndexArray,
    IntArray,
    Provenance,
    Round,
    Tier,
)

if TYPE_CHECKING:
    from labeler.session.state import State


@dataclass(frozen=True, slots=True)
class Prediction:
    """A class that came from elsewhere, and how sure whoever gave it says to be (0 where that is not said)."""

    class_id: int
    score: float
    event_id: str


def predictions_of(event: Event, body: Predictions, pool: Pool) -> list[tuple[int, Prediction]]:
    """The predictions of an event, by their index."""
    return [
        (pool.index(instance_id), Prediction(class_id, 0.0 if score is None else float(score), event.event_id))
        for instance_id, class_id, score in body.predictions
    ]


@dataclass(frozen=True, slots=True)
class Overlay:
    """The predictions that stand, as arrays in parallel."""

    indices: IndexArray
    class_ids: IntArray
    scores: FloatArray

    @classmethod
    def of(cls, predictions: Mapping[int, Prediction]) -> Overlay:
        """Make arrays of all; the usable ones are chosen later: the pool may change, a prediction stays."""
        return cls(
            np.fromiter(predictions, dtype=np.int64, count=len(predictions)),
            np.array([one.class_id for one in predictions.values()], dtype=np.int32),
            np.array([one.score for one in predictions.values()], dtype=np.float32),
        )

    def onto(self, round_: Round, lookup: IntArray, unusable: BoolArray) -> Round:
        """A round with the predictions where it only predicts, or says nothing; in the classes that `lookup` knows.

        The engine's own label becomes the runner-up where it is another one.
        """
        # an instance that joined since the round has no row in it
        inside = self.indices < len(round_.labels)
        rows, labels, scores = self.indices[inside], lookup[self.class_ids[inside]], self.scores[inside]
        stands = np.isin(round_.provenances[rows], (Provenance.NONE, Provenance.PREDICTED))
        stands &= (labels != UNLABELED) & ~unusable[rows]
        rows, labels, scores = rows[stands], labels[stands].astype(np.int32), scores[stands]
        if not len(rows):
            return round_
        # copies: the round is kept as it was sent, to be restated when classes or predictions change
        columns = {name: getattr(round_, name).copy() for name in _COLUMNS}
        own = columns["labels"][rows]
        other = np.where(own == labels, columns["runner_ups"][rows], own)
        # tier ask whatever the score: it was given on a scale of which nothing is known here
        for name, values in zip(
            _COLUMNS, (labels, other, Provenance.PREDICTED, scores, Tier.ASK, UNLABELED), strict=True
        ):
            columns[name][rows] = values
        return replace(round_, **columns)


_COLUMNS = ("labels", "runner_ups", "provenances", "scores", "tiers", "sources")


def origin_of(state: State, index: int) -> str:
    """The file that a predicted label came from; "" where it is the engine's own, or nobody predicts anything."""
    prediction = state.predictions.get(index)
    if prediction is None or state.stands_for()[prediction.class_id] == UNLABELED:
        return ""
    # `Overlay.onto` leaves these alone too: their label is not the prediction's
    if state.pool.missing[index] or state.pool.unreadable[index]:
        return ""
    event = state.event(prediction.event_id)
    return event.body.origin or "" if event is not None and isinstance(event.body, Predictions) else ""
