from __future__ import annotations

import numpy as np
import pytest

from labeler.engine.propagation import RandomWalk, Spread, left_out, mass_of, shares_of
from tests.core.numeric.test_neighbor_graph import built
from tests.engine.pools import blobs


@pytest.fixture(scope="module")
def walk() -> RandomWalk:
    return RandomWalk(built(blobs(300)[0]).weights)


def seeds(n: int, a: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return (
        rng.permutation(n)[:a].astype(np.int64),
        rng.integers(k, size=a).astype(np.int32),
        rng.uniform(0.05, 1, a).astype(np.float32),
    )


def test_the_walk_solves_its_system(walk: RandomWalk) -> None:
    start = np.eye(300, dtype=np.float32)[:, :7]
    exact = np.linalg.solve(np.eye(300) - walk.alpha * walk.matrix.toarray().astype(np.float64), start)
    visits = walk.solve(start)
    assert walk.residual(start, visits) < 1e-2
    np.testing.assert_allclose(visits, exact, atol=2e-3 * exact.max())


def test_a_column_does_not_depend_on_those_beside_it(walk: RandomWalk) -> None:
    together = walk.columns(np.arange(9))
    for index in (0, 4, 8):
        np.testing.assert_array_equal(walk.columns(np.array([index]))[:, 0], together[:, index])


class CountingWalk(RandomWalk):
    """Counts the columns it solves."""

    solved = 0

    def _iterate(self, seeds):
        self.solved += seeds.shape[1]
        return super()._iterate(seeds)


@pytest.fixture
def counting() -> CountingWalk:
    return CountingWalk(built(blobs(300)[0]).weights)


def test_a_prepared_column_is_the_fresh_one_bit_by_bit(walk: RandomWalk, counting: CountingWalk) -> None:
    indices = np.array([7, 3, 250, 11])
    for _ in counting.prepare(indices[:3]):
        pass
    assert counting.solved == 3
    np.testing.assert_array_equal(counting.columns(indices), walk.columns(indices))
    np.testing.assert_array_equal(counting.own(indices), walk.own(indices))
    assert counting.solved == 4  # the one that was not prepared


def test_an_answer_that_was_prepared_costs_no_solve(walk: RandomWalk, counting: CountingWalk) -> None:
    indices, positions, weights = seeds(300, 12, 3)
    for _ in counting.prepare(indices):
        pass
    quick, plain = Spread(counting), Spread(walk)
    for count in range(1, 13):
        quick.extend(indices[:count], positions[:count], weights[:count], 3)
        plain.extend(indices[:count], positions[:count], weights[:count], 3)
    counting.own(indices)
    np.testing.assert_array_equal(quick.mass, plain.mass)
    quick.extend(indices[:11], positions[:11], weights[:11], 3)  # taken back: the columns stay right
    assert counting.solved == 12


def test_work_ahead_that_is_dropped_is_continued(
    walk: RandomWalk, counting: CountingWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labeler.engine.propagation.ROWS_A_STEP", 300)
    undisturbed = sum(1 for _ in counting.prepare(np.array([200])))
    assert undisturbed > counting.steps
    wanted = np.arange(40, 44)
    dropped = 0
    while next(counting.prepare(wanted), "done") != "done":  # a new job for every step
        dropped += 1
    assert dropped == len(wanted) * undisturbed
    assert counting.solved == 1 + len(wanted)
    np.testing.assert_array_equal(counting.columns(wanted), walk.columns(wanted))


def test_only_so_many_columns_are_kept_and_the_wanted_ones_first(counting: CountingWalk) -> None:
    for start in (0, 16, 32):
        for _ in counting.prepare(np.r_[0:4, start : start + 16]):
            pass
    solved = counting.solved
    assert len(counting._ahead) == counting.room == 32
    counting.columns(np.r_[0:4, 32:48])
    assert counting.solved == solved


@pytest.mark.slow
def test_a_thousand_updates_leave_no_error_behind() -> None:
    walk = RandomWalk(built(blobs(1200)[0]).weights)
    indices, positions, weights = seeds(1200, 1000, 4)
    spread = Spread(walk)
    for count in range(1, 1001):
        spread.extend(indices[:count], positions[:count], weights[:count], 4)
    whole = np.zeros((1200, 4), dtype=np.float32)
    np.add.at(whole, (indices, positions), weights)
    assert walk.residual(whole, spread.mass) < 1e-2
    fresh = mass_of(walk, indices, positions, weights, 4)
    totals = np.bincount(positions, weights, 4).astype(np.float32)
    live, closing = shares_of(spread.mass, totals), shares_of(fresh, totals)
    assert np.abs(live - closing).max() < 1e-3
    assert (live.argmax(axis=1) == closing.argmax(axis=1)).mean() >= 0.999


def test_an_answer_taken_back_starts_over(walk: RandomWalk) -> None:
    indices, positions, weights = seeds(300, 20, 3)
    spread = Spread(walk)
    spread.extend(indices, positions, weights, 3)
    kept = np.delete(np.arange(20), 5)
    spread.extend(indices[kept], positions[kept], weights[kept], 3)
    expected = mass_of(walk, indices[kept], positions[kept], weights[kept], 3)
    np.testing.assert_allclose(spread.mass, expected, atol=1e-3 * expected.max())


def test_left_out_is_what_the_others_say(walk: RandomWalk) -> None:
    indices, positions, weights = seeds(300, 24, 3)
    totals = np.bincount(positions, weights, 3).astype(np.float32)
    mass = mass_of(walk, indices, positions, weights, 3)
    quick = left_out(mass, totals, walk.own(indices), indices, positions, weights)
    for row in range(0, 24, 5):
        rest = np.delete(np.arange(24), row)
        without = mass_of(walk, indices[rest], positions[rest], weights[rest], 3)
        left = np.bincount(positions[rest], weights[rest], 3).astype(np.float32)
        np.testing.assert_allclose(quick[row], shares_of(without, left)[indices[row]], atol=5e-3)


def test_asking_a_class_more_often_does_not_make_it_larger(walk: RandomWalk) -> None:
    shares = shares_of(np.array([[4.0, 1.0]], dtype=np.float32), np.array([8.0, 2.0], dtype=np.float32))
    np.testing.assert_allclose(shares, [[0.5, 0.5]])


def test_a_row_no_walk_reaches_is_undecided() -> None:
    np.testing.assert_allclose(shares_of(np.zeros((1, 4), dtype=np.float32), np.ones(4, dtype=np.float32)), 0.25)
