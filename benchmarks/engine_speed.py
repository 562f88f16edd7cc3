"""The default engine against what one would use without it: refit + next question, and one more label spread.

    python benchmarks/engine_speed.py --rows 10000
    pip install scikit-activeml
    python benchmarks/engine_speed.py --rows 70000 --peers
    LABELER_DATA=... python benchmarks/engine_speed.py --set mnist70k --answers 60

Features are Gaussian groups (10 classes, 100 columns), so that no data is needed; medians of CPU time, one thread,
one run; with `--set` the features that the application makes of a real set (benchmarks/data.py), read from disk.
Next question: answers as the application takes them. The worker prepares the walks of the next 16 questions, the
answer comes, and the engine refits: graph walk, kernel ridge and second opinion on the 2,000 instances nearest to
being asked; every fifth answer a full round on the whole pool follows behind. "Longest step" = the longest time
between two signs of life of a job: that long a request may wait. Memory: peak resident size above that
of the process with all libraries loaded and the features made.
Spread: an answer's walk added to the classes' mass, prepared as the worker does behind the question and not, against
scikit-learn's LabelSpreading fitted anew with as many neighbours; and the distance from a tight solve after 200
answers. Question: 200 answers are known; fit, judge the pool and choose the next question.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from data import SETS, load
from threadpoolctl import threadpool_limits

from labeler.core.types import Snapshot
from labeler.engine.book import BookEngine
from labeler.engine.default import DefaultEngine
from labeler.engine.propagation import RandomWalk, Spread, mass_of
from labeler.plugins import registry
from labeler.plugins.importers.detect import open_source
from labeler.worker.features import prepare
from labeler.worker.pipeline import BOOK
from labeler.worker.server import AHEAD

ANSWERS = 200
REPEATS = 5


def groups(rows: int) -> tuple[Any, Any]:
    """Overlapping groups (rows, 100) float32 and their classes."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(10, 100))
    y = rng.integers(10, size=rows).astype(np.int32)
    return (centers[y] + rng.normal(scale=1.5, size=(rows, 100))).astype(np.float32), y


def encoded(name: str, folder: Path) -> Path:
    """A file of the features that the application makes of a set."""
    source = open_source(load(name, 0, folder).path)
    steps = prepare(source, list(source.ids), folder / "cache", "", "", 0)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return Path(done.value.path)


def real(name: str, folder: Path) -> tuple[Any, Any]:
    """Features (n, d) of a set, read from disk, and the classes; encoded in another process, for the memory."""
    with ProcessPoolExecutor(1, get_context("spawn")) as other:
        path = other.submit(encoded, name, folder).result()
    return np.load(path, mmap_mode="r"), np.unique(load(name, 0, folder).y, return_inverse=True)[1].astype(np.int32)


def snapshot(indices: list[int], y: Any, weights: list[float]) -> Snapshot:
    """Answers by the truth."""
    none = np.empty(0, dtype=np.int64)
    chosen = np.array(indices, dtype=np.int64)
    ones = np.ones(len(indices), dtype=np.uint8)
    return Snapshot(
        len(indices), 0, chosen, y[chosen], ones, np.array(weights, np.float32), np.unique(y[chosen]), none, none, none
    )


def timed(job: Callable[[], Any]) -> tuple[Any, float]:
    """The result and the CPU seconds (one thread: what a quiet machine takes)."""
    began = time.process_time()
    result = job()
    return result, time.process_time() - began


def stepped(job: Iterator[Any]) -> tuple[Any, float, float]:
    """The last thing a job yields, its CPU seconds, and those of its longest step."""
    began, longest, last = time.process_time(), 0.0, None
    while True:
        step_began = time.process_time()
        step = next(job, None)
        longest = max(longest, time.process_time() - step_began)
        if step is None:
            return last, time.process_time() - began, longest
        last = step


