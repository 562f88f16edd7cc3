"""Percentages that may be shown of a belief: those that hold, in place of the models' own shares, which only rank.

Few answers make every model certain, of noise too. So the shares of an instance are scaled down together, by an amount
that grows with its largest share alone: no order changes, in an instance or between two, and what is left of 1 is
"something else". How far is decided for the pool as a whole, by what can be known without asking more:

- Where the pool falls into groups, what the answers' walks reach is right and the rest is not: as many instances as
  they reach are shown as sure, those of the largest shares. That holds so far as what is reached is *locked*, which is
  to say that models and neighbours agree on it, and the label models are certain of it by themselves, before everyone
  judges everyone: on noise they are not, and are talked into it.
- Elsewhere left-out answers tell. Each counts as much as it was answered with: representatives in full, the hard ones
  that were chosen for it hardly at all. A class's only answer is a miss, for nothing is left behind (Good 1953).
  LEFT_OUT of STRENGTH answers are presumed.
- An instance that the models differ on is doubtful wherever it lies: no share of several models is shown above the
  square root of its odds, for they count the same evidence about twice.
- Nothing above UNSUPPORTED is shown before the surest left-out answers are right often enough, by Laplace's rule of
  succession: (right + 1) of (looked at + 2).

Constants: benchmarks/guesses.md, each checked on sets that it was not chosen on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeler.core.steps import blocks
from labeler.core.types import BoolArray, FloatArray, IntArray

# set by eye on digits, MNIST and CIFAR-3000, as BLUR, TILT and PRODUCT, not searched (benchmarks/guesses.md)
UNSUPPORTED = 0.9
REACHED = 0.4
"""Part of the mass that each instance would have if walks ended anywhere alike from which an instance counts as
reached; or that of FEW answers, if that is less."""
FEW = 8
GROUPED_FROM = (0.6, 0.4)
"""Share of what is reached that must be locked for a pool to fall into groups: the first, and the second divided by
the number of answers, for few answers are agreed on easily."""
GROUPED_WITHIN = 0.15  # a ramp, not a step: one more answer must not turn all percentages over
CERTAIN_FROM = 0.4
CERTAIN_WITHIN = 0.2  # with one set left out the search chose .35 + .1 five times, .3 + .1 once
STRENGTH = 12.0
LEFT_OUT = 0.1  # without signs the search chose .05, which showed signs too low
BLUR = 0.08
"""Width of the edge between what is reached and what is not, in shares of the pool, where half of it is reached."""
TILT = 1.2
RISE = 0.001
"""Part of what may be shown at most that is kept for the order of those who would be shown more."""
PRODUCT = 0.5
"""Power of the odds of a share that is a product of several models'."""
SINGLE = 1.0  # one classifier, as the book's chain has it, counts no evidence twice
KNOTS = 513  # finer than the whole percents that a screen shows, however large the pool
LEAST = np.float32(1e-12)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A curve from the largest share of an instance, at `knots` (m,) ascending, to what is `shown` of it (m,).

    `most` is the largest percentage that the answers support, `power` what the odds of a share are raised to.
    """

    knots: NDArray[np.float64]
    shown: NDArray[np.float64]
    most: float
    power: float = PRODUCT

    def of(self, shares: FloatArray) -> FloatArray:
        """Return what is shown of class `shares` (rows, k): scaled down row by row, what is missing of 1 is doubt."""
        largest = shares.max(axis=1, keepdims=True)
        return np.asarray(shares * (self.of_largest(largest) / np.maximum(largest, LEAST)), dtype=np.float32)

    def of_largest(self, largest: FloatArray) -> FloatArray:
        """Return what is shown of instances whose largest class share is `largest`; never more than that."""
        exact = np.clip(largest.astype(np.float64), 0.0, 1.0)
        pool = np.interp(exact, self.knots, self.shown)
        return np.asarray(np.minimum(np.minimum(pool, tempered(exact, self.power)), exact), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence there is of a pool's labels beside the shares themselves; all in [0, 1].

    `reached`: share of the pool that the answers speak of; `locked`: share that models and neighbours agree on;
    `certain`: as :func:`certainty`; `left_out`: how many of left-out answers are right, as :func:`left_out_right`;
    `support`: as :func:`support`.
    """

    reached: float
    locked: float
    certain: float
    left_out: float
    support: float
    n_answers: int
    n_classes: int

    @property
    def grouped(self) -> float:
        """The degree to which the pool falls into groups, in [0, 1]; one class alone shows nothing of it."""
        if self.n_classes < 2:
            return 0.0
        reached = max(self.reached, 1e-6)
        least = GROUPED_FROM[0] + GROUPED_FROM[1] / self.n_answers
        locked = np.clip((min(self.locked / reached, 1.0) - least) / GROUPED_WITHIN, 0.0, 1.0)
        certain = np.clip((min(self.certain / reached, 1.0) - CERTAIN_FROM) / CERTAIN_WITHIN, 0.0, 1.0)
        return float(locked * certain)

    @property
    def most(self) -> float:
        """The most that may be shown."""
        return max(UNSUPPORTED, self.support)

    def expected(self, level: NDArray[np.float64]) -> NDArray[np.float64]:
        """Chance to be right by `level`: the share of the pool whose largest class share is smaller."""
        # 1e-3: where all or nothing is reached the edge has no width, and would be divided by
        width = 4.0 * BLUR * self.reached * (1.0 - self.reached) + 1e-3
        # beyond 30, exp only overflows: it is 0 or 1 already
        edge = np.clip((level - (1.0 - self.reached)) / width, -30.0, 30.0)
        inside = 1.0 / (1.0 + np.exp(-edge))
        spread = self.left_out * (1.0 + TILT * (1.0 - self.left_out) * (level - 0.5))
        return np.asarray(self.grouped * inside + (1.0 - self.grouped) * spread)


