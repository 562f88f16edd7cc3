"""What is said on quitting."""

from __future__ import annotations

from labeler.core.types import Provenance
from labeler.session.summary import in_the_export, keys_pressed, this_session


def test_labels_keys_and_time_of_this_session_alone(make_session, journal):
    first = make_session(journal=journal)
    first.label("i0", 0)
    first.label("i1", 0)
    session = make_session(journal=journal)
    assert this_session(session) == "this session: 0 labels given with 0 keys"
    session.recorder.presses = 0
    for name in ("i2", "i3", "i4"):
        session.recorder.presses += 2
        session.label(name, 1)
    session.recorder.presses += 1
    session.skip("i5")
    session.recorder.presses += 1  # an arrow, say
    assert this_session(session).startswith("this session: 3 labels given with 8 keys in ")
    assert keys_pressed(session) == 2 + 8


def test_breaks_are_no_time_spent(make_session):
    session = make_session()
    times = iter([100.0, 101.0, 103.0, 5000.0, 5002.0])
    session.recorder.clock = lambda: next(times)
    for number in range(5):
        session.label(f"i{number}", 0)
    assert "5 labels given with 5 keys in 5.0 s, breaks left out" in this_session(session)


def test_a_session_that_only_takes_back_says_so(make_session, journal):
    make_session(journal=journal).label("i0", 0)
    session = make_session(journal=journal)
    session.undo()
    assert "1 label taken back with 1 key" in this_session(session)


def test_the_export_by_provenance(make_session, make_round):
    session = make_session(n=6)
    words = [int(Provenance.PROPAGATED)] * 4 + [int(Provenance.PREDICTED)] * 2
    session.merge_round(make_round(6, session.state.revision, [0, 1, 0, 1, 0, 1], words))
    assert in_the_export(session) == "to export: 4 of 6 labels: 4 propagated"
    session.label("i0", 1)
    session.page([("i4", 0, "confirmed")])
    assert in_the_export(session) == "to export: 5 of 6 labels: 1 human, 1 confirmed, 3 propagated"


def test_settings_hold_no_keys_and_cost_none(make_session, journal):
    session = make_session(journal=journal)
    session.recorder.presses = 4
    session.set(percentile=20)
    assert "keys" not in session.state.settings
    session.label("i0", 0)
    assert (journal.events[-1].payload["keys"], session.state.keys) == (4, 4)
