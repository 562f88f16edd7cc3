"""The simulated person: answers from the truth, errs at a given rate, does not know how many answers will follow."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


class Oracle:
    """Answers what `truth` says of an instance; a share `noise` of the instances gets another class, uniformly.

    Whether and how it errs depends on the instance, the seed and whether it is asked `again`, where it errs anew and
    independently of the first time: its m-th answer is the same however many are asked.
    """

    def __init__(self, truth: Mapping[str, str], noise: float = 0.0, random_state: int = 0) -> None:
        self._truth = truth
        self._classes = sorted(set(truth.values()))
        self._noise = noise
        self._random_state = random_state
        self._place = {name: position for position, name in enumerate(sorted(truth))}

    def answer(self, instance_id: str, *, again: bool = False) -> str:
        """The class name this person gives."""
        right = self._truth[instance_id]
        if self._noise <= 0 or len(self._classes) < 2:
            return right
        # of the instance, not of the turn: a person errs at the same images in whatever order they come
        rng = np.random.default_rng((self._random_state, self._place[instance_id], *([1] if again else [])))
        if rng.random() >= self._noise:
            return right
        others = [name for name in self._classes if name != right]
        return others[int(rng.integers(len(others)))]
