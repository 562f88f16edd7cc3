"""Novelty: which new instances lie outside of those that have a label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from labeler.core.errors import UsageError
from labeler.core.types import BoolArray, FloatArray
from labeler.plugins.outliers.base import OutlierMethod

FOLDS = 5
FEWEST = 20
"""Labeled instances below which nobody can say what is usual."""


@dataclass(frozen=True, slots=True)
class Novelty:
    """A fitted method and the score above which an instance counts as outside."""

    method: OutlierMethod
    threshold: float
    n_known: int

    def judge(self, X: FloatArray) -> tuple[BoolArray, FloatArray]:
        """Whether each row (m, d) lies outside, and its score (m,)."""
        scores = self.method.score(X)
        return scores > self.threshold, scores


def learn_what_is_known(
    make: Callable[[], OutlierMethod], known: FloatArray, share: float, random_state: int = 0
) -> Novelty:
    """Fit on the `known` (n, d) so that about `share` of their like would be called outside.

    A method judges what it was fitted on too mildly, so the threshold comes from scores each row has where it was
    left out (in one of FOLDS parts): the split-conformal way, without its guarantee, as labels came in no random order.

    Raises
    ------
    UsageError
        Fewer than FEWEST are known, or the share is none.
    """
    if not 0.0 < share < 1.0:
        raise UsageError(f"the share {share:g} is out of range", "give one between 0 and 1, such as 0.02")
    if len(known) < FEWEST:
        raise UsageError(
            f"{len(known)} labeled instances are too few to say what lies outside of them",
            f"label on until there are {FEWEST}, or predict without --novelty",
        )
    # by chance, not in order: labels of one class often come one after the other
    part = np.random.default_rng(random_state).permutation(len(known)) % FOLDS
    scores = np.empty(len(known), dtype=np.float32)
    for fold in range(FOLDS):
        out = part == fold
        scores[out] = make().fit(np.asarray(known[~out]), random_state).score(np.asarray(known[out]))
    # the higher of two scores, so that no more than the share lie above it
    threshold = float(np.quantile(scores, 1.0 - share, method="higher"))
    return Novelty(make().fit(known, random_state), threshold, len(known))
