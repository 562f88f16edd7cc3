"""What a model elsewhere predicts: machine labels, below all that a person gave, never counted as given."""

import itertools
import json

import numpy as np
import pytest

from labeler.core import codec
from labeler.core.errors import UsageError
from labeler.core.events import from_row, packed, unpacked
from labeler.core.pool import Pool
from labeler.core.types import GIVEN, UNLABELED, Provenance, Tier
from labeler.session.final_labels import final_labels
from labeler.session.merge.journals import Side, fold_journal
from labeler.session.merge.merge import merge_journals
from labeler.session.predictions import origin_of
from labeler.session.session import Session
from tests.memory_journal import MemoryJournal

N = 6
IDS = [f"i{index}" for index in range(N)]
PREDICTED, PROPAGATED, HUMAN = Provenance.PREDICTED, Provenance.PROPAGATED, Provenance.HUMAN


def begin(journal=None, name=""):
    ticks, count = itertools.count(1000), itertools.count()
    journal = journal or MemoryJournal()
    return Session(Pool(IDS), journal, clock=lambda: float(next(ticks)), new_id=lambda: f"{name}{next(count)}")


@pytest.fixture
def session(make_round):
    """Two classes; the engine predicts 0 for the first two, spread 0 to the third, and says nothing of the others."""
    session = begin()
    for name in "ab":
        session.classes.add(name, setup=True)
    session.merge_round(make_round(N, labels=[0, 0, 0, -1, -1, -1], provenances=[5, 5, 4, 0, 0, 0]))
    return session


def labels(session):
    return [session.label_of(index) for index in range(N)]


def test_they_stand_where_the_engine_only_predicts_or_says_nothing(session):
    session.imports.predictions([(name, 1, 0.75) for name in IDS[:4]], "model.csv")
    assert labels(session) == [
        (1, PREDICTED), (1, PREDICTED), (0, PROPAGATED), (1, PREDICTED), (UNLABELED, 0), (UNLABELED, 0),
    ]  # fmt: skip
    final = final_labels(session.state, session.machine_labels.sent)
    assert final.scores[[0, 3]].tolist() == [0.75, 0.75]
    assert (final.tiers[[0, 3]] == Tier.ASK).all()
    assert session.machine_labels.round.runner_ups[0] == 0  # what the engine itself would say


def test_they_are_never_counted_as_given_labeled_or_answered(session):
    before = session.view()
    session.imports.predictions([(name, 1, None) for name in IDS], "model.csv")
    view = session.view()
    assert (view.given, view.answers, view.labeled, view.keys) == (before.given, before.answers, before.labeled, 0)
    assert view.predicted == 5
    assert view.open_questions == before.open_questions == N
    final = final_labels(session.state, session.machine_labels.sent)
    assert not np.isin(final.provenances, GIVEN).any()
    assert final.by_default().sum() == 1  # what spread
    assert len(session.snapshot().indices) == 0  # the engine does not learn from them
    assert session.machine_labels.class_counts()[1].given == 0


def test_a_persons_label_stands_over_them_before_and_after(session):
    session.label("i0", 0)
    session.imports.predictions([("i0", 1, 0.9), ("i1", 1, 0.9), ("i3", 1, 0.9)], "model.csv")
    session.label("i1", 0)
    session.reject("i3")
    assert labels(session)[:2] == [(0, HUMAN), (0, HUMAN)]
    assert labels(session)[3] == (UNLABELED, Provenance.NONE)
    final = final_labels(session.state, session.machine_labels.sent)
    assert final.labels[[0, 1, 3]].tolist() == [0, 0, UNLABELED]
    session.undo()
    session.undo()
    assert [labels(session)[index] for index in (1, 3)] == [(1, PREDICTED), (1, PREDICTED)]


def test_an_import_stands_over_them_and_is_not_kept_out_by_them(session):
    session.imports.predictions([("i0", 1, 0.9)], "model.csv")
    assert session.imports.labels([("i0", 0)], "labels.csv") == (1, [])
    assert labels(session)[0] == (0, Provenance.IMPORTED)
    session.imports.predictions([("i0", 1, 0.9)], "model.csv")
    assert labels(session)[0] == (0, Provenance.IMPORTED)


