"""Turns that are drawn by lot: a share of the questions is asked otherwise, so that something can be measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np


@dataclass(frozen=True, slots=True)
class DrawnTurns:
    """The share of the turns that is drawn (0 = none), and the seed they follow from."""

    stream: ClassVar[int]
    """Tells the draws of one kind from those of another that has the same seed."""

    share: float = 0.0
    seed: int = 0

    def generator(self, turn: int) -> np.random.Generator | None:
        """Return the random numbers of a turn that was drawn, None where it was not.

        By seed and number of the turn alone: the same answers draw the same turns, however long somebody waits.
        """
        if self.share <= 0.0:
            return None
        # a generator a turn: an answer that is taken back leaves no trace in the draws that follow
        rng = np.random.default_rng((self.seed, self.stream, turn))
        return rng if rng.random() < self.share else None
