"""The loops of the peers: scikit-activeml and GraphLearning, one question at a time, as their users would run them.

Both get the same matrix of features. scikit-activeml predicts by logistic regression whose C is chosen anew by
cross-validation at every step that needs it; GraphLearning by Laplace learning on its 10-nearest-neighbour graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

ROWS = (10, 20, 50, 100, 200)
Curve = dict[int, float]
"""Questions answered -> share of ALL instances whose label is right, the asked ones included."""

STRENGTHS = (1.0, 0.1, 10.0, 0.01, 100.0, 0.001)
"""Values of C that are compared; where several do equally well the first: scikit-learn's default and its neighbours."""
FOLDS = 3
MODEL_GUIDED = ("margin", "entropy")
"""Strategies that ask the model; the others look at the features alone."""


def start_of(name: str, X: Any, seed: int) -> list[int]:
    """The first questions of a session: one at `random`, or `kmeansK`, the instances nearest to K centers of k-means.

    Those of the largest clusters come first.
    """
    if name == "random":
        return [int(np.random.default_rng(seed).integers(len(X)))]
    n_clusters = int(name.removeprefix("kmeans"))
    model = KMeans(n_clusters, n_init=3, random_state=seed).fit(X)
    nearest = model.transform(X).argmin(axis=0)
    sizes = np.bincount(model.labels_, minlength=n_clusters)
    return [int(nearest[cluster]) for cluster in np.argsort(-sizes, kind="stable")]


def chosen_strength(X: Any, y: Any) -> float:
    """C of a logistic regression by cross-validated accuracy on the answers (m, d), (m,).

    The first of `STRENGTHS` while fewer than two classes have `FOLDS` answers: there is nothing to judge by.
    """
    counts = np.unique(y, return_counts=True)[1]
    if (counts >= FOLDS).sum() < 2:
        return STRENGTHS[0]
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(X, y))

    def hits(strength: float) -> int:
        rule = logistic(strength)
        return sum(int((rule.fit(X[train], y[train]).predict(X[test]) == y[test]).sum()) for train, test in folds)

    return max(STRENGTHS, key=hits)


def logistic(strength: float) -> LogisticRegression:
    """Logistic regression that every step can afford."""
    return LogisticRegression(C=strength, max_iter=200, tol=1e-3)


def skactiveml_curve(name: str, start: Sequence[int], X: Any, y: Any, seed: int, clicks: int) -> Curve:
    """One strategy of scikit-activeml with logistic regression, after the questions of `start`."""
    from skactiveml.classifier import SklearnClassifier  # no dependency of the project

    strategy = _strategy(name, len(np.unique(y)), seed)
    labels = np.full(len(y), np.nan)
    curve: Curve = {}
    for click in range(1, clicks + 1):
        extra: dict[str, Any] = {}
        if click > len(start) and name in MODEL_GUIDED:
            extra = {"clf": model, "fit_clf": False}  # noqa: F821 - fitted in the round before
        chosen = start[click - 1] if click <= len(start) else int(strategy.query(X=X, y=labels, **extra)[0])
        labels[chosen] = y[chosen]
        if click in ROWS or (name in MODEL_GUIDED and click >= len(start)):
            asked = ~np.isnan(labels)
            rule = logistic(chosen_strength(X[asked], y[asked]))
            model = SklearnClassifier(rule, classes=np.unique(y), random_state=seed).fit(X, labels)
            if click in ROWS:
                curve[click] = float(np.where(asked, True, model.predict(X) == y).mean())
    return curve


def _strategy(name: str, n_classes: int, seed: int) -> Any:
    from skactiveml.pool import CoreSet, ProbCover, RandomSampling, TypiClust, UncertaintySampling

    make: dict[str, Callable[[], Any]] = {
        "margin": lambda: UncertaintySampling(method="margin_sampling", random_state=seed),
        "entropy": lambda: UncertaintySampling(method="entropy", random_state=seed),
        "core-set": lambda: CoreSet(random_state=seed),
        "typiclust": lambda: TypiClust(random_state=seed),
        "probcover": lambda: ProbCover(n_classes=n_classes, random_state=seed),
        "random": lambda: RandomSampling(random_state=seed),
    }
    return make[name]()


def graph_learning_curve(start: Sequence[int], X: Any, y: Any, seed: int, clicks: int) -> Curve:
    """GraphLearning: Laplace learning on a 10-NN graph, the smallest margin asked next, after those of `start`."""
    import graphlearning as gl  # no dependency of the project

    graph = gl.weightmatrix.knn(X, 10, kernel="gaussian")
    model = gl.ssl.laplace(graph)
    rng = np.random.default_rng(seed)
    asked: list[int] = []
    curve: Curve = {}
    for click in range(1, clicks + 1):
        asked.append(start[click - 1] if click <= len(start) else int(margin.argmin()))  # noqa: F821 - the round before
        if click < len(start) and click not in ROWS:
            continue
        rows = np.array(asked)
        scores = _laplace(model, rows, y)
        if click in ROWS:
            predicted = np.unique(y[rows])[scores.argmax(axis=1)]
            predicted[rows] = y[rows]
            curve[click] = float((predicted == y).mean())
        top = np.sort(scores, axis=1)
        margin = top[:, -1] - top[:, -2] if top.shape[1] > 1 else rng.random(len(y))
        margin[rows] = np.inf
    return curve


def _laplace(model: Any, rows: Any, y: Any) -> Any:
    classes = np.unique(y[rows])
    if len(classes) < 2:
        return np.zeros((len(y), 1))
    return np.asarray(model.fit(rows, np.searchsorted(classes, y[rows])))
