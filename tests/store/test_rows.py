"""What is derived: rounds and arrays come back as they went in, and are none where they are damaged."""

from __future__ import annotations

import dataclasses
import os
import sqlite3

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.store import rows


def test_a_round_comes_back_as_it_went_in(path, open_store, make_round):
    store = open_store(path, create=True)
    labels = np.array([0, -1, 2, 1])
    round_ = make_round(4, 7, labels, [1, 0, 4, 5], queue=[2, 0], number=3)
    store.save_round(make_round(4, 6))
    store.save_round(round_)
    store.close()
    kept = open_store(path).load_round()
    assert (kept.revision, kept.round, kept.stage, kept.advice, kept.facts) == (
        *(7, 3),
        *(round_.stage, round_.advice, round_.facts),
    )
    pairs = [(round_, kept), (round_.queue, kept.queue)]
    for before, after in pairs:
        for field in dataclasses.fields(before):
            value = getattr(before, field.name)
            if isinstance(value, np.ndarray):
                assert getattr(after, field.name).dtype == value.dtype
                assert np.array_equal(getattr(after, field.name), value), field.name
    assert kept.queue.rule_names == round_.queue.rule_names


def test_a_round_of_a_version_without_doubts_is_read(path, open_store, make_round):
    store = open_store(path, create=True)
    store.save_round(make_round(4, doubts=[0, 1, 0, 0]))
    assert store.load_round().doubts.tolist() == [0, 1, 0, 0]
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM arrays WHERE name = 'doubts'")
    connection.close()
    kept = open_store(path).load_round()
    assert len(kept.doubts) == 0
    assert len(kept.labels) == 4


def test_a_round_of_a_version_that_knew_less_still_loads(path, open_store, make_round):
    store = open_store(path, create=True)
    store.save_round(make_round(4, 6))
    store._db.execute("DELETE FROM arrays WHERE name = 'foreign'")
    assert not len(store.load_round().foreign)


def test_a_round_that_cannot_be_read_is_none_and_does_no_harm(path, open_store, make_round):
    store = open_store(path, create=True)
    store.save_round(make_round(4))
    store.close()
    for damage in (
        "UPDATE arrays SET data = X'00' WHERE name = 'labels'",
        "DELETE FROM arrays WHERE name = 'queue.indices'",
        "UPDATE rounds SET facts = '{}'",
    ):
        with sqlite3.connect(path) as connection:
            connection.execute(damage)
        connection.close()
        store = open_store(path)
        assert store.load_round() is None
        store.save_round(make_round(4))
        assert store.load_round() is not None
        store.close()


def test_arrays_of_objects_are_never_stored_nor_read(store):
    store.put_arrays("pool", {"flags": np.array([True, False]), "empty": np.empty((0, 32), np.uint8)})
    kept = store.arrays("pool")
    assert kept["flags"].tolist() == [True, False]
    assert kept["empty"].shape == (0, 32)
    store._db.execute("UPDATE arrays SET dtype = '|O' WHERE name = 'flags'")
    assert store.arrays("pool") == {}
    with pytest.raises(ValueError, match="never stored"):
        rows.unpack_array("|O", "[1]", bytes(8))


@given(st.lists(st.binary(max_size=8).map(lambda name: name.replace(b"\0", b"")), min_size=1, max_size=20))
def test_ids_of_any_bytes_come_back(names):
    """Half a character at the end of one name and the rest at the beginning of the next are two names of their own."""
    ids = [os.fsdecode(name) for name in names]
    assert rows.unpack_ids(rows.pack_ids(ids), len(ids)) == ids
    assert rows.pack_ids(ids) == b"\0".join(names)


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_ids_are_packed_alike_however_many_at_once(monkeypatch, size):
    monkeypatch.setattr(rows, "_PACKED", size)
    names = [f"{number}" for number in range(20)]
    for first, last in ((0, 20), (0, 7), (3, 9), (19, 30), (5, 5), (25, 30)):
        assert rows.pack_ids(names, first, last) == "\0".join(names[first:last]).encode()


def test_no_ids_are_no_name():
    assert rows.unpack_ids(rows.pack_ids([]), 0) == []
