"""The parameters that the chapter teaches: where k-means begins, how often, and which algorithm."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.core.errors import EngineError
from labeler.core.numeric.kmeans import plus_plus
from labeler.plugins.clusterers.kmeans import KMeans
from labeler.plugins.clusterers.minibatch_kmeans import MiniBatchKMeans
from tests.plugins.clusterers.digits import X, Y, purity


@pytest.mark.slow
def test_more_runs_never_end_worse():
    one, ten = (KMeans(n_init=runs, init="random").cluster(X, 40, 0).inertia for runs in (1, 10))
    assert ten < one


def test_elkan_finds_what_lloyd_finds():
    lloyd, elkan = (KMeans(algorithm=name, n_init=5).cluster(X, 10, 0) for name in ("lloyd", "elkan"))
    assert elkan.inertia == pytest.approx(lloyd.inertia, rel=0.01)
    assert elkan.facts["iterations"] > 1


def _means():
    """The means of five instances of each digit (10, 64), as imported labels give them."""
    return np.stack([X[np.flatnonzero(digit == Y)[:5]].mean(axis=0) for digit in np.unique(Y)])


def test_the_means_of_imported_classes_are_where_it_begins():
    seeded = KMeans()
    seeded.start_at(_means())
    found = seeded.cluster(X, 10, 0)
    assert len(found.centers) == 10
    own = [int(np.bincount(found.clusters[digit == Y]).argmax()) for digit in np.unique(Y)]
    assert (np.array(own) == range(10)).sum() >= 8  # a cluster keeps the place of the class it began at
    assert purity(found.clusters) > 0.7


def test_mini_batches_begin_at_the_means_of_imported_classes_too():
    seeded, told = MiniBatchKMeans(), MiniBatchKMeans(init="k-means++")
    for clusterer in (seeded, told):
        clusterer.start_at(_means())
    found = seeded.cluster(X, 10, 0)
    own = {int(np.bincount(found.clusters[digit == Y]).argmax()) for digit in np.unique(Y)}
    assert len(own) >= 8  # nearly every class has a cluster of its own
    assert purity(found.clusters) > 0.75
    more = seeded.cluster(X, 30, 0)  # what the classes leave is drawn by k-means++
    assert len(more.centers) == 30
    plain = MiniBatchKMeans(init="k-means++").cluster(X, 10, 0)
    np.testing.assert_array_equal(told.cluster(X, 10, 0).clusters, plain.clusters)  # what was asked for goes before
    with pytest.raises(ValueError, match="init is one of"):
        MiniBatchKMeans(init="nonsense")


@pytest.mark.slow
def test_what_the_imported_classes_leave_is_drawn_by_plus_plus_and_an_explicit_start_goes_before():
    means = X[:3] + 0.5
    rng = np.random.default_rng(0)
    seeds = plus_plus(X, 8, rng, means)
    np.testing.assert_array_equal(seeds[:3], means)
    assert len(np.unique(seeds, axis=0)) == 8
    plain, told = KMeans(init="k-means++"), KMeans(init="k-means++")
    told.start_at(means)
    np.testing.assert_array_equal(plain.cluster(X, 10, 0).clusters, told.cluster(X, 10, 0).clusters)


def test_centers_from_a_file_are_where_it_begins(tmp_path):
    path = tmp_path / "centers.npy"
    np.save(path, X[:10])
    found, other = (KMeans(init=str(path)).cluster(X, 10, seed) for seed in (0, 5))
    np.testing.assert_array_equal(found.clusters, other.clusters)  # no luck in it
    assert len(found.centers) == 10
    apart = np.square(found.centers[:, None] - X[None, :10]).sum(axis=2)
    assert (apart.diagonal() < apart.mean(axis=1)).all()  # the centers moved, each from where it began


@pytest.mark.parametrize("init", ["nonsense", "missing.npy", "flat.npy", "text.npy"])
def test_a_start_that_cannot_be_is_refused_before_any_work(init, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("flat.npy", np.zeros(4))
    np.save("text.npy", np.array([["a", "b"]]))
    with pytest.raises(ValueError, match=r"init is one of|cannot read|holds no centers"):
        KMeans(init=init)


def test_centers_of_another_space_are_refused(tmp_path):
    np.save(tmp_path / "c.npy", np.zeros((3, 5), np.float32))
    with pytest.raises(EngineError, match="5 columns, the features 64"):
        KMeans(init=str(tmp_path / "c.npy")).cluster(X, 3, 0)
