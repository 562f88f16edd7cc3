"""A glance: what an answer changes among the instances that were about to be asked.

In a large pool, a belief about every instance takes longer than the way to the next question may. Walk, kernel ridge
and second opinion are brought up to date on a short list instead; linear rules, weights of the models and all other
instances stay as the last belief has them. Only the order of questions rests on a glance: labels, tiers and pages wait
for the belief behind it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from labeler.core.numeric.kernels import gaussian
from labeler.core.types import FloatArray, IndexArray, Snapshot
from labeler.engine.belief import OPINION, PASSES, Answers, Belief, Believer, margins_of
from labeler.engine.blending import FLOOR, product, softmax
from labeler.engine.kernel_ridge import RIDGE, as_shares
from labeler.engine.propagation import shares_of
from labeler.engine.second_opinion import ShortOpinion

SHORT_LIST = 2_000  # a glance at so many takes 4 to 6 ms (benchmarks/engine_speed.md)
MOST_ANSWERS = 1_000
"""Answers beyond which kernel ridge takes more than a glance."""


class Glance:
    """Keeps a short list of a belief, by `utility` (n,), up to date with the answers that come after it."""

    def __init__(self, believer: Believer, belief: Belief, utility: FloatArray) -> None:
        self.base = belief
        self._believer = believer
        size = min(SHORT_LIST, len(utility))
        self.rows: IndexArray = np.sort(np.argpartition(-utility, size - 1)[:size]).astype(np.int64)
        # the first two weights are those of walk and kernel
        self._by_rules = [rule.kept(self.rows) for rule in believer.linear[: len(belief.blend.weights) - 2]]
        self._mass = believer.mass_at(belief.answers, self.rows)  # None: something else was thought since
        if any(shares.shape[1] != len(belief.answers.classes) for shares in self._by_rules):
            self._mass = None
        self._known = len(belief.answers)
        others = ShortOpinion(believer.others, self.rows)
        # a pass judges by labels like those that it saw after the last answer, not like those of the pass before it
        self._others = [others, *(others.apart() for _ in range(1, PASSES))]
        self._z = believer.space.z[self.rows]
        landmarks = believer.space.z[belief.answers.indices[:MOST_ANSWERS]]
        self._columns = gaussian(self._z, landmarks, believer.kernel.gamma)
        self._live = replace(
            belief, proba=belief.proba.copy(), labels=belief.labels.copy(), margins=belief.margins.copy()
        )

    def after(self, snapshot: Snapshot) -> Belief | None:
        """The belief after `snapshot`, brought up to date on the short list alone; None where that takes a longer look.

        So it does where the snapshot does not go on from the last one, an answer's walk is not prepared, or a class is
        new.
        """
        answers = Answers.of(snapshot, self._believer.representatives)
        fresh = slice(self._known, len(answers))
        if self._mass is None or not self._goes_on(answers) or not self._believer.walk.knows(answers.indices[fresh]):
            return None
        columns = self._believer.walk.columns(answers.indices[fresh])[self.rows]
        for column, (position, weight) in enumerate(zip(answers.positions[fresh], answers.weights[fresh], strict=True)):
            self._mass[:, position] += weight * columns[:, column]
        self._known = len(answers)
        totals = np.bincount(answers.positions, answers.weights, len(answers.classes)).astype(np.float32)
        opinions = [shares_of(self._mass, totals), self._by_kernel(answers), *self._by_rules]
        shares = product(opinions, self.base.blend.weights)
        live = replace(self._live, answers=answers)
        joint, logs = shares, np.log(shares + FLOOR)
        for others in self._others if shares.shape[1] > 1 else ():
            live.labels[self.rows] = joint.argmax(axis=1)
            live.labels[answers.indices] = answers.positions
            live.labels[snapshot.excluded] = -1
            scores = others.scores(live.labels, shares.shape[1])
            joint = softmax(logs + OPINION * scores)
        live.proba[self.rows], live.margins[self.rows] = joint, margins_of(joint)
        live.labels[self.rows] = joint.argmax(axis=1)
        live.labels[answers.indices] = answers.positions
        self._live = live
        return live

    def _goes_on(self, answers: Answers) -> bool:
        before = self._live.answers
        known = len(before)
        return (
            known <= len(answers) <= MOST_ANSWERS
            and np.array_equal(before.classes, answers.classes)
            and np.array_equal(before.indices, answers.indices[:known])
            and np.array_equal(before.positions, answers.positions[:known])
            and np.array_equal(before.weights, answers.weights[:known])
        )

    def _by_kernel(self, answers: Answers) -> FloatArray:
        """Class shares (s, k) of the short list by kernel ridge on all answers."""
        gamma = self._believer.kernel.gamma
        points = self._believer.space.z[answers.indices]
        new = gaussian(self._z, points[self._columns.shape[1] :], gamma)
        self._columns = np.concatenate((self._columns, new), axis=1)
        targets = np.zeros((len(answers), len(answers.classes)))
        targets[np.arange(len(answers)), answers.positions] = 1.0
        kernel = gaussian(points, points, gamma).astype(np.float64) + RIDGE * np.eye(len(answers))
        dual = cho_solve(cho_factor(kernel, lower=True, check_finite=False), targets, check_finite=False)
        return as_shares(self._columns @ dual.astype(np.float32))
