"""Soft assignment and what lies around clusters."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.core.numeric.kmeans import kmeans
from labeler.core.protocols import Clustering
from labeler.engine.cluster_neighbors import cluster_neighbors
from tests.engine.pools import blobs

X, Y = blobs(400, n_classes=5, d=8)


@pytest.mark.slow
def test_shares_are_the_normalized_similarities_to_the_centers():
    found = kmeans(X, 9, 0)
    around = cluster_neighbors(X, found)
    squared = np.square(X[:, None].astype(float) - found.centers[None]).sum(axis=2)
    own = np.square(found.distances.astype(float))
    similar = np.exp(-(own.mean() / own.var()) * (squared - own[:, None]))
    expected = similar[np.arange(len(X)), found.clusters] / similar.sum(axis=1)
    np.testing.assert_allclose(around.shares, expected, atol=2e-3)
    squared[np.arange(len(X)), found.clusters] = np.inf
    np.testing.assert_array_equal(around.seconds, squared.argmin(axis=1))


def test_who_lies_between_two_clusters_belongs_to_both():
    rng = np.random.default_rng(0)
    two = np.concatenate((rng.normal(-3, 1, (200, 2)), rng.normal(3, 1, (200, 2)), [[0.0, 0.0]])).astype(np.float32)
    around = cluster_neighbors(two, kmeans(two, 2, 0))
    assert 0.3 < around.shares[-1] < 0.8
    assert np.median(around.shares) > 0.95


def test_one_cluster_and_clusters_of_one_are_certain():
    alone = cluster_neighbors(X, kmeans(X, 1, 0))
    assert (alone.shares == 1).all()
    assert (alone.seconds == -1).all()
    assert alone.foreign.tolist() == [-1]
    points = X[:4]
    each = cluster_neighbors(points, kmeans(points, 4, 0))
    np.testing.assert_allclose(each.shares, 1, atol=1e-6)


def test_the_clusterers_own_shares_go_before():
    found = kmeans(X, 4, 0)
    own = Clustering(
        found.clusters, found.distances, found.centers, shares=np.full(len(X), 0.5, np.float32), seconds=found.clusters
    )
    around = cluster_neighbors(X, own)
    assert (around.shares == 0.5).all()
    assert around.seconds is own.seconds
