"""Earned trust: the chance that a waiting instance's label is right, borne out by left-out answers of like certainty.

Left-out answers are mostly the hard ones that were chosen, so their share right says little of the pool. At the same
certainty they are like the pool, or harder: so the chance to be right is fitted as a function of certainty (Platt,
"Probabilistic outputs for support vector machines", 1999), each answer weighted by the margin it was asked with, and
lowered by what so few answers leave open. It changes by degrees as answers come; no single one turns the pool over.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeler.core.types import BoolArray, FloatArray, IntArray

Numbers = NDArray[np.float64]

PRESUMED = (-0.4, 1.0)
"""Log odds to be right at CENTER before any answer is left out, and how they grow with those of the share."""
WITHIN = (1.5, 0.4)  # standard deviations of both: some ten answers outweigh them
CENTER = 1.386  # log odds of 0.8: shares around it are where a label is worth spreading or not
CAUTION = 1.5
"""Standard deviations by which the chance is lowered: at 1.0, 4 % of signs were called likely at 87 % right."""
EDGE = (0.01, 0.995)  # shares beyond are said by a model alone, and borne out by nobody
NEWTON_STEPS = 50
SETTLED = 1e-8


@dataclass(frozen=True, slots=True)
class Trust:
    """A curve from a class share to the chance that it is right: the `mean` (2,) and `covariance` (2, 2) of its fit."""

    mean: Numbers
    covariance: Numbers

    def expected(self, share: FloatArray) -> Numbers:
        """Return the chance to be right (n,) of labels with these shares (n,)."""
        return _chance(_features(share) @ self.mean)

    def least(self, share: FloatArray) -> Numbers:
        """Return the chance (n,) lowered by CAUTION standard deviations of the fit."""
        features = _features(share)
        deviation = np.sqrt(np.einsum("ij,jk,ik->i", features, self.covariance, features))
        return _chance(features @ self.mean - CAUTION * deviation)


def trust(left_out: FloatArray, positions: IntArray, weights: FloatArray) -> Trust:
    """Return the curve fitted to left-out answers.

    `left_out` (a, k) class shares of the answers, each left out, `positions` (a,) their classes, `weights` (a,) how
    much each stands for the pool. The only answer of a class is a miss: nothing is left behind (Good 1953).
    """
    hits = left_out_hits(left_out, positions)
    # the root: the hard answers are like the pool at their own certainty, but not quite
    return _fit(_features(left_out.max(axis=1)), hits.astype(np.float64), np.sqrt(weights.astype(np.float64)))


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


def _features(share: FloatArray) -> Numbers:
    clipped = np.clip(share.astype(np.float64), *EDGE)
    return np.column_stack((np.ones(len(share)), np.log(clipped / (1.0 - clipped)) - CENTER))


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
