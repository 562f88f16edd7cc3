"""How far two labelings agree; numpy alone, for the screen's process measures it too."""

from __future__ import annotations

import numpy as np

from labeler.core.vocabulary import IntArray


def kappa(first: IntArray, second: IntArray) -> float:
    """Cohen's kappa (1960) of two labelings (n,): agreement beyond chance, 1 where both are one and the same class."""
    if not len(first):
        return 1.0
    n_classes = int(max(first.max(), second.max())) + 1
    agreed = float((first == second).mean())
    shares = [np.bincount(labels, minlength=n_classes) / len(labels) for labels in (first, second)]
    by_chance = float((shares[0] * shares[1]).sum())
    return 1.0 if by_chance >= 1.0 else (agreed - by_chance) / (1.0 - by_chance)
