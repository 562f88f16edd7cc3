"""How many clusters: what is computed over a range, and what is said of it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from labeler.core import steps
from labeler.core.numeric.choose_k import Silhouettes, Tried, best_by, compare, elbow, oddities, silhouettes
from labeler.core.numeric.kmeans import kmeans, kmeans_by_steps
from labeler.core.protocols import Clustering
from tests.engine.pools import blobs

X, Y = blobs(400, n_classes=5, d=6, spread=0.6, seed=1)


def tried(inertias, scores=None):
    scores = scores or [None] * len(inertias)
    return [Tried(2 + at, 2 + at, value, score) for at, (value, score) in enumerate(zip(inertias, scores, strict=True))]


@pytest.mark.slow
def test_five_groups_are_five_by_elbow_and_silhouette():
    found = steps.run(compare(X, lambda k: kmeans_by_steps(X, k, 0), range(2, 12)))
    assert [one.k for one in found] == list(range(2, 12))
    assert elbow(found) == best_by(found, "silhouette") == 5
    assert all(a.inertia > b.inertia for a, b in itertools.pairwise(found))
    assert best_by(found, "bic") is None


def test_silhouettes_are_scikit_learns_and_of_a_sample_where_there_are_many():
    from sklearn.metrics import silhouette_score

    clustering = kmeans(X, 5, 0)
    whole = silhouettes(X, clustering)
    assert whole.score == pytest.approx(silhouette_score(X, clustering.clusters), abs=1e-4)
    some = silhouettes(X, clustering, 0, most=150)
    assert len(some.rows) == 150
    assert some.score == pytest.approx(whole.score, abs=0.05)
    assert some.of(0) == pytest.approx(some.values[some.clusters == 0].mean())


def test_one_cluster_has_no_silhouette_and_anomalies_are_left_out():
    assert silhouettes(X, kmeans(X, 1, 0)).score is None
    found = kmeans(X, 5, 0)
    outliers = np.zeros(len(X), dtype=np.bool_)
    outliers[:40] = True
    shown = silhouettes(X, Clustering(found.clusters, found.distances, found.centers, outliers=outliers))
    assert shown.rows.min() == 40
    assert Silhouettes(shown.rows, shown.values, shown.clusters, 0.0).of(99) is None


@pytest.mark.parametrize(
    ("inertias", "at"),
    [([100, 40, 20, 18, 16, 14], 4), ([10, 9], None), ([5, 5, 5], None), ([1, 2, 3], None), ([30, 20, 10], None)],
    ids=["bent", "two", "flat", "rising", "straight"],
)
def test_an_elbow_is_where_the_curve_bends_or_nowhere(inertias, at):
    assert elbow(tried(inertias)) == at


def test_the_best_of_a_criterion():
    found = tried([9, 8, 7], [0.1, None, 0.3])
    assert best_by(found, "silhouette") == 4
    assert best_by([Tried(2, 2, 1.0, None, 30.0, 9.0), Tried(3, 3, 1.0, None, 20.0, 10.0)], "bic") == 3


def test_what_is_odd_about_clusters():
    assert oddities([1, 10, 10, 100, 10, 10], [0.5, -0.1, None, 0.2, 0.2, 0.0]) == [
        ("tiny",), ("low silhouette",), (), ("huge",), (), (),
    ]  # fmt: skip
