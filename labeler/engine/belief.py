"""The belief of the engine in every instance, given the answers: the models put together."""

from __future__ import annotations

from collections.abc import Generator
from copy import copy
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from labeler.core import steps
from labeler.core.numeric.largest import largest, two_largest
from labeler.core.types import FloatArray, IndexArray, IntArray, Progress, Snapshot
from labeler.engine.blending import EARLY_BELOW, FLOOR, Blend, blend, product, softmax
from labeler.engine.calibration import (
    Calibration,
    Evidence,
    calibrate,
    certainty,
    left_out_right,
    reached_share,
    support,
)
from labeler.engine.doubt import Doubt, doubt, most_doubted
from labeler.engine.earned import Trust, evidence_of, odds_of, trust
from labeler.engine.kernel_ridge import KernelRidge, landmarks_of
from labeler.engine.linear import Linear
from labeler.engine.propagation import RandomWalk, Spread, left_out, mass_by_steps, shares_of
from labeler.engine.second_opinion import SecondOpinion
from labeler.engine.space import Space
from labeler.engine.tiers import Agreement, agreement_of
from labeler.engine.view_choice import Judged

Result = TypeVar("Result")

MIN_WEIGHT = 0.05  # a hard answer, which stands for little of the pool, still counts
OPINION = np.float32(10.0)  # above -log(FLOOR), 9.2: others who agree outweigh even certain label models
PASSES = 2  # the second one judges by labels that the first has mended
MAX_LEFT_OUT = 256  # each may take a column of the walk: 8 ms at 10,000 rows (benchmarks/engine_speed.md)


@dataclass(frozen=True, slots=True)
class Answers:
    """The labeled instances in the order of their answers, with classes as positions in `classes`.

    `classes` (k,) int32 class ids in the order of their first answer; `weights` (a,) float32: the margin an answer
    was asked with, at least MIN_WEIGHT; representatives and each class's first answer count in full.
    """

    indices: IndexArray
    positions: IntArray
    weights: FloatArray
    classes: IntArray

    @staticmethod
    def of(snapshot: Snapshot, in_full: IndexArray) -> Answers:
        """Read a snapshot; `in_full` are the instances whose answer counts in full."""
        ids, first, inverse = np.unique(snapshot.class_ids, return_index=True, return_inverse=True)
        order = np.argsort(first)
        place = np.empty(len(ids), dtype=np.int32)
        place[order] = np.arange(len(ids), dtype=np.int32)
        weights = np.clip(np.nan_to_num(snapshot.weights, nan=1.0), MIN_WEIGHT, 1.0).astype(np.float32)
        # its margin was one between the classes known before: it says nothing of a new one
        weights[first] = 1.0
        weights[np.isin(snapshot.indices, in_full)] = 1.0
        return Answers(
            snapshot.indices.astype(np.int64), place[inverse].astype(np.int32), weights, ids[order].astype(np.int32)
        )

    def __len__(self) -> int:
        return len(self.indices)


@dataclass(frozen=True, slots=True)
class Belief:
    """Class shares of the pool and the opinions they are made of (positions in `answers.classes`).

    `proba` ranks; what may be shown of it goes through `calibration`.
    """

    answers: Answers
    proba: FloatArray  # (n, k)
    labels: IntArray  # (n,) given ones where given
    margins: FloatArray  # (n,)
    by_graph: IntArray
    by_kernel: IntArray
    by_linear: IntArray
    by_others: IntArray
    agreement: Agreement
    blend: Blend
    doubt: Doubt
    calibration: Calibration
    odds: FloatArray  # (n,) log odds of each label before everyone judges everyone: what left-out answers have too
    trust: Trust  # how often labels of such odds are right
    evidence: float  # share right of left-out answers whose class has another, by how much they stand for the pool


