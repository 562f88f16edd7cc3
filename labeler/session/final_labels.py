"""The labels that leave: what a person gave over what the last round says, and which of them an export holds."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labeler.core.types import GIVEN, UNLABELED, BoolArray, ByteArray, FloatArray, IntArray, Provenance, Round, Tier
from labeler.session.classes import restated_round

if TYPE_CHECKING:
    from labeler.session.state import State


@dataclass(frozen=True, slots=True)
class FinalLabels:
    """One entry an instance of the pool; the arrays mean what they mean in a :class:`Round`."""

    labels: IntArray
    provenances: ByteArray
    scores: FloatArray
    tiers: ByteArray
    sources: IntArray
    clusters: IntArray
    round: int

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """The array columns by name."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "round"}

    def by_default(self, *, predicted: bool = False) -> BoolArray:
        """A mask of the default export (n,): given, imported or propagated; `predicted` takes these in as well."""
        words = {*GIVEN, Provenance.PROPAGATED} | ({Provenance.PREDICTED} if predicted else set())
        chosen: BoolArray = np.isin(self.provenances, list(words)) & (self.labels != UNLABELED)
        return chosen

    def grown(self, size: int) -> FinalLabels:
        """The same with `size` entries: what joined the pool since has no label."""
        more = size - len(self.labels)
        if more <= 0:
            return self
        blank = {"labels": UNLABELED, "sources": -1, "clusters": -1}
        arrays = {
            name: np.concatenate([array, np.full(more, blank.get(name, 0), dtype=array.dtype)])
            for name, array in self.arrays.items()
        }
        return FinalLabels(round=self.round, **arrays)


def final_labels(state: State, round_: Round) -> FinalLabels:
    """Join a round and the answers, in the classes there are now: the labels that an export takes from.

    A rejected instance has no label, nor has one whose answer was taken back since the round, or that joined later.
    """
    round_ = state.with_predictions(restated_round(round_, state.stands_for()))
    final = FinalLabels(
        round_.labels.copy(),
        round_.provenances.copy(),
        round_.scores.copy(),
        round_.tiers.copy(),
        round_.sources,
        round_.clusters,
        round_.round,
    ).grown(len(state.pool))
    labels, provenances, scores, tiers = final.labels, final.provenances, final.scores, final.tiers
    # first what the round took for given goes: an answer that was taken back since must not leave with an export
    given = np.isin(provenances, GIVEN)
    labels[given], provenances[given], scores[given], tiers[given] = UNLABELED, Provenance.NONE, 0.0, Tier.NONE
    for index, answer in state.answers.items():
        if answer.kind == "label":  # also of missing instances, which the engine does not see
            labels[index], provenances[index] = answer.class_id, answer.provenance
            scores[index], tiers[index] = 1.0, Tier.LOCKED
        elif answer.kind == "reject":
            labels[index], provenances[index] = UNLABELED, Provenance.NONE
    return final
