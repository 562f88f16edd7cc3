from __future__ import annotations

import numpy as np
import pytest

from labeler.core.types import Provenance, Tier
from labeler.engine.earned import trust
from labeler.engine.tiers import earned, grouped, is_near
from tests.engine.pools import answer, blobs, opened, snapshot


@pytest.mark.slow
def test_locked_is_righter_than_likely_is_righter_than_ask() -> None:
    right, tiers = [], []
    for seed in range(5):  # a hundred labels a tier and pool: one pool alone is mostly chance
        points, y = blobs(1500, n_classes=5, d=4, spread=1.5, seed=seed)
        engine = opened(points)
        result = engine.closing_round(answer(engine, y, 40))
        right.append(result.labels == y)
        tiers.append(result.tiers)
    hits, of = np.concatenate(right), np.concatenate(tiers)
    shares = [hits[of == tier].mean() for tier in (Tier.LOCKED, Tier.LIKELY, Tier.ASK)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > hits.mean()


@pytest.mark.slow
def test_only_near_answers_count_while_classes_turn_up() -> None:
    points, y = blobs(2000, n_classes=100, d=30, spread=1.0)
    engine = opened(points)
    order = engine.levels[0].representatives[:10]
    result = engine.closing_round(snapshot(order, y[order]))
    spread = result.tiers >= Tier.LIKELY
    spread[order] = False
    assert spread.mean() < 0.2  # ten answers cannot name a hundred classes


def test_an_answer_is_near_itself() -> None:
    points, _ = blobs(100)
    engine = opened(points)
    itself = np.arange(100, dtype=np.int32)
    assert is_near(itself, engine.space.z, engine.space.graph).all()
    assert not is_near(np.full(100, -1, dtype=np.int32), engine.space.z, engine.space.graph).any()


def test_groups_are_smooth_and_labels_spread_in_them_from_the_first_answers() -> None:
    points, y = blobs(600)
    engine = opened(points)
    result = engine.closing_round(answer(engine, y, 20))
    assert (result.provenances == Provenance.PROPAGATED).mean() > 0.5


@pytest.mark.slow
def test_where_neighbours_are_of_many_classes_nothing_spreads_until_answers_show_that_it_does() -> None:
    rng = np.random.default_rng(0)
    points, y = rng.normal(size=(800, 30)).astype(np.float32), rng.integers(5, size=800).astype(np.int32)
    engine = opened(points)
    for n_answers in (12, 25, 45):
        result = engine.closing_round(answer(engine, y, n_answers))
        assert not (result.provenances == Provenance.PROPAGATED).any()


def _tiers_of(n_locked: int, n_likely: int, n_ask: int) -> np.ndarray:
    return np.repeat([Tier.LOCKED, Tier.LIKELY, Tier.ASK], [n_locked, n_likely, n_ask]).astype(np.uint8)


def test_groups_are_told_by_degrees_and_not_without_agreement() -> None:
    assert grouped(_tiers_of(0, 0, 9)) == 0.0
    degrees = [grouped(_tiers_of(n, 100 - n, 20)) for n in range(101)]
    assert degrees == sorted(degrees)
    assert max(np.diff(degrees)) < 0.25
    assert degrees[0] == 0.0
    assert degrees[-1] == 1.0
    # left-out answers that are not guessed speak against them, while classes turn up
    assert grouped(_tiers_of(100, 0, 0), (0, 10)) == 0.0
    assert grouped(_tiers_of(100, 0, 0), (10, 10)) == 1.0


def _curve(n_right: int, n_wrong: int, share: float = 0.97) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = n_right + n_wrong
    left_out = np.full((n, 2), 1.0 - share, dtype=np.float32)
    positions = (np.arange(n) % 2).astype(np.int32)
    left_out[np.arange(n), positions] = share
    wrong = np.arange(n) >= n_right
    left_out[wrong] = left_out[wrong][:, ::-1]
    return left_out, positions, np.ones(n, dtype=np.float32)


def test_right_left_out_answers_never_lower_a_tier_and_wrong_ones_never_raise_one() -> None:
    shares = np.linspace(0.3, 1.0, 200).astype(np.float32)
    agreed = _tiers_of(200, 0, 0)
    before = np.full(200, Tier.ASK, dtype=np.uint8)
    for n_right in (2, 10, 40, 100, 400):
        after = earned(agreed, shares, trust(*_curve(n_right, 0)), 0.0)
        assert (after >= before).all()
        before = after
    assert (before == Tier.LOCKED).any()
    for n_wrong in (20, 100, 400):
        after = earned(agreed, shares, trust(*_curve(400, n_wrong)), 0.0)
        assert (after <= before).all()
        before = after
    assert (before == Tier.ASK).all()


def test_the_surest_come_first_and_what_models_differ_on_never_spreads() -> None:
    shares = np.linspace(0.0, 1.0, 90).astype(np.float32)
    raw = np.tile([Tier.LOCKED, Tier.LIKELY, Tier.ASK], 30).astype(np.uint8)
    for groups in (0.0, 0.3, 1.0):
        tiers = earned(raw, shares, trust(*_curve(200, 2)), groups)
        assert (tiers[raw == Tier.ASK] == Tier.ASK).all()
        spread = np.flatnonzero(raw > Tier.ASK)
        assert (np.diff((tiers[spread] >= Tier.LIKELY).astype(int)) >= 0).all()


@pytest.mark.slow
def test_one_hard_region_that_every_question_is_chosen_in_empties_no_export() -> None:
    points, y = blobs(900, n_classes=3, d=8)
    hard = np.flatnonzero(y == 2)
    rng = np.random.default_rng(0)
    points[hard] = points[hard].mean(axis=0) + rng.normal(size=(len(hard), 8)).astype(np.float32)
    y[hard] = 2 + rng.integers(3, size=len(hard))
    engine = opened(points)
    begun = answer(engine, y, 25).indices
    hard = np.setdiff1d(hard, begun)
    for n_hard in (20, 60, 120):
        order = np.r_[begun, hard[:n_hard]]
        result = engine.closing_round(snapshot(order, y[order]))
        spread = result.provenances == Provenance.PROPAGATED
        assert spread[y < 2].mean() > 0.5
        assert result.advice.code != "no-propagation"
        assert (result.labels == y)[spread].mean() > 0.9
