from __future__ import annotations

import numpy as np
import pytest

from labeler.core.types import Provenance
from labeler.engine.live import LiveBelief
from labeler.engine.pages import FROM_ANSWERS
from labeler.engine.stopping import WINDOW, advise, is_quiet
from tests.engine.pools import answer, blobs, last_round, opened, snapshot


def test_stop_is_advised_when_nothing_changes_any_more() -> None:
    points, y = blobs(300)
    engine = opened(points)
    assert last_round(engine, answer(engine, y, 45)).advice.code == "stop"


def test_before_the_first_answer() -> None:
    assert advise(None, steady=False, open_questions=9, page_pays=False).code == "answer"


def test_pages_are_advised_where_they_pay_and_stopping_comes_first() -> None:
    points, y = blobs(300)
    belief = opened(points).believer.believe(snapshot(range(60), y[:60]))
    going_on = advise(belief, steady=False, open_questions=9, page_pays=False)
    assert (going_on.code, going_on.key) == ("answer", "")
    pages = advise(belief, steady=False, open_questions=9, page_pays=True)
    assert (pages.code, pages.key) == ("grids", "G")
    assert advise(belief, steady=True, open_questions=9, page_pays=False).key == "Q"
    either = advise(belief, steady=True, open_questions=9, page_pays=True)
    assert (either.code, either.key) == ("stop", "G")
    assert advise(belief, steady=False, open_questions=0, page_pays=True).key == "Q"


@pytest.mark.slow
def test_what_the_next_keys_bring_is_not_told_of_a_few_answers() -> None:
    points, y = blobs(300, spread=3.5)
    engine = opened(points)
    early, late = (last_round(engine, answer(engine, y, count)).facts for count in (FROM_ANSWERS - 1, FROM_ANSWERS))
    assert "gain" not in early
    assert early["gain_from"] == FROM_ANSWERS
    assert late["gain"][0] == 20


@pytest.mark.slow
def test_steady_are_labels_that_twenty_single_answers_hardly_changed() -> None:
    points, y = blobs(300, spread=3.5)
    engine = opened(points)
    live = LiveBelief(engine.believer)
    order = np.random.default_rng(0).permutation(300)
    changed = []
    for count in range(3, 150):
        given = order[:count]
        live.think(snapshot(given, y[given]))
        labels = live.belief.answers.classes[live.belief.labels]
        changed.append(labels)
        if count < 3 + WINDOW:
            assert not live.is_steady()  # nobody can tell yet
        else:
            assert live.is_steady() == is_quiet(int((changed[-1 - WINDOW] != labels).sum()), 300)
    assert live.is_steady()
    live.think(snapshot(order[:10], y[order[:10]]))  # taken back: what came later is forgotten
    assert not live.is_steady()


def test_a_confirmed_page_counts_as_a_look_not_as_so_many_answers() -> None:
    points, y = blobs(300)
    live = LiveBelief(opened(points).believer)
    live.think(snapshot(range(12), y[:12]))
    page = snapshot(range(42), y[:42])
    page.provenances[12:] = Provenance.CONFIRMED
    live.think(page)
    assert not live.is_steady()


def test_in_large_pools_hardly_any_is_more() -> None:
    assert [is_quiet(changed, 10_000) for changed in (5, 6)] == [True, False]
    assert [is_quiet(changed, 100_000) for changed in (20, 21)] == [True, False]
