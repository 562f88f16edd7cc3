"""Gaussian mixtures on the digits: soft clusters, criteria, and components that are emptied."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.engine.cluster_neighbors import shares_of_all
from labeler.plugins.clusterers.common import reduced
from labeler.plugins.clusterers.mixtures import COVARIANCES, BayesianGmm, Gmm, _runs
from tests.plugins.clusterers.chapter import mixture
from tests.plugins.clusterers.digits import X, purity


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_every_kind_of_covariance_finds_digits_and_says_how_it_went(covariance):
    found = Gmm(covariance_type=covariance, n_init=1).cluster(X, 30, 0)
    assert purity(found.clusters) > 0.8
    assert found.facts["converged"] is True
    assert found.facts["iterations"] > 1
    assert sum(found.facts["weights"]) == pytest.approx(1, abs=1e-4)
    assert found.facts["aic"] < found.facts["bic"]


def test_responsibilities_are_scikit_learns():
    from sklearn.mixture import GaussianMixture

    found = Gmm(n_init=2).cluster(X, 12, 3)
    points = reduced(X, 10, 3).astype(np.float64)
    unit = points.std()
    points /= unit
    theirs = GaussianMixture(12, covariance_type="tied", n_init=2, max_iter=200, random_state=3).fit(points)
    proba = np.sort(theirs.predict_proba(points), axis=1)
    np.testing.assert_allclose(found.shares, proba[:, -1], atol=0.01)
    assert ((found.seconds >= 0) & (found.seconds != found.clusters)).all()
    in_columns = 2 * points.size * np.log(unit)
    assert found.facts["bic"] == pytest.approx(theirs.bic(points) + in_columns, abs=2)


@pytest.mark.mostly_slow
@pytest.mark.parametrize(
    ("covariance", "factor"), [("full", 1), ("full", 1_000), ("tied", 9), ("diag", 9), ("spherical", 9)]
)
def test_criteria_are_scikit_learns_of_the_features_as_they_came(covariance, factor):
    from sklearn.mixture import GaussianMixture

    X = mixture() * np.float32(factor)
    rows = X.astype(np.float64)
    runs = 10 if covariance == "full" else 1
    ours = Gmm(covariance_type=covariance, n_init=runs).cluster(X, 3, 42).facts
    model = GaussianMixture(3, covariance_type=covariance, n_init=runs, max_iter=200, random_state=42)
    theirs = model.fit(rows)
    assert (ours["bic"], ours["aic"]) == pytest.approx((theirs.bic(rows), theirs.aic(rows)), abs=0.2)
    if covariance == "full" and factor == 1:
        assert round(ours["bic"], 1) == 8189.7
        assert round(ours["aic"], 1) == 8102.5


@pytest.mark.slow
def test_shares_of_every_cluster_and_rows_drawn_are_scikit_learns():
    from sklearn.mixture import GaussianMixture

    X = mixture()
    found = Gmm(covariance_type="full").cluster(X, 3, 42)
    unit = float(X.std(dtype=np.float64))
    theirs = GaussianMixture(3, n_init=10, max_iter=200, random_state=42).fit((X / np.float32(unit)).astype(np.float64))
    shares = theirs.predict_proba((X / unit).astype(np.float64))
    np.testing.assert_allclose(shares_of_all(X, found), shares, atol=1e-3)
    np.testing.assert_allclose(found.mixture.draw(7), theirs.sample(7)[0] * unit, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(found.mixture.draw(7), found.mixture.draw(7))


def test_ten_runs_where_nobody_says_how_many_and_one_of_a_large_pool():
    assert (_runs(10_000), _runs(10_001)) == (10, 1)
    assert Gmm(n_init=4).n_init == 4


def test_one_component_is_a_mixture_too():
    facts = Gmm(covariance_type="full").cluster(mixture(), 1, 0).facts
    assert facts["bic"] > 9_000


@pytest.mark.slow
def test_the_bayesian_mixture_empties_what_it_does_not_need():
    rng = np.random.default_rng(0)
    three = (rng.normal(0, 20, (3, 4))[np.arange(600) % 3] + rng.normal(0, 1, (600, 4))).astype(np.float32)
    found = BayesianGmm(weight_concentration_prior=0.01).cluster(three, 12, 0)
    assert found.facts["emptied"] == 9
    assert len(found.centers) == 3
    plain = Gmm(n_init=1).cluster(three, 12, 0)
    assert len(plain.centers) > 3


def test_the_unit_of_the_features_does_not_matter():
    a, b = (Gmm(n_init=2).cluster(X[:400] * np.float32(factor), 8, 0) for factor in (1, 1_000))
    np.testing.assert_array_equal(a.clusters, b.clusters)
