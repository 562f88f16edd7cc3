"""A flush fails: nothing more is promised in that file, and all goes on in a fresh copy, under the same name."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing

import pytest

from labeler.core.errors import NotSaved
from labeler.core.events import Event, Flag
from labeler.store import renewal
from labeler.store.store import Store


def event(number):
    return Event(f"e{number}", Flag("a"), float(number))


def ids_of(path):
    with closing(Store.open(path, read_only=True)) as store:
        return [one.event_id for one in store.replay()]


@pytest.fixture
def store(path, open_store):
    store = open_store(path, create=True)
    store.join_instances(["a"], 0.0)
    store.append(event(0))
    return store


@pytest.fixture
def failing_flush(monkeypatch):
    """Let the flush of the next commits fail, as SQLite says it: written, and perhaps on disk."""
    failures = []
    real = sqlite3.connect

    class Patched(sqlite3.Connection):
        def execute(self, statement, *values):
            if statement == "COMMIT" and failures:
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = failures.pop()
                raise error
            return super().execute(statement, *values)

    monkeypatch.setattr(sqlite3, "connect", lambda *args, **more: real(*args, factory=Patched, **more))
    return failures


@pytest.fixture
def patched_store(failing_flush, path, open_store):
    store = open_store(path, create=True)
    store.join_instances(["a"], 0.0)
    store.append(event(0))
    return store


def test_it_is_said_that_nobody_knows_and_the_next_try_goes_into_a_fresh_file(patched_store, failing_flush, path):
    before = path.stat().st_ino
    failing_flush.append(sqlite3.SQLITE_IOERR_FSYNC)
    with pytest.raises(NotSaved) as caught:
        patched_store.append(event(1))
    assert caught.value.is_uncertain
    assert caught.value.message.startswith("perhaps NOT saved")
    patched_store.append(event(1))
    assert path.stat().st_ino != before
    patched_store.append(event(2))
    patched_store.close()
    assert ids_of(path) == ["e0", "e1", "e2"]
    assert [file.name for file in path.parent.glob(f"*{path.name}*")] == [path.name]


def test_any_other_failure_is_certain_and_the_file_stays(patched_store, failing_flush, path):
    before = path.stat().st_ino
    failing_flush.append(sqlite3.SQLITE_FULL)
    with pytest.raises(NotSaved) as caught:
        patched_store.append(event(1))
    assert not caught.value.is_uncertain
    patched_store.append(event(1))
    assert path.stat().st_ino == before


def test_a_fresh_copy_that_cannot_be_flushed_is_none(patched_store, failing_flush, path, monkeypatch):
    failing_flush.append(sqlite3.SQLITE_IOERR_FSYNC)
    with pytest.raises(NotSaved):
        patched_store.append(event(1))

    def full(descriptor):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        for _ in range(2):
            with pytest.raises(NotSaved, match="NOT saved"):
                patched_store.append(event(1))
        assert not renewal.fresh_of(path).exists()
    patched_store.append(event(1))
    patched_store.close()
    assert ids_of(path) == ["e0", "e1"]


@pytest.mark.parametrize("read_only", [True, False])
def test_a_fresh_copy_that_a_cut_left_is_the_project(store, path, open_store, read_only):
    store.append(event(1))
    renewal.write_fresh(path, path, store._db)
    store.close()
    with closing(sqlite3.connect(path)) as old:  # what a cut may have left of the old one: less
        old.execute("DELETE FROM events WHERE seq = 2")
        old.commit()
    other = open_store(path, read_only=read_only)
    assert [one.event_id for one in other.replay()] == ["e0", "e1"]
    if not read_only:
        assert not renewal.fresh_of(path).exists()
        other.append(event(2))
        other.close()
        assert ids_of(path) == ["e0", "e1", "e2"]


def test_an_event_that_is_there_is_not_written_twice(store):
    first = store.append(event(1))
    again = store.append(event(1))
    assert again == first
    assert [one.event_id for one in store.replay()] == ["e0", "e1"]
    assert store.find("e1") == first
    assert store.find("e9") is None
