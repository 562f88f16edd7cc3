"""Without a parameter the clusterers find the groups that the chapter's sets are made of."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from labeler.plugins.clusterers.density import Dbscan, MeanShift
from labeler.plugins.clusterers.kmeans import KMeans
from tests.plugins.clusterers.chapter import customers, five_blobs, moons, scaled
from tests.plugins.clusterers.digits import X as DIGITS


def labels_of(found):
    """Clusters (n,), -1 = in none."""
    return np.where(found.outliers, -1, found.clusters) if len(found.outliers) else found.clusters


@pytest.mark.parametrize("seed", [42, 0, 1])
@pytest.mark.parametrize("prepared", [np.asarray, scaled], ids=["as they are", "scaled"])
def test_dbscan_finds_two_moons(seed, prepared):
    X, y = moons(seed=seed)
    found = Dbscan().cluster(prepared(X), 20, 0)
    assert len(found.centers) == 2
    assert adjusted_rand_score(y, labels_of(found)) > 0.98


@pytest.mark.parametrize("prepared", [np.asarray, scaled], ids=["as they are", "scaled"])
def test_five_blobs_are_five(prepared):
    X, _ = five_blobs()
    assert len(Dbscan().cluster(prepared(X), 20, 0).centers) == 5


@pytest.mark.slow
@pytest.mark.parametrize("prepared", [np.asarray, scaled], ids=["as they are", "scaled"])
def test_mean_shift_climbs_five_hills_on_five_blobs(prepared):
    X, y = five_blobs()
    found = MeanShift().cluster(prepared(X), 20, 0)
    assert len(found.centers) == 5
    assert adjusted_rand_score(y, found.clusters) > 0.93


@pytest.mark.parametrize("clusterer", [Dbscan(), MeanShift()], ids=["dbscan", "mean-shift"])
@pytest.mark.parametrize(("n", "seed"), [(300, 0), (120, 1), (60, 3)])
def test_three_segments_of_customers_are_three(clusterer, n, seed):
    X, y = customers(n, seed)
    found = clusterer.cluster(scaled(X), 20, 0)
    assert len(found.centers) == 3
    assert adjusted_rand_score(y, labels_of(found)) > 0.95


@pytest.mark.slow
def test_a_given_width_is_taken_as_it_is():
    from sklearn.cluster import DBSCAN
    from sklearn.cluster import MeanShift as Sklearn

    X, _ = customers()
    X = scaled(X)
    np.testing.assert_array_equal(labels_of(Dbscan(eps=0.4).cluster(X, 20, 0)), DBSCAN(eps=0.4).fit(X).labels_)
    theirs = Sklearn(bandwidth=0.4, bin_seeding=True).fit(X).labels_
    assert adjusted_rand_score(theirs, MeanShift(bandwidth=0.4).cluster(X, 20, 0).clusters) == 1


@pytest.mark.parametrize(("X", "k", "seeds"), [(five_blobs()[0], 9, 10), (DIGITS, 10, 2)], ids=["blobs", "digits"])
def test_k_means_is_as_good_as_ten_greedy_runs_of_scikit_learn(X, k, seeds):
    from sklearn.cluster import KMeans as Sklearn

    with threadpool_limits(1):
        ours = [KMeans().cluster(X, k, seed).inertia for seed in range(seeds)]
        theirs = [Sklearn(k, n_init=10, random_state=seed).fit(X).inertia_ for seed in range(min(seeds, 3))]
    assert max(ours) <= 1.01 * min(ours + theirs)


def test_large_pools_are_learned_on_a_sample_and_with_fewer_runs():
    few, many = KMeans()._effort(10_000), KMeans()._effort(10_001)
    assert (few, many) == ((10, 300), (3, 30))
    assert KMeans(n_init=5, max_iter=7)._effort(10_001) == (5, 7)
