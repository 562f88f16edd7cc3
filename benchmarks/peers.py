"""How many clicks the peers need on the same instances, features and seeds: scikit-activeml and GraphLearning.

    pip install scikit-activeml graphlearning annoy
    python benchmarks/peers.py digits --seeds 3
    LABELER_DATA=... python benchmarks/peers.py mnist10k --seeds 1

Each peer gets the features our default encoder gives (first 100 principal components), one random first question, and
answers from the truth; the figure is the share of ALL instances whose label is right after m clicks, asked ones
included, as `labeler simulate` counts it. Ours runs in the same process through the same session as the application.
scikit-activeml: its strategies with logistic regression. GraphLearning: Laplace learning on its 10-nearest-neighbour
graph, asked by the margin.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from data import SETS, PoolFile, load
from sklearn.decomposition import PCA

from labeler.commands.simulate import Simulation, simulate
from labeler.plugins import registry
from labeler.project.options import Options
from labeler.worker.image_store import ImagePlan, fit_image

ROWS = (10, 20, 50, 100, 200)
Curve = dict[int, float]


def skactiveml_curve(name: str, X: Any, y: Any, seed: int, clicks: int) -> Curve:
    """One strategy of scikit-activeml with logistic regression, one question at a time."""
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import CoreSet, ProbCover, QueryByCommittee, RandomSampling, TypiClust, UncertaintySampling
    from sklearn.linear_model import LogisticRegression

    model = SklearnClassifier(LogisticRegression(max_iter=200), classes=np.unique(y), random_state=seed)
    make: dict[str, Callable[[], Any]] = {
        "margin": lambda: UncertaintySampling(method="margin_sampling", random_state=seed),
        "entropy": lambda: UncertaintySampling(method="entropy", random_state=seed),
        "committee": lambda: QueryByCommittee(random_state=seed),
        "core-set": lambda: CoreSet(random_state=seed),
        "typiclust": lambda: TypiClust(random_state=seed),
        "probcover": lambda: ProbCover(random_state=seed),
        "random": lambda: RandomSampling(random_state=seed),
    }
    strategy = make[name]()
    labels = np.full(len(y), np.nan)
    rng = np.random.default_rng(seed)
    first = int(rng.integers(len(y)))
    labels[first] = y[first]
    curve: Curve = {}
    for click in range(1, clicks + 1):
        if click in ROWS:
            predicted = model.fit(X, labels).predict(X)
            asked = ~np.isnan(labels)
            curve[click] = float(np.where(asked, True, predicted == y).mean())
        if click == clicks:
            break
        extra: dict[str, Any] = {}
        if name in ("margin", "entropy"):
            extra = {"clf": model.fit(X, labels), "fit_clf": False}
        elif name == "committee":
            from sklearn.ensemble import BaggingClassifier

            bag = BaggingClassifier(LogisticRegression(max_iter=200), n_estimators=5, random_state=seed)
            extra = {"ensemble": SklearnClassifier(bag, classes=np.unique(y))}
        chosen = int(strategy.query(X=X, y=labels, **extra)[0])
        labels[chosen] = y[chosen]
    return curve


def graph_learning_curve(X: Any, y: Any, seed: int, clicks: int) -> Curve:
    """GraphLearning: Laplace learning on a 10-NN graph, the smallest margin asked next."""
    import graphlearning as gl

    graph = gl.weightmatrix.knn(X, 10, kernel="gaussian")
    model = gl.ssl.laplace(graph)
    asked = [int(np.random.default_rng(seed).integers(len(y)))]
    curve: Curve = {}
    for click in range(1, clicks + 1):
        rows = np.array(asked)
        scores = _laplace(model, rows, y)
        if click in ROWS:
            predicted = np.unique(y[rows])[scores.argmax(axis=1)]
            predicted[rows] = y[rows]
            curve[click] = float((predicted == y).mean())
        top = np.sort(scores, axis=1)
        margin = top[:, -1] - top[:, -2] if top.shape[1] > 1 else np.random.default_rng(click).random(len(y))
        margin[rows] = np.inf
        asked.append(int(margin.argmin()))
    return curve


def _laplace(model: Any, rows: Any, y: Any) -> Any:
    classes = np.unique(y[rows])
    if len(classes) < 2:
        return np.zeros((len(y), 1))
    positions = np.searchsorted(classes, y[rows])
    return np.asarray(model.fit(rows, positions))


def our_curve(pool: PoolFile, seed: int, clicks: int, engine: str) -> Curve:
    """This project's engine through `labeler simulate`."""
    report = simulate(Simulation(pool.path, pool.truth, clicks, Options(seed=seed, engine=engine)))
    return {row["clicks"]: row["labels_accuracy"] for row in report.curve}


def features_of(pool: PoolFile) -> Any:
    """The features the default engine would use: its encoder, then 100 principal components."""
    from labeler.plugins.encoders.automatic import choose_encoder

    images = pool.images
    if images.ndim > 2 and max(images.shape[1:3]) > 64:
        plan = ImagePlan((64, 64) if images.ndim == 3 else (64, 64, 3), exact=False)
        images = np.stack([fit_image(image, plan) for image in images])
    name, _ = choose_encoder(images, 0)
    encoder = registry.create("encoder", name).fit(images)
    parts = [encoder.transform(images[start : start + 2000]) for start in range(0, len(images), 2000)]
    X = np.concatenate(parts)
    return PCA(min(100, *X.shape), random_state=0).fit_transform(X)


def curves(pool: PoolFile, seed: int, clicks: int, strategies: list[str]) -> Iterator[tuple[str, Curve, float]]:
    """(who, curve, seconds) of ours, the book's chain and every peer."""
    X = features_of(pool)
    _, y = np.unique(pool.y, return_inverse=True)
    runs: list[tuple[str, Callable[[], Curve]]] = [
        ("labeler", lambda: our_curve(pool, seed, clicks, "default")),
        ("labeler --engine book", lambda: our_curve(pool, seed, clicks, "book")),
        ("GraphLearning, Laplace + margin", lambda: graph_learning_curve(X, y, seed, clicks)),
    ]
    runs += [
        (f"scikit-activeml, {name} + logistic regression", lambda name=name: skactiveml_curve(name, X, y, seed, clicks))  # type: ignore[misc]
        for name in strategies
    ]
    for who, run in runs:
        began = time.perf_counter()
        yield who, run(), time.perf_counter() - began


def main() -> None:
    """Print the table of one set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", choices=sorted(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--clicks", type=int, default=200)
    parser.add_argument("--strategies", default="margin,entropy,typiclust,probcover,core-set,random")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    table: dict[str, list[Curve]] = {}
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seeds):
            pool = load(options.set, seed, Path(folder))
            for who, curve, took in curves(pool, seed, options.clicks, options.strategies.split(",")):
                table.setdefault(who, []).append(curve)
                seconds[who] = seconds.get(who, 0.0) + took
                print(f"seed {seed}: {who}: {curve} in {took:.0f} s", file=sys.stderr, flush=True)
    rows = [row for row in ROWS if row <= options.clicks]
    print(f"{options.set}, share of all labels right in percent, mean of {options.seeds} seeds\n")
    print(f"| | {' | '.join(f'{row} clicks' for row in rows)} | seconds a run |")
    print(f"|---|{'---|' * len(rows)}---|")
    for who, found in table.items():
        cells = [f"{100 * np.mean([curve[row] for curve in found]):.1f}" for row in rows]
        print(f"| {who} | {' | '.join(cells)} | {seconds[who] / options.seeds:.0f} |")


if __name__ == "__main__":
    main()
