"""What a classifier learns that follows a clustering: answers, and the core of the clusters that have one."""

from __future__ import annotations

import numpy as np

from labeler.core.types import UNLABELED, BoolArray, IndexArray, IntArray


def taught_by_core(core: BoolArray, spread: IntArray, indices: IndexArray) -> IndexArray:
    """Which instances to learn from, in order: those answered, and those of the core that have a label in `spread`.

    Parameters
    ----------
    core
        (n,) who makes the clusters.
    spread
        (n,) class ids that clusters gave their instances, :data:`UNLABELED` = none.
    indices
        The answers.
    """
    return np.union1d(np.flatnonzero(core & (spread != UNLABELED)), indices).astype(np.int64)
