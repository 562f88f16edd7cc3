"""A hunt for a rare class: where it looks, what a miss does to it, and what it finds at last."""

import numpy as np
import pytest

from labeler.core.numeric.nearest import nearest_of
from labeler.engine.book import BookEngine
from labeler.engine.hunt import hunted
from labeler.plugins import registry
from tests.engine.pools import opened, snapshot

RARE, COMMON = 1, 0


@pytest.fixture
def pool():
    """400 of the common kinds, and 12 of a rare one that lie together at the rim of them: 3 %."""
    rng = np.random.default_rng(0)
    X = rng.normal(0, 1, (412, 6)).astype(np.float32)
    X[400:] = X[400:] * 0.5 + np.float32(1.6)
    return X, np.arange(412) >= 400


def everyone(n):
    return np.ones(n, dtype=np.bool_)


def test_it_finds_ten_long_before_chance_does(pool):
    X, is_rare = pool
    rng = np.random.default_rng(1)
    indices, classes = [400, *range(8)], [RARE] + [COMMON] * 8
    finds = looks = 0
    while finds < 10 and looks < 400:
        candidates = everyone(412)
        candidates[indices] = False
        index = int(hunted(X, snapshot(indices, classes), RARE, candidates, 1)[0])
        indices.append(index)
        classes.append(RARE if is_rare[index] else COMMON)
        finds += int(is_rare[index])
        looks += 1
    by_chance = np.flatnonzero(is_rare[rng.permutation(np.arange(9, 412))])[9] + 1
    assert finds == 10
    assert looks <= 40 < by_chance


def test_a_miss_keeps_it_from_its_surroundings():
    X = np.array([[0.0], [1.0], [1.1], [-1.5], [9.0]], dtype=np.float32)
    candidates = np.array([False, True, True, True, True])
    assert hunted(X, snapshot([0], [RARE]), RARE, candidates, 4).tolist() == [1, 2, 3, 4]
    candidates[1] = False
    assert hunted(X, snapshot([0, 1], [RARE, COMMON]), RARE, candidates, 4).tolist()[0] == 3
    for word in ("deferred", "held_back"):  # skipped, or looked at without telling
        assert hunted(X, snapshot([0], [RARE], **{word: [1]}), RARE, candidates, 4).tolist()[0] == 3


def test_without_an_example_or_a_candidate_there_is_none():
    X = np.zeros((4, 2), dtype=np.float32)
    assert not len(hunted(X, snapshot([0], [COMMON]), RARE, everyone(4), 3))
    assert not len(hunted(X, snapshot([0], [RARE]), RARE, np.zeros(4, dtype=np.bool_), 3))
    assert hunted(X, snapshot([0], [RARE]), RARE, everyone(4), 9).tolist() == [0, 1, 2, 3]  # all alike: in pool order


def test_it_takes_memory_maps_and_far_away_features(tmp_path):
    X = np.random.default_rng(0).normal(1e4, 1, (300, 3)).astype(np.float32)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    state = snapshot([5, 6], [RARE, COMMON])
    order = hunted(X, state, RARE, everyone(300), 300)
    assert np.array_equal(hunted(mapped, state, RARE, everyone(300), 300), order)
    exact = X.astype(np.float64)
    near, far = (np.linalg.norm(exact - exact[index], axis=1) for index in (5, 6))
    wanted = near / (near + far)
    assert np.abs(np.sort(wanted) - wanted[order]).max() < 1e-3


@pytest.mark.parametrize("n_targets", [0, 1, 7])
def test_the_nearest_target_is_what_pairs_say(n_targets):
    rng = np.random.default_rng(0)
    rows, targets = (rng.normal(size=(n, 4)).astype(np.float32) for n in (50, n_targets))
    pairs = np.square(rows[:, None] - targets[None]).sum(axis=2)
    wanted = pairs.min(axis=1) if n_targets else np.full(50, np.inf)
    np.testing.assert_allclose(nearest_of(rows, targets), wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(nearest_of(rows, targets, rows.mean(axis=0)), wanted, rtol=1e-4, atol=1e-5)


def test_both_engines_hunt_and_leave_out_what_was_answered_shown_or_thrown_out(pool):
    X, _ = pool
    book = BookEngine(
        registry.create("clusterer", "kmeans"),
        registry.create("classifier", "logreg"),
        registry.create("strategy", "margin"),
    )
    for _ in book.open(X):
        pass
    state = snapshot([400, 0], [RARE, COMMON], excluded=[401], held_back=[402], deferred=[403])
    for engine in (book, opened(X)):
        order = engine.hunt(state, RARE, 20, np.array([404], dtype=np.int64))
        assert len(order) == len(set(order.tolist())) == 20
        assert not set(order.tolist()) & {400, 0, 401, 402, 403, 404}
        assert np.array_equal(order, engine.hunt(state, RARE, 20, np.array([404], dtype=np.int64)))
        assert len(set(order.tolist()) & set(range(405, 412))) >= 3  # chance: 0.35
