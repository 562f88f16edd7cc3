"""The neighbour graph of a pool: ``python -m jobs.neighbours FEATURES.npy [ROWS]``: CPU, memory, recall, steps.

Recall: of 500 rows drawn by lot, the share of the ten nearest (exact search) that are among the graph's ten. The first
line of facts is told before the graph is there, so that a run that is stopped says how far it came.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import faiss
import numpy as np
from jobs.report import peak_mb, tell

from labeler.core.numeric.neighbor_graph import neighbour_graph

DRAWN, NEIGHBOURS = 500, 10
EVERY = 10.0


def recall(X: Any, neighbours: Any) -> float:
    """The share of exact neighbours that a graph holds, of DRAWN rows."""
    rows = np.random.default_rng(1).choice(len(X), min(DRAWN, len(X)), replace=False)
    _, exact = faiss.knn(np.ascontiguousarray(X[rows]), X, NEIGHBOURS + 1)
    hits = [
        len(set(neighbours[row].tolist()) & set(near[near != row][:NEIGHBOURS].tolist()))
        for row, near in zip(rows, exact, strict=True)
    ]
    return float(np.mean(hits)) / NEIGHBOURS


def main() -> None:
    """Print CPU seconds, the longest step, peak memory above the features, and recall."""
    faiss.omp_set_num_threads(1)
    X = np.load(sys.argv[1])
    if len(sys.argv) > 2:
        X = np.ascontiguousarray(X[: int(sys.argv[2])])
    before, began, longest = peak_mb(), time.process_time(), 0.0
    latest = noted = began
    job = neighbour_graph(X)
    while True:
        try:
            step = next(job)
        except StopIteration as end:
            graph = end.value
            break
        now = time.process_time()
        longest, latest = max(longest, now - latest), now
        if now - noted > EVERY:
            noted = now
            tell(
                rows=len(X),
                cpu=now - began,
                stage=f"{step.what} {step.done:,} of {step.total:,}",
                above_mb=peak_mb() - before,
            )
    cpu, above = time.process_time() - began, peak_mb() - before
    tell(rows=len(X), columns=X.shape[1], cpu=cpu, longest=longest, above_mb=above, stage="done")
    share = recall(X, graph.neighbours)
    tell(rows=len(X), columns=X.shape[1], cpu=cpu, longest=longest, above_mb=above, recall=share, stage="done")


if __name__ == "__main__":
    main()
