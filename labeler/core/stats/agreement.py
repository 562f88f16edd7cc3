"""How far two labelings agree; numpy alone, for the screen's process measures it too."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from labeler.core.stats.intervals import clopper_pearson
from labeler.core.types import IntArray


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two people agree on the `n` instances both answered; `kappa` and its interval are None where chance alone
    would make them agree (all is one class), or where they have none in common."""

    n: int
    agreed: int
    kappa: float | None
    low: float | None
    high: float | None
    confidence: float = 0.95


def kappa(first: IntArray, second: IntArray) -> float:
    """Cohen's kappa (1960) of two labelings (n,): agreement beyond chance, 1 where both are one and the same class."""
    if not len(first):
        return 1.0
    n_classes = int(max(first.max(), second.max())) + 1
    agreed = float((first == second).mean())
    shares = [np.bincount(labels, minlength=n_classes) / len(labels) for labels in (first, second)]
    by_chance = float((shares[0] * shares[1]).sum())
    return 1.0 if by_chance >= 1.0 else (agreed - by_chance) / (1.0 - by_chance)


def agreement(pairs: Sequence[tuple[Hashable, Hashable]], confidence: float = 0.95) -> Agreement:
    """Cohen's kappa of the classes two people gave the same instances, with an interval.

    The interval is the exact one of the share agreed on (:func:`~labeler.core.stats.intervals.clopper_pearson`),
    carried over to kappa with the agreement by chance as observed: unlike kappa's normal interval it has a width where
    few were compared and all agreed.
    """
    n, agreed = len(pairs), sum(one == other for one, other in pairs)
    numbers = {name: place for place, name in enumerate(dict.fromkeys(name for pair in pairs for name in pair))}
    first = np.array([numbers[one] for one, _ in pairs], dtype=np.int32)
    second = np.array([numbers[other] for _, other in pairs], dtype=np.int32)
    if len(numbers) < 2:
        return Agreement(n, agreed, None, None, None, confidence)
    shares = [np.bincount(labels, minlength=len(numbers)) / n for labels in (first, second)]
    by_chance = float((shares[0] * shares[1]).sum())
    low, high = ((share - by_chance) / (1.0 - by_chance) for share in clopper_pearson(agreed, n, confidence))
    return Agreement(n, agreed, kappa(first, second), max(low, -1.0), high, confidence)
