"""One suite over every registered query strategy: a utility for every candidate, or questions that go together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from labeler.core.errors import UsageError
from labeler.core.protocols import PoolView
from labeler.engine.book import BookEngine
from labeler.plugins import registry
from labeler.plugins.adapters import factory_of
from labeler.plugins.query_strategies.badge import _seeds
from tests.engine.pools import snapshot

TOGETHER = [name for name in registry.names("strategy") if hasattr(registry.load("strategy", name), "rank")]
"""Those that rank a pool; the others give utilities."""
ALONE = [name for name in registry.names("strategy") if name not in TOGETHER]
UNCERTAIN = [name for name in ALONE if name != "random"]


@pytest.fixture(params=ALONE)
def strategy(request):
    return registry.create("strategy", request.param)


@pytest.fixture(params=TOGETHER)
def ranker(request):
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


# -- those that rank a pool -------------------------------------------------------------------------------------


def view(n=120, d=5, k=3, answered=(), closed=(), seed=0) -> PoolView:
    """Three groups of points; `closed` ones may not be asked, nor those `answered`."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(0, 10, (3, d))
    X = (centers[np.arange(n) % 3] + rng.normal(0, 1, (n, d))).astype(np.float32)
    candidates = np.ones(n, dtype=np.bool_)
    candidates[[*answered, *closed]] = False
    proba = probabilities(n, k) if k and n else np.empty((n, k), np.float32)
    return PoolView(X, proba, np.array(answered, dtype=np.int64), candidates)


def test_all_four_papers_are_there_and_name_their_source():
    papers = {"k-center": "Sener", "typiclust": "Hacohen", "probcover": "Yehuda", "badge": "Ash"}
    assert set(papers) == set(TOGETHER)
    for name, author in papers.items():
        assert author in registry.load("strategy", name).__doc__


@pytest.mark.parametrize("k", [0, 1, 3])
@pytest.mark.parametrize("n", [0, 1, 2, 120])
def test_a_ranking_names_candidates_once_and_fills_the_size(ranker, n, k):
    pool = view(n, k=k, answered=(0,) if n > 2 else (), closed=(1, 5) if n > 5 else ())
    chosen = ranker.rank(pool, 20, np.random.default_rng(0))
    assert chosen.dtype == np.int64
    assert len(chosen) == len(set(chosen.tolist())) == min(20, int(pool.candidates.sum()))
    assert pool.candidates[chosen].all()


@pytest.mark.parametrize("points", [np.ones((30, 4), np.float32), np.repeat(np.eye(4, dtype=np.float32), 8, axis=0)])
def test_repeats_are_survived(ranker, points):
    n = len(points)
    pool = PoolView(points, np.full((n, 2), 0.5, np.float32), np.array([0, 1]), np.arange(n) > 1)
    chosen = ranker.rank(pool, 10, np.random.default_rng(0))
    assert len(set(chosen.tolist())) == 10
    assert pool.candidates[chosen].all()


def test_the_same_generator_gives_the_same_ranking_and_the_pool_stays(ranker):
    pool = view(answered=(3, 4))
    before = pool.X.copy(), pool.proba.copy(), pool.candidates.copy()
    first, again = (ranker.rank(pool, 20, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first, again)
    for array, was in zip((pool.X, pool.proba, pool.candidates), before, strict=True):
        assert np.array_equal(array, was)


def test_a_memory_map_is_taken_and_more_than_most_is_drawn(ranker, tmp_path):
    pool = view(200)
    np.save(tmp_path / "X.npy", pool.X)
    mapped = replace(pool, X=np.load(tmp_path / "X.npy", mmap_mode="r"))
    assert np.array_equal(*(ranker.rank(one, 9, np.random.default_rng(1)) for one in (pool, mapped)))
    ranker.most = 50
    assert len(ranker.rank(pool, 60, np.random.default_rng(1))) == 50


@pytest.mark.parametrize("name", TOGETHER)
def test_unusable_parameters_are_refused(name):
    for parameter in registry.parameters("strategy", name):
        with pytest.raises(UsageError):
            registry.create("strategy", f"{name}:{parameter}=-1")


@pytest.mark.parametrize("name", ["k-center", "typiclust", "probcover"])
def test_without_an_answer_the_first_questions_lie_in_different_groups(name):
    ranker = registry.create("strategy", name)
    assert ranker.from_the_start
    first = ranker.rank(view(k=0), 3, np.random.default_rng(0))
    assert {int(index) % 3 for index in first} == {0, 1, 2}


def test_k_center_goes_where_nothing_was_asked():
    pool = view(answered=(0, 1))  # the third group has no answer
    assert registry.create("strategy", "k-center").rank(pool, 1, np.random.default_rng(0))[0] % 3 == 2


def test_probcover_leaves_out_what_an_answer_covers():
    pool = view(answered=(0, 3, 6, 1))
    first = registry.create("strategy", "probcover").rank(pool, 1, np.random.default_rng(0))
    assert first[0] % 3 == 2


def test_typiclust_asks_the_middle_of_a_group_not_its_rim():
    pool = view(k=0)
    first = int(registry.create("strategy", "typiclust:batch=3").rank(pool, 3, np.random.default_rng(0))[0])
    group = np.arange(first % 3, 120, 3)
    rims = np.linalg.norm(pool.X[group] - pool.X[group].mean(axis=0), axis=1)
    assert np.linalg.norm(pool.X[first] - pool.X[group].mean(axis=0)) < np.median(rims)


def test_badge_begins_with_an_undecided_one_and_goes_on_elsewhere():
    pool = view()
    proba = np.tile(np.array([0.998, 0.001, 0.001], np.float32), (120, 1))
    proba[[10, 13, 16]] = (0.4, 0.35, 0.25)  # one group
    ranker = registry.create("strategy", "badge")
    draws = [ranker.rank(replace(pool, proba=proba), 2, np.random.default_rng(seed)).tolist() for seed in range(20)]
    assert {first for first, _ in draws} <= {10, 13, 16}
    near = sum(second in (10, 13, 16) for _, second in draws)
    assert near <= 3  # the like of the first brings little


def test_badge_finds_the_distances_that_written_out_gradients_have():
    rng = np.random.default_rng(0)
    errors, inputs = rng.normal(size=(40, 3)).astype(np.float32), rng.normal(size=(40, 6)).astype(np.float32)
    gradients = np.einsum("ik,id->ikd", errors, inputs).reshape(40, -1)
    lengths = np.square(gradients).sum(axis=1)
    chosen, draw = [int(lengths.argmax())], np.random.default_rng(7)
    while len(chosen) < 8:
        squared = np.min([np.square(gradients - gradients[seed]).sum(axis=1) for seed in chosen], axis=0)
        chosen.append(int(np.searchsorted(np.cumsum(squared), draw.random() * squared.sum())))
    assert _seeds(errors, inputs, 8, np.random.default_rng(7)).tolist() == chosen


def test_a_strategy_of_ones_own_that_ranks_is_asked_and_held_to_candidates():
    class Stubborn:
        from_the_start = True

        def rank(self, pool, size, rng):
            return np.array([4, 4, 2, 9])

    engine = BookEngine(
        registry.create("clusterer", "kmeans"),
        registry.create("classifier", "logreg"),
        factory_of("strategy", Stubborn)(),
        n_clusters=3,
    )
    for _ in engine.open(view(30).X):
        pass
    assert engine.rerank(snapshot([], [])).indices.tolist() == [4, 2, 9]
    assert engine.rerank(snapshot([2], [0])).indices.tolist() == [4, 9]
