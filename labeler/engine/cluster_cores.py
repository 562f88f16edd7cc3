"""The lessons of a classifier that follows a clustering: answers, and the core of the clusters that have one."""

from __future__ import annotations

import numpy as np

from labeler.core.types import UNLABELED, BoolArray, IndexArray, IntArray


def taught_by_core(core: BoolArray, spread: IntArray, indices: IndexArray) -> IndexArray:
    """Return what to learn from, in order: what is answered, and what of the core has a label in `spread`.

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
