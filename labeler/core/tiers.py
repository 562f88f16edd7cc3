"""How far a machine's label can be trusted, for free: who agrees with whom."""

from __future__ import annotations

import numpy as np

from labeler.core.belief import Belief
from labeler.core.graph import NeighbourGraph
from labeler.core.vocabulary import ByteArray, Tier


def tiers_of(belief: Belief, graph: NeighbourGraph) -> ByteArray:
    """Tier (n,) uint8 of each label.

    *likely*: graph, kernel and all the others agree with it; *locked*: and so do all its neighbours; *ask*: the rest.
    """
    labels = belief.labels
    agree = (belief.by_graph == labels) & (belief.by_kernel == labels)
    if len(belief.answers.classes) > 1:
        agree &= belief.by_others == labels
    alike = (labels[graph.neighbours] == labels[:, None]).all(axis=1)
    return np.where(agree, np.where(alike, Tier.LOCKED, Tier.LIKELY), Tier.ASK).astype(np.uint8)
