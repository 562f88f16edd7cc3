"""Tiers: how far a machine's label can be trusted, for free: who agrees with whom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labeler.core.numeric.neighbor_graph import NeighbourGraph
from labeler.core.steps import blocks
from labeler.core.types import BoolArray, ByteArray, FloatArray, IntArray, Tier

NEAR = 1.2
"""Distances to its tenth neighbour that an answer reaches while classes are still being discovered."""
SMOOTH = 0.7
"""Share of the likely labels that are locked from which a pool counts as smooth (groups: .86 and more; photos whose
neighbours are of other classes: .5 and less)."""


def tiers_of(labels: IntArray, opinions: Sequence[IntArray], graph: NeighbourGraph) -> ByteArray:
    """Tier (n,) uint8 of each label.

    *likely*: all `opinions` (n,) agree with it (graph, kernel and all the others); *locked*: and so do all its
    neighbours; *ask*: the rest.
    """
    agree = np.ones(len(labels), dtype=np.bool_)
    for opinion in opinions:
        agree &= opinion == labels
    alike = (labels[graph.neighbours] == labels[:, None]).all(axis=1)
    return np.where(agree, np.where(alike, Tier.LOCKED, Tier.LIKELY), Tier.ASK).astype(np.uint8)


def is_smooth(tiers: ByteArray) -> bool:
    """Whether labels that all models agree on mostly lie among their own kind.

    It needs no answer to be left out, so it tells from the first answers on whether labels can spread here: where
    neighbours are of many classes the models agree with each other for want of evidence, and are wrong together.
    """
    likely = np.count_nonzero(tiers >= Tier.LIKELY)
    return bool(np.count_nonzero(tiers == Tier.LOCKED) >= SMOOTH * likely)


def is_near(sources: IntArray, z: FloatArray, graph: NeighbourGraph) -> BoolArray:
    """Whether each instance (n,) is a near neighbour of the answer its label rests on.

    While new classes turn up, all models agree on labels of classes they cannot know: only near ones can be trusted.
    """
    if not graph.neighbours.shape[1]:
        return np.zeros(len(z), dtype=np.bool_)
    limit = NEAR * graph.distances[sources, -1]
    apart = np.empty(len(z), dtype=np.float32)
    for rows in blocks(*z.shape):
        apart[rows] = np.square(z[rows] - z[sources[rows]]).sum(axis=1)
    return np.asarray((apart <= limit**2) & (sources >= 0), dtype=np.bool_)
