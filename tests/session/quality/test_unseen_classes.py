"""The chance of a class that nobody has named: what is counted, and when nothing is said."""

import itertools

import pytest

from labeler.core.pool import Pool
from labeler.session.quality.unseen_classes import unseen_class
from labeler.session.session import Session
from tests.memory_journal import MemoryJournal


@pytest.fixture
def session():
    ids = itertools.count()
    session = Session(
        Pool([f"i{n}" for n in range(9)]), MemoryJournal(), clock=lambda: 1.0, new_id=lambda: str(next(ids))
    )
    for name in "abc":
        session.classes.add(name, setup=True)
    return session


def test_nothing_is_said_before_the_first_label(session):
    assert unseen_class(session.state) is None
    session.reject("i0")
    session.imports.predictions([("i1", 0, 0.5)], "model.csv")
    assert unseen_class(session.state) is None


def test_classes_met_once_by_labels_however_they_were_given(session):
    session.label("i0", 0)
    assert unseen_class(session.state).chance == 1.0
    session.page([("i1", 0, "confirmed"), ("i2", 1, "human")])
    session.imports.labels([("i3", 2), ("i4", 2)], "labels.csv")
    found = unseen_class(session.state)
    assert found.facts == {"labels": 5, "once": 1, "chance": 0.2}
    assert found.brief == "about 20.0 % (1 of 5 labels is its class's only one)"
    session.undo()
    session.undo()
    assert unseen_class(session.state).facts == {"labels": 1, "once": 1, "chance": 1.0}
