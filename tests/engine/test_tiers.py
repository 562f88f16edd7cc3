from __future__ import annotations

import numpy as np
import pytest

from labeler.core.types import Provenance, Tier
from labeler.engine.tiers import is_near, is_smooth
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
    assert is_smooth(result.tiers)
    assert (result.provenances == Provenance.PROPAGATED).mean() > 0.5


@pytest.mark.slow
def test_where_neighbours_are_of_many_classes_nothing_spreads_until_answers_show_that_it_does() -> None:
    rng = np.random.default_rng(0)
    points, y = rng.normal(size=(800, 30)).astype(np.float32), rng.integers(5, size=800).astype(np.int32)
    engine = opened(points)
    for n_answers in (12, 25, 45):
        result = engine.closing_round(answer(engine, y, n_answers))
        assert not is_smooth(result.tiers)
        assert not (result.provenances == Provenance.PROPAGATED).any()
