"""What the engine may know of a session."""

from __future__ import annotations

import numpy as np

from labeler.core.vocabulary import GIVEN, Snapshot
from labeler.session.state import State


def snapshot_of(state: State, percentile: float | None) -> Snapshot:
    """What an engine may know now; answers in the order they were given."""
    given = sorted(
        ((standing.seq, index, standing) for index, standing in state.standings.items() if standing.kind == "label"),
        key=lambda item: item[:2],
    )
    gone = state.pool.missing | state.pool.unreadable  # a label is kept, but there is nothing to learn from
    given = [item for item in given if item[2].provenance in GIVEN and not gone[item[1]]]
    # an engine gives whatever class it finds among the answers: those of a retired one are the person's alone
    retired = [index for _, index, standing in given if state.classes[standing.class_id].retired]
    given = [item for item in given if not state.classes[item[2].class_id].retired]
    held = [index for _, index, standing in given if state.is_held(standing)]
    given = [item for item in given if not state.is_held(item[2])]
    rejected = state.indices_of("reject")
    return Snapshot(
        revision=state.revision,
        round=state.round,
        indices=np.array([index for _, index, _ in given], dtype=np.int64),
        class_ids=np.array([standing.class_id for _, _, standing in given], dtype=np.int32),
        provenances=np.array([standing.provenance for _, _, standing in given], dtype=np.uint8),
        weights=np.array([standing.weight for _, _, standing in given], dtype=np.float32),
        class_list=np.array([info.class_id for info in state.active_classes()], dtype=np.int32),
        excluded=np.union1d(np.union1d(rejected, state.pool.unusable()), retired).astype(np.int64),
        held_back=state.indices_of("unsure"),
        deferred=np.union1d(state.indices_of("skip"), held).astype(np.int64),
        percentile=percentile,
        reach_indices=np.array(list(state.reaches), dtype=np.int64),
        reach_percentiles=np.array(
            [np.nan if own is None else own for own in state.reaches.values()], dtype=np.float32
        ),
        splits=np.array(state.splits, dtype=np.int64),
    )