def resident_mb() -> float:
    """The peak resident size of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def session(engine: DefaultEngine, y: Any, n_answers: int) -> dict[str, float]:
    """So many answers as the application takes them."""
    indices: list[int] = []
    weights: list[float] = []
    quick, full, longest = [], [], []
    queue = engine.rerank(snapshot(indices, y, weights))
    for _ in range(n_answers):
        indices.append(int(queue.indices[0]))
        weights.append(float(queue.margins[0]))
        state = snapshot(indices, y, weights)
        for _ in engine.prepare(queue.indices[:AHEAD]):
            pass  # the worker does this while the person looks
        queue, seconds = timed(lambda state=state: engine.rerank(state))
        quick.append(seconds)
        if engine.round_due(len(indices)):
            last, seconds, step = stepped(engine.round(state))
            queue = last.queue
            full.append(seconds)
            longest.append(step)
    _, closing = timed(lambda: engine.closing_round(state))
    return {
        "refit + next question after a key press, ms": 1e3 * statistics.median(quick[n_answers // 2 :]),
        "refit + next question after a key press, worst ms": 1e3 * max(quick),
        "round behind (every label, tier and question), ms": 1e3 * statistics.median(full),
        "longest step of a round, ms": 1e3 * max(longest[1:]),
        "first round behind, ms": 1e3 * full[0],
        "longest step of the first round, ms": 1e3 * longest[0],
        "closing round, ms": 1e3 * closing,
    }


def spread(engine: DefaultEngine, y: Any) -> dict[str, float]:
    """One more label spread over the graph, and its distance from a tight solve."""
    weights = engine.space.graph.weights
    indices = np.random.default_rng(1).permutation(len(y))[:ANSWERS].astype(np.int64)
    ones = np.ones(ANSWERS, dtype=np.float32)
    walk = RandomWalk(weights)
    live, plain = Spread(walk), Spread(RandomWalk(weights))
    steps, ahead, prepared, unprepared = [], [], [], []
    for m in range(1, ANSWERS + 1):
        answers = indices[:m], y[indices[:m]], ones[:m], 10
        job = walk.prepare(indices[m - 1 : m])
        took = [timed(lambda job=job: next(job, None))[1] for _ in range(walk.steps + 2)]
        steps.append(max(took))
        ahead.append(sum(took))
        prepared.append(timed(lambda answers=answers: live.extend(*answers))[1])
        unprepared.append(timed(lambda answers=answers: plain.extend(*answers))[1])
    assert np.array_equal(live.mass, plain.mass)
    tight = mass_of(RandomWalk(weights, tolerance=1e-6), indices, y[indices], ones, 10)
    away = np.linalg.norm(live.mass - tight, axis=0) / np.linalg.norm(tight, axis=0)
    return {
        "one more label spread, prepared, ms": 1e3 * statistics.median(prepared),
        "one more label spread, prepared, worst ms": 1e3 * max(prepared),
        "one more label spread, not prepared, ms": 1e3 * statistics.median(unprepared),
        "column worked ahead while nobody waits, ms": 1e3 * statistics.median(ahead),
        "its longest step, ms": 1e3 * max(steps),
        "mass away from a tight solve after 200, %": 100 * float(away.max()),
        "labels unlike a tight solve, %": 100 * float((live.mass.argmax(axis=1) != tight.argmax(axis=1)).mean()),
    }


def median(name: str, job: Callable[[], Any]) -> dict[str, float]:
    """The median of REPEATS runs."""
    return {f"{name}, ms": 1e3 * statistics.median(timed(job)[1] for _ in range(REPEATS))}


def book(X: Any, state: Snapshot) -> dict[str, float]:
    """Logistic regression in this project's chain of plug-ins: on the answers alone, and on all it spread.

    A refit is a round's first step: fitted, every instance judged, the next questions in order. Each time one more
    answer is known, so that nothing has been seen before but the pool.
    """
    parts = [registry.create(part, BOOK[part]) for part in ("clusterer", "classifier", "strategy")]
    engine = BookEngine(*parts)
    for _ in engine.open(X):
        pass
    rows: dict[str, float] = {}
    for name, percentile in (("the answers alone", 0.0), ("all it spread", None)):
        refits, rounds = [], []
        for known in range(ANSWERS - REPEATS, ANSWERS + 1):
            now = replace(
                state,
                indices=state.indices[:known],
                class_ids=state.class_ids[:known],
                provenances=state.provenances[:known],
                weights=state.weights[:known],
                percentile=percentile,
            )
            job = engine.round(now)
            next(job)
            _, fitted = timed(lambda job=job, now=now: (next(job), engine.rerank(now)))
            _, rest = timed(lambda job=job: list(job))
            refits.append(fitted)
            rounds.append(fitted + rest)
        rows[f"`--engine book`, refit + next question on {name}, ms"] = 1e3 * statistics.median(refits[1:])
        rows[f"`--engine book`, round on {name}, ms"] = 1e3 * statistics.median(rounds[1:])
    return rows


def peers(X: Any, y: Any, state: Snapshot) -> dict[str, float]:
    """Refit + next question by scikit-activeml and by hand, both with logistic regression.

    modAL 0.4.2.1, its latest release, calls scikit-learn in a way that scikit-learn 1.9 does not know any more.
    """
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import UncertaintySampling
    from sklearn.linear_model import LogisticRegression

    chosen = state.indices
    labels = np.full(len(y), np.nan)
    labels[chosen] = y[chosen]
    model = SklearnClassifier(LogisticRegression(max_iter=200), classes=np.arange(10), random_state=0)
    strategy = UncertaintySampling(method="margin_sampling", random_state=0)
    rows = median(
        "scikit-activeml, refit + next question",
        lambda: strategy.query(X=X, y=labels, clf=model.fit(X, labels), fit_clf=False),
    )

    def by_hand() -> int:
        proba = LogisticRegression(max_iter=200).fit(X[chosen], y[chosen]).predict_proba(X)
        top = np.sort(proba, axis=1)
        return int((top[:, -1] - top[:, -2]).argmin())

    return rows | median("scikit-learn by hand, refit + next question", by_hand)


def label_spreading(X: Any, y: Any, state: Snapshot) -> dict[str, float]:
    """Scikit-learn's LabelSpreading fitted anew (its 30 steps do not converge; a converged one takes longer)."""
    from sklearn.semi_supervised import LabelSpreading

    labels = np.full(len(y), -1)
    labels[state.indices] = y[state.indices]
    _, seconds = timed(lambda: LabelSpreading(kernel="knn", n_neighbors=10, alpha=0.99).fit(X, labels))
    return {"scikit-learn LabelSpreading refit, ms": 1e3 * seconds}


