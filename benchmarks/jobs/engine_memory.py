"""The default engine's memory: ``python -m jobs.engine_memory FEATURES.npy {open|session}``.

Features are read from disk, memory-mapped, as the application has them. ``session``: opening, 50 answers with their
rounds and a closing round. A line of facts after each part, so that a run that is stopped has said how far it came.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import scipy.sparse.csgraph  # noqa: F401 - libraries count before, not as the pool's
import sklearn.linear_model  # noqa: F401
from engine_speed import snapshot
from jobs.report import peak_mb, tell

from labeler.core.types import Round
from labeler.engine.default import DefaultEngine
from labeler.worker.server import AHEAD

ANSWERS = 50


def main() -> None:
    """Print peaks in MB by what was done then, and before all of it."""
    path = Path(sys.argv[1])
    X = np.load(path, mmap_mode="r")
    truth = path.with_suffix(".y.npy")
    y = np.load(truth).astype(np.int32) if truth.exists() else (np.arange(len(X)) % 10).astype(np.int32)
    before, peaks, cpu = peak_mb(), {}, {}
    engine, what, latest = DefaultEngine(), "looking at the features", time.process_time()
    for step in engine.open(X):
        now = time.process_time()
        is_higher = (peak := round(peak_mb())) > max(peaks.values(), default=0)
        cpu[what], latest = cpu.get(what, 0.0) + now - latest, now
        if is_higher:
            peaks[what] = peak
        what = step.what or what  # a step names what comes next
        if is_higher:
            tell(rows=len(X), before=before, peak=peak_mb(), peaks=peaks, cpu=cpu, stage=what)
    if sys.argv[2] == "session":
        _answer(engine, y)
        peaks["50 answers"] = round(peak_mb())
    tell(rows=len(X), before=before, peak=peak_mb(), peaks=peaks, cpu=cpu, stage="done")


def _answer(engine: DefaultEngine, y: np.ndarray) -> None:
    indices: list[int] = []
    weights: list[float] = []
    queue = engine.rerank(snapshot(indices, y, weights))
    for _ in range(ANSWERS):
        list(engine.prepare(queue.indices[:AHEAD]))
        indices.append(int(queue.indices[0]))
        weights.append(float(queue.margins[0]))
        state = snapshot(indices, y, weights)
        queue = engine.rerank(state)
        if engine.round_due(len(indices)):
            queue = next(step for step in engine.round(state) if isinstance(step, Round)).queue
    engine.closing_round(state)


if __name__ == "__main__":
    main()
