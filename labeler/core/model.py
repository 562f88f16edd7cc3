"""A trained model as a few arrays: what labels features outside the pool, and all that has to leave for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labeler.core.numeric.kernels import gaussian
from labeler.core.steps import blocks
from labeler.core.types import UNLABELED, FloatArray, IntArray

LEAST = np.float32(1e-6)


@dataclass(frozen=True, slots=True)
class Model:
    """Features (m, d) -> shares of `classes` (k,) int32 class ids, by plain matrix products.

    `kind` says which `arrays` there are (all float32), and how they are used:

    ``kernel``
        ``mean`` (d,), ``axes`` (d, p), ``landmarks`` (r, p), ``gamma`` (), ``coefficients`` (r, k):
        ``exp(-gamma |(X - mean) axes - landmarks|^2) coefficients``, clipped to at least :data:`LEAST`.
    ``linear``
        ``slopes`` (d, k), ``offsets`` (k,): ``exp(X slopes + offsets)``.

    The rows are then scaled to sum 1.
    """

    kind: str
    classes: IntArray
    arrays: dict[str, FloatArray]

    @property
    def n_features(self) -> int:
        """Columns that it takes."""
        return len(self.arrays["mean" if self.kind == "kernel" else "slopes"])

    def shares(self, X: FloatArray) -> FloatArray:
        """Class shares (m, k) float32 of features (m, d)."""
        out = np.empty((len(X), len(self.classes)), dtype=np.float32)
        width = len(self.arrays["landmarks"]) if self.kind == "kernel" else X.shape[1]
        for rows in blocks(len(X), max(width, X.shape[1])):
            out[rows] = self._shares(np.asarray(X[rows], dtype=np.float32))
        return out

    def _shares(self, X: FloatArray) -> FloatArray:
        arrays = self.arrays
        if self.kind == "kernel":
            points = np.asarray((X - arrays["mean"]) @ arrays["axes"], dtype=np.float32)
            raw = gaussian(points, arrays["landmarks"], float(arrays["gamma"])) @ arrays["coefficients"]
            raw = np.clip(raw, LEAST, None)
        else:
            logits = X @ arrays["slopes"] + arrays["offsets"]
            raw = np.exp(logits - logits.max(axis=1, keepdims=True))  # so it never overflows
        return np.asarray(raw / raw.sum(axis=1, keepdims=True), dtype=np.float32)

    def predict(self, X: FloatArray) -> tuple[IntArray, FloatArray]:
        """Class ids (m,) int32 and their shares (m,) float32."""
        shares = self.shares(X)
        return self.classes[shares.argmax(axis=1)].astype(np.int32), shares.max(axis=1).astype(np.float32)


def no_labels(count: int) -> tuple[IntArray, FloatArray]:
    """Return the classes and scores of `count` instances where nobody ever answered: none."""
    return np.full(count, UNLABELED, dtype=np.int32), np.zeros(count, dtype=np.float32)
