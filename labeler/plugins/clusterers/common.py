"""Common parts of clusterers: where they look, what they refuse, and how labels become a :class:`Clustering`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.core import steps
from labeler.core.errors import too_many
from labeler.core.numeric.kmeans import assign
from labeler.core.numeric.pca import PrincipalAxes, principal_axes
from labeler.core.protocols import Clustering
from labeler.core.types import FloatArray, IndexArray, IntArray

COMPONENTS = 10
"""Principal components that most clusterers look at: distances of more dimensions tell them little."""
FIT_ROWS = 20_000
"""Rows that a model is fitted on at most, where the rest can be assigned to what it found."""
# with more places among so many rows than clusters are wanted, there is no need to sort all of them
PEEK = 1_000


def whole(**parameters: Any) -> None:
    """Refuse with a ValueError what is not a whole number from 1 up; None passes (the parameter is left open)."""
    for name, value in parameters.items():
        # True is a whole number to Python, and a slip on a command line
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise ValueError(f"{name} is a whole number from 1 up, not {value}")


def positive(**parameters: Any) -> None:
    """Refuse with a ValueError what is not a number above 0; None passes."""
    for name, value in parameters.items():
        if value is not None and (not isinstance(value, (int, float)) or isinstance(value, bool) or not value > 0):
            raise ValueError(f"{name} is a number above 0, not {value}")


def one_of(choices: tuple[str, ...], **parameters: Any) -> None:
    """Refuse with a ValueError what is none of the `choices`."""
    for name, value in parameters.items():
        if value not in choices:
            raise ValueError(f"{name} is one of {', '.join(choices)}, not {value}")


def refuse_more(name: str, n: int, limit: int) -> None:
    """Raise an EngineError where there are more than `limit` instances: what they cost grows with their square."""
    if n > limit:
        raise too_many(name, n, limit)


def reduced(X: FloatArray, pca: int | None, random_state: int) -> FloatArray:
    """Return what a clusterer looks at: the leading principal components (n, pca), None = the features as they are."""
    axes = sight(X, pca, random_state)
    return np.ascontiguousarray(X, dtype=np.float32) if axes is None else axes.project(X)


def sight(X: FloatArray, pca: int | None, random_state: int) -> PrincipalAxes | None:
    """The axes of :func:`reduced`; None where the features are looked at as they are."""
    if pca is None or pca >= X.shape[1]:
        return None
    return steps.run(principal_axes(X, pca, random_state))


def fit_rows(points: FloatArray, random_state: int) -> FloatArray:
    """Draw at most :data:`FIT_ROWS` rows at random, in their order."""
    if len(points) <= FIT_ROWS:
        return points
    chosen = np.random.default_rng(random_state).choice(len(points), FIT_ROWS, replace=False)
    # in the order of the pool: reading a mapped file back and forth is slow
    return points[np.sort(chosen)]


def few_places(X: FloatArray, points: FloatArray, n_clusters: int) -> Clustering | None:
    """One cluster a distinct row of `points`, where there are no more of these than `n_clusters`; else None."""
    step = max(len(points) // PEEK, 1)
    if len(np.unique(points[::step], axis=0)) > n_clusters:
        return None
    places, labels = np.unique(points, axis=0, return_inverse=True)
    return shaped(X, labels.ravel()) if len(places) <= n_clusters else None


def shaped(
    X: FloatArray,
    labels: NDArray[Any],
    *,
    exemplars: IndexArray | None = None,
    shares: FloatArray | None = None,
    seconds: NDArray[Any] | None = None,
    tree: IndexArray | None = None,
    samples: FloatArray | None = None,
    facts: dict[str, Any] | None = None,
    **known_besides: Any,
) -> Clustering:
    """The clustering by `labels` (n,), with the means and distances of the features `X` (n, d).

    Parameters
    ----------
    labels
        Any whole numbers; below 0 = in no cluster. Those are counted to the cluster whose mean is nearest, and named
        in `outliers`. Where nobody is in a cluster, all are in one.
    exemplars
        One instance for each label from 0 up.
    shares, seconds
        (n,), see :class:`Clustering`; `seconds` by label.
    known_besides
        Further fields of :class:`Clustering`, as they are.
    """
    outliers = labels < 0
    if outliers.all():
        labels, exemplars, seconds = np.zeros(len(labels), dtype=np.int32), None, None
    known = np.unique(labels[labels >= 0])
    # a method may have numbers that nobody is in: clusters are counted without them
    lookup = np.full(int(known.max(initial=0)) + 1, -1, dtype=np.int32)
    lookup[known] = np.arange(len(known), dtype=np.int32)
    clusters = np.where(labels < 0, np.int32(-1), lookup[np.maximum(labels, 0)])
    centers = _means(X, clusters, len(known))
    lost = np.flatnonzero(clusters < 0)
    if len(lost):
        clusters[lost] = assign(X[lost], centers)[0]
    distances = np.empty(len(X), dtype=np.float32)
    for block in steps.blocks(*X.shape):
        apart = np.asarray(X[block], dtype=np.float32) - centers[clusters[block]]
        distances[block] = np.sqrt(np.square(apart).sum(axis=1))
    besides = dict(known_besides)
    if outliers.any():
        besides["outliers"] = outliers
    if exemplars is not None:
        besides["exemplars"] = exemplars[known].astype(np.int64)
    if shares is not None:
        besides["shares"] = shares.astype(np.float32)
    if seconds is not None:
        besides["seconds"] = _renumbered(seconds, lookup)
    if tree is not None:
        besides["tree"] = tree
    if samples is not None:
        besides["samples"] = samples
    inertia = float(np.square(distances, dtype=np.float64).sum())
    return Clustering(clusters.astype(np.int32), distances, centers, inertia, facts=facts or {}, **besides)


def _renumbered(seconds: NDArray[Any], lookup: IntArray) -> IntArray:
    """`seconds` by the clusters' numbers; -1 where there is none, or nobody is in it."""
    known = (seconds >= 0) & (seconds < len(lookup))
    return np.where(known, lookup[np.where(known, seconds, 0)], -1).astype(np.int32)


def _means(X: FloatArray, clusters: IntArray, k: int) -> FloatArray:
    """The mean (k, d) of each cluster's rows; those below 0 are nobody's."""
    # in float64, as a million float32 added up lose digits
    totals = np.zeros((k, X.shape[1]))
    sizes = np.bincount(clusters[clusters >= 0], minlength=k)
    for block in steps.blocks(*X.shape):
        own = clusters[block]
        # rows of a cluster side by side, so that one reduceat() sums every cluster
        order = np.argsort(own, kind="stable")
        order = order[own[order] >= 0]
        if not len(order):
            continue
        present, starts = np.unique(own[order], return_index=True)
        totals[present] += np.add.reduceat(np.asarray(X[block], dtype=np.float64)[order], starts, axis=0)
    return (totals / np.maximum(sizes, 1)[:, None]).astype(np.float32)
