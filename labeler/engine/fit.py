"""One fit of a classifier to every instance of the pool, and what is read off it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labeler.core.types import UNLABELED, BoolArray, FloatArray, IndexArray, IntArray, Snapshot
from labeler.engine.calibration import Calibration


@dataclass(frozen=True, slots=True)
class Fit:
    """One fit of every instance: `spread` labels, class probabilities `proba` (n, k) over `classes`, which
    rank; what may be shown of them goes through `calibration`."""

    n_answers: int
    spread: IntArray
    sources: IntArray
    reach: BoolArray
    classes: IntArray
    proba: FloatArray
    calibration: Calibration

    def top(self, rows: IndexArray | slice, many: int) -> tuple[IntArray, FloatArray]:
        """Return the likeliest class ids (rows, many) and their probabilities; UNLABELED, 0 beyond the classes."""
        proba = self.proba[rows].copy()
        guesses = np.full((len(proba), many), UNLABELED, dtype=np.int32)
        scores = np.zeros((len(proba), many), dtype=np.float32)
        for place in range(min(many, proba.shape[1])):
            columns = proba.argmax(axis=1)[:, None]
            guesses[:, place] = self.classes[columns[:, 0]]
            scores[:, place] = np.take_along_axis(proba, columns, axis=1)[:, 0]
            np.put_along_axis(proba, columns, -1.0, axis=1)  # below any probability: the next turn takes the next class
        return guesses, scores

    def doubts(self, snapshot: Snapshot) -> FloatArray:
        """Return 1 - the probability of each given class (a,); the answer had its say in it."""
        columns = {int(class_id): column for column, class_id in enumerate(self.classes)}
        own = np.array([columns[int(class_id)] for class_id in snapshot.class_ids], dtype=np.int64)
        return np.asarray(1.0 - self.proba[snapshot.indices, own], dtype=np.float32)
