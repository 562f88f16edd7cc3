"""Tiers: how far a machine's label can be trusted, by who agrees with whom and by what left-out answers bear out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labeler.core.numeric.neighbor_graph import NeighbourGraph
from labeler.core.steps import blocks
from labeler.core.types import BoolArray, ByteArray, FloatArray, IndexArray, IntArray, Tier
from labeler.engine.earned import Numbers, Trust, surest

NEAR = 1.1
"""Distances to its tenth neighbour that an answer reaches while classes are still being discovered."""
SMOOTH = (0.76, 0.8)
"""Share of the agreed labels whose neighbours all have the same label from which a pool falls into groups, a ramp
(groups: .81 and more; 1,200 groceries of 15 kinds: .76 and less after 75 answers, the surest quarter 92 to 97 % right).
What is held from check to check (foresight.py) keeps so short a ramp from turning a pool over."""
SMOOTH_UNANIMOUS = (0.85, 0.9)
"""The same of the labels that every model agrees on (groceries: up to .83): where one region alone is rough, they are
those of the others."""
TAUGHT = (0.55, 0.68)
"""Share right of left-out answers (earned.evidence_of) from which answers name the groups: groups have .70 and more."""
EXPECTED = (0.72, 0.79)
"""Share of the agreed labels expected to be right, by left-out answers of like certainty, from which answers name the
groups. Late answers are the hard ones: after 200, .61 of those of MNIST's training images were guessed where 99.8 % of
the labels were right (expected: .79 and more), and .67 where every group was of two classes by lot (mostly below .72).
"""
EXPECTED_LATER = (0.87, 0.92)
"""The same from which, with ENOUGH answers, neighbours need not be alike (1,200 groceries of 15 kinds after 300: .91
expected, 99.5 % right, smoothness .74)."""
TAUGHT_FIRST = (0.78, 0.88)
"""The same while classes are still discovered: groceries had .75 where 80 % of what lay near the answers was right."""
UNANIMOUS = (0.8, 0.9)
"""Share of the labels that every model agrees on from which few answers are enough (groups: .92 and more)."""
UNANIMOUS_FIRST = (0.92, 0.97)
"""The same while classes are still discovered, where hardly an answer can be left out (groceries: up to .91)."""
ENOUGH = (50.0, 100.0)
"""Answers from which models may disagree: blood cells by gradients, half of them unanimous, 93 % right at 30."""
UNANIMOUS_LATER = (0.65, 0.8)
"""Share of unanimous labels from then on: what is agreed of the rest is smooth where models are (groceries of 43 kinds
in 6 classes: .65 and less, 60 to 84 % right; cats and dogs against the rest .72, 98 %)."""
UNSEEN = (0.15, 0.3)
"""Chance of a class without an answer up to which labels spread by groups (groceries, 14 of 20 kinds met after 20
answers: 81 % right of what every model agreed on)."""
COMPLETE = (0.03, 0.1)
"""The same, up to which labels are locked: a class that nobody named is sure to be taken for another (characters, 118
of 120 classes named: the surest third was 97.7 % right)."""
BY_GROUPS = 0.2
"""Part of a pool of groups, the surest, that may be locked before left-out answers bear it out: its errors lie in
the rest, which must keep its own promise: without the surest third of a pool that is 96 % right it was 94 %."""
LATER = (20.0, 50.0)
"""Answers from which groups can lock labels, and need no more than UNANIMOUS to spread: of a table's surest third after
20, one of 55 labels was wrong."""
LIKELY, LOCKED = 0.95, 0.99  # what the tiers promise
SMOOTH_LOCKED = (0.8, 0.86)
"""Smoothness of the agreed labels from which groups lock any (1,200 groceries of 15 kinds: .79 and less, the surest
quarter 98 % right)."""
UNANIMOUS_LOCKED = (0.9, 0.95)
"""Share of unanimous labels from which groups lock any (groceries of 6 kinds: .90 and less, 98.6 % of them right)."""
LIKELIER = (0.5, 0.65)
"""Chance to be right that a label in a group must have by itself: where a region is rough, it lies below."""
EACH = 0.85  # the chance to be right of a likely label, at least: good company alone makes none
SMALLEST = 0.03
"""Part of a pool below which no tier is told apart from the next lower one: 2 % of signs were 92 % right."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The labels (n,) bool that others agree with.

    `agreed`: the label models together and all the others; `unanimous`: each of them, and graph and kernel one by one;
    `alike`: all neighbours have the same label; `labels` are places of classes.
    """

    labels: IntArray
    agreed: BoolArray
    unanimous: BoolArray
    alike: BoolArray

    def of(self, rows: BoolArray) -> Agreement:
        """Return that of some rows (n,) bool."""
        return Agreement(self.labels[rows], self.agreed[rows], self.unanimous[rows], self.alike[rows])

    def smoothness(self, rows: BoolArray) -> float:
        """Return the share of the labels `rows` (n,) bool that lie among their own kind; 0 where there is none.

        It needs no answer to be left out, so it tells from the first answers on whether labels can spread here: where
        neighbours are of many classes the models agree with each other for want of evidence, and are wrong together.
        Where most labels are of one class, the others count as much as it: it would lie among its own kind by chance.
        """
        return self._share(rows & self.alike, rows)

    def unanimity(self) -> float:
        """Return the share of the labels that are unanimous, counted as :meth:`smoothness` does."""
        return self._share(self.agreed & self.unanimous, np.ones_like(self.agreed))

    def _share(self, chosen: BoolArray, rows: BoolArray) -> float:
        sizes = np.bincount(self.labels[rows])
        if not sizes.sum():
            return 0.0
        counts = np.bincount(self.labels[chosen], minlength=len(sizes))
        share = float(counts.sum() / sizes.sum())
        largest, rest = int(sizes.argmax()), int(sizes.sum() - sizes.max())
        if not rest or 2 * sizes[largest] <= sizes.sum():
            return share
        others = float(counts.sum() - counts[largest]) / rest
        return min(share, (float(counts[largest] / sizes[largest]) + others) / 2.0)


@dataclass(frozen=True, slots=True)
class Groups:
    """Parts of a pool that may spread because it falls into groups that answers name, each in [0, 1].

    `unanimous`: of the labels that every model agrees with; `agreed`: of the others that are agreed; `locked`: of the
    pool, the surest. `complete`: how surely every class has an answer, from which alone labels can be locked.
    """

    unanimous: float = 0.0
    agreed: float = 0.0
    locked: float = 0.0
    complete: float = 1.0

    @property
    def is_full(self) -> bool:
        """Whether everything that is agreed may spread."""
        return self.unanimous >= 1.0 and self.agreed >= 1.0


def agreement_of(labels: IntArray, odds: FloatArray, opinions: Sequence[IntArray], graph: NeighbourGraph) -> Agreement:
    """Return who agrees with `labels` (n,).

    `odds` (n,) are theirs by the label models together; `opinions` (n,) those of graph and kernel, the last one that of
    all the others.
    """
    unanimous = np.ones(len(labels), dtype=np.bool_)
    for opinion in opinions:
        unanimous &= opinion == labels
    alike = (labels[graph.neighbours] == labels[:, None]).all(axis=1)
    return Agreement(labels, (odds > 0.0) & (opinions[-1] == labels), unanimous, alike)


def grouped(agreement: Agreement, evidence: float) -> float:
    """Return how far a pool falls into groups that answers name, in [0, 1].

    `evidence` as :func:`labeler.engine.earned.evidence_of`: groups of many classes each are as smooth.
    """
    return ramp(agreement.smoothness(agreement.agreed), SMOOTH) * ramp(evidence, TAUGHT)


def is_discovering(is_start: bool, n_answers: int, unseen: float) -> bool:
    """Whether so many classes are still to be met that nothing is known far from answers.

    `is_start` while representatives come first; later one more class, which lets them come first again, changes
    little where the chance of an `unseen` one is small.
    """
    return is_start and (n_answers < ENOUGH[0] or unseen > UNSEEN[1])


def groups_of(
    agreement: Agreement, evidence: float, expected: float, n_answers: int, unseen: float, *, discovering: bool
) -> Groups:
    """Return what may spread by groups alone.

    `evidence` as :func:`labeler.engine.earned.evidence_of`, `expected` the share of the agreed labels that is expected
    to be right (:meth:`Trust.expected`), `unseen` the chance of a class without an answer.
    """
    complete = 1.0 - ramp(unseen, COMPLETE)
    both = agreement.agreed & agreement.unanimous
    share = agreement.unanimity()
    smoothness = agreement.smoothness(agreement.agreed)
    degree = max(ramp(smoothness, SMOOTH), ramp(n_answers, ENOUGH) * ramp(expected, EXPECTED_LATER))
    surer = max(degree, ramp(agreement.smoothness(both), SMOOTH_UNANIMOUS))
    first = max(ramp(evidence, TAUGHT_FIRST), ramp(share, UNANIMOUS_FIRST))
    borne_out, met = ramp(expected, EXPECTED), 1.0 - ramp(unseen, UNSEEN)
    if discovering:  # nobody knows the groups yet: none of them locks a label
        return Groups(unanimous=surer * first * borne_out * met, complete=complete)
    unanimity, later = ramp(share, UNANIMOUS), ramp(n_answers, LATER)
    # the first answers lie all over the pool, the later ones are its hardest: they are judged at their own certainty
    taught = max(ramp(evidence, TAUGHT), ramp(n_answers, ENOUGH)) * borne_out
    # models agree on the labels of a class that nobody named, too
    taught *= max(met, ramp(evidence, TAUGHT_FIRST))
    # after 20 answers groceries of 6 kinds were 94 % right of 93 % unanimous labels: so few must show more
    unanimity *= first + (1.0 - first) * later
    degree, surer = degree * taught, surer * taught
    enough = ramp(n_answers, ENOUGH) * ramp(share, UNANIMOUS_LATER)
    locked = BY_GROUPS * surer * complete * later
    locked *= ramp(smoothness, SMOOTH_LOCKED) * ramp(share, UNANIMOUS_LOCKED)
    return Groups(surer * max(unanimity, enough), degree * enough, locked, complete)


def earned(agreement: Agreement, odds: FloatArray, trust: Trust, groups: Groups, least: float = 0.0) -> ByteArray:
    """Return the tiers (n,) that are as good as they promise, of the labels that are agreed.

    The surest labels come first, by their log `odds` (n,); how many of them are locked and likely is what left-out
    answers bear out (`trust`) or, where that is more, what the `groups` of the pool do. At least the part `least` of
    them spreads, as far as it is agreed.
    """
    tiers = _borne_out(agreement.agreed, odds, trust, groups.complete)
    unanimous = _surest_first(agreement.agreed & agreement.unanimous, odds)
    others = _surest_first(agreement.agreed & ~agreement.unanimous, odds)
    for rows, part in ((unanimous, groups.unanimous), (others, groups.agreed)):
        # the surest come first: those that are more likely wrong are the last
        spread = rows[: int(part * _ramp_of(trust.expected(odds[rows]), LIKELIER).sum())]
        tiers[spread] = np.maximum(tiers[spread], Tier.LIKELY)
    surest = np.concatenate((unanimous, others))
    lower = surest[tiers[surest] < Tier.LIKELY]
    n_missing = max(int(least * len(odds)) - int(np.count_nonzero(tiers >= Tier.LIKELY)), 0)
    tiers[lower[:n_missing]] = Tier.LIKELY
    tiers[unanimous[agreement.alike[unanimous]][: int(groups.locked * len(odds))]] = Tier.LOCKED
    for tier, less in ((Tier.LOCKED, Tier.LIKELY), (Tier.LIKELY, Tier.ASK)):
        of_tier = tiers == tier
        if np.count_nonzero(of_tier) < SMALLEST * len(odds):
            tiers[of_tier] = less
    return tiers


def _borne_out(agreed: BoolArray, odds: FloatArray, trust: Trust, complete: float) -> ByteArray:
    """Return the tiers (n,) that left-out answers alone bear out."""
    tiers = np.full(len(odds), Tier.ASK, dtype=np.uint8)
    rows = _surest_first(agreed, odds)
    least = trust.least(odds[rows])
    n_locked = int(complete * surest(least, LOCKED))
    n_likely = surest(least[n_locked:], LIKELY, EACH)
    tiers[rows[: n_locked + n_likely]] = Tier.LIKELY
    tiers[rows[:n_locked]] = Tier.LOCKED
    return tiers


def _surest_first(chosen: BoolArray, odds: FloatArray) -> IndexArray:
    rows = np.flatnonzero(chosen)
    return np.asarray(rows[np.argsort(-odds[rows], kind="stable")], dtype=np.int64)


def ramp(value: float, ends: tuple[float, float]) -> float:
    """Return how far `value` lies between the `ends`, in [0, 1]."""
    return float(_ramp_of(np.array(value), ends))


def _ramp_of(values: Numbers, ends: tuple[float, float]) -> Numbers:
    # a ramp, not a step: one more answer must not turn a whole pool over
    return np.asarray(np.clip((values - ends[0]) / (ends[1] - ends[0]), 0.0, 1.0))


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
