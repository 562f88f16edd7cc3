"""One suite over every registered query strategy: a utility for every candidate, higher = ask sooner."""

from __future__ import annotations

import numpy as np
import pytest

from labeler import registry

UNCERTAIN = [name for name in registry.names("strategy") if name != "random"]


@pytest.fixture(params=registry.names("strategy"))
def strategy(request):
    return registry.create("strategy", request.param)


def probabilities(n=50, k=4, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(k), n).astype(np.float32)


@pytest.mark.parametrize("k", [1, 2, 3, 10])
@pytest.mark.parametrize("n", [0, 1, 50])
def test_one_finite_utility_a_candidate(strategy, n, k):
    utilities = strategy.utilities(probabilities(n, k) if n else np.empty((0, k), np.float32), np.random.default_rng(0))
    assert utilities.shape == (n,)
    assert utilities.dtype == np.float32
    assert np.isfinite(utilities).all()
    assert isinstance(strategy.spread_over_clusters, bool)


def test_certainty_of_zero_and_one_is_survived(strategy):
    proba = np.array([[1, 0, 0], [0, 1, 0], [0.5, 0.5, 0]], np.float32)
    assert np.isfinite(strategy.utilities(proba, np.random.default_rng(0))).all()


def test_the_same_generator_gives_the_same_and_the_input_stays(strategy):
    proba = probabilities()
    before = proba.copy()
    first, again = (strategy.utilities(proba, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first, again)
    assert np.array_equal(proba, before)


@pytest.mark.parametrize("name", UNCERTAIN)
def test_the_undecided_come_before_the_certain(name):
    proba = np.array([[0.98, 0.01, 0.01], [0.6, 0.3, 0.1], [0.34, 0.33, 0.33]], np.float32)
    utilities = registry.create("strategy", name).utilities(proba, np.random.default_rng(0))
    assert utilities.argsort().tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", UNCERTAIN)
def test_the_names_of_the_classes_do_not_matter(name):
    proba = probabilities()
    strategy = registry.create("strategy", name)
    plain = strategy.utilities(proba, np.random.default_rng(0))
    assert np.allclose(strategy.utilities(proba[:, ::-1].copy(), np.random.default_rng(0)), plain, atol=1e-6)


def test_known_values():
    proba = np.array([[0.5, 0.3, 0.2]], np.float32)
    values = {"least-confidence": 0.5, "margin": 0.8, "margin-clusters": 0.8, "entropy": 1.0296530}
    for name, value in values.items():
        utility = registry.create("strategy", name).utilities(proba, np.random.default_rng(0))
        assert utility[0] == pytest.approx(value, abs=1e-6), name


def test_random_is_uniform_and_knows_no_probability():
    utilities = registry.create("strategy", "random").utilities(probabilities(4000), np.random.default_rng(0))
    assert utilities.mean() == pytest.approx(0.5, abs=0.02)
    assert np.corrcoef(utilities, probabilities(4000).max(axis=1))[0, 1] == pytest.approx(0, abs=0.06)


def test_only_the_spread_over_clusters_sets_the_clustered_margin_apart():
    plain, clustered = registry.create("strategy", "margin"), registry.create("strategy", "margin-clusters")
    assert (plain.spread_over_clusters, clustered.spread_over_clusters) == (False, True)
    proba = probabilities()
    rng = np.random.default_rng
    assert np.array_equal(plain.utilities(proba, rng(0)), clustered.utilities(proba, rng(0)))
