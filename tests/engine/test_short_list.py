from __future__ import annotations

import numpy as np
import pytest

from labeler.core.types import IntArray, Snapshot
from labeler.engine.default import DefaultEngine
from tests.engine.pools import blobs, last_round, opened, snapshot

X, Y = blobs(1_500, n_classes=6, d=8, spread=2.6)


@pytest.fixture(autouse=True)
def as_in_large_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labeler.engine.live.QUICK_UP_TO", 0)
    monkeypatch.setattr("labeler.engine.short_list.SHORT_LIST", 400)


@pytest.fixture
def engine() -> DefaultEngine:
    engine = opened(X)
    last_round(engine, first(60))
    return engine


def first(n_answers: int, y: IntArray = Y) -> Snapshot:
    return snapshot(range(n_answers), y[:n_answers])


def ahead(engine: DefaultEngine, *indices: int) -> None:
    for _ in engine.prepare(np.array(indices)):
        pass


@pytest.mark.slow
def test_a_glance_is_the_full_belief_on_its_short_list(engine: DefaultEngine) -> None:
    before = engine.rerank(first(60))
    for n_answers in range(61, 65):
        ahead(engine, n_answers - 1)
        queue = engine.rerank(first(n_answers))
    glance, full = engine.live.glance, engine.believer.believe(first(64), quick=True)
    assert glance is not None
    assert full is not None
    rows, live = glance.rows, glance.after(first(64))
    assert live is not None
    assert (live.labels[rows] == full.labels[rows]).mean() >= 0.999
    assert np.abs(live.proba[rows] - full.proba[rows]).max() <= 1e-3
    base = engine.live.belief
    assert base is not None
    assert np.abs(base.proba[rows] - full.proba[rows]).max() > 0.1
    expected = engine.live.margin_order(first(64), full)[:50]
    assert len(np.intersect1d(queue.indices[:100], expected)) >= 40
    assert not np.array_equal(queue.indices[:20], before.indices[:20])


@pytest.mark.slow
def test_what_is_not_prepared_is_struck_off_only(engine: DefaultEngine) -> None:
    queue = engine.rerank(first(60))
    after = engine.rerank(snapshot([*range(60), queue.indices[0]], [*Y[:60], Y[queue.indices[0]]]))
    assert queue.indices[0] not in after.indices
    _, one, other = np.intersect1d(queue.indices, after.indices, return_indices=True)
    np.testing.assert_allclose(queue.utilities[one], after.utilities[other], atol=1e-5)


@pytest.mark.mostly_slow
@pytest.mark.parametrize("what", ["undone", "a new class", "an answer changed", "somebody excluded"])
def test_it_does_not_go_on_from_another_past(engine: DefaultEngine, what: str) -> None:
    ahead(engine, 60, 61)
    engine.rerank(first(62))
    other = {
        "undone": first(61),
        "a new class": snapshot([*range(62)], [*Y[:61], 17]),
        "an answer changed": snapshot([*range(62)], [*Y[:61], (Y[61] + 1) % 6]),
        "somebody excluded": snapshot(range(62), Y[:62], excluded=[900]),
    }[what]
    fresh = opened(X)
    last_round(fresh, first(60))
    assert engine.rerank(other).indices[0] not in other.indices
    np.testing.assert_array_equal(engine.closing_round(other).labels, fresh.closing_round(other).labels)


@pytest.mark.slow
def test_a_glance_leaves_rounds_as_they_are(engine: DefaultEngine) -> None:
    quiet = opened(X)
    last_round(quiet, first(60))
    for n_answers in range(61, 66):
        ahead(engine, n_answers - 1)
        engine.rerank(first(n_answers))
    looked, plain = last_round(engine, first(65)), last_round(quiet, first(65))
    np.testing.assert_array_equal(looked.labels, plain.labels)
    np.testing.assert_allclose(looked.scores, plain.scores, atol=1e-5)
    assert engine.closing_round(first(65)).facts == quiet.closing_round(first(65)).facts
