from __future__ import annotations

import numpy as np
import pytest

from labeler.core.types import Provenance, Tier
from labeler.engine.earned import trust
from labeler.engine.tiers import (
    SMALLEST,
    Agreement,
    Groups,
    agreement_of,
    earned,
    grouped,
    groups_of,
    is_discovering,
    is_near,
)
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


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_groups_of_two_classes_by_lot_do_not_spread(seed: int) -> None:
    """However smooth the groups are: a class that the features do not show is nobody's to guess."""
    points, group = blobs(1500, n_classes=10)
    y = (2 * group + np.random.default_rng(seed).integers(2, size=len(group))).astype(np.int32)
    engine = opened(points)
    for n_answers in (10, 20, 50, 100):
        result = engine.closing_round(answer(engine, y, n_answers))
        spread = result.provenances == Provenance.PROPAGATED
        assert spread.mean() <= 0.1 or (result.labels[spread] == y[spread]).mean() >= 0.9


def agreement(n_alike: int, n_agreed: int, n_differ: int) -> Agreement:
    """Labels that all models agree on, some of them among their own kind, and labels that they differ on."""
    n = n_alike + n_agreed + n_differ
    agreed = np.arange(n) < n_alike + n_agreed
    return Agreement(np.arange(n) % 5, agreed, agreed.copy(), np.arange(n) < n_alike)


def test_labels_are_agreed_where_the_models_together_and_all_others_say_the_same() -> None:
    points, _ = blobs(60, n_classes=1)
    graph = opened(points).space.graph
    labels = np.zeros(60, dtype=np.int32)
    labels[7] = 1
    other = 1 - labels
    odds = np.where(np.arange(60) < 30, 1.0, -1.0).astype(np.float32)
    who = agreement_of(labels, odds, (labels, other, labels), graph)
    assert (who.agreed == (np.arange(60) < 30)).all()
    assert not who.unanimous.any()
    assert (who.alike == ~((graph.neighbours == 7).any(axis=1) | (np.arange(60) == 7))).all()
    assert not agreement_of(labels, odds, (labels, labels, other), graph).agreed.any()


def test_groups_are_told_by_degrees_and_not_without_agreement_or_evidence() -> None:
    assert grouped(agreement(0, 0, 9), 1.0) == 0.0
    degrees = [grouped(agreement(n, 1000 - n, 20), 0.9) for n in range(1001)]
    assert degrees == sorted(degrees)
    assert max(np.diff(degrees)) < 0.05
    assert degrees[0] == 0.0
    assert degrees[-1] == 1.0
    # smooth groups that left-out answers are not guessed in are groups of something else
    evidence = [grouped(agreement(100, 0, 0), share) for share in np.linspace(0, 1, 101)]
    assert evidence == sorted(evidence)
    assert evidence[50] == 0.0
    assert evidence[-1] == 1.0


def test_few_answers_need_every_model_many_do_not() -> None:
    differ = Agreement(np.arange(100) % 5, np.ones(100, np.bool_), np.arange(100) < 73, np.ones(100, np.bool_))
    parts = [groups_of(differ, 0.9, 0.85, n, 0.0, discovering=False) for n in (10, 30, 50, 75, 100, 300)]
    assert [part.unanimous for part in parts] == pytest.approx([0, 0, 0, 4 / 15, 8 / 15, 8 / 15])
    differ = Agreement(np.arange(100) % 5, np.ones(100, np.bool_), np.arange(100) < 85, np.ones(100, np.bool_))
    parts = [groups_of(differ, 0.9, 0.85, n, 0.0, discovering=False) for n in (10, 20, 35, 50, 75, 100)]
    assert [part.unanimous for part in parts] == pytest.approx([0.5, 0.5, 0.5, 0.5, 0.5, 1.0])
    assert [part.agreed for part in parts] == pytest.approx([0, 0, 0, 0, 0.5, 1])  # those that some differ on
    assert not any(part.locked for part in parts)
    nearly = Agreement(np.arange(100) % 5, np.ones(100, np.bool_), np.arange(100) < 96, np.ones(100, np.bool_))
    locked = [groups_of(nearly, 0.9, 0.85, n, 0.0, discovering=False).locked for n in (10, 20, 35, 50, 75, 100)]
    assert locked[:2] == [0.0, 0.0]
    assert locked == sorted(locked)
    assert locked[2] > 0.0


def test_labels_that_are_not_smooth_or_not_unanimous_are_not_locked_by_groups() -> None:
    """What groceries of 15 and of 6 kinds were like, where the surest were less than 99 % right."""
    for smooth, unanimous in ((79, 96), (99, 88)):
        pool = Agreement(
            np.arange(100) % 5, np.ones(100, np.bool_), np.arange(100) < unanimous, np.arange(100) < smooth
        )
        parts = groups_of(pool, 0.9, 0.85, 200, 0.0, discovering=False)
        assert parts.locked == 0.0
        assert parts.unanimous > 0.5


