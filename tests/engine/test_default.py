from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_iris, load_wine

from labeler.core.errors import EngineError
from labeler.core.types import GIVEN, UNLABELED, Provenance, Tier
from labeler.engine.default import DefaultEngine
from tests.engine.pools import answer, assert_same, blobs, last_round, opened, snapshot

X, Y = blobs(240, n_classes=4)
NONE = np.empty(0, dtype=np.int64)


@pytest.fixture(scope="module")
def engine() -> DefaultEngine:
    return opened(X)


def test_a_few_answers_label_everything(engine: DefaultEngine) -> None:
    result = engine.closing_round(answer(engine, Y, 20))
    assert (result.labels == Y).mean() > 0.98
    assert (result.provenances == Provenance.PROPAGATED).mean() > 0.8


def test_nothing_answered(engine: DefaultEngine) -> None:
    result = engine.closing_round(snapshot())
    assert (result.labels == UNLABELED).all()
    assert (result.provenances == Provenance.NONE).all()
    assert result.advice.code == "answer"
    assert len(result.queue.indices) >= 50
    assert engine.grid(snapshot(), 25, NONE) is None
    assert engine.shares(snapshot(), 3) == []


def test_the_shares_of_a_label_are_those_of_answers_of_its_class(engine: DefaultEngine) -> None:
    state = answer(engine, Y, 30)
    other = int(np.setdiff1d(np.arange(240), state.indices)[0])
    shares = engine.shares(state, other)
    assert sum(share for _, share in shares) == pytest.approx(1.0, abs=1e-5)
    assert [share for _, share in shares] == sorted((share for _, share in shares), reverse=True)
    assert {int(Y[index]) for index, _ in shares} == {int(engine.closing_round(state).labels[other])}
    assert engine.shares(state, int(state.indices[4])) == [(int(state.indices[4]), 1.0)]


def test_a_repeat_of_an_answered_instance_rests_on_it_alone() -> None:
    doubled = X.copy()
    doubled[100] = doubled[7]
    engine = opened(doubled)
    state = snapshot([3, 7, 50, 60], Y[[3, 7, 50, 60]].tolist())
    assert engine.shares(state, 100) == [(7, 1.0)]


def test_everything_answered(engine: DefaultEngine) -> None:
    result = engine.closing_round(snapshot(range(240), Y))
    np.testing.assert_array_equal(result.labels, Y)
    assert not len(result.queue.indices)
    assert result.advice.code in {"stop", "audit"}


def test_one_class_only(engine: DefaultEngine) -> None:
    result = engine.closing_round(snapshot([3, 9], [7, 7]))
    assert (result.labels == 7).all()
    assert (result.runner_ups == UNLABELED).all()


def test_work_ahead_changes_no_bit_and_spares_the_solve() -> None:
    plain, ahead = opened(X), opened(X)
    assert not list(ahead.prepare(np.arange(5)))  # nothing to do before the models are there
    state = answer(plain, Y, 10)
    last_round(ahead, answer(ahead, Y, 10))
    queue = ahead.rerank(state)
    assert list(ahead.prepare(queue.indices[:16]))
    solved: list[int] = []
    solve = ahead.believer.walk.solve_by_steps
    ahead.believer.walk.solve_by_steps = lambda seeds: (solved.append(seeds.shape[1]), solve(seeds))[1]  # type: ignore[method-assign]
    following = snapshot([*state.indices, queue.indices[0]], [*state.class_ids, Y[queue.indices[0]]])
    assert_same(last_round(plain, following), last_round(ahead, following))
    assert_same(plain.closing_round(following), ahead.closing_round(following))
    assert len(solved) == 1  # the closing round's own


answered = st.lists(
    st.tuples(st.integers(0, 239), st.integers(0, 5)), min_size=1, max_size=30, unique_by=lambda a: a[0]
)


