"""Logistic regression on distances to the centers of k-means, with a search for the number of centers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from labeler.core.numeric.kmeans import kmeans
from labeler.core.types import FloatArray, IntArray
from labeler.plugins.classifiers.logreg import LogReg

SEARCHED = (5, 10, 20, 50, 100)
"""Numbers of centers compared where none is given."""


class KMeansLogReg:
    """k-means as preprocessing: distances to k centers, then logistic regression (Géron, ch. 9).

    Parameters
    ----------
    k
        Centers; ``none`` = the number whose predictions of left-out parts are right most often.
    search
        Numbers that are compared: FIRST-LAST or FIRST-LAST-STEP, such as ``2-99`` (the source's); ``none`` = 5, 10, 20,
        50 and 100.
    folds
        Parts for that comparison, of like classes each.
    C
        Inverse strength of the penalty.
    random_state
        Seed of k-means.
    max_iter
        Iterations of the regression at most.
    class_weight
        ``balanced`` = rare classes count for as much as frequent ones; ``none`` = by their answers.
    """

    def __init__(
        self,
        k: int | None = None,
        folds: int = 3,
        C: float = 1.0,
        random_state: int = 0,
        search: str | None = None,
        max_iter: int = 100,
        class_weight: str | None = None,
    ) -> None:
        if k is not None and (not isinstance(k, int) or k < 1):
            raise ValueError(f"k is a whole number from 1 up, or none, not {k}")
        if folds < 2 or random_state < 0:
            raise ValueError("folds is at least 2 and random_state at least 0")
        self.k, self.folds, self.C, self.random_state = k, folds, C, random_state
        self.max_iter, self.class_weight = max_iter, class_weight
        self.searched = SEARCHED if search is None else _numbers(search)
        self.chosen_k = 0
        self.scores: dict[int, float] = {}
        self._logreg = LogReg(C, max_iter, class_weight)

    @property
    def classes_(self) -> NDArray[np.int64]:
        """The classes of the last fit, sorted."""
        return self._logreg.classes_

    def fit(self, X: FloatArray, y: IntArray, sample_weight: FloatArray | None = None) -> KMeansLogReg:
        """Choose the number of centers, then fit on `X` (n, d) and class ids `y` (n,).

        `chosen_k` then says how many centers were taken, `scores` which share of left-out predictions was right with
        each number that was compared.
        """
        self.scores = {}
        X = np.ascontiguousarray(X, dtype=np.float32)
        self.chosen_k = self.k or self._searched(X, y, sample_weight)
        self._fit(X, y, sample_weight, self.chosen_k)
        return self

    def facts(self) -> dict[str, Any]:
        """The number of centers and the scores of the search, as one JSON-able object."""
        return {"k": self.chosen_k, "scores": {str(k): round(score, 6) for k, score in self.scores.items()}}

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Return class probabilities (n, k) float32, columns in the order of `classes_`."""
        return self._logreg.predict_proba(self._distances(X))

    def _searched(self, X: FloatArray, y: IntArray, weights: FloatArray | None) -> int:
        """Return the number of centers with the most left-out predictions right; the smallest of equals."""
        # with fewer than two instances a center, centers are little else than the instances
        tried = [k for k in self.searched if k <= len(X) // 2] or [min(len(X), self.searched[0])]
        if len(tried) == 1 or len(np.unique(y)) < 2:
            return tried[0]
        part = np.empty(len(y), dtype=np.int64)
        # dealt out class after class, so that each part has its share of every one
        part[np.argsort(y, kind="stable")] = np.arange(len(y)) % self.folds
        right = dict.fromkeys(tried, 0)
        for fold in range(self.folds):
            held = part == fold
            for k in tried:
                self._fit(X[~held], y[~held], None if weights is None else weights[~held], k)
                right[k] += int((self.classes_[self.predict_proba(X[held]).argmax(axis=1)] == y[held]).sum())
        self.scores = {k: right[k] / len(y) for k in tried}
        return max(tried, key=lambda k: (right[k], -k))

    def _fit(self, X: FloatArray, y: IntArray, weights: FloatArray | None, k: int) -> None:
        # one run of k-means: the search makes a fit for every number and part
        self._centers = kmeans(X, min(k, len(X)), self.random_state, n_init=1).centers.astype(np.float64)
        self._offset: FloatArray | float = 0.0
        distances = self._distances(X)
        self._offset = distances.mean(axis=0)  # what is far for all says nothing
        self._logreg.fit(distances - self._offset, y, weights)

    def _distances(self, X: FloatArray) -> FloatArray:
        """Return the distances (n, k) to the centers, less their means at the fit."""
        distances = cdist(np.asarray(X, dtype=np.float64), self._centers).astype(np.float32)
        return np.asarray(distances - self._offset, dtype=np.float32)


def _numbers(search: str) -> tuple[int, ...]:
    """Return the numbers of FIRST-LAST[-STEP]; a ValueError where it is none."""
    parts = str(search).split("-")
    if not all(part.isdecimal() for part in parts) or len(parts) not in (2, 3):
        raise ValueError(f"search is FIRST-LAST or FIRST-LAST-STEP, such as 2-99, not {search!r}")
    first, last, step = (*map(int, parts), 1)[:3]
    if not 1 <= first <= last or step < 1:
        raise ValueError(f"search is a range of numbers from 1 up, such as 2-99, not {search!r}")
    return tuple(range(first, last + 1, step))