def test_nothing_spreads_by_groups_where_classes_are_still_to_be_met() -> None:
    """Groceries of 20 kinds: 14 met, no start any more, and 81 % right of what all agreed on."""
    parts = [
        groups_of(agreement(90, 0, 10), 0.75, 0.85, 50, unseen, discovering=False) for unseen in (0.0, 0.2, 0.3, 1.0)
    ]
    assert [part.unanimous for part in parts] == sorted((part.unanimous for part in parts), reverse=True)
    assert parts[0].unanimous > 0.5
    assert parts[2].unanimous == parts[3].unanimous == 0.0


def test_the_first_answers_must_show_more_than_the_later_ones() -> None:
    """Groceries of 6 kinds after 20 answers: 93 % unanimous, two thirds of the left-out answers right, 94 % right."""
    pool = Agreement(np.arange(100) % 5, np.ones(100, np.bool_), np.arange(100) < 92, np.ones(100, np.bool_))
    parts = [groups_of(pool, 0.7, 0.85, n, 0.0, discovering=False).unanimous for n in (20, 35, 50, 300)]
    assert parts[0] == 0.0
    assert parts == sorted(parts)
    assert parts[2] == 1.0


def test_late_answers_are_judged_at_their_own_certainty() -> None:
    """MNIST's training images after 200 answers against groups of two classes each, drawn by lot."""
    pool = agreement(99, 0, 1)
    hard = [groups_of(pool, 0.6, 0.8, n, 0.0, discovering=False).agreed for n in (50, 100, 200)]
    assert hard == [0.0, 1.0, 1.0]
    by_lot = [
        groups_of(pool, 0.67, 0.72, n, 0.0, discovering=discovering) for n in (20, 50, 200) for discovering in (0, 1)
    ]
    assert not any(parts.unanimous or parts.agreed or parts.locked for parts in by_lot)


def test_many_answers_that_bear_labels_out_need_no_groups() -> None:
    """1,200 groceries of 15 kinds after 300 answers: 99.5 % right."""
    rough = Agreement(np.arange(100) % 5, np.ones(100, np.bool_), np.arange(100) < 86, np.arange(100) < 70)
    parts = [groups_of(rough, 0.75, expected, n, 0.0, discovering=False) for expected, n in ((0.93, 50), (0.86, 300))]
    assert not any(part.unanimous or part.agreed for part in parts)
    late = groups_of(rough, 0.75, 0.93, 300, 0.0, discovering=False)
    assert late.is_full
    assert not late.locked


def test_nothing_is_locked_while_a_class_may_be_missing() -> None:
    sure = np.full(200, 9.0, dtype=np.float32)
    curve = trust(*_curve(400, 0))
    for unseen in (0.1, 0.3, 1.0):
        for discovering in (True, False):
            groups = groups_of(agreement(200, 0, 0), 0.95, 0.85, 200, unseen, discovering=discovering)
            assert not (earned(agreement(200, 0, 0), sure, curve, groups) == Tier.LOCKED).any()
    groups = groups_of(agreement(200, 0, 0), 0.95, 0.85, 200, 0.0, discovering=False)
    assert (earned(agreement(200, 0, 0), sure, curve, groups) == Tier.LOCKED).all()


def test_one_more_class_late_does_not_start_all_over() -> None:
    assert is_discovering(True, 20, 0.0)
    assert is_discovering(True, 200, 0.5)
    assert not is_discovering(True, 200, 0.2)
    assert not is_discovering(False, 5, 1.0)


def _curve(n_right: int, n_wrong: int, share: float = 0.97) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = n_right + n_wrong
    left_out = np.full((n, 2), 1.0 - share, dtype=np.float32)
    positions = (np.arange(n) % 2).astype(np.int32)
    left_out[np.arange(n), positions] = share
    wrong = np.arange(n) >= n_right
    left_out[wrong] = left_out[wrong][:, ::-1]
    return left_out, positions, np.ones(n, dtype=np.float32)


def test_right_left_out_answers_never_lower_a_tier_and_wrong_ones_never_raise_one() -> None:
    odds = np.linspace(-1.0, 9.0, 200).astype(np.float32)
    agreed = agreement(200, 0, 0)
    before = np.full(200, Tier.ASK, dtype=np.uint8)
    for n_right in (2, 10, 40, 100, 400):
        after = earned(agreed, odds, trust(*_curve(n_right, 0)), Groups())
        assert (after >= before).all()
        before = after
    assert (before == Tier.LOCKED).any()
    for n_wrong in (20, 100, 400):
        after = earned(agreed, odds, trust(*_curve(400, n_wrong)), Groups())
        assert (after <= before).all()
        before = after
    assert (before == Tier.ASK).all()


def test_the_surest_come_first_and_what_models_differ_on_never_spreads() -> None:
    odds = np.linspace(-1.0, 9.0, 90).astype(np.float32)
    agreed = np.arange(90) % 3 > 0
    raw = Agreement(np.arange(90) % 5, agreed, agreed.copy(), np.arange(90) % 3 == 2)
    for part in (0.0, 0.3, 1.0):
        tiers = earned(raw, odds, trust(*_curve(200, 2)), Groups(part, part, 0.35 * part))
        assert (tiers[~agreed] == Tier.ASK).all()
        assert (np.diff((tiers[agreed] >= Tier.LIKELY).astype(int)) >= 0).all()