@pytest.mark.slow
@settings(max_examples=25)
@given(answers=answered, percentile=st.sampled_from([None, 0.0, 20.0, 100.0]), data=st.data())
def test_given_labels_never_change(engine: DefaultEngine, answers, percentile, data) -> None:
    indices, class_ids = zip(*answers, strict=True)
    free = sorted(set(range(240)) - set(indices))
    out = data.draw(st.lists(st.sampled_from(free), max_size=5, unique=True))
    held = [index for index in data.draw(st.lists(st.sampled_from(free), max_size=5, unique=True)) if index not in out]
    state = snapshot(indices, class_ids, percentile=percentile, excluded=out, held_back=held)
    for result in (engine.closing_round(state), last_round(engine, state)):
        np.testing.assert_array_equal(result.labels[state.indices], state.class_ids)
        assert np.isin(result.provenances[state.indices], GIVEN).all()
        assert (result.sources[state.indices] == state.indices).all()
        assert (result.labels[out] == UNLABELED).all()
        assert (result.provenances[held] == Provenance.PREDICTED).all()
        assert (result.tiers[held] == Tier.ASK).all()
        assert not np.isin(result.queue.indices, [*indices, *out, *held]).any()
        assert len(np.unique(result.queue.indices)) == len(result.queue.indices)
        assert set(np.unique(result.labels)) <= {UNLABELED, *class_ids}
        assert ((result.scores >= 0) & (result.scores <= 1)).all()


@pytest.mark.slow
@settings(max_examples=15)
@given(answers=answered, taken_back=st.integers(0, 29))
def test_undo_gives_the_closing_round_without_the_answer(engine: DefaultEngine, answers, taken_back) -> None:
    indices, class_ids = map(list, zip(*answers, strict=True))
    fresh = opened(X)
    spot = taken_back % len(indices)
    without = snapshot(indices[:spot] + indices[spot + 1 :], class_ids[:spot] + class_ids[spot + 1 :])
    last_round(engine, snapshot(indices, class_ids))
    last_round(engine, without)
    assert_same(engine.closing_round(without), fresh.closing_round(without))


def test_the_live_state_is_close_to_the_closing_round(engine: DefaultEngine) -> None:
    state = answer(engine, Y, 40)
    live, closing = last_round(engine, state), engine.closing_round(state)
    assert (live.labels == closing.labels).mean() >= 0.999
    assert np.abs(live.scores - closing.scores).max() <= 1e-3


@pytest.mark.slow
def test_the_same_seed_asks_the_same_questions() -> None:
    first = answer(opened(X, random_state=3), Y, 30)
    second = answer(opened(X, random_state=3), Y, 30)
    np.testing.assert_array_equal(first.indices, second.indices)


def test_the_percentile_bounds_the_reach(engine: DefaultEngine) -> None:
    state = answer(engine, Y, 20)
    shares = []
    for percentile in (0.0, 20.0, 100.0):
        asked = snapshot(state.indices, state.class_ids, state.weights, percentile)
        shares.append(float((engine.closing_round(asked).provenances == Provenance.PROPAGATED).mean()))
    assert shares[0] < shares[1] < shares[2]
    assert shares[0] <= 0.05
    assert shares[2] > 0.85


@pytest.mark.slow
def test_identical_instances_are_asked_once_and_share_the_label() -> None:
    points, y = blobs(120)
    points[60:] = points[:60]
    y[60:] = y[:60]
    engine = opened(points)
    state = answer(engine, y, 60)
    assert len(np.unique(state.indices % 60)) == len(state.indices)
    result = engine.closing_round(state)
    np.testing.assert_array_equal(result.labels[:60], result.labels[60:])


def test_shares_name_the_answers_behind_a_label(engine: DefaultEngine) -> None:
    state = answer(engine, Y, 20)
    result = engine.closing_round(state)
    index = int(np.flatnonzero(result.provenances == Provenance.PROPAGATED)[0])
    shares = engine.shares(state, index)
    assert sum(share for _, share in shares) == pytest.approx(1)
    assert shares == sorted(shares, key=lambda pair: -pair[1])
    assert all(Y[source] == result.labels[index] for source, _ in shares)
    asked = int(state.indices[0])
    assert engine.shares(state, asked) == [(asked, 1.0)]