def test_enter_accepts_one_as_a_guess(session):
    session.imports.predictions([("i3", 1, 0.875)], "model.csv")
    assert session.held(3) == 1
    session.ask("i3")
    assert session.question.guesses[0] == (1, 0.875)
    session.accept("i3", 1)
    assert labels(session)[3] == (1, HUMAN)


def test_undo_and_redo_and_a_later_file(session):
    before = labels(session)
    session.imports.predictions([("i3", 0, 0.5), ("i4", 0, 0.5)], "old.csv")
    session.imports.predictions([("i4", 1, 0.25)], "new.csv")
    after = labels(session)
    assert (after[3], after[4]) == ((0, PREDICTED), (1, PREDICTED))
    assert [origin_of(session.state, index) for index in (3, 4, 5)] == ["old.csv", "new.csv", ""]
    session.undo()
    assert labels(session)[4] == (0, PREDICTED)
    session.undo()
    assert labels(session) == before
    assert session.state.predictions == {}
    session.redo()
    session.redo()
    assert labels(session) == after


def test_classes_that_change_take_them_along(session):
    session.imports.predictions([("i3", 1, 0.5)], "model.csv")
    session.classes.merge(1, 0)
    assert labels(session)[3] == (0, PREDICTED)
    session.undo()
    session.classes.retire(1)
    assert labels(session)[3] == (UNLABELED, Provenance.NONE)
    assert origin_of(session.state, 3) == ""
    session.undo()
    assert labels(session)[3] == (1, PREDICTED)


def test_the_journal_folds_to_the_same_again(session, make_round):
    session.imports.predictions([("i3", 1, 0.1), ("i4", 0, None)], "model.csv")
    session.label("i4", 1)
    journal = MemoryJournal()
    stored = [json.dumps(packed(event)) for event in session.recorder.journal.events]
    journal.events = [unpacked(codec.loads(text)) for text in stored]
    again = begin(journal)
    again.merge_round(make_round(N, labels=[0, 0, 0, -1, -1, -1], provenances=[5, 5, 4, 0, 0, 0]))
    assert labels(again) == labels(session)
    assert again.state.predictions == session.state.predictions


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"predictions": "all"},
        {"predictions": [["i0", 0]]},
        {"predictions": [["i0", 0, 1.5]]},
        {"predictions": [["i0", 0, "much"]]},
        {"predictions": [["i0", -5, 0.5]]},
        {"predictions": [["i0", 0, float("nan")]]},
    ],
)
def test_a_strangers_event_that_cannot_be_is_refused(payload):
    with pytest.raises(ValueError, match="predictions"):
        from_row(1, "e", "predictions", 0.0, "", None, None, None, payload).body.refuse()


@pytest.mark.parametrize("row", [("nobody", 0, 0.5), ("i0", 7, 0.5), ("i0", 0, 2.0), ("i0", 0, float("nan"))])
def test_what_cannot_be_is_refused_and_nothing_is_recorded(session, row):
    events = len(session.recorder.journal.events)
    with pytest.raises(UsageError):
        session.imports.predictions([("i1", 0, 0.5), row], "model.csv")
    assert len(session.recorder.journal.events) == events


def test_unusable_instances_have_no_label_from_elsewhere(session):
    session.pool.missing[3] = True
    session.imports.predictions([("i3", 1, 0.5)], "model.csv")
    assert labels(session)[3] == (UNLABELED, Provenance.NONE)


def test_two_files_that_are_merged_keep_them_in_their_classes():
    sessions = [begin(name="x"), begin(name="y")]
    for session, names in zip(sessions, ("ab", "ba"), strict=True):
        for name in names:
            session.classes.add(name, setup=True)
    sessions[0].imports.predictions([("i0", 1, 0.5)], "model.csv")  # b
    sessions[1].imports.predictions([("i1", 0, 0.5)], "model.csv")  # b
    sides = [Side(session.recorder.journal.events, who) for session, who in zip(sessions, "xy", strict=True)]
    state = fold_journal(merge_journals(*sides, Pool(IDS)).events, Pool(IDS))
    names = {index: state.classes[one.class_id].name for index, one in state.predictions.items()}
    assert names == {0: "b", 1: "b"}
