"""What is shown of a belief: order kept, never above what the answers support, near what is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_moons

from labeler.core.types import FloatArray, IntArray, Round
from labeler.engine import calibration as rules
from labeler.engine.calibration import (
    UNSUPPORTED,
    Calibration,
    Evidence,
    alike,
    calibrate,
    certainty,
    left_out_right,
    reached_share,
    support,
    tempered,
)
from labeler.engine.live import LiveBelief
from labeler.project.open import open_project
from tests.engine.pools import answer, assert_same, blobs, last_round, opened, snapshot

SHARE = st.floats(0.0, 1.0)
EVIDENCE = st.builds(
    Evidence,
    reached=SHARE,
    locked=SHARE,
    certain=SHARE,
    left_out=SHARE,
    support=SHARE,
    n_answers=st.integers(1, 2_000),
    n_classes=st.integers(1, 40),
)


def shares_of(rows: int, k: int, sharpness: float, seed: int) -> FloatArray:
    """Rows of class shares (rows, k), from even ones to such as float32 cannot tell from 0 and 1."""
    logits = np.random.default_rng(seed).normal(scale=sharpness, size=(rows, k))
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (raised / raised.sum(axis=1, keepdims=True)).astype(np.float32)


@given(EVIDENCE, st.integers(1, 700), st.integers(1, 9), st.floats(0.01, 40.0), st.integers(0, 99))
def test_no_order_changes_no_sum_exceeds_one_and_nothing_exceeds_its_share_or_what_is_supported(
    evidence: Evidence, rows: int, k: int, sharpness: float, seed: int
) -> None:
    shares = shares_of(rows, k, sharpness, seed)
    curve = calibrate(shares.max(axis=1), evidence)
    shown = curve.of(shares)
    assert np.isfinite(shown).all()
    assert (shown >= 0.0).all()
    assert (shown.sum(axis=1) <= 1.0 + 1e-5).all()
    assert (shown <= shares + 1e-6).all()
    assert shown.max() <= max(UNSUPPORTED, evidence.support) + 1e-6
    by_share = np.argsort(shares, axis=1, kind="stable")
    assert (np.diff(np.take_along_axis(shown, by_share, axis=1), axis=1) >= 0.0).all()
    largest = np.sort(shares.max(axis=1))
    assert (np.diff(curve.of_largest(largest)) >= 0.0).all()
    np.testing.assert_allclose(shown.max(axis=1), curve.of_largest(shares.max(axis=1)), atol=1e-6)


def test_instances_that_can_be_told_apart_are_shown_apart_even_at_the_most_there_is() -> None:
    largest = np.linspace(0.99, 0.9999, 2_000).astype(np.float32)
    curve = calibrate(largest, Evidence(1.0, 1.0, 1.0, 1.0, 0.0, 50, 10))
    shown = curve.of_largest(largest)
    assert (np.diff(shown) > 0.0).mean() > 0.95
    assert 0.89 < shown[-1] <= UNSUPPORTED


def test_a_pool_in_groups_shows_as_many_as_sure_as_the_answers_reach() -> None:
    largest = np.linspace(0.9, 0.9999, 4_000).astype(np.float32)
    for reached in (0.2, 0.5, 0.8):
        shown = calibrate(largest, Evidence(reached, reached, reached, 0.1, 0.0, 5, 3)).of_largest(largest)
        assert abs((shown > 0.5).mean() - reached) < 0.1


@pytest.mark.parametrize("digits", [1, 3, 8])
def test_a_knot_shows_what_is_expected_of_all_that_share_its_value(digits: int) -> None:
    evidence = Evidence(0.6, 0.5, 0.5, 0.7, 0.95, 60, 5)
    largest = np.random.default_rng(digits).random(5_000).astype(np.float32).round(digits)
    curve = calibrate(largest, evidence)
    expected = evidence.expected((np.arange(5_000) + 0.5) / 5_000)
    ordered = np.sort(largest)
    for knot, shown in zip(curve.knots, curve.shown, strict=True):
        alike = ordered == np.float32(knot)
        assert shown == pytest.approx(min(expected[alike].mean(), evidence.most), abs=2e-3)
        assert shown <= evidence.most
    assert len(curve.knots) == min(len(np.unique(largest)), rules.KNOTS)


def test_where_shares_tell_nobody_apart_all_are_shown_what_is_right_among_them() -> None:
    largest = np.ones(1_000, dtype=np.float32)
    for reached in (0.2, 0.5, 0.8):
        shown = calibrate(largest, Evidence(reached, reached, reached, 0.1, 0.0, 5, 3)).of_largest(largest)
        np.testing.assert_allclose(shown, reached, atol=0.05)


def test_agreement_counts_little_at_few_answers_and_nothing_of_one_class() -> None:
    few, many = (Evidence(1.0, 0.72, 1.0, 0.1, 0.0, n_answers, 4) for n_answers in (3, 30))
    assert few.grouped == 0.0
    assert many.grouped > 0.5
    assert Evidence(1.0, 1.0, 1.0, 0.1, 0.0, 30, 1).grouped == 0.0
    talked_into = Evidence(1.0, 1.0, 0.35, 0.1, 0.0, 3, 2)
    assert talked_into.grouped == 0.0


def test_support_is_the_rule_of_succession_over_the_surest_left_out_answers() -> None:
    positions = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2], dtype=np.int32)
    left_out = np.full((9, 3), 0.05, dtype=np.float32)
    left_out[np.arange(9), positions] = 0.9
    assert support(left_out, positions) == pytest.approx(9 / 10)  # the only one of its class is not looked at
    left_out[0] = (0.3, 0.4, 0.3)  # wrong, and the least sure: it takes nothing from the others
    assert support(left_out, positions) == pytest.approx(8 / 9)
    left_out[0] = (0.0, 1.0, 0.0)  # wrong, and the surest: it counts against all
    assert support(left_out, positions) == pytest.approx(8 / 10)
    assert support(left_out[:1], positions[:1]) == 0.0


def test_left_out_answers_count_as_much_as_they_stand_for_and_single_ones_are_misses() -> None:
    positions = np.array([0, 0, 1, 1, 2], dtype=np.int32)
    left_out = np.eye(3, dtype=np.float32)[[0, 0, 0, 1, 2]]
    equal = left_out_right(left_out, positions, np.ones(5, dtype=np.float32))
    assert equal == pytest.approx((3 + rules.LEFT_OUT * rules.STRENGTH) / (5 + rules.STRENGTH))
    hard = np.array([1, 1, 0.05, 1, 1], dtype=np.float32)  # the wrong one was chosen because it is hard
    assert left_out_right(left_out, positions, hard) > equal
    assert alike(left_out, positions) == pytest.approx(4 / 6)


def test_what_walks_reach_is_a_group_and_not_the_ones_beside_it() -> None:
    mass = np.zeros((1_000, 2), dtype=np.float32)
    mass[:300] = 0.5  # all the 300 visits of three answers, on a part of the pool
    assert reached_share(mass, 3.0, 3, 0.99) == pytest.approx(0.3)
    assert reached_share(np.full((1_000, 1), 0.3, dtype=np.float32), 3.0, 3, 0.99) == 1.0


def test_certainty_is_beyond_chance() -> None:
    assert certainty(np.full((5, 4), 0.25, dtype=np.float32)) == pytest.approx(0.0)
    assert certainty(np.eye(4, dtype=np.float32)) == pytest.approx(1.0)
    assert certainty(np.ones((5, 1), dtype=np.float32)) == 0.0  # one class alone: nothing to be certain of


def test_a_product_of_models_loses_half_of_its_log_odds_and_a_single_one_none() -> None:
    share = np.array([0.0, 0.5, 0.9, 1.0])
    np.testing.assert_allclose(tempered(share, rules.PRODUCT), [0.0, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(tempered(share, rules.SINGLE), share)


# -- in the engine -----------------------------------------------------------------------------------------------


def machine(result: Round, given: FloatArray | IntArray) -> np.ndarray:
    """Which instances have a label of the machine's."""
    mask = np.ones(len(result.labels), dtype=np.bool_)
    mask[given] = False
    return mask


