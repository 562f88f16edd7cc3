"""A class named by just a letter has that letter, though a class of the capital was named before it."""

import pytest

from labeler.core.pool import Pool
from labeler.session.session import Session
from tests.memory_journal import MemoryJournal


def opened(journal=None):
    count = iter(range(1000))
    return Session(
        Pool([f"{index}.png" for index in range(9)]),
        journal or MemoryJournal(),
        clock=lambda: 1.0,
        new_id=lambda: f"e{next(count)}",
    )


def keys(session):
    return {info.name: info.key for info in session.state.active_classes()}


@pytest.mark.parametrize("names", [("A", "a"), ("a", "A"), ("1", "A", "a"), ("Ж", "ж")])
def test_the_small_one_has_its_letter_whatever_the_order(names):
    session = opened()
    for name in names:
        session.classes.id_for(name, setup=True)
    small = names[-1].lower()
    assert keys(session)[small] == small
    assert len(set(keys(session).values())) == len(names)
    assert not session.view().can_undo


def test_a_key_that_was_answered_with_stays():
    session = opened()
    capital = session.classes.id_for("A", setup=True)
    session.label("0.png", capital)
    session.classes.id_for("a", setup=True)
    assert keys(session) == {"A": "a", "a": "1"}


def test_it_is_so_after_opening_again():
    journal = MemoryJournal()
    first = opened(journal)
    for name in ("A", "a", "B", "b"):
        first.classes.id_for(name, setup=True)
    assert keys(opened(journal)) == keys(first) == {"A": "1", "a": "a", "B": "2", "b": "b"}


def test_the_classes_of_the_latest_answers_the_latest_first():
    session = opened()
    ids = [session.classes.add(name, setup=True) for name in ("cat", "dog", "bird", "cow")]
    for index, place in enumerate((0, 1, 1, 2, 0)):
        session.label(f"{index}.png", ids[place])
    assert session.view().recent == (ids[0], ids[2], ids[1])
    session.undo()
    assert session.view().recent == (ids[2], ids[1], ids[0])
    session.classes.retire(ids[1])
    session.skip("8.png")
    assert session.view().recent == (ids[2], ids[0])
