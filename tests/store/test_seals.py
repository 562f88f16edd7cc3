"""A row that does not read as it was written is found, whatever of it was changed."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest

from labeler.core.errors import DamagedProject
from labeler.core.events import Asked, Event, Label
from labeler.core.types import Question
from labeler.project.open import open_project
from labeler.store import rows, seals
from labeler.store.store import Store


@pytest.fixture
def full(path, make_round):
    """A closed project file with a row or more in each table."""
    store = Store.open(path, create=True)
    store.join_instances(["a.png", "b\udcff.png"], 1)
    store.remember(source={"path": "/a"}, options={})
    for number in range(4):
        store.append(Event(f"e{number}", Label("b\udcff.png", number, Asked(margin=0.5)), number, "anna"))
    store.save_round(make_round(2, 3))
    store.put_arrays("pool", {"sha256": np.zeros((2, 32), np.uint8)})
    store.save_question(Question(1, "b", "uncertain"), 4)
    store.freeze(1, {"labels": np.array([0, 1])})
    store.close()
    return path


def change(path, statement, values=()):
    with sqlite3.connect(path) as connection:
        connection.execute(statement, values)
    connection.close()


def damaged(path):
    connection = sqlite3.connect(path)
    try:
        return seals.damaged(connection)
    finally:
        connection.close()


def test_a_sound_file_has_no_damage(full):
    assert damaged(full) == []


COLUMNS = [(table, column) for table, columns in rows.COLUMNS.items() for column in columns if column != "only_row"]


@pytest.mark.parametrize(("table", "column"), [*COLUMNS, *(("events", name) for name in rows.EVENT_COLUMNS)])
def test_any_changed_value_shows(full, table, column):
    if (table, column) == ("events", "target"):
        change(full, "UPDATE events SET target = 'e1' WHERE seq = 2")
    else:
        where = "seq = 2" if table == "events" else f"rowid = (SELECT rowid FROM {table} LIMIT 1)"
        other = f"{column} + 1" if column in ("start", "round") else f"CAST({column} || 1 AS BLOB)"
        change(full, f"UPDATE {table} SET {column} = {other} WHERE {where}")
    assert len(damaged(full)) == 1


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE events SET class_id = 3 WHERE seq = 3", "event 3"),
        ("DELETE FROM events WHERE seq = 2", "event 3"),
        ("UPDATE events SET seq = 9 WHERE seq = 1", "event 2"),
        ("UPDATE events SET seal = NULL WHERE seq = 4", "event 4"),
        ("UPDATE events SET seal = NULL WHERE seq IN (2, 3)", "event 2"),
        ("UPDATE events SET seal = NULL, class_id = 3 WHERE seq = 2", "event 2"),
        ("DELETE FROM events WHERE seq = 4", "the end"),
        ("DELETE FROM events", "the end"),
    ],
)
@pytest.mark.parametrize("read_only", [True, False])
def test_a_journal_that_is_not_as_it_was_written_is_not_read_on(full, open_store, statement, what, read_only):
    change(full, statement)
    store = open_store(full, read_only=read_only)
    with pytest.raises(DamagedProject, match=f"damaged: {what}"):
        list(store.replay())


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_a_row_whose_seal_alone_is_damaged_is_proven_by_the_next(full, open_store, seq):
    before = list(open_store(full, read_only=True).replay())
    change(full, f"UPDATE events SET seal = X'00' WHERE seq = {seq}")
    assert list(open_store(full, read_only=True).replay()) == before
    assert damaged(full) == [f"event {seq} of the journal"]


def test_what_can_be_made_anew_is_left_out_and_said(full, open_store):
    for table in ("arrays", "question", "frozen"):
        change(full, f"UPDATE {table} SET seal = X'00'")
    store = open_store(full)
    assert store.load_round() is None
    assert store.load_question() is None
    assert store.frozen(1) == {}
    assert store.arrays("pool") == {}
    assert [note.split(":")[0] for note in store.notes] == [
        "the last round is damaged",
        "what was read of the pool is damaged",
    ]
    assert len(list(store.replay())) == 4


@pytest.mark.parametrize("table", ["pool", "project"])
def test_what_cannot_be_made_anew_is_refused(full, open_store, table):
    change(full, f"UPDATE {table} SET seal = X'00'")
    store = open_store(full)
    with pytest.raises(DamagedProject, match=f"a row of {table}"):
        store.instance_ids() if table == "pool" else store.project()


def test_an_older_file_is_read_as_it_is_and_sealed_when_it_is_opened(path, open_store, older):
    columns = "event_id, kind, at, annotator, instance, payload"
    add = f"INSERT INTO events ({columns}) VALUES ('e{{0}}', 'skip', {{0}}, '', 'a', '{{{{}}}}')"
    older(
        2,
        "INSERT INTO pool VALUES (0, 1, X'61', 1.5)",
        "INSERT INTO project VALUES ('options', '{}')",
        *(add.format(number) for number in range(3)),
    )
    for read_only in (True, False, True):
        store = open_store(path, read_only=read_only)
        assert [event.event_id for event in store.replay()] == ["e0", "e1", "e2"]
        assert (store.instance_ids(), store.project()) == (["a"], {"options": {}})
        store.close()
    assert damaged(path) == []


def test_damage_is_said_when_a_project_is_opened(few_digits, path):
    with open_project(few_digits, path) as project:
        project.session.label(project.session.pool.ids[0], project.session.classes.id_for("a"))
    change(path, "UPDATE events SET class_id = 1 WHERE kind = 'label'")
    with pytest.raises(DamagedProject, match="event 3 of its journal is not as it was written"):
        open_project(path)
    assert not path.with_name(path.name + ".lock").exists()
