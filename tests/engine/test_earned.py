from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.engine.earned import beyond_chance, evidence_of, odds_of, skill, surest, trust

ODDS = np.linspace(-3.0, 5.0, 50).astype(np.float32)
SURE = np.array([np.log(0.98 / 0.02)], dtype=np.float32)


def odds(share: float) -> np.ndarray:
    """The log odds of a label of two classes."""
    return np.array([np.log(share / (1.0 - share))], dtype=np.float32)


def answers(n: int, chance: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Left-out answers of shares all over (0.5, 1) in two classes, right with this chance."""
    rng = np.random.default_rng(seed)
    positions = (np.arange(n) % 2).astype(np.int32)
    right, share = rng.random(n) < chance, rng.uniform(0.5, 0.99, n).astype(np.float32)
    left_out = np.stack((share, 1.0 - share), axis=1)
    left_out[np.where(right, positions == 1, positions == 0)] = left_out[
        np.where(right, positions == 1, positions == 0)
    ][:, ::-1]
    return left_out, positions, np.ones(n, dtype=np.float32)


@pytest.mark.parametrize("chance", [0.2, 0.5, 0.8, 1.0])
def test_what_is_expected_comes_near_what_left_out_answers_show(chance: float) -> None:
    curve = trust(*answers(2_000, chance))
    expected = curve.expected(odds(0.75))[0]
    assert abs(expected - chance) < 0.12
    assert (curve.least(ODDS) <= curve.expected(ODDS)).all()


def test_more_answers_leave_less_open() -> None:
    open_ = []
    for n in (4, 20, 100, 500):
        curve = trust(*answers(n, 1.0))
        open_.append(float((curve.expected(ODDS[-10:]) - curve.least(ODDS[-10:])).max()))
    assert open_ == sorted(open_, reverse=True)


def test_noise_is_never_taken_for_knowledge() -> None:
    for seed in range(30):
        for n in (6, 10, 50, 300):
            least = trust(*answers(n, 0.5, seed)).least(ODDS)[::-1]
            assert surest(least, 0.95, 0.85) == 0


def test_the_only_answer_of_each_class_shows_nothing() -> None:
    left_out = np.eye(8, dtype=np.float32)
    curve = trust(left_out, np.arange(8, dtype=np.int32), np.ones(8, dtype=np.float32))
    assert curve.least(ODDS).max() < 0.5


def test_hard_answers_that_are_wrong_say_little_of_sure_labels() -> None:
    sure, positions, weights = answers(200, 1.0)
    sure[np.arange(200), positions], sure[np.arange(200), 1 - positions] = 0.98, 0.02
    before = trust(sure, positions, weights).least(SURE)[0]
    hard = np.tile(np.array([[0.55, 0.45]], dtype=np.float32), (100, 1))
    after = trust(
        np.r_[sure, hard],
        np.r_[positions, np.arange(100) % 2].astype(np.int32),
        np.r_[weights, np.full(100, 0.05)].astype(np.float32),
    ).least(SURE)[0]
    assert after > 0.95
    assert after > before - 0.03


def test_no_answer_at_all_promises_nothing() -> None:
    curve = trust(np.zeros((0, 3), np.float32), np.zeros(0, np.int32), np.zeros(0, np.float32))
    assert surest(curve.least(ODDS)[::-1], 0.95) == 0


def test_the_first_labels_are_as_good_as_promised() -> None:
    least = np.array([0.99, 0.97, 0.95, 0.9, 0.6, 0.1])
    assert surest(least, 0.95) == 4
    assert surest(least, 0.95, each=0.92) == 3
    assert surest(least, 0.999) == 0
    assert surest(least[:0], 0.5) == 0


def test_odds_are_against_the_next_likely_class() -> None:
    shares = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.5, 0.5, 0.0]], dtype=np.float32)
    assert odds_of(shares, np.array([0, 0, 1])) == pytest.approx([np.log(2.0), np.log(0.2 / 0.7), 0.0], abs=1e-3)
    assert np.isfinite(odds_of(np.array([[1.0], [0.0]], dtype=np.float32), np.zeros(2, np.int32))).all()  # one class
    assert not len(odds_of(np.zeros((0, 3), dtype=np.float32), np.zeros(0, np.int32)))


def test_evidence_counts_answers_as_much_as_they_stand_for_the_pool() -> None:
    left_out, positions, weights = answers(60, 1.0)
    assert evidence_of(left_out, positions, weights) == pytest.approx(62 / 64)
    wrong = left_out.copy()
    wrong[20:] = wrong[20:][:, ::-1]
    assert evidence_of(wrong, positions, weights) == pytest.approx(22 / 64)
    weights[20:] = 0.05  # hard ones, chosen for it
    assert evidence_of(wrong, positions, weights) == pytest.approx(22 / 26)
    alone = np.arange(8, dtype=np.int32)  # each the only one of its class: nothing is judged
    assert evidence_of(np.eye(8, dtype=np.float32), alone, np.ones(8, dtype=np.float32)) == 0.5


def test_to_name_the_commonest_class_is_no_skill() -> None:
    assert skill(0.75, np.array([75.0, 25.0])) == 0.0
    assert skill(1.0, np.array([75.0, 25.0])) == 1.0
    assert skill(0.5, np.array([75.0, 25.0])) == 0.0
    assert skill(0.9, np.array([4.0])) == 0.0  # of one class nothing can be told apart
    assert beyond_chance(0.75, np.array([75.0, 25.0])) == 0.5
    assert beyond_chance(0.8, np.array([10.0] * 10)) == pytest.approx(0.8)


@given(st.floats(0, 1), st.lists(st.floats(0.1, 100), min_size=1, max_size=9))
def test_beyond_chance_never_says_more_than_was_right(share: float, sizes: list[float]) -> None:
    assert 0.0 <= beyond_chance(share, np.array(sizes)) <= share
