"""Dense regions on the digits: core instances, anomalies, votes of neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.core.errors import EngineError
from labeler.plugins.clusterers.common import reduced
from labeler.plugins.clusterers.density import Dbscan, Hdbscan, MeanShift
from tests.plugins.clusterers.digits import X, Y, purity

POINTS = reduced(X, 10, 0)


def sklearn_dbscan(eps, min_samples=5):
    from sklearn.cluster import DBSCAN

    return DBSCAN(eps=eps, min_samples=min_samples).fit(POINTS)


@pytest.mark.parametrize("predict_from", ["core", "all"])
def test_core_instances_stand_for_clusters_and_anomalies_are_named(predict_from):
    found, theirs = Dbscan(eps=0.75, predict_from=predict_from).cluster(X, 50, 0), sklearn_dbscan(0.75)
    core = set(theirs.core_sample_indices_.tolist())
    assert set(found.exemplars.tolist()) <= core
    assert len(found.exemplars) == len(found.centers) == len(set(theirs.labels_) - {-1})
    np.testing.assert_array_equal(found.clusters[found.exemplars], np.arange(len(found.centers)))
    for index in core:
        assert found.clusters[index] == found.clusters[found.exemplars[theirs.labels_[index]]]
    assert found.facts["anomalies"] == found.outliers.sum() > 0
    if predict_from == "core":  # within eps of a core instance: exactly DBSCAN's own noise
        np.testing.assert_array_equal(found.outliers, theirs.labels_ == -1)
    else:
        assert found.outliers.sum() < (theirs.labels_ == -1).sum()
    inside = ~found.outliers
    assert purity(found.clusters[inside], Y[inside]) > 0.9


def test_a_larger_distance_takes_more_in():
    near, far = (Dbscan(eps=0.7, max_distance=most).cluster(X, 50, 0) for most in (0.7, 1.4))
    assert 0 < far.outliers.sum() < near.outliers.sum()


def test_eps_is_chosen_so_that_most_are_in_many_clusters():
    found = Dbscan().cluster(X, 50, 0)
    assert 0.6 < found.facts["eps"] < 0.85
    assert len(found.centers) > 12
    assert found.outliers.mean() < 0.4


def test_where_nobody_is_in_a_core_all_are_anomalies_in_one():
    found = Dbscan(eps=1e-3).cluster(X[:50], 10, 0)
    assert found.outliers.all()
    assert len(found.centers) == 1


def test_hdbscan_gives_scikit_learns_clusters_and_strengths():
    from sklearn.cluster import HDBSCAN

    theirs = HDBSCAN(min_cluster_size=10, min_samples=3, copy=True).fit(POINTS)
    found = Hdbscan(min_cluster_size=10).cluster(X, 50, 0)
    np.testing.assert_array_equal(found.outliers, theirs.labels_ < 0)
    np.testing.assert_allclose(found.shares, theirs.probabilities_, atol=1e-6)
    inside = ~found.outliers
    assert purity(found.clusters[inside], Y[inside]) > 0.9


@pytest.mark.slow
def test_mean_shift_climbs_fewer_hills_with_a_wider_look():
    narrow, wide = (MeanShift(bandwidth=width).cluster(X, 50, 0) for width in (1.0, 1.4))
    assert len(narrow.centers) > len(wide.centers) > 1
    assert purity(narrow.clusters) > 0.8


@pytest.mark.parametrize(
    ("clusterer", "name"), [(Dbscan(limit=99), "dbscan"), (Hdbscan(limit=99), "hdbscan"), (MeanShift(limit=99), "mean")]
)
def test_more_than_the_limit_is_refused_with_an_alternative(clusterer, name):
    with pytest.raises(EngineError, match=f"{name}.* compares all with all: 100 instances") as refused:
        clusterer.cluster(X[:100], 5, 0)
    assert "minibatch-kmeans or birch" in refused.value.hint