class Believer:
    """Turns answers into beliefs; keeps what can be kept between two answers."""

    def __init__(self, space: Space, others: SecondOpinion, representatives: IndexArray, random_state: int = 0) -> None:
        self.space = space
        self.representatives = representatives
        self.walk = RandomWalk(space.graph.weights)
        self.kernel = KernelRidge(space.z, random_state)
        self.linear = [Linear(space.components)]
        self.others = others
        self._spread = Spread(self.walk)

    def join(self, components: list[FloatArray]) -> None:
        """Let a linear rule on each other view's `components` (n, d) have its say, once left-out answers judge it."""
        self.linear = [self.linear[0], *map(Linear, components)]

    def apart(self) -> Believer:
        """Return a believer in the same space whose beliefs leave no trace in this one, if they are fresh."""
        other = copy(self)
        # the rules keep their last fit, from which questions of the moment may go on
        other.linear = [Linear(rule.points) for rule in self.linear]
        return other

    def judge_by_steps(self, answers: Answers) -> Generator[None, None, Judged]:
        """Yield signs of life; return how the models of this view alone guess left-out answers, from nothing that
        came before."""
        n_classes = len(answers.classes)
        mass = (yield from self._mass(answers, fresh=True))[answers.indices]
        totals = np.bincount(answers.positions, answers.weights, n_classes).astype(np.float32)
        checked = landmarks_of(len(answers), MAX_LEFT_OUT)
        by_graph = yield from self._left_out(answers, mass, totals, checked)
        _, by_kernel = yield from self._by_kernel(answers, checked, fresh=True)
        yield
        # a rule of its own: the one of the belief keeps its last fit
        _, by_rule = Linear(self.space.components).fit_predict(answers.indices, answers.positions, n_classes)
        yield
        without, positions = [by_graph, by_kernel[checked], by_rule[checked]], answers.positions[checked]
        guesses = product(without, blend(without, positions).weights).argmax(axis=1)
        return Judged(guesses == positions, answers.weights[checked])

    def believe(self, snapshot: Snapshot, *, fresh: bool = False, quick: bool = False) -> Belief | None:
        """The belief after `snapshot`, None without an answer.

        `fresh` depends on nothing that came before; `quick` takes the linear rules as they were a few answers ago.
        """
        return steps.run(self.believe_by_steps(snapshot, fresh=fresh, quick=quick))

    def believe_by_steps(
        self, snapshot: Snapshot, *, fresh: bool = False, quick: bool = False
    ) -> Generator[Progress, None, Belief | None]:
        """:meth:`believe`, with signs of life; between two of them, other snapshots may be believed."""
        answers = Answers.of(snapshot, self.representatives)
        if not len(answers):
            return None
        n_classes = len(answers.classes)
        mass = yield from as_progress(self._mass(answers, fresh))
        totals = np.bincount(answers.positions, answers.weights, n_classes).astype(np.float32)
        reached = reached_share(mass, float(totals.sum()), len(answers), self.walk.alpha)
        # leaving answers out takes their rows alone: the mass of the pool is let go here
        shares, mass = [shares_of(mass, totals)], mass[answers.indices]
        checked = landmarks_of(len(answers), MAX_LEFT_OUT)
        by_graph = yield from as_progress(self._left_out(answers, mass, totals, checked))
        by_ridge, by_kernel = yield from as_progress(self._by_kernel(answers, checked, fresh))
        shares.append(by_ridge)
        by_rules: list[FloatArray] = []
        # before leave-one-out can tell, a second rule would weigh nothing (blending.FIRST): its fit is saved
        for rule in self.linear[:1] if len(answers) < EARLY_BELOW * n_classes else self.linear:
            yield Progress("learning")
            by_rule, out = rule.fit_predict(answers.indices, answers.positions, n_classes, quick=quick)
            shares.append(by_rule)
            by_rules.append(out)
        without = [by_graph, by_kernel[checked], *(out[checked] for out in by_rules)]
        mix = blend(without, answers.positions[checked])
        proba = product(shares, mix.weights)
        graph, kernel, linear = (one.argmax(axis=1).astype(np.int32) for one in shares[:3])
        del shares, by_ridge, by_rule  # 3 MB each at 70,000 rows: gone before the second opinion makes its own
        # taken before everyone judges everyone: on noise the models are talked into certainty (calibration)
        scores, plain, certain = proba, proba, certainty(proba)
        if n_classes > 1:
            proba, scores = yield from as_progress(self._second_opinion(proba, answers, snapshot.excluded, fresh))
        labels = proba.argmax(axis=1).astype(np.int32)
        labels[answers.indices] = answers.positions  # a given label is never outvoted
        opinion = OPINION * scores[answers.indices]
        more = most_doubted(opinion, answers.positions, checked)
        walked = np.full((len(answers), n_classes), np.float32(1 / n_classes))  # equal shares: not looked at
        walked[checked] = by_graph
        walked[more] = yield from as_progress(self._left_out(answers, mass, totals, more))
        others = scores.argmax(axis=1).astype(np.int32)
        odds = odds_of(plain, labels)
        agreement = agreement_of(labels, odds, (graph, kernel, others), self.space.graph)
        judged = product(without, mix.weights), answers.positions[checked], answers.weights[checked]
        return Belief(
            answers,
            proba,
            labels,
            margins_of(proba),
            graph,
            kernel,
            linear,
            others,
            agreement,
            mix,
            doubt(answers.positions, [walked, by_kernel, *by_rules], mix.weights, opinion),
            calibrated(proba, answers, agreement, (reached, certain), judged[0], checked),
            odds,
            trust(*judged),
            evidence_of(*judged),
        )

    def mass_at(self, answers: Answers, rows: IndexArray) -> FloatArray | None:
        """The mass (len(rows), k) that some instances receive from `answers`, if those are the latest spread."""
        is_latest = np.array_equal(self._spread.indices, answers.indices)
        return self._spread.mass[rows] if is_latest and self._spread.mass.shape[1] == len(answers.classes) else None

    def _mass(self, answers: Answers, fresh: bool) -> Generator[None, None, FloatArray]:
        """The mass (n, k) the classes send to every instance."""
        given = answers.indices, answers.positions, answers.weights, len(answers.classes)
        # a mass that was added to has the rounding of its history: what leaves the program never rests on it
        if not fresh and (yield from self._spread.extend_by_steps(*given)):
            return self._spread.mass
        return (yield from mass_by_steps(self.walk, *given))

    def _left_out(
        self, answers: Answers, mass: FloatArray, totals: FloatArray, which: IndexArray
    ) -> Generator[None, None, FloatArray]:
        """Class shares (len(which), k) by the walk of some answers, each left out.

        `which` are places in their order, `mass` (a, k) is what all of them receive.
        """
        own = yield from self.walk.own_by_steps(answers.indices[which])
        return left_out(mass, totals, own, which, answers.positions[which], answers.weights[which])

    def _by_kernel(
        self, answers: Answers, checked: IndexArray, fresh: bool
    ) -> Generator[None, None, tuple[FloatArray, FloatArray]]:
        """Class shares of the pool by kernel ridge, and of every answer left out (a, k)."""
        used = landmarks_of(len(answers))
        used = used if len(used) == len(answers) else np.union1d(used, checked)
        shares, without = yield from self.kernel.by_steps(
            answers.indices[used], answers.positions[used], len(answers.classes), fresh=fresh
        )
        every = shares[answers.indices]  # an answer that the kernel did not learn from is left out already
        every[used] = without
        return shares, every

    def _second_opinion(
        self, proba: FloatArray, answers: Answers, excluded: IndexArray, fresh: bool
    ) -> Generator[None, None, tuple[FloatArray, FloatArray]]:
        """Let everyone judge everyone, twice; the product with `proba`, and the last scores."""
        labels = proba.argmax(axis=1).astype(np.int32)
        joint, scores = np.empty_like(proba), proba
        for _ in range(PASSES):
            yield
            labels[answers.indices] = answers.positions
            labels[excluded] = -1  # what was taken out of the pool says nothing of its neighbors
            scores = self.others.scores(labels, proba.shape[1], fresh=fresh)
            for rows in steps.blocks(*proba.shape):
                joint[rows] = softmax(np.log(proba[rows] + FLOOR) + OPINION * scores[rows])
            labels = joint.argmax(axis=1).astype(np.int32)
        return joint, scores


