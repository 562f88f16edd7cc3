"""Probabilities of every label by a model that has not seen it, for programs that look for label errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from labeler.core.protocols import Classifier
from labeler.core.types import FloatArray, IndexArray, IntArray
from labeler.plugins import registry
from labeler.plugins.exporters.base import HeldOut, Rows
from labeler.plugins.exporters.splits import divided

FOLDS = 5
MOST_FITTED = 20_000
"""Rows one model is fitted on at most: more change little, and a million would not fit into the memory."""
BLOCK = 4_096
LEAST_WEIGHT = 0.01
"""Of a label nobody believes in: at 0 a class of such labels alone would be none to the model."""


class ArrayRows:
    """Rows chosen from an array (maybe memory-mapped), read part by part; `indices` (n,) in their order."""

    def __init__(self, array: Any, indices: IndexArray) -> None:
        self._array, self.indices = array, indices
        self.shape: tuple[int, ...] = (len(indices), *array.shape[1:])
        self.dtype: np.dtype[Any] = array.dtype

    def __getitem__(self, rows: slice) -> Any:
        """Some of the rows, in memory."""
        return np.asarray(self._array[self.indices[rows]])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """Every row in memory."""
        return np.asarray(self[:], dtype=dtype)


def held_out_probabilities(
    X: FloatArray,
    indices: IndexArray,
    labels: IntArray,
    confidence: FloatArray,
    n_classes: int,
    random_state: int,
    alike: tuple[Sequence[str], Sequence[int] | None],
    classifier: str = "logreg",
) -> HeldOut:
    """Return class probabilities of the rows `indices` (n,) of `X` (N, d), each by a model fitted without its fold.

    Parameters
    ----------
    labels, confidence
        (n,) positions of classes, and how much each label counts in a fit.
    alike
        (content hashes, numbers of near duplicates) of the rows: those that are alike share a fold, so that no model
        has seen the twin of what it judges.
    classifier
        Spec of the classifier that is fitted five times.
    """
    features: Rows = ArrayRows(X, indices)
    n = len(indices)
    folds = divided(alike[0], labels, np.full(FOLDS, 1.0 / FOLDS), random_state, alike[1]).astype(np.int32)
    rng = np.random.default_rng(random_state)
    models: dict[int, Classifier] = {}
    for fold in np.unique(folds).tolist():
        rows = np.flatnonzero(folds != fold)
        if len(rows) > MOST_FITTED:  # sorted again: a memory map is read from its beginning to its end
            rows = np.sort(rng.choice(rows, MOST_FITTED, replace=False))
        if len(rows):
            weights = np.clip(np.nan_to_num(confidence[rows]), LEAST_WEIGHT, 1.0).astype(np.float32)
            model: Classifier = registry.create("classifier", classifier, random_state=random_state)
            models[fold] = model.fit(np.asarray(X[indices[rows]], dtype=np.float32), labels[rows], weights)
    # where all labels are in one fold no model can be fitted: then nothing is known, every class alike
    proba = np.full((n, n_classes), 1.0 / max(n_classes, 1), dtype=np.float32)
    for start in range(0, n, BLOCK):
        block, at = features[slice(start, start + BLOCK)], folds[start : start + BLOCK]
        for fold, model in models.items():
            members = np.flatnonzero(at == fold)
            if len(members):
                shares = np.zeros((len(members), n_classes), dtype=np.float32)
                # a class that is in no other fold has no column in the model: it stays at 0
                shares[:, model.classes_] = model.predict_proba(np.asarray(block[members], dtype=np.float32))
                proba[start + members] = shares
    # said in the file itself: who reads it must know that no model judged what it was fitted on
    how = (
        f"{classifier}, fitted {len(models)} times on the project's features, each time without the fold it judges; "
        "near duplicates share a fold"
    )
    return HeldOut(proba, folds, features, how)
