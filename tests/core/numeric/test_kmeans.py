from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from labeler.core.numeric import kmeans as kmeans_module
from labeler.core.numeric.kmeans import assign, kmeans, kmeans_by_steps, plus_plus


@pytest.fixture(autouse=True)
def one_thread():
    """As the engine runs it: threads that wait for each other on a busy machine take 20 times longer."""
    with threadpool_limits(1):
        yield


def blobs(n, d, k, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(0, 10, (k, d))[rng.integers(0, k, n)] + rng.normal(0, 1, (n, d))).astype(np.float32)


def test_inertia_on_the_digits_is_within_two_percent_of_scikit_learn(digits):
    from sklearn.cluster import KMeans

    X, _ = digits
    theirs = min(KMeans(50, n_init=3, random_state=seed).fit(X).inertia_ for seed in range(2))
    ours = kmeans(X, 50, 0)
    assert ours.inertia <= 1.02 * theirs
    brute = np.square(X[:, None] - ours.centers[None]).sum(axis=2).min(axis=1).sum()
    assert ours.inertia == pytest.approx(brute, rel=1e-4)


def test_distances_and_clusters_are_those_of_the_nearest_center(digits):
    X, _ = digits
    found = kmeans(X, 20, 1)
    brute = np.sqrt(np.square(X[:, None] - found.centers[None]).sum(axis=2))
    assert np.allclose(found.distances, brute.min(axis=1), atol=1e-4)
    assert np.allclose(brute[np.arange(len(X)), found.clusters], brute.min(axis=1), atol=1e-4)


@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_assignment_in_chunks_equals_brute_force_also_far_from_zero(monkeypatch, offset):
    monkeypatch.setattr(kmeans_module, "CHUNK", 7)
    X = blobs(100, 5, 6) + np.float32(offset)
    centers = X[::17].copy()
    clusters, distances = assign(X, centers)
    brute = np.sqrt(np.square(X[:, None].astype(float) - centers[None].astype(float)).sum(axis=2))
    assert np.array_equal(clusters, brute.argmin(axis=1))
    assert np.allclose(distances, brute.min(axis=1), atol=1e-3)


def test_a_large_pool_is_learned_on_a_sample_and_assigned_whole(monkeypatch):
    monkeypatch.setattr(kmeans_module, "POINTS_PER_CENTER", 100)
    X = blobs(6000, 4, 5)
    found = kmeans(X, 5, 0)
    assert len(found.clusters) == 6000
    assert found.inertia / len(X) == pytest.approx(4, rel=0.2)  # d unit variances around five true centers


def test_fewer_instances_than_clusters_give_each_its_own():
    X = blobs(4, 3, 2)
    found = kmeans(X, 10, 0)
    assert len(found.centers) == 4 == len(np.unique(found.clusters))
    assert np.allclose(found.distances, 0, atol=1e-5)


def test_identical_rows_are_one_cluster():
    found = kmeans(np.full((30, 3), 7, np.float32), 5, 0)
    assert (len(found.centers), found.inertia) == (1, 0.0)


def test_two_distinct_rows_are_two_clusters_whatever_is_asked():
    X = np.repeat(np.array([[0, 0], [3, 4]], np.float32), 10, axis=0)
    found = kmeans(X, 8, 0)
    assert len(found.centers) == 2
    assert found.inertia == pytest.approx(0, abs=1e-6)


def test_every_cluster_has_a_member_and_numbers_have_no_gap(digits):
    found = kmeans(digits[0], 50, 3)
    assert np.array_equal(np.unique(found.clusters), np.arange(len(found.centers)))


def test_the_same_seed_gives_the_same_and_another_gives_another(digits):
    X, _ = digits
    first, again, other = (kmeans(X, 10, seed) for seed in (0, 0, 1))
    assert np.array_equal(first.clusters, again.clusters)
    assert np.array_equal(first.centers, again.centers)
    assert not np.array_equal(first.clusters, other.clusters)


def test_given_centers_are_where_it_starts():
    X = blobs(200, 2, 3)
    found = kmeans(X, 3, 0)
    again = kmeans(X, 3, 99, init=found.centers)
    assert np.allclose(np.sort(again.centers, axis=0), np.sort(found.centers, axis=0), atol=1e-3)


def test_seeds_are_distinct_rows():
    X = np.repeat(blobs(6, 3, 6), 20, axis=0)
    seeds = plus_plus(X - X.mean(axis=0), 6, np.random.default_rng(0))
    assert len(np.unique(seeds, axis=0)) == 6


def test_steps_are_short_and_many_where_there_is_much_work(monkeypatch):
    X = blobs(3000, 4, 5)
    whole = kmeans(X, 30, 0, n_init=1)
    steps = sum(1 for _ in kmeans_by_steps(X, 30, 0, n_init=1))
    monkeypatch.setattr("labeler.core.steps.WORK", 300 * 30 * 4)
    monkeypatch.setattr(kmeans_module, "SEED_WORK", X.size)
    assert sum(1 for _ in kmeans_by_steps(X, 30, 0, n_init=1)) >= steps + 25
    assert kmeans(X, 30, 0, n_init=1).inertia == pytest.approx(whole.inertia, rel=0.02)


@pytest.mark.slow
def test_many_centers_cost_little_inertia_on_a_smaller_sample(monkeypatch):
    X = blobs(12_000, 6, 40)
    quick = kmeans(X, 150, 0, n_init=1)
    monkeypatch.setattr(kmeans_module, "POINTS_PER_CENTER_OF_MANY", 256)
    monkeypatch.setattr(kmeans_module, "SEEDED_ON", 12_000)
    assert quick.inertia <= 1.1 * kmeans(X, 150, 0, n_init=1).inertia