def tempered(share: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    """A share at a power of its odds."""
    return np.asarray(share**power / (share**power + (1.0 - share) ** power))


def calibrate(largest: FloatArray, evidence: Evidence, power: float = PRODUCT) -> Calibration:
    """The curve for a pool whose instances have the `largest` class shares (n,); `power` as :class:`Calibration`."""
    ordered = np.sort(largest) if len(largest) else np.ones(1)
    n = len(ordered)
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    count = np.diff(np.concatenate((first, [n])))
    if len(first) > KNOTS:
        places = np.unique(np.linspace(0, len(first) - 1, KNOTS).round().astype(np.int64))
        first, count = first[places], count[places]
    knots = ordered[first].astype(np.float64)
    ends = np.cumsum(count)
    ranks = np.arange(ends[-1]) + np.repeat(first - (ends - count), count)  # of all that have the value of a knot
    level = (ranks + 0.5) / n  # middles of ranks: nobody lies at 0 or 1
    expected = np.add.reduceat(evidence.expected(level), ends - count) / count  # of those alike, the mean
    most = evidence.most * (1.0 - RISE * (1.0 - (first + 0.5 * count) / n))
    return Calibration(knots, np.minimum(expected, most), evidence.most, power)


def reached_share(mass: FloatArray, weight: float, n_answers: int, alpha: float) -> float:
    """Share of the instances that walks with restart reach: `mass` (n, k) from answers of so much `weight` in all."""
    even = weight / ((1.0 - alpha) * max(len(mass), 1))  # a walk makes 1 / (1 - alpha) visits in all
    least = np.float32(min(REACHED, FEW / n_answers) * even)
    return sum(int((mass[rows].sum(axis=1) > least).sum()) for rows in blocks(*mass.shape)) / max(len(mass), 1)


def certainty(shares: FloatArray) -> float:
    """Return how certain models are of a pool: the mean largest of the class shares (n, k), 0 = all alike, 1 = sure."""
    even = 1.0 / shares.shape[1]
    return float((shares.max(axis=1).mean(dtype=np.float64) - even) / (1.0 - even)) if even < 1.0 else 0.0


def left_out_right(left_out: FloatArray, positions: IntArray, weights: FloatArray) -> float:
    """Share right of left-out answers, after a few that are presumed.

    `left_out` (a, k) class shares of the answers, each left out, `positions` (a,) their classes, `weights` (a,) how
    much each stands for the pool.
    """
    hits = weights[_hits(left_out, positions)].sum(dtype=np.float64)
    return float((hits + LEFT_OUT * STRENGTH) / (weights.sum(dtype=np.float64) + STRENGTH))


def support(left_out: FloatArray, positions: IntArray) -> float:
    """The most that left-out answers bear out, by the surest of them: the best (right + 1) of (looked at + 2).

    Answers that are the only one of their class are not looked at.
    """
    judged = np.bincount(positions)[positions] > 1
    hits = _hits(left_out, positions)[judged]
    order = np.argsort(-left_out[judged].max(axis=1), kind="stable") if judged.any() else np.empty(0, dtype=np.int64)
    # of the first 1, 2, ... answers: two more of each by Laplace, so 3, 4, ...
    return float(((np.cumsum(hits[order]) + 1) / (np.arange(len(order)) + 3)).max(initial=0.0))


def alike(left_out: FloatArray, positions: IntArray) -> float:
    """Return how far answers are like the nearest of their class: (right + 1) of (looked at + 2), as in `support`."""
    judged = np.bincount(positions)[positions] > 1
    return float((_hits(left_out, positions).sum() + 1) / (judged.sum() + 2))


def _hits(left_out: FloatArray, positions: IntArray) -> BoolArray:
    """Return which left-out answers are guessed (a,); one that is the only one of its class is not."""
    alone = np.bincount(positions)[positions] == 1
    return np.asarray((left_out.argmax(axis=1) == positions) & ~alone, dtype=np.bool_)
