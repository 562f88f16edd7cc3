"""The person's own pace."""

from __future__ import annotations

import pytest

from labeler.session.pace import intervals, pace, spoken, time_left, worked


def test_no_pace_below_five_answers():
    assert pace([0.0, 2.0, 4.0, 6.0]) is None
    assert pace([0.0, 2.0, 4.0, 6.0, 8.0]) == 2.0
    assert time_left([0.0, 2.0], 10) is None


def test_breaks_and_a_clock_set_back_are_no_pace():
    times = [0.0, 2.0, 4.0, 3_000.0, 3_002.0, 2_990.0, 2_992.0, 2_994.0]
    assert intervals(times) == [2.0] * 5
    assert pace(times) == 2.0
    assert worked(times) == 10.0


def test_five_answers_with_a_break_between_each_tell_nothing():
    assert pace([0.0, 100.0, 200.0, 300.0, 400.0, 401.0]) is None


def test_only_the_last_fifty_intervals_count():
    slow, fast = [10.0 * count for count in range(200)], [1_990.0 + 1.0 * count for count in range(1, 51)]
    assert pace(slow) == 10.0
    assert pace(slow + fast) == 1.0
    assert time_left(slow + fast, 30) == 30.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0.4 s"), (9.99, "10 s"), (89, "89 s"), (90, "2 min"), (3_600, "60 min"), (6_000, "1 h 40 min"),
     (7_200, "2 h"), (40_000, "11 h")],
)  # fmt: skip
def test_spoken(seconds, words):
    assert spoken(seconds) == words


def test_a_session_tells_it_from_its_answers_across_undo_and_restart(make_session, journal):
    session = make_session(journal=journal)
    for _ in range(4):
        session.label(session.question.instance_id, 0)
    session.flag("i9")  # no answer, but a second goes by
    assert session.view().pace is None
    session.unsure(session.question.instance_id)
    assert session.view().pace == 1.0
    times = list(session.state.times)
    session.undo()
    session.redo()
    assert session.state.times == times
    assert make_session(journal=journal).view().pace == 1.0
