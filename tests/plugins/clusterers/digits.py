"""The digits as the chapter clusters them: pixels in [0, 1], and who is what."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import labeler

with np.load(Path(labeler.__file__).parent / "_data" / "digits.npz") as arrays:
    X = (arrays["X"].reshape(len(arrays["X"]), -1) / 255.0).astype(np.float32)
    Y = arrays["y"].astype(np.int32)


def purity(clusters, y=Y):
    """Share of instances that are of the commonest class of their cluster."""
    return sum(np.unique(y[clusters == c], return_counts=True)[1].max() for c in np.unique(clusters)) / len(y)
