"""What a query finds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.core.pool import Pool
from labeler.core.types import Provenance
from labeler.session.search import GUIDE, final_labels, find, folded
from labeler.session.session import Session
from tests.memory_journal import MemoryJournal


@pytest.fixture
def session(make_session, make_round):
    session = make_session(n=12)
    labels = [0, 1, 0, 1, 0, 1, 0, 1, -1, -1, 0, 1]
    words = [int(word) for word in (Provenance.PROPAGATED, Provenance.PREDICTED) * 4] + [0, 0, 4, 5]
    session.merge_round(make_round(12, session.state.revision, labels, words))
    session.label("i0", 1)
    session.unsure("i2")
    session.reject("i3")
    session.skip("i4")
    session.flag("i5")
    session.page([("i6", 0, "confirmed"), ("i7", 0, "human")])
    return session


def found(session, query):
    return find(query, session, folded(session.pool.ids)).indices


def bare(ids):
    return Session(Pool(ids), MemoryJournal(), clock=lambda: 0.0, new_id=lambda: "x")


def test_words_stand_in_the_path_all_of_them_in_any_case():
    ids = ["Cats/IMG_007.png", "cats/img_070.png", "dogs/img_007.png", "dogs/flagged.png", "a b.png", "ÉTÉ.png"]
    session = bare(ids)
    assert found(session, "img 007") == [0, 2]
    assert found(session, "CATS 07") == [0, 1]
    assert found(session, "été") == [5]
    assert found(session, '"a b"') == [4]
    assert found(session, "flagged") == []
    assert found(session, '"flagged"') == [3]
    assert found(session, "") == [0, 1, 2, 3, 4, 5]
    assert found(session, "nothing") == []
    assert found(session, "x:y") == []


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("class:8", ["8"]),  # a class of that name before the key
        ("class:2", ["dog"]),  # the key in the legend
        ("class:a", ["a"]),  # just so before its capital
        ("class:A", ["A"]),
        ("class:DO", ["dog", "dove"]),
        ("class:dog", ["dog"]),
    ],
)
def test_a_class_is_called_by_its_name_its_key_or_how_it_begins(query, names):
    session = bare([f"{index}.png" for index in range(9)])
    for index, name in enumerate(("cat", "dog", "8", "dove", "A", "a")):
        session.label(session.pool.ids[index], session.classes.add(name, setup=True))
    assert [session.state.classes[session.label_of(index)[0]].name for index in found(session, query)] == names


@pytest.mark.parametrize(
    ("query", "indices"),
    [
        ("class:a", [4, 2, 6, 7, 10]),
        ("class:B", [0, 1, 5, 11]),
        ("provenance:human", [0, 7]),
        ("provenance:conf", [6]),
        ("provenance:propagated", [2, 4, 10]),
        ("provenance:predicted class:b", [1, 5, 11]),
        ("provenance:none", [3, 8, 9]),
        ("flagged", [5]),
        ("unsure", [2]),
        ("Rejected", [3]),
        ("skipped", [4]),
        ("labeled", [0, 6, 7]),
        ("open i1", [1, 10, 11]),
        ("class:a labeled", [6, 7]),
        ("doubted", []),
    ],
)
def test_classes_provenances_and_marks(session, query, indices):
    assert found(session, query) == sorted(indices)


@pytest.mark.parametrize(
    ("query", "said"), [("class:zebra", "class"), ("provenance:x", "propagated"), ("tier:x", "locked")]
)
def test_a_word_that_can_fit_nothing_is_said(session, query, said):
    result = find(query, session, folded(session.pool.ids))
    assert result.indices == []
    assert said in result.trouble


def test_what_cannot_be_shown_is_found(session):
    session.pool.unreadable[9] = True
    session.pool.missing[8] = True
    assert found(session, "unreadable") == [9]
    assert found(session, "missing") == [8]


def test_the_labels_are_those_of_the_session(session):
    labels = final_labels(session)
    said = [session.label_of(index) for index in range(12)]
    assert list(zip(labels.class_ids.tolist(), labels.provenances.tolist(), strict=True)) == said
    session.undo()
    labels = final_labels(session)
    assert labels.class_ids.tolist() == [session.label_of(index)[0] for index in range(12)]


def test_every_example_of_the_guide_can_be_typed(session):
    session.classes.add("sea lion")
    session.classes.add("7")
    for examples, _ in GUIDE:
        for example in examples.split("  "):
            assert find(example, session, folded(session.pool.ids)).trouble == "", example


@given(st.text())
def test_nothing_that_can_be_typed_ends_it(query):
    from labeler.core.pool import Pool
    from labeler.session.session import Session
    from tests.conftest import MemoryJournal  # a session of its own: hypothesis keeps fixtures

    own = Session(Pool(["a", "b"]), MemoryJournal(), clock=lambda: 0.0, new_id=lambda: "x")
    assert set(found(own, query)) <= {0, 1}