def as_progress(job: Generator[None, None, Result]) -> Generator[Progress, None, Result]:
    """Yield progress at each step of `job`; return what it returns."""
    while True:
        try:
            next(job)
        except StopIteration as end:
            result: Result = end.value
            return result
        yield Progress("learning", 0, 2)  # believing is the first half of a round (default.py)


def calibrated(
    proba: FloatArray,
    answers: Answers,
    agreement: Agreement,
    pool: tuple[float, float],
    left_out: FloatArray,
    checked: IndexArray,
) -> Calibration:
    """Return what may be shown of `proba` (n, k).

    `pool`: which share of it the answers reach, and how certain the label models are by themselves; `left_out`: class
    shares of the `checked` answers, each left out.
    """
    waiting = np.ones(len(proba), dtype=np.bool_)
    waiting[answers.indices] = False  # given labels are right by definition: they would flatter the pool
    rest = agreement.of(waiting)
    positions = answers.positions[checked]
    evidence = Evidence(
        reached=pool[0],
        locked=float((rest.unanimous & rest.alike).mean()) if waiting.any() else 0.0,
        certain=pool[1],
        left_out=left_out_right(left_out, positions, answers.weights[checked]),
        support=support(left_out, positions),
        n_answers=len(answers),
        n_classes=proba.shape[1],
    )
    return calibrate(largest(proba)[waiting], evidence)


def margins_of(proba: FloatArray) -> FloatArray:
    """Likeliest minus second class share (n,); 1 where there is one class."""
    if proba.shape[1] < 2:
        return np.ones(len(proba), dtype=np.float32)
    first, second = two_largest(proba)
    return np.asarray(first - second, dtype=np.float32)


def runner_ups_of(proba: FloatArray, labels: IntArray) -> IntArray:
    """The likeliest other class (n,) than `labels`, -1 where there is none."""
    if proba.shape[1] < 2:
        return np.full(len(proba), -1, dtype=np.int32)
    others = proba.copy()
    others[np.arange(len(proba)), labels] = -1.0
    return np.asarray(others.argmax(axis=1), dtype=np.int32)