def main() -> None:
    """Print a table of two columns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--set", choices=sorted(SETS), help="features of a real set in place of made ones")
    parser.add_argument("--answers", type=int, default=ANSWERS, help="how long the session is")
    parser.add_argument("--peers", action="store_true", help="time the others, too (minutes above 20,000 rows)")
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder, threadpool_limits(1):
        X, y = real(arguments.set, Path(folder)) if arguments.set else groups(arguments.rows)
        rows = measured(X, y, arguments.answers, peers_too=arguments.peers)
    print(f"| {arguments.set or 'groups'}, {len(y):,} x {X.shape[1]} | |\n|---|---|")
    for name, value in rows.items():
        print(f"| {name} | {value:,.2f} |")


def measured(X: Any, y: Any, n_answers: int, *, peers_too: bool) -> dict[str, float]:
    """Every figure by its name; memory first, while nothing else has been touched."""
    import sklearn.linear_model  # noqa: F401 - so that it is not counted below

    engine = DefaultEngine()
    state = snapshot(np.random.default_rng(1).permutation(len(y))[:ANSWERS].tolist(), y, [1.0] * ANSWERS)
    before = resident_mb()
    _, opening, longest = stepped(engine.open(X))
    rows = {"open, ms": 1e3 * opening, "longest step of open, ms": 1e3 * longest} | session(engine, y, n_answers)
    peak = resident_mb() - before
    rows |= {"peak memory above the libraries, MB": peak, "... KB an instance": 1024 * peak / len(y)}
    rows |= spread(engine, y) | book(X, state)
    if peers_too:
        warnings.filterwarnings("ignore")
        rows |= peers(X, y, state) | label_spreading(X, y, state)
    return rows


if __name__ == "__main__":
    main()
