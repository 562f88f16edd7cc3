from __future__ import annotations

import numpy as np
import pytest

from labeler.engine.blending import FIRST, FLOOR, blend, product, skill_of


def opinions(n: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Classes, a model that knows them and one that guesses."""
    rng = np.random.default_rng(0)
    positions = rng.integers(3, size=n).astype(np.int32)
    good = np.full((n, 3), 0.05, dtype=np.float32)
    good[np.arange(n), positions] = 0.9
    return positions, good, rng.dirichlet(np.ones(3), n).astype(np.float32)


def test_the_better_model_counts_more() -> None:
    positions, good, bad = opinions()
    assert blend([good, bad], positions).weights == (1.0, 0.0)
    assert blend([bad, good], positions).weights == (0.0, 1.0)
    assert blend([bad, bad, good, bad], positions).weights == (0.0, 0.0, 1.0, 0.0)


def test_between_equals_the_earlier_one_counts() -> None:
    positions, good, _ = opinions()
    assert blend([good, good, good], positions).weights == (1.0, 0.0, 0.0)


def test_few_answers_a_class_say_nothing_of_the_models() -> None:
    positions, good, bad = opinions()
    assert blend([bad[:9], bad[:9], good[:9], good[:9]], positions[:9]).weights == (*FIRST, 0.0)
    assert sum(blend([bad[:9], good[:9]], positions[:9]).weights) == pytest.approx(1)
    assert blend([bad[:9]], positions[:9]).weights == (1.0,)


def test_a_product_of_shares_is_shares() -> None:
    rng = np.random.default_rng(0)
    shares = list(rng.dirichlet(np.ones(4), (3, 9)).astype(np.float32))
    joint = product(shares, (0.25, 0.5, 0.25))
    np.testing.assert_allclose(joint.sum(axis=1), 1, rtol=1e-5)
    by_hand = np.prod([(one + FLOOR) ** weight for one, weight in zip(shares, (0.25, 0.5, 0.25), strict=True)], axis=0)
    np.testing.assert_allclose(joint, by_hand / by_hand.sum(axis=1, keepdims=True), atol=1e-5)
    np.testing.assert_allclose(product(shares, (0.0, 1.0, 0.0)), shares[1], atol=2e-3)


def test_skill_is_zero_for_guessing_and_one_for_knowing() -> None:
    positions = np.repeat([0, 1], [40, 20]).astype(np.int32)
    assert skill_of(positions == positions, positions) == pytest.approx(1)
    assert skill_of(positions == 0, positions) == pytest.approx(0)
    assert np.isnan(skill_of(np.ones(5, dtype=np.bool_), positions[:5]))