def test_no_tier_is_so_small_that_an_error_decides() -> None:
    odds = np.linspace(-1.0, 9.0, 1000).astype(np.float32)
    rng = np.random.default_rng(0)
    for _ in range(40):
        curve = trust(*_curve(int(rng.integers(1, 200)), int(rng.integers(0, 9))))
        tiers = earned(agreement(1000, 0, 0), odds, curve, Groups(*rng.uniform(0, 0.1, 3)))
        for tier in (Tier.LIKELY, Tier.LOCKED):
            count = int(np.count_nonzero(tiers == tier))
            assert count == 0 or count >= SMALLEST * 1000


@pytest.mark.slow
def test_one_hard_region_that_every_question_is_chosen_in_empties_no_export() -> None:
    points, y = blobs(900, n_classes=3, d=8)
    hard = np.flatnonzero(y == 2)
    rng = np.random.default_rng(0)
    points[hard] = points[hard].mean(axis=0) + rng.normal(size=(len(hard), 8)).astype(np.float32)
    y[hard] = 2 + rng.integers(3, size=len(hard))
    engine = opened(points)
    for n_answers in (60, 100):
        begun = answer(engine, y, n_answers)
        further = np.setdiff1d(hard, begun.indices)
        for n_hard in (0, 20, 60, 120):
            order = np.r_[begun.indices, further[:n_hard]]
            # chosen where the models were unsure: that is the margin each was asked with
            result = engine.closing_round(snapshot(order, y[order], np.r_[begun.weights, np.full(n_hard, 0.1)]))
            spread = result.provenances == Provenance.PROPAGATED
            assert spread[y < 2].mean() > 0.2
            assert spread[y >= 2].mean() < 0.25
            assert (result.labels == y)[spread].mean() > 0.9
            assert result.advice.code != "no-propagation"


def test_a_label_that_is_more_likely_wrong_never_spreads_by_its_group() -> None:
    odds = np.repeat([0.3, 7.0], 100).astype(np.float32)  # a rough region in a pool of groups
    left_out = np.concatenate([_curve(20, 0, 0.999)[0], _curve(10, 20, 0.55)[0]])
    positions = np.concatenate([_curve(20, 0)[1], _curve(10, 20)[1]])
    tiers = earned(agreement(200, 0, 0), odds, trust(left_out, positions, np.ones(50, np.float32)), Groups(1.0, 1.0))
    assert (tiers[:100] == Tier.ASK).all()
    assert (tiers[100:] >= Tier.LIKELY).all()


@pytest.mark.slow
def test_smooth_groups_whose_classes_are_mixed_are_not_exported() -> None:
    """An adversary of smoothness: the models agree on each group, and each holds two classes by lot."""
    points, group = blobs(500, n_classes=4, d=8, spread=0.4)
    y = (2 * group + (np.random.default_rng(0).random(500) < 0.45)).astype(np.int32)
    engine = opened(points)
    for n_answers in (15, 30, 100):
        result = engine.closing_round(answer(engine, y, n_answers))
        spread = result.provenances == Provenance.PROPAGATED
        assert spread.mean() < 0.1 or (result.labels == y)[spread].mean() > 0.9


def test_a_common_class_lies_among_its_own_kind_by_chance_and_is_no_group() -> None:
    labels = np.r_[np.zeros(90), np.ones(10)].astype(np.int32)
    alike, everything = np.arange(100) < 90, np.ones(100, dtype=np.bool_)
    common = Agreement(labels, everything, np.arange(100) < 90, alike)
    assert common.smoothness(everything) == pytest.approx(0.5)  # all of the common class, none of the other
    assert common.unanimity() == pytest.approx(0.5)
    even = Agreement(np.arange(100) % 2, everything, everything, alike)
    assert even.smoothness(everything) == pytest.approx(0.9)


def test_what_spread_goes_on_to_as_far_as_it_is_agreed_the_surest_first() -> None:
    odds = np.linspace(-1.0, 0.5, 200).astype(np.float32)  # nothing is earned by itself
    pool = agreement(100, 50, 50)
    curve = trust(*_curve(20, 20))
    assert not (earned(pool, odds, curve, Groups()) >= Tier.LIKELY).any()
    tiers = earned(pool, odds, curve, Groups(), 0.3)
    assert np.flatnonzero(tiers == Tier.LIKELY).tolist() == list(range(90, 150))
    everything = earned(pool, odds, curve, Groups(), 1.0)
    assert ((everything == Tier.LIKELY) == pool.agreed).all()


def test_of_one_class_alone_nothing_spreads() -> None:
    points, y = blobs(200, n_classes=2, d=4)
    rows = np.flatnonzero(y == 0)[:30]
    result = opened(points).closing_round(snapshot(rows, y[rows]))
    assert not (result.provenances == Provenance.PROPAGATED).any()
