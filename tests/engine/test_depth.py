"""How deep an instance lies in its cluster, and which pools are started with the deepest ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from labeler.core import steps
from labeler.core.numeric.kmeans import kmeans
from labeler.core.numeric.neighbor_graph import neighbour_graph
from labeler.core.protocols import Clustering
from labeler.engine.depth import deepest, depths, has_more_groups
from labeler.engine.layout import lay_out
from labeler.engine.representatives import first_level, nearest_to_center
from labeler.engine.space import space
from tests.engine.pools import blobs


def path_graph(n: int) -> sparse.csr_array:
    """Return a graph in which each node touches the one before and the one after it."""
    ones = np.ones(n - 1, dtype=np.float32)
    return sparse.csr_array(sparse.diags_array([ones, ones], offsets=[-1, 1]), dtype=np.float32)


def clustered(clusters: list[int], distances: list[float]) -> Clustering:
    """Return a clustering by hand, its centers nowhere."""
    k = max(clusters) + 1
    return Clustering(np.array(clusters, np.int32), np.array(distances, np.float32), np.zeros((k, 1), np.float32))


def test_a_walk_ends_where_it_leaves_a_cluster() -> None:
    # two paths of seven end to end: the way out is between them, so that depth falls towards it
    depth = steps.run(depths(clustered([0] * 7 + [1] * 7, [0.0] * 14), path_graph(14)))
    assert (np.diff(depth[1:7]) < 0).all()
    np.testing.assert_allclose(depth[:7], depth[:6:-1], rtol=1e-3)


def test_what_is_linked_to_no_one_of_its_cluster_is_the_least_deep() -> None:
    weights = path_graph(6)
    depth = steps.run(depths(clustered([0, 0, 0, 0, 1, 0], [0.0] * 6), weights))
    assert depth[5] == pytest.approx(1, rel=0.01)
    assert depth[4] == pytest.approx(1, rel=0.01)
    assert depth[:4].min() > 1
    assert weights.data.min() == 1  # the graph itself stays as it was


def test_the_deepest_of_each_cluster_and_of_several_the_first() -> None:
    clustering = clustered([0, 0, 0, 0, 1, 1, 2], [0.4, 0.1, 0.2, 0.3, 0.9, 0.1, 0.5])
    depth = np.array([1, 8, 2, 8, 5, 1, 3], dtype=np.float32)
    assert deepest(clustering, depth).tolist() == [1, 4, 6]
    assert deepest(clustering, np.zeros(7, np.float32)).tolist() == [0, 4, 6]


def test_between_two_groups_the_center_represents_neither_and_the_deepest_one_of_them() -> None:
    rng = np.random.default_rng(0)
    groups = np.array([[-4.0, 0.0], [4.0, 0.0]])
    X = np.concatenate((groups[np.arange(200) % 2] + rng.normal(size=(200, 2)), [[0.0, 0.0], [0.3, 0.2]]))
    X = X.astype(np.float32)
    one = kmeans(X, 1, 0)
    center = int(nearest_to_center(one)[0])
    assert center >= 200
    depth = steps.run(depths(one, steps.run(neighbour_graph(X)).weights))
    assert int(deepest(one, depth)[0]) < 200


@pytest.mark.parametrize(("n_classes", "is_many"), [(2, False), (5, False), (60, True)])
def test_many_groups_are_more_than_the_map_has_coordinates(n_classes: int, is_many: bool) -> None:
    X, _ = blobs(700, n_classes=n_classes, d=20)
    laid_out = steps.run(space(X))
    assert laid_out.has_many_groups is is_many
    assert has_more_groups(laid_out, steps.run(first_level(laid_out.z))) is is_many
    assert not has_more_groups(laid_out, steps.run(first_level(laid_out.z, n_clusters=60)))  # one each is enough


def test_a_pool_of_few_groups_starts_with_the_instances_nearest_the_centers() -> None:
    X, _ = blobs(600, n_classes=5, d=20)
    layout = steps.run(lay_out(X, None, 0))
    np.testing.assert_array_equal(layout.representatives, steps.run(first_level(layout.space.z)).representatives)


def test_a_pool_of_many_groups_starts_in_their_midst() -> None:
    X, y = blobs(1800, n_classes=60, d=20)
    layout = steps.run(lay_out(X, None, 0))
    steps.run(layout.finish())
    levels = layout.levels
    clusters = levels[0].clustering.clusters
    assert np.unique(clusters[levels[0].representatives]).size == levels[0].size
    assert layout.order[: levels[0].size].tolist() == levels[0].representatives.tolist()

    def away(rows: np.ndarray) -> float:
        """How far rows lie from the means of their own classes, on average."""
        means = np.stack([X[y == c].mean(axis=0) for c in range(60)])
        return float(np.linalg.norm(X[rows] - means[y[rows]], axis=1).mean())

    nearest = nearest_to_center(levels[0].clustering)
    assert away(levels[0].representatives) < away(nearest)
