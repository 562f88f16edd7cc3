"""The second look at the encoder, once there are answers."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import pytest

from labeler.core.types import Progress
from labeler.plugins.encoders.comparison import is_better, left_out_hits


def compared(job: Generator[Progress, None, dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    while True:
        try:
            next(job)
        except StopIteration as end:
            return dict(end.value)


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Bars of two directions at any place: gradients tell them apart at once, single pixels hardly."""
    rng = np.random.default_rng(0)
    images = np.zeros((300, 16, 16), dtype=np.uint8)
    y = rng.integers(0, 2, 300).astype(np.int32)
    for image, upright in zip(images, y, strict=True):
        place, start = rng.integers(2, 14), rng.integers(0, 6)
        if upright:
            image[start : start + 10, place] = 255
        else:
            image[place, start : start + 10] = 255
    return images, y


def test_the_encoder_that_sees_the_classes_is_better(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    images, y = drawn
    rows = np.arange(0, 300, 5)
    hits = compared(left_out_hits(images, rows, y[rows], ["pixels", "hog"], 0))
    assert hits["hog"].mean() > 0.9
    assert is_better(hits["hog"], hits["pixels"])
    assert not is_better(hits["pixels"], hits["hog"])


def test_a_few_lucky_answers_are_no_reason_to_switch() -> None:
    current = np.array([True] * 40 + [False] * 10)
    other = current.copy()
    other[40:43] = True
    assert not is_better(other, current)
    other[:] = True
    assert is_better(other, current)


def test_the_same_seed_says_the_same(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    images, y = drawn
    rows = np.arange(60)
    first, second = (compared(left_out_hits(images, rows, y[rows], ["hog"], 3)) for _ in range(2))
    assert np.array_equal(first["hog"], second["hog"])
