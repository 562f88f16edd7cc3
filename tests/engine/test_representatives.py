from __future__ import annotations

import numpy as np
import pytest

from labeler.core import steps
from labeler.engine.representatives import coverage_order, finer_levels, first_level, nested_order
from labeler.engine.space import space
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


def two_moons(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two half circles (n, 2) that reach into each other, and which of them each point is on (n,)."""
    rng = np.random.default_rng(0)
    angle, moon = rng.uniform(0, np.pi, n), np.arange(n) % 2
    X = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    X[moon == 1] = np.array([1.0, 0.5]) - X[moon == 1]
    return (X + rng.normal(scale=0.05, size=X.shape)).astype(np.float32), moon


@pytest.mark.parametrize("random_state", range(3))
def test_as_many_questions_as_blobs_meet_every_blob(random_state: int) -> None:
    rng = np.random.default_rng(random_state)
    centers = 20.0 * np.array([[0, 0], [1, 0], [0, 1], [1, 1], [3, 3]])
    y = np.arange(400) % 5
    X = (centers[y] + rng.normal(size=(400, 2))).astype(np.float32)
    level = steps.run(first_level(X, random_state=random_state))
    assert set(y[level.representatives[:5]].tolist()) == set(range(5))


def test_the_first_questions_meet_both_moons_along_their_length() -> None:
    X, moon = two_moons(300)
    z = steps.run(space(X)).z
    asked = steps.run(first_level(z)).representatives[:6]
    for side in (0, 1):
        across = X[asked[moon[asked] == side], 0]
        assert len(across) >= 2
        assert np.ptp(across) > 0.5  # not one tip of it alone


def test_the_order_is_the_same_each_time_and_asks_nobody_twice() -> None:
    X, _ = blobs(400, n_classes=8)

    def order() -> list[int]:
        first = steps.run(first_level(X, random_state=3))
        return nested_order([first, *steps.run(finer_levels(X, first, random_state=3))]).tolist()

    once = order()
    assert once == order()
    assert len(set(once)) == len(once)


def test_every_cluster_of_every_level_is_asked_in_the_end() -> None:
    X, _ = blobs(400, n_classes=8)
    first = steps.run(first_level(X))
    levels = [first, *steps.run(finer_levels(X, first))]
    assert len(levels) > 1
    order = nested_order(levels)
    for level in levels:
        assert len(np.unique(level.clustering.clusters[order])) == level.size
