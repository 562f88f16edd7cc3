"""One refit and the next question, by whom: ``python -m jobs.next_question FEATURES.npy [PROFILE]``.

Features as the default engine sees glyphs; 200 answers by the truth are known, each time one more; logistic regression
for all. Medians of CPU seconds, one thread. "book": the same in our chain, "graph": the default engine.
"""

from __future__ import annotations

import cProfile
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from engine_speed import snapshot
from jobs.report import tell
from threadpoolctl import threadpool_limits

from labeler.core.types import Round
from labeler.engine.book import BookEngine
from labeler.engine.default import DefaultEngine
from labeler.plugins import registry
from labeler.worker.pipeline import BOOK
from labeler.worker.server import AHEAD

ANSWERS, REPEATS = 200, 7
PROFILE = cProfile.Profile()
"""The profile of our refits alone, kept where a file for it is named: then no peer runs."""
IS_PROFILED = len(sys.argv) > 2


def timed(refit: Callable[[int], Any], count: int = REPEATS) -> float:
    """The median CPU seconds of a refit on ANSWERS - `count` + 1 ... ANSWERS answers: none was seen before."""
    refit(ANSWERS - count)  # what is loaded and allocated once is no part of it
    return statistics.median(
        measured(lambda known=known: refit(known)) for known in range(ANSWERS - count + 1, ANSWERS + 1)
    )


def measured(refit: Callable[[], Any]) -> float:
    """CPU seconds of a refit, and a profile of it where there is to be one."""
    if IS_PROFILED:
        PROFILE.enable()
    began = time.process_time()
    refit()
    seconds = time.process_time() - began
    PROFILE.disable()
    return seconds


def book(X: Any, y: Any, order: list[int]) -> float:
    """Logistic regression on the answers in this project's chain of plug-ins, and the next questions."""
    engine = BookEngine(*(registry.create(part, BOOK[part]) for part in ("clusterer", "classifier", "strategy")))
    list(engine.open(X))

    def refit(known: int) -> None:
        # percentile 0: learned from the answers alone, as the peers do
        state = replace(snapshot(order[:known], y, [1.0] * known), percentile=0.0)
        job = engine.round(state)
        next(job)  # the first sign of life; fitted and judged at the second
        next(job)
        engine.rerank(state)
        jobs.append(job)

    jobs: list[Any] = []
    return timed(refit)


def graph(X: Any, y: Any, n_answers: int = 60) -> float:
    """The default engine's refit and next question, answers as the application takes them: rounds fall behind."""
    engine = DefaultEngine()
    list(engine.open(X))
    indices: list[int] = []
    weights: list[float] = []
    seconds: list[float] = []
    queues: list[Any] = []
    queue = engine.rerank(snapshot(indices, y, weights))
    for _ in range(n_answers):
        list(engine.prepare(queue.indices[:AHEAD]))  # the worker does this while the person looks
        indices.append(int(queue.indices[0]))
        weights.append(float(queue.margins[0]))
        state = snapshot(indices, y, weights)
        seconds.append(measured(lambda state=state: queues.append(engine.rerank(state))))
        queue = queues.pop()
        if engine.round_due(len(indices)):
            queue = next(step for step in engine.round(state) if isinstance(step, Round)).queue
    return statistics.median(seconds[n_answers // 2 :])


def scikit_activeml(X: Any, y: Any, order: list[int]) -> float:
    """Margin sampling of scikit-activeml."""
    from skactiveml.classifier import SklearnClassifier  # an extra: no dependency of the project
    from skactiveml.pool import UncertaintySampling
    from sklearn.linear_model import LogisticRegression

    model = SklearnClassifier(LogisticRegression(max_iter=200), classes=np.unique(y), random_state=0)
    strategy = UncertaintySampling(method="margin_sampling", random_state=0)

    def refit(known: int) -> None:
        labels = np.full(len(y), np.nan)
        labels[order[:known]] = y[order[:known]]
        strategy.query(X=X, y=labels, clf=model.fit(X, labels), fit_clf=False)

    return timed(refit)


def modal(X: Any, y: Any, order: list[int]) -> float:
    """Margin sampling of modAL."""
    from modAL.models import ActiveLearner  # an extra: no dependency of the project
    from modAL.uncertainty import margin_sampling
    from sklearn.linear_model import LogisticRegression

    def refit(known: int) -> None:
        rows = order[:known]
        model = LogisticRegression(max_iter=200)
        ActiveLearner(model, query_strategy=margin_sampling, X_training=X[rows], y_training=y[rows]).query(X)

    return timed(refit)


def main() -> None:
    """Print the medians in seconds; a peer that is not there, or fails, is named with why."""
    warnings.filterwarnings("ignore")
    X = np.load(sys.argv[1])
    y = np.load(Path(sys.argv[1]).with_suffix(".y.npy")).astype(np.int32)
    order = np.random.default_rng(1).permutation(len(y))[:ANSWERS].tolist()
    figures: dict[str, float] = {}
    failures: dict[str, str] = {}
    with threadpool_limits(1):
        for name, measure in () if IS_PROFILED else (("scikit-activeml", scikit_activeml), ("modAL", modal)):
            try:
                figures[name] = measure(X, y, order)
            except ImportError:
                failures[name] = "not installed"
            except Exception as error:  # a peer of another time: the row says so
                failures[name] = f"does not run here: {error}"[:200]
        figures["book"] = book(X, y, order)
        figures["graph"] = graph(X, y)
    if IS_PROFILED:
        PROFILE.dump_stats(sys.argv[2])
    tell(seconds=figures, failures=failures, rows=len(y), columns=X.shape[1])


if __name__ == "__main__":
    main()
