"""The facts of a session that the engine may know."""

from __future__ import annotations

import numpy as np

from labeler.core.types import GIVEN, Snapshot
from labeler.session.state import State


def snapshot_of(state: State, percentile: float | None) -> Snapshot:
    """Return what an engine may know now; answers in the order they were given."""
    rows = state.answers.columns.of("label")
    gone = state.pool.missing | state.pool.unreadable  # a label is kept, but there is nothing to learn from
    given = np.isin(rows["provenance"], GIVEN) & ~gone[rows["index"]]
    # an engine gives whatever class it finds among the answers: those of a retired one are the person's alone
    out_of_use = given & np.isin(rows["class_id"], [info.class_id for info in state.classes.values() if info.retired])
    in_audit = given & ~out_of_use & (rows["audit"] == state.audits.held) & (rows["audit"] > 0)
    retired, held = rows["index"][out_of_use], rows["index"][in_audit]
    learned = given & ~out_of_use & ~in_audit
    rejected = state.indices_of("reject")
    return Snapshot(
        revision=state.revision,
        round=state.round,
        indices=rows["index"][learned],
        class_ids=rows["class_id"][learned],
        provenances=rows["provenance"][learned],
        weights=rows["weight"][learned],
        class_list=np.array([info.class_id for info in state.active_classes()], dtype=np.int32),
        excluded=np.union1d(np.union1d(rejected, state.pool.unusable()), retired).astype(np.int64),
        held_back=state.indices_of("unsure"),
        deferred=np.union1d(state.indices_of("skip"), held).astype(np.int64),
        percentile=percentile,
        reach_indices=np.array(list(state.clusters.reaches), dtype=np.int64),
        reach_percentiles=np.array(
            [np.nan if own is None else own for own in state.clusters.reaches.values()], dtype=np.float32
        ),
        splits=np.array(state.clusters.splits, dtype=np.int64),
    )
