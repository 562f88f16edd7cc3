"""While a program loads it collects seldom, and as usual afterwards."""

from __future__ import annotations

import gc

import pytest

from labeler.core import collector


@pytest.fixture
def _usual():
    before = gc.get_threshold()
    yield
    collector._waits_for_rest.clear()
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("_usual")
def test_it_collects_as_usual_after_loading_and_not_what_is_loaded():
    before = gc.get_threshold()
    collector.begin()
    assert gc.get_threshold()[0] == collector.LOADING
    collector.end()
    assert gc.get_threshold()[:2] == before[:2]
    assert gc.get_freeze_count() > 1_000


@pytest.mark.usefixtures("_usual")
def test_a_full_collection_waits_until_nobody_does(monkeypatch):
    due, full = 0, []
    monkeypatch.setattr(gc, "get_count", lambda: (0, 0, due))
    monkeypatch.setattr(gc, "collect", lambda: full.append(due))
    collector.begin()
    assert not collector.rest(is_idle=True)  # while it is loaded nothing is collected
    collector.end()
    for is_idle, least in ((True, collector.DUE), (False, collector.OVERDUE)):
        due = least - 1
        assert not collector.rest(is_idle=is_idle)
        due = least
        assert collector.rest(is_idle=is_idle)
    assert full == [collector.DUE, collector.OVERDUE]


@pytest.mark.usefixtures("_usual")
def test_python_makes_no_full_collection_by_itself():
    collector.begin()
    collector.end()
    seen = []
    gc.callbacks.append(count := lambda phase, info: seen.append(info["generation"]))
    try:
        kept = [[[]] for _ in range(200_000)]  # 280 young collections, 25 of the middle generation
    finally:
        gc.callbacks.remove(count)
    assert set(seen) == {0, 1}
    assert seen.count(1) >= 2 * 2 * collector.DUE
    assert collector.rest(is_idle=True)
    assert len(kept) == 200_000


@pytest.mark.usefixtures("_usual")
def test_an_end_without_a_beginning_changes_nothing():
    before = gc.get_threshold(), gc.get_freeze_count()
    collector.end()
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
    assert not collector.rest(is_idle=False)
