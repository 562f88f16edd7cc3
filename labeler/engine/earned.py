"""Earned trust: the chance that a waiting instance's label is right, borne out by left-out answers of like certainty.

Left-out answers are mostly the hard ones that were chosen, so their share right says little of the pool. At the same
certainty they are like the pool, or harder: so the chance to be right is fitted as a function of certainty (Platt,
"Probabilistic outputs for support vector machines", 1999), each answer weighted by the margin it was asked with, and
lowered by what so few answers leave open. It changes by degrees as answers come; no single one turns the pool over.

Certainty is the odds of a label against the next likely one. Its share falls with every class that is known: after 200
answers, labels with shares of .5 to .7 were 90 % right on groceries (43 classes), 77 % on signs (10).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeler.core.steps import blocks
from labeler.core.types import BoolArray, FloatArray, IntArray

Numbers = NDArray[np.float64]

PRESUMED = (-0.4, 1.0)
"""Log odds to be right at CENTER before any answer is left out, and how they grow with those of the label."""
WITHIN = (1.5, 0.3)  # standard deviations of both: some ten answers outweigh the first; slopes of pools were .6 to 1.5
CENTER = 1.386  # the log of 4: labels four times as likely as the next are worth spreading, or not
CAUTION = 1.8
"""Standard deviations by which the chance is lowered: at 1.5, 3 % of signs were called likely at 85 % right."""
EDGE = (1.0, 5.3)
"""Log odds between which the curve bends. Below, the many hard answers would decide how steep it is where labels are
sure; odds above 200 are claimed by a model alone, and borne out by nobody."""
LEAST = np.float32(1e-4)
NEWTON_STEPS = 50
SETTLED = 1e-8


@dataclass(frozen=True, slots=True)
class Trust:
    """A curve from the log odds of a label to the chance that it is right.

    `mean` (2,) and `covariance` (2, 2) of its fit.
    """

    mean: Numbers
    covariance: Numbers

    def expected(self, odds: FloatArray) -> Numbers:
        """Return the chance to be right (n,) of labels with these log odds (n,)."""
        return _chance(_features(odds) @ self.mean)

    def least(self, odds: FloatArray) -> Numbers:
        """Return the chance (n,) lowered by CAUTION standard deviations of the fit."""
        features = _features(odds)
        deviation = np.sqrt(np.einsum("ij,jk,ik->i", features, self.covariance, features))
        return _chance(features @ self.mean - CAUTION * deviation)


def odds_of(shares: FloatArray, positions: IntArray) -> FloatArray:
    """Return the log odds (n,) of a label against the next likely class, by class `shares` (n, k).

    `positions` (n,) are the labels; where another class is likelier, the odds are below 0.
    """
    odds = np.empty(len(shares), dtype=np.float32)
    for rows in blocks(*shares.shape):
        others = shares[rows].copy()
        places = np.arange(len(others)), positions[rows]
        own = others[places]
        others[places] = 0.0
        odds[rows] = np.log((own + LEAST) / (others.max(axis=1, initial=0.0) + LEAST))
    return odds


def trust(left_out: FloatArray, positions: IntArray, weights: FloatArray) -> Trust:
    """Return the curve fitted to left-out answers.

    `left_out` (a, k) class shares of the answers, each left out, `positions` (a,) their classes, `weights` (a,) how
    much each stands for the pool. The only answer of a class is a miss: nothing is left behind (Good 1953).
    """
    hits = left_out_hits(left_out, positions)
    guesses = left_out.argmax(axis=1).astype(np.int32)
    # the root: the hard answers are like the pool at their own certainty, but not quite
    return _fit(_features(odds_of(left_out, guesses)), hits.astype(np.float64), np.sqrt(weights.astype(np.float64)))


def evidence_of(left_out: FloatArray, positions: IntArray, weights: FloatArray) -> float:
    """Return the share right of left-out answers whose class has another, after two hits and two misses.

    Arguments as of :func:`trust`. Weighted, for the chosen answers are the hard ones and stand for little of the pool.
    Two each (Agresti and Coull 1998): four of four show less than nine of ten. Where one class is the commonest, to
    name it always is no skill: the share counts as that of classes which are equally common (:func:`beyond_chance`).
    """
    judged = is_judged(positions)
    sizes = np.bincount(positions[judged], weights[judged].astype(np.float64)).astype(np.float64)
    hits = float(weights[judged & left_out_hits(left_out, positions)].sum(dtype=np.float64))
    return beyond_chance((hits + 2.0) / (float(sizes.sum()) + 4.0), sizes[sizes > 0])


def beyond_chance(share: float, sizes: Numbers) -> float:
    """Return the `share` right of as many equally common classes that shows as much skill; `share` if it is less.

    `sizes` (k,) are those of the classes.
    """
    count = len(sizes)
    return min(share, 1.0 / count + (1.0 - 1.0 / count) * skill(share, sizes)) if count > 1 else share


def skill(share: float, sizes: Numbers) -> float:
    """Return how far a `share` right is beyond that of the commonest class, by the `sizes` (k,); 1 = all right.

    Cohen's kappa (1960) with the same guess for all; 0 where there is one class.
    """
    commonest = float(sizes.max() / sizes.sum())
    return max((share - commonest) / (1.0 - commonest), 0.0) if commonest < 1.0 else 0.0


def left_out_hits(left_out: FloatArray, positions: IntArray) -> BoolArray:
    """Return which left-out answers are guessed (a,); one that is the only one of its class is not."""
    return np.asarray((left_out.argmax(axis=1) == positions) & is_judged(positions), dtype=np.bool_)


def is_judged(positions: IntArray) -> BoolArray:
    """Whether another answer is of the same class (a,)."""
    return np.asarray(np.bincount(positions)[positions] > 1, dtype=np.bool_)


def surest(least: Numbers, promise: float, each: float = 0.0) -> int:
    """Return how many of the first labels are right as often as promised, by their chances `least` (n,).

    None of them has a smaller chance than `each`.
    """
    means = np.cumsum(least) / np.arange(1, len(least) + 1)
    places = np.flatnonzero((means >= promise) & (least >= each))
    return int(places[-1]) + 1 if len(places) else 0


def _features(odds: FloatArray) -> Numbers:
    return np.column_stack((np.ones(len(odds)), np.clip(odds.astype(np.float64), *EDGE) - CENTER))


def _chance(odds: Numbers) -> Numbers:
    return np.asarray(1.0 / (1.0 + np.exp(-odds)))


def _fit(features: Numbers, hits: Numbers, weights: Numbers) -> Trust:
    """Return the likeliest curve, and how far others are likely too (Laplace's approximation; MacKay 1992)."""
    prior, precision = np.array(PRESUMED), np.diag(1.0 / np.square(WITHIN))

    def loss(mean: Numbers) -> float:
        odds, off = features @ mean, mean - prior
        return float((weights * (np.logaddexp(0.0, odds) - hits * odds)).sum() + 0.5 * off @ precision @ off)

    def curvature(mean: Numbers) -> Numbers:
        chance = _chance(features @ mean)
        return np.asarray((features * (weights * chance * (1.0 - chance))[:, None]).T @ features + precision)

    mean = prior.copy()
    for _ in range(NEWTON_STEPS):
        slope = features.T @ (weights * (hits - _chance(features @ mean))) - precision @ (mean - prior)
        step = np.linalg.solve(curvature(mean), slope)
        # a full step overshoots where few answers bend the loss: halved, it always descends
        while loss(mean + step) > loss(mean) and np.abs(step).max() > SETTLED:
            step = step / 2.0
        mean = mean + step
        if np.abs(step).max() <= SETTLED:
            break
    return Trust(mean, np.asarray(np.linalg.inv(curvature(mean)), dtype=np.float64))
