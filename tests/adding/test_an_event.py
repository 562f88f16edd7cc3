"""A newcomer's kind of event: one class, one fold, one word, and it is recorded, undone, stored and shown."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest

from labeler.core.codec import ClassId, Count
from labeler.core.events import KINDS, Body
from labeler.core.pool import Pool
from labeler.session.session import Session
from labeler.session.state import FOLDS
from labeler.store.store import Store
from labeler.ui.render import lines


@pytest.fixture
def nap(monkeypatch):
    """The three places: the class enters itself, the fold and the word stand in a table each."""

    @dataclass(frozen=True, slots=True)
    class Nap(Body):
        """A person slept over an instance."""

        kind = "nap"
        instance_id: str
        minutes: Count
        dreamt: ClassId | None = None

    def fold(state, step, body):
        naps = state.settings.setdefault("naps", [])
        naps.append((state.pool.index(body.instance_id), body.minutes))
        step.back.append(naps.pop)

    monkeypatch.setitem(FOLDS, Nap, fold)
    monkeypatch.setitem(lines.WORDS, "nap", "slept over")
    yield Nap
    del KINDS["nap"]


@pytest.fixture
def begin(tmp_path):
    """Begin a session over one and the same project file; the one before is closed."""
    stores, numbers = [], itertools.count()

    def make():
        for store in stores:
            store.close()
        stores.append(Store.open(tmp_path / "naps.labeler.db", create=True))
        if not stores[-1].instance_ids():
            stores[-1].join_instances(["a", "b"], 0.0)
        pool = Pool(stores[-1].instance_ids())
        return Session(pool, stores[-1], clock=lambda: 1.0, new_id=lambda: f"e{next(numbers)}")

    yield make
    stores[-1].close()


def test_it_is_recorded_undone_stored_and_shown(nap, begin):
    session = begin()
    cat = session.classes.add("cat")
    session.recorder.record(nap("b", 20, dreamt=cat))
    assert session.state.settings["naps"] == [(1, 20)]
    assert lines.mark(session.view(), "b").plain == "✓ saved slept over · b"
    assert session.undo().body == nap("b", 20, dreamt=cat)
    assert session.state.settings["naps"] == []
    assert lines.mark(session.view(), "b").plain == "↶ taken back slept over · b"
    session.redo()
    again = begin()
    assert again.state.settings["naps"] == [(1, 20)]
    assert again.undo().body == nap("b", 20, dreamt=cat)
    assert lines.mark(again.view(), "b").plain == "↶ taken back slept over · b"
    assert begin().state.settings["naps"] == []


def test_one_that_cannot_be_is_refused_and_it_goes_along_in_other_classes(nap):
    body = nap("b", 20, dreamt=1)
    assert body.merged().in_classes({1: 4}) == nap("b", 20, dreamt=4)
    assert body.names() == {1}
