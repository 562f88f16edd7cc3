"""Every kind of event has its fold, its taking back, its word, its rule for merging, and rows that stay as they are."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from labeler.core import events
from labeler.core.events import KINDS, Asked, Body, Event, Merge, Unread, from_row, packed
from labeler.core.pool import Pool
from labeler.session.state import FOLDS, State
from labeler.store import rows
from labeler.ui.render import lines

ASKED = Asked(screen="question", rule="random", margin=0.5, shown=((0, 0.5),), blind=False, machine=1)
FIXTURES = sorted((Path(__file__).parents[1] / "store" / "fixtures").glob("*.labeler.db"))
BEFORE = [
    events.ClassAdd(0, "a", key="a"),
    events.ClassAdd(1, "b", key="b"),
    events.ClassAdd(2, "c", key="c"),
    events.ClassRetire(2),
    events.Label("i0", 0, ASKED),
    events.Skip("i1"),
    events.AuditBegin(
        number=1,
        population=2,
        target=0.9,
        confidence=0.9,
        seed=1,
        set_sha256="x",
        order_sha256="y",
        classes=((0, "a"), (1, "b")),
        round=1,
        predicted=False,
    ),
    events.AuditBlock(1, 0, ((("i2", 0, 0), ("i0", 1, -1)),)),
]
"""A journal on which every kind can follow."""
BODIES: list[Body] = [
    events.Label("i1", 1, ASKED),
    events.Skip("i3"),
    events.Unsure("i0"),
    events.Reject("i0"),
    events.Repeat(instance_id="i0", class_id=1, word="label", first="e4", first_class=0, asked=ASKED),
    events.Page((("i0", 1, "human"), ("i3", 0, "confirmed")), Asked(screen="grid")),
    events.Flag("i0"),
    events.Keep("i0", 0),
    events.Undo("i1"),
    events.Redo("i1"),
    events.Import((("i1", 1, "imported"), ("i3", 0, "imported")), "a.csv"),
    events.Predictions((("i1", 1, 0.5), ("i3", 0, None)), "model.csv"),
    events.SourceChange((("i0", "i3", "e4"),)),
    events.Conflict("i0", (("e4", "anna", 0), ("e5", "bob", 1))),
    events.Setting({"percentile": 20}),
    events.Reach("i0", 20),
    events.Split("i0"),
    events.ClassAdd(3, "d", key="d"),
    events.ClassRename(0, "z"),
    events.ClassKey(0, "b"),
    events.ClassRetire(0),
    events.ClassRestore(2, "c"),
    events.ClassMerge(0, 1),
    events.ClassSplit(3, 0, "d", ("i0",), key="d"),
    BEFORE[6],
    events.AuditAnswer(instance_id="i2", class_id=1, audit=1, word="label", reached=True),
    events.AuditBlock(1, 0, ((("i2", 1, 0),),)),
    events.AuditPage(audit=1, start=0, labels=(("i2", 0, "confirmed"),), unsure=(), planted=(("i0", 0),), reached=True),
    events.AuditEnd(1),
    events.AuditCarried((packed(Event("e", events.Flag("i0"), 1.0)),), {"e": -1}),
]
WITHOUT = [
    events.Label("i1", 1),
    events.Repeat(instance_id="i0", word="skip", first="e4", first_class=0),
    events.AuditAnswer(instance_id="i2", audit=1, word="unsure"),
    events.Reach("i0", None),
    events.ClassAdd(3, "d"),
    events.Undo(),
]
"""Bodies that lack what they may lack."""
UNDOABLE = [body for body in BODIES if body.undoable]


def journal(*more):
    """A state in which those of BEFORE stand, and more of them."""
    state, numbers = State(Pool([f"i{number}" for number in range(5)])), itertools.count()
    for body in (*BEFORE, *more):
        number = next(numbers)
        state.apply(Event(f"e{number}", body, float(number), seq=number + 1))
    return state


def take_back(state, body, kind):
    target = f"e{len(BEFORE)}"
    place = state.revision
    state.apply(
        Event(f"e{place}", kind(getattr(body, "instance_id", None)), float(place), target=target, seq=place + 1)
    )


NEVER_BACK = {"pool", "revision", "keys", "times", "voided_at"}
"""What only grows."""


def facts(state):
    """All that a state holds, but for what only grows."""
    answers, held = state.answers, {name: value for name, value in vars(state).items() if name[0] != "_"}
    held["answers"] = sorted(answers.items())  # what comes back comes to the end
    held["columns"] = np.sort(answers.columns.of("label", "skip", "unsure", "reject"), order="index").tolist()
    held["counted"] = +answers.counts, +answers.given, answers.n_single, answers.pages, answers.label_events
    held["audits"] = [(one.answers, one.ended, [block.answers for block in one.blocks]) for one in state.audits]
    held["clusters"] = state.clusters.reaches, state.clusters.splits
    return repr({name: value for name, value in held.items() if name not in NEVER_BACK})


def test_there_is_an_example_of_every_kind():
    assert {type(body) for body in BODIES} == set(KINDS.values())
    assert len(BODIES) == len(KINDS)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.kind)
def test_it_has_a_fold_a_word_and_a_rule_for_merging(body):
    assert type(body) in FOLDS
    if body.is_shown and not isinstance(body, events.Undo | events.Redo):
        assert lines.WORDS[body.done]
    lookup = {0: 10, 1: 11, 2: 12, 3: 13}
    if body.merge is Merge.TAKEN:
        going = body.merged()
        assert going.merge is Merge.TAKEN
        assert {number - 10 for number in going.in_classes(lookup).names()} == going.names()
        assert going.given == () or set(going.given) <= going.names()


@pytest.mark.parametrize("body", UNDOABLE, ids=lambda body: body.kind)
def test_it_is_folded_taken_back_and_brought_back(body):
    before, state = facts(journal()), journal(body)
    after = facts(state)
    assert after != before
    take_back(state, body, events.Undo)
    held = facts(state)
    if isinstance(body, events.AuditAnswer | events.AuditPage):  # what was seen is known by now
        assert [record.answers for record in state.audits] == [[]]
    else:
        assert held == before
    take_back(state, body, events.Redo)
    if not isinstance(body, events.AuditAnswer | events.AuditPage):
        assert facts(state) == after


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.kind)
def test_a_field_of_another_type_is_refused(body):
    event = Event("e", body, 1.0)
    row = event.to_row()
    for name in row[-1]:
        if isinstance(body, events.Setting) and name != "percentile":
            continue
        broken = from_row(1, *row[:-1], {**event.payload, name: {"of": "another type"}})
        assert isinstance(broken.body, Unread), name
        with pytest.raises(ValueError, match="cannot be"):
            broken.body.refuse()
        assert broken.payload[name] == {"of": "another type"}  # kept as it is


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_rows_of_older_files_are_written_as_they_were(path):
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as db:
        columns = ", ".join(rows.EVENT_COLUMNS)
        stored = db.execute(f"SELECT seq, {columns} FROM events ORDER BY seq").fetchall()
    assert len(stored) > 5
    for row in stored:
        event = rows.event_of(row)
        assert not isinstance(event.body, Unread)
        assert rows.event_row(event) == row[1:]


@pytest.mark.parametrize("body", [*BODIES, *WITHOUT], ids=lambda body: body.kind)
def test_its_row_is_read_as_it_was_written(body):
    event = Event("e", body, 1.0, "anna", seq=3)
    row = rows.event_row(event)
    assert rows.event_of((3, *row)) == event
    assert rows.event_row(rows.event_of((3, *row))) == row
