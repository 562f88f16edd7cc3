from __future__ import annotations

import dataclasses
import json
import os
import sqlite3

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labeler.core.errors import PROJECT_ERRORS, DamagedProject, NotSaved, ProjectBusy
from labeler.core.events import Event, Label, from_row
from labeler.core.pool import RowIds
from labeler.core.types import Question
from labeler.store import rows
from labeler.store.schema import APPLICATION_ID, MIGRATIONS, schema_version
from labeler.store.store import Store

FILE_NAMES = st.binary(min_size=1, max_size=30).filter(lambda raw: b"\0" not in raw).map(os.fsdecode)
TEXTS = st.one_of(FILE_NAMES, st.text(max_size=20).filter(lambda text: "\0" not in text), st.just("👩‍🔬 \u202e\x1b["))
NUMBERS = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
PAYLOADS = st.dictionaries(TEXTS, st.one_of(SCALARS, st.lists(SCALARS, max_size=3)), max_size=4)
SLOW_DISK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def listing(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def event(number, **given):
    return Event(**{"event_id": f"e{number}", "body": Label("i0", 0), "at": float(number)} | given)


# -- round trips


@pytest.mark.slow
@SLOW_DISK
@given(
    st.lists(
        st.builds(
            lambda *row: from_row(0, "", *row),
            st.sampled_from(["label", "skip", "page", "undo", "setting"]),
            st.floats(0, 2e9),
            TEXTS,
            st.one_of(st.none(), FILE_NAMES),
            st.one_of(st.none(), st.integers(0, 2**31)),
            st.one_of(st.none(), st.uuids().map(str)),
            PAYLOADS,
        ),
        max_size=6,
    )
)
def test_events_come_back_as_they_went_in_whatever_their_text(store, events):
    start = sum(1 for _ in store.replay())
    events = [dataclasses.replace(one, event_id=f"e{start + number}") for number, one in enumerate(events)]
    stored = [store.append(one) for one in events]
    assert [dataclasses.replace(one, seq=0) for one in stored] == events
    assert list(store.replay())[start:] == stored
    assert [one.seq for one in stored] == sorted({one.seq for one in stored})


@SLOW_DISK
@given(st.lists(FILE_NAMES, unique=True, max_size=8), st.lists(FILE_NAMES, unique=True, max_size=8))
def test_ids_keep_their_order_and_their_bytes(store, first, second):
    before = store.instance_ids()
    store.join_instances(first, 1.0)
    store.join_instances(second, 2.0)
    ids = before + first + second
    assert store.instance_ids() == ids
    assert store.holds(ids)
    assert store.holds(tuple(ids))
    assert not store.holds([*ids, "one more"])
    assert not store.holds(["\ud800", *ids[1:]])  # no file is called so, and it cannot be stored
    if ids:
        assert not store.holds(ids[:-1])
        assert store.holds(ids[::-1]) is (ids[::-1] == ids)


def test_what_is_held_is_compared_without_a_list_of_it(path, open_store, monkeypatch):
    store = open_store(path, create=True)
    rows_of_parts = RowIds([("train", 25_000), ("test", 7)])
    store.join_instances(rows_of_parts[:10], 1.0)
    store.join_instances(rows_of_parts[10:], 2.0)
    monkeypatch.setattr(rows, "unpack_ids", lambda blob, count: pytest.fail("a list was made"))
    assert store.holds(rows_of_parts)
    assert not store.holds(RowIds([("train", 25_000), ("test", 8)]))


@pytest.mark.parametrize("change", ["start = 1", "count = 0", "count = 3", "ids = x''"])
def test_a_list_of_instances_that_is_damaged_is_none_that_is_held(path, open_store, monkeypatch, change):
    store = open_store(path, create=True)
    store.join_instances(["a", "b"], 1.0)
    store._db.execute(f"UPDATE pool SET {change}")
    with pytest.raises(DamagedProject):
        store.holds(["a", "b"])
    monkeypatch.setattr(rows, "seal", lambda row: store._db.execute("SELECT seal FROM pool").fetchone()[0])
    assert not store.holds(["a", "b"])
    with pytest.raises(DamagedProject):
        store.instance_ids()


def test_the_question_comes_back_with_its_guesses(path, open_store):
    store = open_store(path, create=True)
    assert store.load_question() is None
    question = Question(3, "i3", "uncertain", 0.5, 0.25, ((1, 0.75), (0, 0.25)))
    store.save_question(question, 9)
    store.close()
    assert open_store(path).load_question() == (question, 9)


def test_a_question_of_a_version_that_knew_less_is_read(store):
    old = {
        "revision": 9,
        "index": 3,
        "rule": "uncertain",
        "utility": 0.5,
        "margin": 0.25,
        "guesses": [[1, 0.75], [0, 0.25]],
    }
    store._put("question", 1, json.dumps(old))
    assert store.load_question() == (Question(3, "", "uncertain", 0.5, 0.25, ((1, 0.75), (0, 0.25))), 9)


@pytest.mark.parametrize(
    "value",
    [
        "[]",
        '{"revision": 1}',
        '{"revision": "1", "index": 0, "rule": "x"}',
        '{"revision": 1, "index": true, "rule": "x"}',
        '{"revision": 1, "index": 0, "rule": "x", "margin": NaN}',
        '{"revision": 1, "index": 0, "rule": "x", "guesses": [[1, 0.5, 2]]}',
        '{"revision": 1, "index": 1' + "0" * 5000 + ', "rule": "x"}',
        '{"revision": 1, "index": 1' + "0" * 30 + ', "rule": "x"}',
        "[" * 100_000,
        "junk",
    ],
)
def test_a_question_that_cannot_be_read_is_none(store, value):
    store._put("question", 1, value)
    assert store.load_question() is None


def test_what_a_newer_version_adds_to_a_question_is_passed_over(store):
    store._put("question", 1, '{"revision": 1, "index": 0, "instance_id": "a", "rule": "x", "mood": {"a": [1]}}')
    assert store.load_question() == (Question(0, "a", "x"), 1)


def test_what_a_project_remembers_is_replaced_key_by_key(store):
    source = {"path": "/a", "relative": "../a"}
    store.remember(source=source, options={"engine": "book"})
    store.remember(options={})
    assert store.project() == {"source": source, "options": {}}


# -- durability


def test_every_event_is_one_transaction_synced_in_full(store):
    assert store._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    statements = []
    store._db.conn.set_trace_callback(statements.append)
    store.save_question(None, 0)
    before = len(statements)
    store.append(event(1))
    store._db.conn.set_trace_callback(None)
    words = [statement.split()[0].upper() for statement in statements[before:]]
    assert words == ["BEGIN", "SELECT", "INSERT", "COMMIT"]
    assert store._db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL, also after derived data went unsynced


class _Full:
    """A connection on a disk that is full: every write fails, at the statement or at the commit."""

    def __init__(self, connection, at):
        self._connection, self._at = connection, at

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def execute(self, statement, *parameters):
        if statement.strip().upper().startswith(self._at):
            raise sqlite3.OperationalError("database or disk is full")
        return self._connection.execute(statement, *parameters)


@pytest.mark.parametrize("at", ["INSERT", "COMMIT"])
def test_a_full_disk_is_not_saved_and_keeps_what_was_there(store, monkeypatch, at):
    first = store.append(event(1))
    connection = store._db.conn
    monkeypatch.setattr(store._db, "conn", _Full(connection, at))
    with pytest.raises(NotSaved) as caught:
        store.append(event(2))
    assert "NOT saved" in caught.value.message
    assert caught.value.hint
    monkeypatch.setattr(store._db, "conn", connection)
    assert list(store.replay()) == [first]
    second = store.append(event(2))
    assert list(store.replay()) == [first, second]


def test_a_session_is_unchanged_by_an_answer_that_could_not_be_saved(store, monkeypatch, make_session):
    session = make_session(journal=Adapter(store))
    session.label("i0", 0)
    before = (session.state.revision, session.question, dict(session.state.answers))
    with monkeypatch.context() as patch:
        patch.setattr(store._db, "conn", _Full(store._db.conn, "COMMIT"))
        with pytest.raises(NotSaved):
            session.label("i1", 0)
        assert (session.state.revision, session.question, dict(session.state.answers)) == before
    session.label("i1", 0)
    assert session.view().answers == 2


class Adapter:
    """A store under the eyes of a session fixture that asks how many events there are."""

    def __init__(self, store):
        self._store, self.events, self.round = store, list(store.replay()), store.load_round()

    def __getattr__(self, name):
        return getattr(self._store, name)


def test_a_single_file_is_left_after_closing(path, open_store, make_round):
    store = open_store(path, create=True)
    store.append(event(1))
    store.save_round(make_round(3))
    store.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    reader = open_store(path, read_only=True)
    assert len(list(reader.replay())) == 1
    reader.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


# -- who may write


def test_a_second_writer_is_told_who_holds_the_project(path, store, open_store):
    with pytest.raises(ProjectBusy) as caught:
        open_store(path)
    assert str(os.getpid()) in caught.value.message
    assert caught.value.hint
    store.append(event(1))
    store.close()
    assert len(list(open_store(path).replay())) == 1


def test_readers_are_never_shut_out_and_see_what_is_committed(path, store, open_store):
    reader = open_store(path, read_only=True)
    store.append(event(1))
    assert [one.event_id for one in reader.replay()] == ["e1"]
    store.append(event(2))
    assert [one.event_id for one in reader.replay()] == ["e1", "e2"]
    store.close()
    assert [one.event_id for one in reader.replay()] == ["e1", "e2"]


def test_a_reader_changes_nothing(path, store, open_store, make_round):
    store.append(event(1))
    store.close()
    before = listing(path.parent)
    reader = open_store(path, read_only=True)
    assert reader.read_only
    reader.save_question(Question(0, "i0", "x"), 1)
    reader.save_round(make_round(3))
    with pytest.raises(PROJECT_ERRORS):
        reader.append(event(2))
    reader.close()
    assert listing(path.parent) == before


# -- files that are no project of ours: one line, one hint, nothing changed


def _foreign(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE photos (id INTEGER)")
    connection.close()


def _foreign_wal(path):
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE photos (id INTEGER)")
    connection.close()


def _newer(path):
    Store.open(path, create=True).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {schema_version() + 1}")
    connection.close()


def _text(path):
    path.write_text("id,label\n")


def _half(path):
    Store.open(path, create=True).close()
    path.write_bytes(path.read_bytes()[:5000])


def _garbled(path):
    Store.open(path, create=True).close()
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xa5" * 3996
    path.write_bytes(content)


def open_and_read(path, read_only):
    store = Store.open(path, read_only=read_only)
    try:
        return list(store.replay())
    finally:
        store.close()


HOSTILE = {
    "another program's": _foreign,
    "another program's in WAL mode": _foreign_wal,
    "newer": _newer,
    "text": _text,
    "cut short": _half,
    "garbled": _garbled,
    "missing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_project_of_ours_is_refused_and_left_as_it_was(path, make, read_only):
    make(path)
    before = {} if path.is_dir() else listing(path.parent)
    with pytest.raises(PROJECT_ERRORS) as caught:
        open_and_read(path, read_only)
    assert "\n" not in caught.value.message
    assert caught.value.hint
    assert path.name in caught.value.message
    if not path.is_dir():
        assert listing(path.parent) == before


def test_an_empty_file_is_no_project_but_may_become_one(path, open_store):
    path.touch()
    with pytest.raises(PROJECT_ERRORS):
        open_store(path)
    assert path.stat().st_size == 0
    open_store(path, create=True).append(event(1))


def test_a_newer_schema_names_both_versions(path):
    _newer(path)
    with pytest.raises(PROJECT_ERRORS) as caught:
        Store.open(path)
    assert f"schema {schema_version() + 1}" in caught.value.message
    assert "upgrade" in caught.value.hint


def test_a_place_that_cannot_be_written_is_refused(path, monkeypatch):
    real = os.open

    def refuse(target, flags, *rest, **more):
        if flags & os.O_CREAT:
            raise PermissionError(13, "Permission denied", str(target))
        return real(target, flags, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(PROJECT_ERRORS) as caught:
        Store.open(path, create=True)
    assert "Permission denied" in caught.value.message
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize("place", ["/proc/none.labeler.db", "/nowhere/at/all/x.labeler.db", "/tmp/" + "x" * 300])  # noqa: S108
def test_a_place_that_cannot_exist_is_refused(place):
    from pathlib import Path

    with pytest.raises(PROJECT_ERRORS):
        Store.open(Path(place), create=True)


def test_a_project_carries_its_application_id_and_schema(path, store):
    store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
        assert connection.execute("PRAGMA user_version").fetchone()[0] == schema_version() > 0
    connection.close()


class TestFrozenLabels:
    """The labels an audit speaks of are kept for good, with the same bytes."""

    def test_come_back_as_they_were(self, store, path, open_store):
        arrays = {"labels": np.arange(5, dtype=np.int32), "order": np.array([3, 1], dtype=np.int64)}
        store.freeze(1, arrays)
        store.freeze(2, {"labels": np.zeros(3, dtype=np.int32)})
        store.close()
        again = open_store(path)
        found = again.frozen(1)
        assert {name: (array.dtype, array.tolist()) for name, array in found.items()} == {
            name: (array.dtype, array.tolist()) for name, array in arrays.items()
        }
        assert again.frozen(3) == {}

    def test_what_never_began_is_replaced(self, store):
        store.freeze(1, {"labels": np.zeros(3), "order": np.zeros(2)})
        store.freeze(1, {"labels": np.ones(2)})
        assert {name: array.tolist() for name, array in store.frozen(1).items()} == {"labels": [1.0, 1.0]}

    def test_an_older_file_gets_the_drawer(self, older, open_store):
        store = open_store(older(1))
        store.freeze(1, {"labels": np.ones(2)})
        assert store.frozen(1)["labels"].tolist() == [1.0, 1.0]


def tables(connection):
    return connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()


def test_a_new_file_is_what_sqlite_utils_makes_of_an_old_one(path, store):
    from sqlite_utils import Database, Migrations

    migrations = Migrations("labeler")
    for migration in MIGRATIONS:
        migrations()(migration)
    made = Database(memory=True)
    migrations.apply(made)
    assert tables(store._db.conn) == tables(made.conn)
    assert migrations.pending(Database(store._db.conn)) == []
    assert [one.name for one in migrations.applied(Database(store._db.conn))] == [one.__name__ for one in MIGRATIONS]


def test_an_old_file_is_brought_up_to_date_by_name(path, store, monkeypatch):
    def m009_notes(db):
        db.execute("CREATE TABLE notes (at REAL)")

    store.append(event(1))
    store.close()
    monkeypatch.setattr("labeler.store.schema.MIGRATIONS", (*MIGRATIONS, m009_notes))
    newer = Store.open(path)
    assert newer._db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS) + 1
    assert newer._db.execute("SELECT name FROM _sqlite_migrations ORDER BY id").fetchall() == [
        *((one.__name__,) for one in MIGRATIONS),
        ("m009_notes",),
    ]
    assert [one.event_id for one in newer.replay()] == ["e1"]
    newer.close()