@pytest.mark.slow
def test_questions_between_the_steps_of_a_round_change_nothing_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labeler.engine.propagation.ROWS_A_STEP", 3_000)
    plain, busy = opened(X), opened(X)
    early = answer(plain, Y, 10)
    last_round(plain, early), last_round(busy, early)
    state = snapshot(range(20), Y[:20])
    longer = snapshot(range(22), Y[:22])
    steps = []
    for step in busy.round(state):
        steps.append(step)
        busy.rerank(longer if len(steps) % 3 else early)
    assert len(steps) > 20
    found, expected = steps[-1], last_round(plain, state)
    np.testing.assert_array_equal(found.labels, expected.labels)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-3)
    np.testing.assert_allclose(
        last_round(busy, longer).scores, busy.closing_round(longer).scores, atol=1e-3
    )  # and nothing half-done is left behind


def test_newcomers_are_labeled(engine: DefaultEngine) -> None:
    state = answer(engine, Y, 20)
    labels, scores = engine.predict(state, X[:50] + 0.01)
    assert (labels == Y[:50]).mean() > 0.95
    assert ((scores >= 0) & (scores <= 1)).all()
    assert (engine.predict(snapshot(), X[:5])[0] == UNLABELED).all()


def test_noise_stays_where_it_is(engine: DefaultEngine) -> None:
    y = Y.copy()
    wrong = np.random.default_rng(0).random(240) < 0.05
    y[wrong] = (y[wrong] + 1) % 4
    result = engine.closing_round(answer(engine, y, 60))
    assert (result.labels == Y).mean() > 0.95


@pytest.mark.slow
def test_tens_of_thousands_of_imports_stay_bounded() -> None:
    points, y = blobs(4000)
    engine = opened(points)
    result = engine.closing_round(snapshot(range(3500), y[:3500]))
    assert (result.labels == y).mean() > 0.99


@pytest.mark.slow
def test_labels_that_do_not_spread_are_said_to() -> None:
    rng = np.random.default_rng(0)
    points, y = rng.normal(size=(400, 20)).astype(np.float32), rng.integers(4, size=400).astype(np.int32)
    engine = opened(points)
    result = engine.closing_round(answer(engine, y, 60))
    assert result.advice.code == "no-propagation"
    assert not (result.provenances == Provenance.PROPAGATED).any()


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((0, 4)),
        np.ones((1, 4)),
        np.eye(2),
        np.arange(9.0).reshape(3, 3),
        np.ones((60, 4)),
        np.c_[np.arange(60.0), np.ones(60)],
        np.random.default_rng(0).normal(size=(8, 300)),
        np.random.default_rng(0).normal(size=(90, 5)) * 1e12,
        np.zeros((30, 0)),
    ],
    ids=["none", "one", "two", "three", "identical", "constant column", "wide", "huge", "no feature"],
)
def test_odd_pools_do_the_sensible_thing(points: np.ndarray) -> None:
    engine = opened(points.astype(np.float32))
    y = np.arange(len(points), dtype=np.int32) % 2
    state = answer(engine, y, 12)
    result = engine.closing_round(state)
    assert len(result.labels) == len(points)
    np.testing.assert_array_equal(result.labels[state.indices], y[state.indices])
    assert engine.grid(state, 25, NONE) is None or len(state.indices) > 9


def test_features_that_are_no_numbers_are_refused() -> None:
    points = X.copy()
    points[5, 2] = np.nan
    with pytest.raises(EngineError) as refused:
        opened(points)
    assert refused.value.hint


@pytest.mark.parametrize(("load", "least"), [(load_iris, 0.94), (load_wine, 0.94), (load_breast_cancer, 0.94)])
def test_tables(load, least: float) -> None:
    table = load()
    scaled = ((table.data - table.data.mean(axis=0)) / table.data.std(axis=0)).astype(np.float32)
    engine = opened(scaled)
    y = table.target.astype(np.int32)
    assert (engine.closing_round(answer(engine, y, 25)).labels == y).mean() > least


@pytest.mark.slow
def test_more_classes_than_a_hundred() -> None:
    points, y = blobs(1500, n_classes=110, d=30, spread=1.0)
    engine = opened(points)
    state = answer(engine, y, 180)
    assert len(np.unique(state.class_ids)) >= 105
    assert (engine.closing_round(state).labels == y).mean() > 0.95
