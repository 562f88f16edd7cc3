"""The table of labels: of every instance what it is called, who says so and how sure that is, joined once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from labeler.core.types import GIVEN, UNLABELED, BoolArray, ByteArray, FloatArray, IndexArray, IntArray, Provenance
from labeler.session.final_labels import FinalLabels
from labeler.session.predictions import origin_of
from labeler.session.state import State


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTable:
    """One entry an instance of the pool, in its order; the columns run in parallel.

    `class_indices` are positions in `class_names`, -1 where there is no label. `rounds` and `annotators` are those of
    the answer where a person gave the label (or threw the instance out), else of the round that gave it and "".
    """

    ids: list[str]
    class_names: list[str]
    class_indices: IntArray
    provenances: ByteArray
    scores: FloatArray
    tiers: ByteArray
    clusters: IntArray
    rounds: IntArray
    annotators: list[str]
    sources: IntArray  # the instance whose answer a label rests on most, -1 = none
    flagged: BoolArray
    rejected: BoolArray
    origin: Callable[[int], str]  # index -> the file a predicted label came from, "" = the engine's own

    def __len__(self) -> int:
        return len(self.ids)

    def of(self, *provenances: Provenance) -> BoolArray:
        """Return which instances (n,) have a label that comes from there."""
        has_label: BoolArray = np.isin(self.provenances, list(provenances)) & (self.class_indices != UNLABELED)
        return has_label

    def source_ids(self, indices: IndexArray) -> list[str]:
        """Return the answered instance a machine's label rests on; of a prediction from elsewhere its file's name."""
        by_machine = ~np.isin(self.provenances, GIVEN)
        names = [self.ids[self.sources[i]] if self.sources[i] >= 0 and by_machine[i] else "" for i in indices]
        for row in np.flatnonzero(self.provenances[indices] == Provenance.PREDICTED).tolist():
            if origin := self.origin(int(indices[row])):
                names[row] = Path(origin).name
        return names


def label_table(state: State, final: FinalLabels) -> LabelTable:
    """Join what a round and the answers amount to with what the journal knows of each answer.

    `state` is the one `final` belongs to: of now, or of the moment at which an audit froze its labels.
    """
    n = len(final.labels)
    rejected = np.zeros(n, dtype=np.bool_)
    rejected[state.indices_of("reject")] = True
    flagged = np.zeros(n, dtype=np.bool_)
    flagged[list(state.flagged)] = True
    rounds, annotators = np.full(n, final.round, dtype=np.int32), [""] * n
    for index, answer in state.answers.items():
        if answer.kind in ("label", "reject"):  # a skipped one keeps its machine label and that one's round
            rounds[index], annotators[index] = answer.round, answer.annotator
    class_names, position = _class_positions(state)
    return LabelTable(
        ids=list(state.pool.ids),
        class_names=class_names,
        class_indices=position[final.labels],
        provenances=final.provenances,
        scores=np.where(rejected, 1.0, final.scores).astype(np.float32),
        tiers=final.tiers,
        clusters=final.clusters,
        rounds=rounds,
        annotators=annotators,
        sources=final.sources,
        flagged=flagged,
        rejected=rejected,
        origin=partial(origin_of, state),
    )


def _class_positions(state: State) -> tuple[list[str], IntArray]:
    """Names, each once, and class id -> position in them: the active classes, then retired ones that have labels."""
    position = np.full(state.classes.next_id + 1, UNLABELED, dtype=np.int32)  # the last entry is that of UNLABELED, -1
    positions: dict[str, int] = {}
    retired = [info for info in state.classes.values() if info.retired and info.merged_into == UNLABELED]
    used = [info for info in retired if any(state.answers.given[info.class_id, word] for word in GIVEN)]
    for info in (*state.active_classes(), *used):
        position[info.class_id] = positions.setdefault(info.name, len(positions))  # a name may be taken up again
    return list(positions), position
