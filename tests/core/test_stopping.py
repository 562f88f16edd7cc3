from __future__ import annotations

from labeler.core.stopping import advise
from tests.core.pools import answer, blobs, last_round, opened, snapshot


def test_stop_is_advised_when_nothing_changes_any_more() -> None:
    points, y = blobs(300)
    engine = opened(points)
    assert last_round(engine, answer(engine, y, 45)).advice.code == "stop"


def test_before_the_first_answer() -> None:
    assert advise(None, 0.0, steady=False, open_questions=9).code == "answer"


def test_the_advice_follows_what_an_answer_is_worth() -> None:
    points, y = blobs(300)
    engine = opened(points)
    early = engine.believer.believe(snapshot(range(20), y[:20]))
    late = engine.believer.believe(snapshot(range(60), y[:60]))
    assert "2.0" in advise(early, 2.0, steady=False, open_questions=9).text
    assert advise(early, 0.1, steady=False, open_questions=9).code == "answer"
    assert advise(late, 0.1, steady=False, open_questions=9) == advise(late, 0.2, steady=False, open_questions=5)
    assert advise(late, 0.1, steady=False, open_questions=9).key == "G"
    assert advise(late, 0.0, steady=False, open_questions=0).key == "Q"
