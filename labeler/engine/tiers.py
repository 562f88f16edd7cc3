"""Tiers: how far a machine's label can be trusted, for free: who agrees with whom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labeler.core.numeric.neighbor_graph import NeighbourGraph
from labeler.core.steps import blocks
from labeler.core.types import BoolArray, ByteArray, FloatArray, IntArray, Tier
from labeler.engine.earned import Trust, surest

NEAR = 1.1
"""Distances to its tenth neighbour that an answer reaches while classes are still being discovered."""
SMOOTH = (0.8, 0.85)
"""Share of the likely labels that are locked from which a pool falls into groups, a ramp (groups: .86 and more; photos
whose neighbours are of other classes: .79 and less)."""
TAUGHT = (0.6, 0.75)
"""Share of left-out answers, of those whose class has another, that are guessed where first answers name groups."""
PRESUMED = (3, 4)  # three of four: where each class has one answer nothing speaks against groups
BY_GROUPS = 0.35
"""Part of a pool of groups, the surest, that may be locked before left-out answers bear it out: its errors lie in
the rest (wine and cancer, 10 to 20 answers: 100 % right)."""
LIKELY, LOCKED = 0.95, 0.99  # what the tiers promise
EACH = 0.85  # the chance to be right of a likely label, at least: good company alone makes none


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


def smoothness(tiers: ByteArray) -> float:
    """Return the share of the labels that all models agree on that lie among their own kind; 0 where there is none.

    It needs no answer to be left out, so it tells from the first answers on whether labels can spread here: where
    neighbours are of many classes the models agree with each other for want of evidence, and are wrong together.
    """
    likely = int(np.count_nonzero(tiers >= Tier.LIKELY))
    return int(np.count_nonzero(tiers == Tier.LOCKED)) / likely if likely else 0.0


def grouped(tiers: ByteArray, judged: tuple[int, int] | None = None) -> float:
    """Return how far a pool of these tiers (n,) falls into groups, in [0, 1].

    `judged` while classes are still discovered: left-out answers guessed, and how many had another of their class.
    """
    degree = _ramp(smoothness(tiers), SMOOTH)
    if judged is not None:
        degree *= _ramp((judged[0] + PRESUMED[0]) / (judged[1] + PRESUMED[1]), TAUGHT)
    return degree


def earned(
    tiers: ByteArray, shares: FloatArray, trust: Trust, groups: float, locked_by_groups: float = BY_GROUPS
) -> ByteArray:
    """Return the tiers (n,) that are as good as they promise, of what may be trusted by `tiers` (n,) at best.

    The surest labels come first, by their `shares` (n,); how many of them are locked and likely is what left-out
    answers bear out (`trust`) or, where that is more, what the `groups` of the pool do (in [0, 1]). By groups alone
    at most a part `locked_by_groups` of the pool is locked.
    """
    agreed = np.flatnonzero(tiers >= Tier.LIKELY)
    agreed = agreed[np.argsort(-shares[agreed], kind="stable")]
    least = trust.least(shares[agreed])
    n_locked = surest(least, LOCKED)
    n_likely = max(n_locked + surest(least[n_locked:], LIKELY, EACH), int(groups * len(agreed)))
    by_groups = agreed[tiers[agreed] == Tier.LOCKED][: int(locked_by_groups * groups * len(tiers))]
    result = np.full(len(tiers), Tier.ASK, dtype=np.uint8)
    result[agreed[:n_likely]] = Tier.LIKELY
    result[agreed[:n_locked]] = Tier.LOCKED
    result[by_groups] = Tier.LOCKED
    return result


def _ramp(value: float, ends: tuple[float, float]) -> float:
    # a ramp, not a step: one more answer must not turn a whole pool over
    return float(np.clip((value - ends[0]) / (ends[1] - ends[0]), 0.0, 1.0))


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
