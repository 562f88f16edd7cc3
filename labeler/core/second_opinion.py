"""A second opinion on every label, given ones and machine ones: what would all the others say?

A kernel ridge regression on the encoder's own components takes every instance's current label as a target and
predicts each instance from all the *others*, in closed form (h_ii of the hat matrix). It errs elsewhere than graph
and kernel in z do, so where it disagrees there is an error twice as often as where their margin is small. The hat
matrix does not depend on the labels: it is factored once (Nystroem, Williams & Seeger 2001), an opinion is then two
thin matrix products.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from labeler.core.learner import gaussian, median_distance
from labeler.core.vocabulary import FloatArray, IntArray, Progress

GAMMA = 0.75
RIDGE = 0.1
CHUNK = 1_024


def n_landmarks(n: int) -> int:
    """Landmarks for a pool of `n`: more are better; time bounds them in small pools, memory in large ones."""
    if n <= 20_000:
        return min(n, max(600, min(n // 5, 2_000)))
    return 1_000 if n <= 100_000 else 200


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """Kernel ridge over the whole pool, each instance left out.

    `hat` (n, r): the hat matrix is hat @ hat.T, its diagonal `leverage` (n,); `to_hat` (m, r) takes kernel columns of
    the `landmarks` (m, d) there.
    """

    gamma: float
    landmarks: FloatArray
    hat: FloatArray
    leverage: FloatArray
    to_hat: FloatArray

    def scores(self, positions: IntArray, n_classes: int) -> FloatArray:
        """Scores (n, k) of every instance by the labels `positions` (n,) of all others; -1 = no label, no say."""
        said = positions >= 0
        targets = np.zeros((len(positions), n_classes), dtype=np.float32)
        targets[np.flatnonzero(said), positions[said]] = 1.0
        fitted = self.hat @ (self.hat.T @ targets)
        own = np.where(said, self.leverage, np.float32(0.0))[:, None]
        return np.asarray((fitted - own * targets) / (1.0 - own), dtype=np.float32)

    def scores_of(self, points: FloatArray, positions: IntArray, n_classes: int) -> FloatArray:
        """Scores (m, k) of instances outside the pool at `points` (m, d)."""
        said = positions >= 0
        targets = np.zeros((len(positions), n_classes), dtype=np.float32)
        targets[np.flatnonzero(said), positions[said]] = 1.0
        coefficients = self.to_hat @ (self.hat.T @ targets)
        return np.asarray(gaussian(points, self.landmarks, self.gamma) @ coefficients, dtype=np.float32)


def second_opinion(points: FloatArray, random_state: int = 0) -> Generator[Progress, None, SecondOpinion]:
    """Yield signs of life; return what judges labels on `points` (n, d)."""
    rng = np.random.default_rng(random_state)
    n = len(points)
    gamma = GAMMA / median_distance(points, random_state)
    landmarks = points[np.sort(rng.choice(n, n_landmarks(n), replace=False))]
    whiten = _whitening(gaussian(landmarks, landmarks, gamma))
    hat = np.empty((n, whiten.shape[1]), dtype=np.float32)
    gram = np.zeros((whiten.shape[1],) * 2, dtype=np.float64)
    for start in range(0, n, CHUNK):
        block = gaussian(points[start : start + CHUNK], landmarks, gamma) @ whiten
        hat[start : start + CHUNK] = block
        gram += block.T @ block
        yield Progress("preparing second opinions", start, 2 * n)
    values, vectors = np.linalg.eigh(gram)
    turn = (vectors / np.sqrt(np.maximum(values, 0.0) + RIDGE)).astype(np.float32)
    for start in range(0, n, CHUNK):
        hat[start : start + CHUNK] = hat[start : start + CHUNK] @ turn
        yield Progress("preparing second opinions", n + start, 2 * n)
    leverage = np.minimum(np.square(hat).sum(axis=1), np.float32(0.999))
    return SecondOpinion(gamma, landmarks, hat, leverage, whiten @ turn)


def _whitening(kernel: FloatArray) -> FloatArray:
    """K^-1/2 on the directions that carry anything (m, r)."""
    values, vectors = np.linalg.eigh(kernel.astype(np.float64))
    keep = values > 1e-6 * max(values[-1], 1e-12)
    return np.asarray(vectors[:, keep] / np.sqrt(values[keep]), dtype=np.float32)
