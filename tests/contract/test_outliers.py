"""One suite over every registered outlier method: a score for every instance, higher = odder."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from labeler.core.errors import UsageError
from labeler.plugins import registry
from labeler.plugins.outliers.novelty import FEWEST, learn_what_is_known


@pytest.fixture(params=registry.names("outlier method"))
def name(request):
    with threadpool_limits(1):
        yield request.param


@pytest.fixture
def method(name):
    return registry.create("outlier method", name)


def plane(n=300, seed=0):
    """Rows near a plane in six dimensions."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(np.random.default_rng(9).normal(size=(6, 2)))[0]
    return (rng.normal(0, 3, (n, 2)) @ axes.T + rng.normal(0, 0.1, (n, 6))).astype(np.float32)


def far(n=5):
    """Rows that lie off the plane and beyond its ends, each its own way."""
    directions = np.random.default_rng(3).normal(size=(n, 6))
    return (15 * directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype(np.float32)


def test_the_odd_ones_of_a_pool_come_first(method):
    X = np.concatenate((plane(), far()))
    scores = method.anomalies(X)
    assert (scores.shape, scores.dtype) == ((len(X),), np.float32)
    assert set(np.argsort(-scores)[:5]) == set(range(300, 305))


def test_what_lies_outside_of_a_clean_pool_scores_higher_than_what_lies_inside(method):
    method.fit(plane())
    inside, outside = method.score(plane(100, seed=5)), method.score(far(20))
    assert (outside > np.quantile(inside, 0.95)).mean() >= 0.9


@pytest.mark.mostly_slow
@pytest.mark.parametrize(
    "X",
    [
        plane(1),
        plane(3),
        np.ones((20, 3), np.float32),
        np.repeat(plane(4), 5, axis=0),
        np.zeros((6, 1), np.float32),
        plane(30)[:, :1],
        plane(40) * np.float32(1e12),
        plane(40) * np.float32(1e-12),
        np.random.default_rng(0).normal(size=(8, 200)).astype(np.float32),
    ],
    ids=["one", "three", "identical", "repeats", "zeros", "a column", "huge", "tiny", "wide"],
)
def test_odd_pools_get_finite_scores(method, X):
    for scores in (method.anomalies(X), method.fit(X).score(X), method.score(X[:0]), method.score(X[:1] + 1)):
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()


@pytest.mark.slow
def test_the_same_random_state_gives_the_same_and_the_input_stays_as_it_was(name):
    X = plane()
    before = X.copy()
    first, again = (registry.create("outlier method", name).anomalies(X, 3) for _ in range(2))
    assert np.array_equal(first, again)
    assert np.array_equal(X, before)


def test_read_only_and_memory_mapped_features_are_taken(method, tmp_path):
    np.save(tmp_path / "X.npy", plane())
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    assert np.array_equal(method.anomalies(mapped), method.anomalies(plane()))


def test_a_row_scores_the_same_whatever_stands_beside_it(method):
    method.fit(plane())
    X = plane(50, seed=7)
    np.testing.assert_allclose(method.score(X)[10:12], method.score(X[10:12]), rtol=1e-3, atol=1e-3)


def test_unusable_parameters_are_refused_before_any_work(name):
    for parameter, default in registry.parameters("outlier method", name).items():
        for value in ("-1", "much", *(["1.5"] if type(default) is int else [])):
            with pytest.raises(UsageError):
                registry.create("outlier method", f"{name}:{parameter}={value}")


@pytest.mark.slow
def test_about_the_share_of_their_like_is_called_novel(name):
    known = learn_what_is_known(lambda: registry.create("outlier method", name), plane(500), 0.05)
    outside, scores = known.judge(np.concatenate((plane(1000, seed=8), far(20))))
    assert scores.shape == (1020,)
    assert 0.01 <= outside[:1000].mean() <= 0.12
    assert outside[1000:].mean() >= 0.9


def test_too_few_labels_say_nothing_of_what_is_novel(name):
    with pytest.raises(UsageError, match="too few"):
        learn_what_is_known(lambda: registry.create("outlier method", name), plane(FEWEST - 1), 0.05)
