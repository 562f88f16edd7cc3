"""Small seeded pools and snapshots for the tests of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from labeler.core.types import FloatArray, IntArray, Round, Snapshot
from labeler.engine.default import DefaultEngine


def blobs(
    n: int = 300, n_classes: int = 4, d: int = 12, spread: float = 1.0, seed: int = 0
) -> tuple[FloatArray, IntArray]:
    """Gaussian groups (n, d) and their classes (n,)."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(scale=4.0, size=(n_classes, d))
    y = rng.integers(n_classes, size=n).astype(np.int32)
    return (centers[y] + rng.normal(scale=spread, size=(n, d))).astype(np.float32), y


def snapshot(
    indices: Sequence[int] = (),
    class_ids: Sequence[int] = (),
    weights: Sequence[float] | None = None,
    percentile: float | None = None,
    **others: Any,
) -> Snapshot:
    """A snapshot with human answers."""
    none = np.empty(0, dtype=np.int64)
    lists = {name: np.asarray(others.get(name, none), dtype=np.int64) for name in ("excluded", "held_back", "deferred")}
    return Snapshot(
        revision=len(indices),
        round=0,
        indices=np.asarray(indices, dtype=np.int64),
        class_ids=np.asarray(class_ids, dtype=np.int32),
        provenances=np.ones(len(indices), dtype=np.uint8),
        weights=np.asarray(weights if weights is not None else np.ones(len(indices)), dtype=np.float32),
        class_list=np.unique(np.asarray(class_ids, dtype=np.int32)),
        percentile=percentile,
        **lists,
    )


def opened(X: FloatArray, **settings: Any) -> DefaultEngine:
    """An engine that has opened `X`."""
    engine = DefaultEngine(**settings)
    for _ in engine.open(X):
        pass
    return engine


def answer(engine: DefaultEngine, y: IntArray, n_answers: int) -> Snapshot:
    """Answer the head of the queue by the truth, as the application would; the last snapshot."""
    indices: list[int] = []
    weights: list[float] = []
    state = snapshot()
    queue = engine.rerank(state)
    while len(indices) < n_answers and len(queue.indices):
        indices.append(int(queue.indices[0]))
        weights.append(float(queue.margins[0]))
        state = snapshot(indices, y[indices].tolist(), weights)
        queue = engine.rerank(state)
        if engine.round_due(len(indices)):
            queue = last_round(engine, state).queue
    return state


def last_round(engine: DefaultEngine, state: Snapshot) -> Round:
    """The round a job ends in."""
    *_, result = engine.round(state)
    assert isinstance(result, Round)
    return result


def assert_same(first: Round, second: Round) -> None:
    """Bit for bit."""
    for name in (
        "labels",
        "provenances",
        "scores",
        "tiers",
        "sources",
        "clusters",
        "distances",
        "runner_ups",
        "doubts",
    ):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)
    for name in ("indices", "utilities", "rules", "margins", "guesses", "guess_scores"):
        np.testing.assert_array_equal(getattr(first.queue, name), getattr(second.queue, name), err_msg=name)
    assert first.advice == second.advice
    assert first.facts == second.facts
