"""Comparison of encoders by how well they fit the answers, once there are some."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence

import numpy as np

from labeler.core.numeric.pca import axes_of_sample
from labeler.core.types import BoolArray, FloatArray, IndexArray, IntArray, Progress
from labeler.plugins import registry
from labeler.plugins.encoders.base import Images

ENOUGH_ANSWERS = 50
MOST_ANSWERS = 300
FIT_SAMPLE = 300
CHUNK = 100
CANDIDATES = ("hog", "deskew-hog", "scattering", "scattering:standardise=False")
RIDGE = 0.05


def left_out_hits(
    images: Images, rows: IndexArray, y: IntArray, specs: Sequence[str], random_state: int
) -> Generator[Progress, None, dict[str, BoolArray]]:
    """Yield signs of life; return for each encoder which answers (m,) a kernel machine names right, each left out.

    `rows` (m,) and `y` (m,) are the answered instances and their classes; what is fitted, is on a sample of the pool.
    """
    rng = np.random.default_rng(random_state)
    sample = np.sort(rng.choice(len(images), min(FIT_SAMPLE, len(images)), replace=False))
    hits: dict[str, BoolArray] = {}
    for spec in specs:
        yield Progress("comparing encoders")
        encoder = registry.create("encoder", spec).fit(np.asarray(images[sample]))
        wanted, parts = np.concatenate((sample, rows)), []
        for start in range(0, len(wanted), CHUNK):
            yield Progress("comparing encoders")
            parts.append(encoder.transform(np.asarray(images[wanted[start : start + CHUNK]])))
        features = np.concatenate(parts)
        # the mean and axes of the pool: answers are no even draw from it
        centered = features - features[: len(sample)].mean(axis=0)
        points = centered @ axes_of_sample(centered[: len(sample)], 100)
        hits[spec] = _hits(points[len(sample) :], y)
    return hits


def is_better(other: BoolArray, current: BoolArray) -> bool:
    """Whether `other` is right where `current` is wrong clearly more often than the reverse.

    Two standard errors of the difference of the disagreements (McNemar 1947).
    """
    won, lost = int((other & ~current).sum()), int((current & ~other).sum())
    return won - lost > 2.0 * math.sqrt(max(won + lost, 1))


def _hits(points: FloatArray, y: IntArray) -> BoolArray:
    """Kernel ridge regression on one-hot classes, each row left out in closed form (Allen 1974)."""
    squared = np.square(points[:, None, :] - points[None, :, :]).sum(axis=2)
    scale = float(np.median(squared[np.triu_indices(len(points), 1)])) or 1.0
    inverse = np.linalg.inv(np.exp(-1.5 * squared / scale).astype(np.float64) + RIDGE * np.eye(len(points)))
    classes, positions = np.unique(y, return_inverse=True)
    targets = np.eye(len(classes))[positions]
    guesses = targets - (inverse @ targets) / np.diag(inverse)[:, None]
    return np.asarray(guesses.argmax(axis=1) == positions, dtype=np.bool_)
