"""The clusters of a round one at a time: who stands for them, what is inside, how far labels spread there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labeler.core.types import UNLABELED, BoolArray, FloatArray, IndexArray, Provenance, Round
from labeler.session.state import State

SLOTS = ("center", "middle", "middle", "edge", "outside")
"""The five pictures of a cluster: nearest its center, two at the median distance, the farthest, and the nearest one
that belongs to another cluster."""
NOBODY = -1
STEP = 10.0
"""Percent of its cluster by which a reach grows or shrinks."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The labels in a cluster: class_id -> labels given and labels of the machine, and how many of those it exports."""

    size: int
    given: Counter[int]
    machine: Counter[int]
    propagated: int

    @property
    def n_given(self) -> int:
        """Labels a person or an import gave."""
        return sum(self.given.values())

    @property
    def free(self) -> int:
        """Instances that may take a label nobody gave them."""
        return self.size - self.n_given

    def classes(self) -> list[tuple[int, int, int]]:
        """(class_id, given, machine), the most frequent first."""
        both = self.given + self.machine
        order = sorted(both, key=lambda class_id: (-both[class_id], class_id))
        return [(class_id, self.given[class_id], self.machine[class_id]) for class_id in order]


class Clusters:
    """The clustering of one round. What it says of labels is asked of a later round, if need be."""

    def __init__(self, round_: Round, usable: BoolArray) -> None:
        """`usable` (n,): who can be looked at and labeled."""
        self.representatives: list[int] = [int(index) for index in round_.representatives]
        self._clusters, self._foreign = round_.clusters, round_.foreign
        self._shares = round_.shares
        # sorted once: the members of any cluster are then a slice, the nearest to its center first
        order = np.lexsort((round_.distances, round_.clusters))
        order = order[usable[order]]
        bounds = np.searchsorted(round_.clusters[order], np.arange(len(self.representatives) + 1))
        self._order, self._bounds = order, bounds

    def cluster_of(self, index: int) -> int:
        """The number of the cluster an instance is in; only good for comparing."""
        return int(self._clusters[index])

    def members(self, representative: int) -> IndexArray:
        """The usable instances of a cluster, nearest to its center first."""
        cluster = self.cluster_of(representative)
        return np.asarray(self._order[self._bounds[cluster] : self._bounds[cluster + 1]], dtype=np.int64)

    def pictures(self, representative: int) -> list[int]:
        """The instances of :data:`SLOTS`, each once; NOBODY where a cluster is too small or alone."""
        rest = [index for index in self.members(representative).tolist() if index != representative]
        # taken out before the middles: in a small cluster no instance shall stand in two places
        edge = rest.pop() if rest else NOBODY
        middles = rest[(len(rest) - 1) // 2 :][:2] if rest else []
        middles += [NOBODY] * (2 - len(middles))
        cluster = self.cluster_of(representative)
        foreign = int(self._foreign[cluster]) if cluster < len(self._foreign) else NOBODY
        return [representative, *middles, edge, foreign]

    def contents(self, representative: int, state: State, round_: Round) -> Contents:
        """Return what is in a cluster by the labels of `round_` and what a person said since."""
        members = self.members(representative)
        answers = {index: state.answers[index] for index in members.tolist() if index in state.answers}
        spoken = [index for index, answer in answers.items() if answer.kind in ("label", "reject")]
        silent = members[~np.isin(members, spoken)] if spoken else members
        labels, provenances = round_.labels[silent], round_.provenances[silent]
        ids, counts = np.unique(labels[labels != UNLABELED], return_counts=True)
        return Contents(
            # one that was rejected takes no label, so that it is not among those that are free
            len(members) - sum(answer.kind == "reject" for answer in answers.values()),
            Counter(answer.class_id for answer in answers.values() if answer.kind == "label"),
            Counter(dict(zip(ids.tolist(), counts.tolist(), strict=True))),
            int((provenances == Provenance.PROPAGATED).sum()),
        )

    def belonging(self, representative: int) -> float | None:
        """The degree to which its members belong to a cluster, in the mean (soft assignment); None where not known."""
        members = self.members(representative)
        return float(self._shares[members].mean()) if len(self._shares) and len(members) else None

    def own_reach(self, representative: int, state: State) -> float | None:
        """The percentile a person gave this cluster alone, by the latest word; None = the common rule."""
        cluster = self.cluster_of(representative)
        reaches = [own for index, own in state.clusters.reaches.items() if self.cluster_of(index) == cluster]
        # several may speak of it, under representatives of earlier rounds: the latest holds
        return reaches[-1] if reaches else None

    def by_size(self) -> list[int]:
        """The representatives, the largest cluster's first."""
        return sorted(self.representatives, key=lambda index: -len(self.members(index)))

    def by_mixture(self, state: State, round_: Round) -> list[int]:
        """The representatives, the cluster whose labels agree least first; equals: the larger first."""
        mixed = dict(zip(self.representatives, self._mixture(state, round_).tolist(), strict=True))
        return sorted(self.by_size(), key=lambda index: -mixed[index])

    def _mixture(self, state: State, round_: Round) -> FloatArray:
        """The share, for each representative (k,), of its cluster's labels that are not of the commonest class."""
        labels = round_.labels.copy()
        # what was said since the round counts at once; only what nobody spoke of is as the round has it
        for index, answer in state.answers.items():
            labels[index] = answer.class_id if answer.kind == "label" else labels[index]
        shares = []
        for representative in self.representatives:
            own = labels[self.members(representative)]
            own = own[own != UNLABELED]
            shares.append(1.0 - np.bincount(own).max() / len(own) if len(own) else 0.0)
        return np.array(shares, dtype=np.float32)


def carried_over(order: Sequence[int], before: Clusters, now: Clusters) -> list[int]:
    """The representatives of `now` in the `order` of those of `before`: what is new stands where it came out of."""
    # a cluster that was divided keeps its place: the part of the old representative first, the new part behind it
    places = {before.cluster_of(representative): place for place, representative in enumerate(order)}
    known = set(order)
    return sorted(now.representatives, key=lambda index: (places[before.cluster_of(index)], index not in known))


def stepped(percentile: float, direction: int) -> float:
    """The next full step above or below a percentile, within 0 and 100."""
    # to the next full step, not by ten: from a percentile that was typed the first press lands on a round number
    step = percentile // STEP + 1 if direction > 0 else -(-percentile // STEP) - 1
    return float(min(max(step * STEP, 0.0), 100.0))
