"""The oddness of a whole pool, in steps."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from labeler.core.types import FloatArray, Progress
from labeler.plugins import registry
from labeler.plugins.outliers.base import OutlierMethod


class Table(Protocol):
    """Rows (n, d) that may be made when they are asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """n and d."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> FloatArray: ...


SAMPLE = 20_000
"""Rows beyond which what is usual is learned from a sample: methods ask for neighbors, or for every row at once."""
QUICK_SAMPLE = 5_000
"""The same where others wait for the process: no method can be interrupted while it learns."""
BLOCK = 2_000
WHAT = "looking for odd ones"


def scored(X: Table, method: str, random_state: int, *, quick: bool = False) -> Generator[Progress, None, FloatArray]:
    """Yield signs of life; return how odd each row of `X` (n, d) is (n,), by the outlier method of that name."""
    most = QUICK_SAMPLE if quick else SAMPLE
    yield Progress(WHAT, 0, len(X))
    judge: OutlierMethod = registry.create("outlier method", method)
    if not len(X):
        return np.empty(0, dtype=np.float32)
    if len(X) <= most:
        with threadpool_limits(1):
            scores = judge.anomalies(np.asarray(X[:]), random_state)
        yield Progress(WHAT, len(X), len(X))
        return scores
    rows = np.sort(np.random.default_rng(random_state).choice(len(X), most, replace=False))
    with threadpool_limits(1):
        judge.fit(np.asarray(X[rows]), random_state)
    out = np.empty(len(X), dtype=np.float32)
    for start in range(0, len(X), BLOCK):
        here = slice(start, start + BLOCK)
        with threadpool_limits(1):
            out[here] = judge.score(np.asarray(X[here]))
        yield Progress(WHAT, min(start + BLOCK, len(X)), len(X))
    return out
