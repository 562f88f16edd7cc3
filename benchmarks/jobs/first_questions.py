"""50 answers after two starts: ``python -m jobs.first_questions IMAGES.npz CACHE``.

The sample's: its questions first, as the application asks them of a pool that is still being read, then the whole's.
The whole's: as if everything had been clustered before the first question. Labels right after both, by closing rounds.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from engine_speed import snapshot
from jobs.report import tell

from labeler.core import steps
from labeler.core.recipe import Recipe
from labeler.core.types import Round
from labeler.plugins.importers.detect import open_source
from labeler.worker.pipeline import Pipeline

ANSWERS = 50


def answered(pipeline: Pipeline, y: Any, first: list[int]) -> float:
    """The share of labels right after ANSWERS answers, `first` (indices) before the engine's own questions."""
    indices: list[int] = []
    weights: list[float] = []
    queue = pipeline.rerank(snapshot(indices, y, weights))
    for turn in range(ANSWERS):
        asked = first[turn] if turn < len(first) else int(next(row for row in queue.indices if row not in indices))
        margins = dict(zip(queue.indices.tolist(), queue.margins.tolist(), strict=True))
        indices.append(asked)
        weights.append(float(margins.get(asked, 1.0)))
        state = snapshot(indices, y, weights)
        queue = pipeline.rerank(state)
        if pipeline.round_due(len(indices)):
            queue = next(step for step in pipeline.round(state) if isinstance(step, Round)).queue
    return float((pipeline.closing_round(state).labels == y).mean())


def main() -> None:
    """Print both shares, and how many questions the sample asked."""
    path = Path(sys.argv[1])
    with np.load(path) as arrays:
        y = np.unique(arrays["y"], return_inverse=True)[1].astype(np.int32)
    shares, early = {}, 0
    for start in ("whole", "sample"):
        pipeline = Pipeline(Recipe(str(path), sys.argv[2]), open_source(path))
        queue = steps.run(pipeline.early()) if start == "sample" else None
        first = [] if queue is None else [int(row) for row in queue.indices[:ANSWERS]]
        steps.run(pipeline.open())
        early = len(first)
        shares[start] = answered(pipeline, y, first)
    tell(**shares, asked_of_the_sample=early)


if __name__ == "__main__":
    main()
