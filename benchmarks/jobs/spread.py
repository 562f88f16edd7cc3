"""One more label spread over a pool: ``python -m jobs.spread FEATURES.npy``.

Ours, prepared as the worker does behind the question and not, and how far 200 updates are from a tight solve; and
scikit-learn's LabelSpreading fitted anew with as many neighbours.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from engine_speed import label_spreading, snapshot, spread
from jobs.report import tell
from threadpoolctl import threadpool_limits

from labeler.engine.default import DefaultEngine

ANSWERS = 200


def main() -> None:
    """Print what benchmarks/engine_speed.py says of it, by its names."""
    X = np.load(sys.argv[1])
    y = np.load(Path(sys.argv[1]).with_suffix(".y.npy")).astype(np.int32)
    order = np.random.default_rng(1).permutation(len(y))[:ANSWERS].tolist()
    with threadpool_limits(1):
        engine = DefaultEngine()
        list(engine.open(X))
        figures = spread(engine, y)
        figures |= label_spreading(X, y, snapshot(order, y, [1.0] * ANSWERS))
    tell(**figures)


if __name__ == "__main__":
    main()
