"""A belief in the form in which it leaves the engine: labels with provenance, tier, score and source."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from labeler.core.protocols import Clustering
from labeler.core.steps import blocks
from labeler.core.types import (
    UNLABELED,
    Advice,
    BoolArray,
    ByteArray,
    FloatArray,
    IndexArray,
    IntArray,
    Provenance,
    Queue,
    Round,
    Snapshot,
    Tier,
)
from labeler.engine.belief import Answers, Belief, runner_ups_of
from labeler.engine.cluster_neighbors import ClusterNeighbors
from labeler.engine.foresight import Check, lifted, share_to_keep, since
from labeler.engine.kernel_ridge import landmarks_of
from labeler.engine.reach import percentiles_of, within_reach
from labeler.engine.representatives import Level
from labeler.engine.space import Space
from labeler.engine.tiers import Groups, earned, groups_of, is_near


@dataclass(frozen=True, slots=True)
class Assembly:
    """The parts of a round besides the belief: the space, one clustering, and whom each instance repeats (n,)."""

    space: Space | None
    level: Level
    first_of: IndexArray
    discovering: bool = False  # new classes still turn up
    unseen: float = 0.0  # the chance that there is a class without an answer
    around: ClusterNeighbors = field(default_factory=ClusterNeighbors)
    past: tuple[Check, ...] = ()  # labels of fewer answers, which the later ones judge

    @staticmethod
    def empty() -> Assembly:
        """Return those of a pool without instances."""
        none = np.empty(0, dtype=np.int64)
        nothing = np.empty(0, dtype=np.float32)
        return Assembly(None, Level(Clustering(none.astype(np.int32), nothing, nothing.reshape(0, 1)), none), none)


@dataclass(frozen=True, slots=True)
class Settled:
    """The facts that tiers rest on besides the belief, as the fields of an Assembly."""

    space: Space
    discovering: bool
    unseen: float
    asked: BoolArray  # (a,) which answers were questions
    past: tuple[Check, ...] = ()


def assemble(
    assembly: Assembly,
    snapshot: Snapshot,
    belief: Belief | None,
    queue: Queue,
    advice: Advice,
    stage: str,
    facts: dict[str, Any],
) -> Round:
    """The round of `snapshot`: every machine label and, untouched, every given one."""
    clustering = assembly.level.clustering
    n = len(assembly.first_of)
    labels = np.full(n, UNLABELED, dtype=np.int32)
    provenances = np.zeros(n, dtype=np.uint8)
    scores = np.zeros(n, dtype=np.float32)
    tiers = np.zeros(n, dtype=np.uint8)
    sources = np.full(n, -1, dtype=np.int32)
    runner_ups = np.full(n, UNLABELED, dtype=np.int32)
    doubts = np.zeros(n, dtype=np.float32)
    if belief is not None and assembly.space is not None:
        classes = belief.answers.classes
        positions, repeats = with_repeats(belief, assembly.first_of)
        labels = classes[positions]
        sources = nearest_answers(belief.answers, positions, assembly.space.z)
        settled = Settled(assembly.space, assembly.discovering, assembly.unseen, asked_in(snapshot), assembly.past)
        tiers = tiers_of(settled, belief, sources)
        scores = belief.calibration.of_largest(belief.proba[np.arange(n), positions])
        tiers[repeats], scores[repeats] = Tier.LOCKED, 1.0
        inside = np.asarray(tiers >= Tier.LIKELY)
        facts = facts | {"spread": _spread(inside, belief, advice)}
        percentiles = percentiles_of(snapshot, clustering.clusters)
        ruled = ~np.isnan(percentiles)
        if ruled.any():  # a number in place of the tiers: everywhere, or in some clusters alone
            reach = within_reach(clustering.clusters, clustering.distances, np.nan_to_num(percentiles))
            inside = np.where(ruled[clustering.clusters], reach & (belief.by_graph == positions), inside)
        provenances = np.where(inside, Provenance.PROPAGATED, Provenance.PREDICTED).astype(np.uint8)
        seconds = runner_ups_of(belief.proba, positions)
        seconds[belief.answers.indices] = belief.doubt.others
        doubts[belief.answers.indices] = belief.doubt.doubts
        runner_ups = np.where(seconds >= 0, classes[seconds], UNLABELED).astype(np.int32)
        # last: what people said stands, whatever is believed
        _close(snapshot, labels, provenances, scores, tiers, sources, runner_ups)
    return Round(
        snapshot.revision,
        snapshot.round + 1,
        stage,
        labels,
        provenances,
        scores,
        tiers,
        sources,
        clustering.clusters,
        clustering.distances,
        runner_ups,
        assembly.level.representatives,
        queue,
        advice,
        facts,
        doubts,
        assembly.around.foreign,
        assembly.around.shares,
        assembly.around.seconds,
    )


def asked_in(snapshot: Snapshot) -> BoolArray:
    """Return which answers (a,) were questions; the others came with a file or on a page."""
    return np.asarray(snapshot.provenances == Provenance.HUMAN, dtype=np.bool_)


def groups_in(settled: Settled, belief: Belief) -> Groups:
    """Return what may spread by groups as the belief alone has them; what is given says nothing of the rest."""
    waiting = _waiting(belief)
    rest, n_answers = belief.agreement.of(waiting), len(belief.answers)
    agreed = belief.trust.expected(belief.odds[waiting][rest.agreed])
    expected = float(agreed.mean()) if len(agreed) else 0.0
    return groups_of(rest, belief.evidence, expected, n_answers, settled.unseen, discovering=settled.discovering)


def tiers_of(settled: Settled, belief: Belief, sources: IntArray) -> ByteArray:
    """Return the tiers (n,) that are earned.

    `sources` (n,) are the answers that each label rests on.
    """
    waiting = _waiting(belief)
    rest, groups, answers = belief.agreement.of(waiting), groups_in(settled, belief), belief.answers
    least = 0.0
    if settled.discovering:
        near = is_near(sources, settled.space.z, settled.space.graph)[waiting]
        rest = replace(rest, agreed=rest.agreed & near)
    else:
        class_ids = answers.classes[answers.positions]
        past = [
            (check, since(check, answers.indices, class_ids, answers.weights, settled.asked)) for check in settled.past
        ]
        groups, least = lifted(groups, past), share_to_keep(past)
    tiers = np.full(len(waiting), Tier.LOCKED, dtype=np.uint8)
    if len(answers.classes) < 2:  # of one class alone nothing can be told apart from it
        tiers[waiting] = Tier.ASK
        return tiers
    tiers[waiting] = earned(rest, belief.odds[waiting], belief.trust, groups, least)
    return tiers


def _waiting(belief: Belief) -> BoolArray:
    waiting = np.ones(len(belief.labels), dtype=np.bool_)
    waiting[belief.answers.indices] = False
    return waiting


def _spread(inside: BoolArray, belief: Belief, advice: Advice) -> str:
    """Return what spreads by itself: "likely" labels, "nothing", or none as yet ("unproven")."""
    if np.count_nonzero(inside) > len(belief.answers):
        return "likely"
    return "nothing" if advice.code == "no-propagation" else "unproven"


def with_repeats(belief: Belief, first_of: IndexArray) -> tuple[IntArray, IndexArray]:
    """Labels (n,) where an unanswered repeat of an answered instance has its label, and which those repeats are."""
    positions = belief.labels.copy()
    if np.array_equal(first_of, np.arange(len(first_of))):
        return positions, np.empty(0, dtype=np.int64)
    answered = np.full(len(first_of), -1, dtype=np.int32)
    answered[first_of[belief.answers.indices]] = belief.answers.positions  # the latest where two differ
    repeats = np.flatnonzero(answered[first_of] >= 0)
    repeats = repeats[~np.isin(repeats, belief.answers.indices)]
    positions[repeats] = answered[first_of[repeats]]
    return positions, repeats.astype(np.int64)


def nearest_answers(answers: Answers, positions: IntArray, z: FloatArray) -> IntArray:
    """Return for each instance (n,) the answer of its label nearest in z: the one its label rests on most."""
    sources = np.full(len(z), -1, dtype=np.int32)
    used = landmarks_of(len(answers))
    for position in range(len(answers.classes)):
        rows = answers.indices[used[answers.positions[used] == position]]
        if not len(rows):
            # all beyond the landmarks: one of them names the class
            rows = answers.indices[answers.positions == position][:1]
        members = np.flatnonzero(positions == position)
        points = z[rows]
        norms = np.square(points).sum(axis=1)
        for part in blocks(len(members), len(rows) + z.shape[1]):
            block = members[part]
            # |z|^2 is the same for all answers: it changes no order
            sources[block] = rows[(norms - 2.0 * (z[block] @ points.T)).argmin(axis=1)]
    return sources


def _close(
    snapshot: Snapshot,
    labels: IntArray,
    provenances: np.ndarray[Any, np.dtype[np.uint8]],
    scores: FloatArray,
    tiers: np.ndarray[Any, np.dtype[np.uint8]],
    sources: IntArray,
    runner_ups: IntArray,
) -> None:
    """Lay what people said over it, in place: given labels, unsure ones, excluded ones."""
    given = snapshot.indices
    labels[given], provenances[given], sources[given] = snapshot.class_ids, snapshot.provenances, given
    scores[given], tiers[given] = 1.0, Tier.LOCKED
    held, out = snapshot.held_back, snapshot.excluded
    provenances[held], tiers[held] = Provenance.PREDICTED, Tier.ASK
    labels[out], provenances[out], scores[out] = UNLABELED, Provenance.NONE, 0.0
    tiers[out], sources[out], runner_ups[out] = Tier.NONE, -1, UNLABELED
