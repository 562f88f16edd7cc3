from __future__ import annotations

from labeler.core.grids import FROM_ANSWERS
from labeler.core.stopping import advise
from tests.core.pools import answer, blobs, last_round, opened, snapshot


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


def test_what_the_next_keys_bring_is_not_told_of_a_few_answers() -> None:
    points, y = blobs(300, spread=3.5)
    engine = opened(points)
    early, late = (last_round(engine, answer(engine, y, count)).facts for count in (FROM_ANSWERS - 1, FROM_ANSWERS))
    assert "gain" not in early
    assert early["gain_from"] == FROM_ANSWERS
    assert late["gain"][0] == 20
