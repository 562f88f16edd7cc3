from __future__ import annotations

import numpy as np

from labeler.core import steps
from labeler.engine.representatives import coverage_order, finer_levels, first_level, nested_order
from tests.engine.pools import blobs


def test_representatives_lie_in_their_clusters() -> None:
    X, _ = blobs(500, n_classes=10)
    level = steps.run(first_level(X))
    clusters = level.clustering.clusters
    assert len(np.unique(clusters[level.representatives])) == level.size == 20
    for index in level.representatives:
        members = clusters == clusters[index]
        assert level.clustering.distances[index] == level.clustering.distances[members].min()


def test_the_first_questions_cover_every_large_group() -> None:
    X, y = blobs(1000, n_classes=10, d=20)
    level = steps.run(first_level(X))
    assert len(np.unique(y[level.representatives[:10]])) >= 9


def test_coverage_is_greedy() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(40, 3)).astype(np.float32)
    sizes = rng.integers(1, 30, 40)
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    nearest = np.full(40, distances.max() * 1.001)
    for opened in coverage_order(points, sizes)[:12]:
        gains = np.maximum(nearest - distances, 0) @ sizes
        assert gains[opened] >= gains.max() - 1e-2
        nearest = np.minimum(nearest, distances[opened])


def test_finer_levels_go_on_where_nobody_was_asked() -> None:
    X, _ = blobs(900, n_classes=30)
    first = steps.run(first_level(X))
    order = nested_order([first, *steps.run(finer_levels(X, first))])
    assert len(order) == len(set(order.tolist()))
    np.testing.assert_array_equal(order[: first.size], first.representatives)
    assert len(order) > 100


def test_fewer_instances_than_clusters() -> None:
    for n in (1, 2, 3, 12):
        X = np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)
        level = steps.run(first_level(X, n_clusters=50))
        assert 1 <= level.size <= n
