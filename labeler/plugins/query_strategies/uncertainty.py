"""Uncertainty sampling (Lewis & Gale 1994; Settles 2009): class probabilities -> utilities, higher = ask sooner."""

from __future__ import annotations

import numpy as np

from labeler.core.numeric.largest import largest, two_largest
from labeler.core.types import FloatArray


class Random:
    """Uniformly random: the baseline."""

    spread_over_clusters = False

    def utilities(self, proba: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Draw a utility for each candidate."""
        return rng.random(len(proba), dtype=np.float32)


class LeastConfidence:
    """1 - the largest class probability."""

    spread_over_clusters = False

    def utilities(self, proba: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return 1 - the largest probability of each candidate."""
        return np.asarray(1.0 - largest(proba), dtype=np.float32)


class Margin:
    """1 - (largest - second largest class probability) (Scheffer et al. 2001)."""

    spread_over_clusters = False

    def utilities(self, proba: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return how small the gap between the two likeliest classes is."""
        if proba.shape[1] < 2:
            return np.zeros(len(proba), dtype=np.float32)
        first, second = two_largest(proba)
        return np.asarray(1.0 - (first - second), dtype=np.float32)


class MarginClusters(Margin):
    """The margin, at most one question a cluster in a batch: uncertain instances spread over distinct clusters."""

    spread_over_clusters = True


class Entropy:
    """Shannon entropy of the class probabilities, in nats."""

    spread_over_clusters = False

    def utilities(self, proba: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Return the entropy of each candidate's probabilities."""
        # a probability of 0 adds nothing, but has no logarithm
        safe = np.clip(proba, 1e-12, 1.0)
        return np.asarray(-(safe * np.log(safe)).sum(axis=1), dtype=np.float32)
