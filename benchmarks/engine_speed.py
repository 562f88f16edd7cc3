"""The default engine against what one would use without it: refit + next question, and one more label spread.

    python benchmarks/engine_speed.py --rows 10000
    python benchmarks/engine_speed.py --rows 70000

Features are Gaussian groups (10 classes, 100 columns), so that no data is needed; medians over the answers, one thread.
Spread: an answer's walk added to the classes' mass, against scikit-learn's LabelSpreading fitted anew on a graph of
as many neighbours, and how many labels differ from a tight solve after 200 answers.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from labeler.core.joined import JoinedEngine
from labeler.core.propagation import RandomWalk, Spread, mass_of
from labeler.core.vocabulary import Snapshot

ANSWERS = 200


def groups(rows: int) -> tuple[Any, Any]:
    """Overlapping groups (rows, 100) float32 and their classes."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(10, 100))
    y = rng.integers(10, size=rows).astype(np.int32)
    return (centers[y] + rng.normal(scale=1.5, size=(rows, 100))).astype(np.float32), y


def snapshot(indices: list[int], y: Any, weights: list[float]) -> Snapshot:
    """Answers by the truth."""
    none = np.empty(0, dtype=np.int64)
    chosen = np.array(indices, dtype=np.int64)
    ones = np.ones(len(indices), dtype=np.uint8)
    return Snapshot(
        len(indices), 0, chosen, y[chosen], ones, np.array(weights, np.float32), np.unique(y[chosen]), none, none, none
    )


def timed(job: Callable[[], Any]) -> tuple[Any, float]:
    """The result and the seconds."""
    began = time.perf_counter()
    result = job()
    return result, time.perf_counter() - began


def session(engine: JoinedEngine, y: Any) -> dict[str, float]:
    """ANSWERS answers as the application takes them."""
    indices: list[int] = []
    weights: list[float] = []
    quick, full = [], []
    queue = engine.rerank(snapshot(indices, y, weights))
    for _ in range(ANSWERS):
        indices.append(int(queue.indices[0]))
        weights.append(float(queue.margins[0]))
        state = snapshot(indices, y, weights)
        queue, seconds = timed(lambda state=state: engine.rerank(state))
        quick.append(seconds)
        if engine.round_due(len(indices)):
            steps, seconds = timed(lambda state=state: list(engine.round(state)))
            queue = steps[-1].queue
            full.append(seconds)
    _, closing = timed(lambda: engine.closing_round(state))
    return {
        "next question, ms": 1e3 * statistics.median(quick),
        "next question, worst ms": 1e3 * max(quick),
        "round behind, ms": 1e3 * statistics.median(full),
        "first round behind, ms": 1e3 * full[0],
        "closing round, ms": 1e3 * closing,
    }


def spread(engine: JoinedEngine, y: Any) -> dict[str, float]:
    """One more label spread over the graph, live, and its distance from a tight solve."""
    walk = RandomWalk(engine.space.graph.weights)
    live = Spread(walk)
    indices = np.random.default_rng(1).permutation(len(y))[:ANSWERS].astype(np.int64)
    ones = np.ones(ANSWERS, dtype=np.float32)
    seconds = [
        timed(lambda m=m: live.extend(indices[:m], y[indices[:m]], ones[:m], 10))[1] for m in range(1, ANSWERS + 1)
    ]
    tight = mass_of(RandomWalk(engine.space.graph.weights, tolerance=1e-6), indices, y[indices], ones, 10)
    differ = float((live.mass.argmax(axis=1) != tight.argmax(axis=1)).mean())
    return {
        "one more label spread, ms": 1e3 * statistics.median(seconds),
        "labels unlike a tight solve, %": 100 * differ,
    }


def scikit_learn(X: Any, y: Any) -> dict[str, float]:
    """The same two jobs by scikit-learn: LabelSpreading fitted anew; logistic regression and a margin over the pool."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.semi_supervised import LabelSpreading

    labels = np.full(len(y), -1)
    chosen = np.random.default_rng(1).permutation(len(y))[:ANSWERS]
    labels[chosen] = y[chosen]
    _, spreading = timed(lambda: LabelSpreading(kernel="knn", n_neighbors=10, alpha=0.99).fit(X, labels))

    def question() -> int:
        proba = LogisticRegression(max_iter=200).fit(X[chosen], y[chosen]).predict_proba(X)
        top = np.sort(proba, axis=1)
        return int((top[:, -1] - top[:, -2]).argmin())

    _, asking = timed(question)
    return {"LabelSpreading refit, ms": 1e3 * spreading, "logistic regression + margin, ms": 1e3 * asking}


def main() -> None:
    """Print a table of two columns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--peers", action="store_true", help="time scikit-learn's way, too (minutes above 20,000 rows)")
    arguments = parser.parse_args()
    X, y = groups(arguments.rows)
    engine = JoinedEngine()
    with threadpool_limits(1):
        _, opening = timed(lambda: list(engine.open(X)))
        rows = {"open, ms": 1e3 * opening} | session(engine, y) | spread(engine, y)
        if arguments.peers:
            rows |= scikit_learn(X, y)
    print(f"| {arguments.rows:,} x {X.shape[1]} | |\n|---|---|")
    for name, value in rows.items():
        print(f"| {name} | {value:,.2f} |")


if __name__ == "__main__":
    main()
