"""One suite over every registered clusterer."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from labeler.core.errors import UsageError
from labeler.plugins import registry


@pytest.fixture(params=registry.names("clusterer"))
def name(request):
    if not registry.entry("clusterer", request.param).available:
        pytest.skip(f"the extra {registry.entry('clusterer', request.param).extra} is not installed")
    with threadpool_limits(1):
        yield request.param


@pytest.fixture
def clusterer(name):
    return registry.create("clusterer", name)


def blobs(n=300, d=4, k=5):
    rng = np.random.default_rng(0)
    return (rng.normal(0, 20, (k, d))[np.arange(n) % k] + rng.normal(0, 1, (n, d))).astype(np.float32)


def check(found, X, n_clusters):
    assert found.clusters.shape == found.distances.shape == (len(X),)
    assert (found.clusters.dtype, found.distances.dtype, found.centers.dtype) == (np.int32, np.float32, np.float32)
    assert found.centers.shape == (len(np.unique(found.clusters)), X.shape[1])
    assert 1 <= len(found.centers) <= n_clusters
    assert np.array_equal(np.unique(found.clusters), np.arange(len(found.centers)))
    assert np.isfinite(found.distances).all()
    own = np.sqrt(np.square(X - found.centers[found.clusters]).sum(axis=1))
    assert np.allclose(found.distances, own, atol=1e-3)


def test_well_separated_blobs_are_found(clusterer):
    X = blobs()
    found = clusterer.cluster(X, 5, 0)
    check(found, X, 5)
    for blob in range(5):
        assert len(np.unique(found.clusters[blob::5])) == 1
    assert found.inertia == pytest.approx(np.square(found.distances, dtype=float).sum(), rel=1e-3)


@pytest.mark.parametrize(
    ("X", "n_clusters"),
    [
        (blobs(3), 10),
        (blobs(1), 1),
        (np.ones((20, 3), np.float32), 4),
        (np.repeat(blobs(4), 5, axis=0), 8),
        (np.zeros((6, 1), np.float32), 6),
    ],
    ids=["fewer than clusters", "one", "identical", "duplicates", "zeros"],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_odd_pools_are_clustered(clusterer, X, n_clusters):
    check(clusterer.cluster(X, n_clusters, 0), X, n_clusters)


def test_the_same_random_state_gives_the_same_and_the_input_stays_as_it_was(clusterer):
    X = blobs()
    before = X.copy()
    first, again = clusterer.cluster(X, 7, 3), clusterer.cluster(X, 7, 3)
    assert np.array_equal(first.clusters, again.clusters)
    assert np.array_equal(first.centers, again.centers)
    assert np.array_equal(X, before)


def test_read_only_and_memory_mapped_features_are_taken(clusterer, tmp_path):
    np.save(tmp_path / "X.npy", blobs())
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    found = clusterer.cluster(mapped, 5, 0)
    assert np.array_equal(found.clusters, clusterer.cluster(blobs(), 5, 0).clusters)


@pytest.mark.parametrize("value", ["0", "-1", "2.5", "many"])
def test_a_parameter_out_of_range_is_refused_before_any_work(name, value):
    for parameter, default in registry.parameters("clusterer", name).items():
        if type(default) is int:
            with pytest.raises(UsageError):
                registry.create("clusterer", f"{name}:{parameter}={value}")
