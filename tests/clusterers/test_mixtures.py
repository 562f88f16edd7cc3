"""Gaussian mixtures on the digits: soft clusters, criteria, and components that are emptied."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.clusterers.mixtures import COVARIANCES, BayesianGmm, Gmm
from labeler.clusterers.shaping import seen
from tests.clusterers.digits import X, purity


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_every_kind_of_covariance_finds_digits_and_says_how_it_went(covariance):
    found = Gmm(covariance_type=covariance).cluster(X, 30, 0)
    assert purity(found.clusters) > 0.8
    assert found.facts["converged"] is True
    assert found.facts["iterations"] > 1
    assert sum(found.facts["weights"]) == pytest.approx(1, abs=1e-4)
    assert found.facts["aic"] < found.facts["bic"]


def test_responsibilities_are_scikit_learns():
    from sklearn.mixture import GaussianMixture

    found = Gmm().cluster(X, 12, 3)
    points = seen(X, 10, 3).astype(np.float64)
    points /= points.std()
    theirs = GaussianMixture(12, covariance_type="tied", max_iter=200, random_state=3).fit(points)
    proba = np.sort(theirs.predict_proba(points), axis=1)
    np.testing.assert_allclose(found.shares, proba[:, -1], atol=0.01)
    assert ((found.seconds >= 0) & (found.seconds != found.clusters)).all()
    assert found.facts["bic"] == pytest.approx(theirs.bic(points), rel=1e-3)


@pytest.mark.slow
def test_the_bayesian_mixture_empties_what_it_does_not_need():
    rng = np.random.default_rng(0)
    three = (rng.normal(0, 20, (3, 4))[np.arange(600) % 3] + rng.normal(0, 1, (600, 4))).astype(np.float32)
    found = BayesianGmm(weight_concentration_prior=0.01).cluster(three, 12, 0)
    assert found.facts["emptied"] == 9
    assert len(found.centers) == 3
    plain = Gmm().cluster(three, 12, 0)
    assert len(plain.centers) > 3


def test_the_unit_of_the_features_does_not_matter():
    a, b = (Gmm().cluster(X[:400] * np.float32(factor), 8, 0) for factor in (1, 1_000))
    np.testing.assert_array_equal(a.clusters, b.clusters)
