"""Agreement of two labelings; numpy alone, for the screen's process measures it too."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from labeler.core.stats.intervals import clopper_pearson
from labeler.core.stats.measurement import Measurement
from labeler.core.types import IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement(Measurement):
    """Agreement of two people on the `n` instances both answered, equal on `agreed` of them; `kappa` is Cohen's.

    Kappa and its interval are NaN where chance alone would make them agree (all is one class), or where they have no
    instance in common.
    """

    name: ClassVar[str] = "agreement"
    title: ClassVar[str] = "agreement"

    agreed: int
    kappa: float

    @property
    def value(self) -> float:
        """Agreement beyond chance; 1 = the two agree on all, 0 = as often as chance."""
        return self.kappa

    @property
    def facts(self) -> dict[str, Any]:
        """Counts and kappa with its interval, None where there is no kappa."""
        has_kappa = not math.isnan(self.kappa)
        return {
            "both_answered": self.n,
            "agreed": self.agreed,
            "kappa": self.kappa if has_kappa else None,
            "low": self.low if has_kappa else None,
            "high": self.high if has_kappa else None,
            "confidence": self.confidence,
        }

    @property
    def brief(self) -> str:
        """The counts."""
        return f"{self.agreed:,} of {self.n:,} answered by both" if self.n else "no instance was answered by both"

    @property
    def statement(self) -> str:
        """The counts and kappa with its interval, as far as there is one."""
        if not self.n:
            return self.brief
        if math.isnan(self.kappa):
            return f"{self.brief}; all are one class: no kappa"
        return (
            f"{self.brief}; Cohen's kappa {self.kappa:.2f}"
            f" ({100 * self.confidence:g} % interval {self.low:.2f} to {self.high:.2f})"
        )


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
    # numbered as they come, for bincount; which number a class has does not matter
    numbers = {name: place for place, name in enumerate(dict.fromkeys(name for pair in pairs for name in pair))}
    first = np.array([numbers[one] for one, _ in pairs], dtype=np.int32)
    second = np.array([numbers[other] for _, other in pairs], dtype=np.int32)
    if len(numbers) < 2:
        nan = math.nan
        return Agreement(n=n, low=nan, high=nan, confidence=confidence, agreed=agreed, kappa=nan)
    shares = [np.bincount(labels, minlength=len(numbers)) / n for labels in (first, second)]
    by_chance = float((shares[0] * shares[1]).sum())
    low, high = ((share - by_chance) / (1.0 - by_chance) for share in clopper_pearson(agreed, n, confidence))
    low = max(low, -1.0)  # kappa is never below, the bound carried over may be
    return Agreement(n=n, low=low, high=high, confidence=confidence, agreed=agreed, kappa=kappa(first, second))
