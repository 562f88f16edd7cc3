"""The baselines of a session: random questions, or all labels known. A classifier alone, no propagation."""

from __future__ import annotations

from typing import Any

import numpy as np

from labeler.core.protocols import Classifier
from labeler.core.types import UNLABELED, FloatArray, IntArray
from labeler.plugins import registry

CHUNK = 8192


def baseline_curve(
    name: str,
    X: FloatArray,
    y: IntArray,
    X_test: FloatArray | None,
    y_test: IntArray,
    rows: list[int],
    classifier: str,
    seed: int,
) -> list[dict[str, Any]]:
    """Curve rows of the baseline `name`.

    ``random``: the first m instances of a random order are labeled, the classifier says the rest. ``all``: one row,
    every label known. `X` (n, d), `y` (n,) class numbers (UNLABELED = no truth), `X_test` (m, d) or None.
    """
    known = np.flatnonzero(y != UNLABELED)
    # a stream of its own (30), apart from those that thin and hold out
    order = np.random.default_rng((seed, 30)).permutation(known)
    counts = [len(known)] if name == "all" else sorted({min(row, len(known)) for row in rows})
    curve: list[dict[str, Any]] = []
    for count in counts:
        # a longer run holds the shorter ones: its curve is that of one person
        chosen = np.sort(order[:count])
        model: Classifier = registry.create("classifier", classifier)
        model.fit(np.asarray(X[chosen], dtype=np.float32), y[chosen])
        predicted = _predict(model, X)
        predicted[chosen] = y[chosen]
        test = None if X_test is None else round(float((_predict(model, X_test) == y_test).mean()), 6)
        curve.append(
            {
                "clicks": int(count),
                "keys": int(count),
                "labels_accuracy": round(float((predicted[known] == y[known]).mean()), 6),
                "coverage": round(count / len(known), 6),
                "propagated_share": 0.0,
                "propagated_precision": None,
                "tiers": {},  # a classifier alone promises nothing
                "classes": len(np.unique(y[chosen])),
                "test_accuracy": test,
                "estimate": None,
                "seconds": None,
            }
        )
    return curve


def _predict(model: Classifier, X: FloatArray) -> IntArray:
    classes = np.asarray(model.classes_)
    parts = [
        classes[model.predict_proba(np.asarray(X[start : start + CHUNK], dtype=np.float32)).argmax(axis=1)]
        for start in range(0, len(X), CHUNK)
    ]
    return np.concatenate(parts).astype(np.int32)