@pytest.mark.slow
def test_on_noise_nothing_is_sure_however_many_answers_there_are() -> None:
    """The adversary: random pixels, classes by lot; models are certain of them from the first answers on."""
    gaps, highest, raw = [], [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        points, y = rng.normal(size=(600, 40)).astype(np.float32), rng.integers(5, size=600).astype(np.int32)
        engine = opened(points)
        for n_answers in (3, 5, 10, 20, 50):
            state = answer(engine, y, n_answers)
            result = engine.closing_round(state)
            rest = machine(result, state.indices)
            gaps.append(float(result.scores[rest].mean() - (result.labels == y)[rest].mean()))
            highest.append(float(result.scores[rest].max()))
            belief = engine.believer.believe(state, fresh=True)
            assert belief is not None
            raw.append(float(belief.proba.max(axis=1)[rest].mean()))
    assert np.mean(raw) > 0.7  # what would be shown without
    assert np.mean(np.abs(gaps)) < 0.1
    assert max(gaps) < 0.2
    assert max(highest) < 0.5


@pytest.mark.mostly_slow
@pytest.mark.parametrize("n_answers", [3, 5, 10, 20, 50])
def test_five_groups_are_shown_as_right_as_they_are(n_answers: int) -> None:
    for seed in range(3):
        points, y = blobs(600, n_classes=5, seed=seed)
        engine = opened(points)
        state = answer(engine, y, n_answers)
        result = engine.closing_round(state)
        rest = machine(result, state.indices)
        right = (result.labels == y)[rest].mean()
        assert abs(result.scores[rest].mean() - right) <= 0.15, (seed, right)


@pytest.mark.parametrize(("n_answers", "less"), [(10, 0.25), (20, 0.12), (50, 0.12)])
def test_two_moons_are_never_shown_righter_than_they_are_nor_far_less(n_answers: int, less: float) -> None:
    points, y = make_moons(500, noise=0.06, random_state=0)
    engine = opened(points.astype(np.float32))
    state = answer(engine, y.astype(np.int32), n_answers)
    result = engine.closing_round(state)
    rest = machine(result, state.indices)
    assert -less <= result.scores[rest].mean() - (result.labels == y)[rest].mean() <= 0.02


@pytest.mark.slow
def test_nothing_above_ninety_is_shown_before_left_out_answers_support_it() -> None:
    points, y = blobs(600, n_classes=5)
    engine = opened(points)
    surest = []
    for n_answers in (1, 2, 3, 5, 8, 40):
        state = answer(engine, y, n_answers)
        result = engine.closing_round(state)
        belief = engine.believer.believe(state, fresh=True)
        assert belief is not None
        shown = float(result.scores[machine(result, state.indices)].max())
        queued = float(result.queue.guess_scores.max())
        assert max(shown, queued) <= belief.calibration.most + 1e-6
        assert result.facts["shown_at_most"] == belief.calibration.most
        surest.append(shown)
    assert max(surest[:4]) <= UNSUPPORTED
    assert surest[-1] > UNSUPPORTED  # forty answers in five groups do support it


@pytest.mark.slow
def test_what_is_shown_keeps_the_order_of_belief() -> None:
    points, y = blobs(800, n_classes=6, spread=3.0)
    engine = opened(points)
    state = answer(engine, y, 25)
    result, belief = engine.closing_round(state), engine.believer.believe(state, fresh=True)
    assert belief is not None
    rest = machine(result, state.indices)
    order = np.argsort(belief.proba.max(axis=1)[rest], kind="stable")
    assert (np.diff(result.scores[rest][order]) >= 0.0).all()
    queue = result.queue
    assert (np.diff(queue.guess_scores, axis=1) <= 0.0).all()
    assert (queue.guess_scores.sum(axis=1) <= 1.0 + 1e-5).all()
    np.testing.assert_allclose(queue.guess_scores[:, 0], result.scores[queue.indices], atol=1e-6)


@pytest.mark.slow
def test_questions_labels_tiers_and_pages_rest_on_belief_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    points, y = blobs(800, n_classes=6, spread=3.0)
    engine = opened(points)
    state = answer(engine, y, 60)
    with_it, page = engine.closing_round(state), engine.grid(state, 25, np.empty(0, dtype=np.int64))
    flat = Calibration(np.array([0.0, 1.0]), np.array([0.1, 0.2]), 0.9)
    monkeypatch.setattr("labeler.engine.belief.calibrate", lambda largest, evidence: flat)
    other = opened(points)
    assert answer(other, y, 60).indices.tolist() == state.indices.tolist()
    without = other.closing_round(state)
    for name in ("labels", "provenances", "tiers", "sources", "runner_ups", "doubts"):
        np.testing.assert_array_equal(getattr(with_it, name), getattr(without, name), err_msg=name)
    for name in ("indices", "utilities", "rules", "margins", "guesses"):
        np.testing.assert_array_equal(getattr(with_it.queue, name), getattr(without.queue, name), err_msg=name)
    assert not np.array_equal(with_it.scores, without.scores)
    other_page = other.grid(state, 25, np.empty(0, dtype=np.int64))
    assert page is not None
    assert other_page is not None
    assert page.indices.tolist() == other_page.indices.tolist()


@pytest.mark.slow
def test_the_same_answers_show_the_same_whatever_was_believed_before() -> None:
    points, y = blobs(500, n_classes=4, spread=2.0)
    engine = opened(points)
    state = answer(engine, y, 30)
    first = engine.closing_round(state)
    last_round(engine, snapshot(state.indices[:10], state.class_ids[:10]))
    assert_same(first, engine.closing_round(state))
    assert_same(first, opened(points).closing_round(state))


def test_a_glance_shows_by_the_curve_of_the_belief_it_goes_on_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labeler.engine.live.QUICK_UP_TO", 0)
    points, y = blobs(900, n_classes=5, spread=2.5)
    engine = opened(points)
    state = snapshot(range(60), y[:60])
    last_round(engine, state)
    live: LiveBelief = engine.live
    base = live.belief
    assert base is not None
    for _ in engine.prepare(np.array([60])):
        pass
    queue = engine.rerank(snapshot(range(61), y[:61]))
    glance = live.glance
    assert glance is not None
    belief = glance.after(snapshot(range(61), y[:61]))
    assert belief is not None
    assert belief.calibration is base.calibration
    largest = belief.proba[queue.indices].max(axis=1)
    np.testing.assert_allclose(queue.guess_scores[:, 0], base.calibration.of_largest(largest), atol=1e-6)


@pytest.mark.slow
def test_what_was_shown_is_there_again_when_a_project_is_opened_again(tmp_path: Path) -> None:
    path, source = tmp_path / "p.labeler.db", tmp_path / "groups.npz"
    points, _ = blobs(300, n_classes=3)
    np.savez(source, X=points)
    with open_project(source, path) as project:
        pipeline, session = project.open_pipeline(), project.session
        session.merge_queue(pipeline.rerank(session.snapshot()), session.state.revision)
        for number in range(12):
            assert session.question is not None
            session.label(session.question.instance_id, session.classes.id_for(str(number % 3), setup=True))
            for step in pipeline.round(session.snapshot()):
                if isinstance(step, Round):
                    session.merge_round(step)
        asked, kept = session.question, session.view().round
    with open_project(source, path) as project:
        again, stored = project.session.question, project.session.view().round
        assert asked is not None
        assert again is not None
        assert again.guesses == asked.guesses
        assert asked.guesses
        assert max(score for _, score in asked.guesses) <= UNSUPPORTED
        assert kept is not None
        assert stored is not None
        np.testing.assert_array_equal(kept.scores, stored.scores)
        assert stored.facts["shown_at_most"] == kept.facts["shown_at_most"]
