"""Ids of rows are those of a list, which is never made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.core.pool import Pool
from labeler.core.row_ids import RowIds

NAMES = st.sampled_from(["", "train", "test", "train:x", "00000", "é", "%d"])
PARTS = st.lists(st.tuples(NAMES, st.integers(0, 30)), max_size=4, unique_by=lambda part: part[0])
OTHERS = ["", "0", "00030", "0000", "000000", "-0001", "٠٠٠٠٠", "train:0000٠", "train", "other:00000", "0" * 5000]


def listed(parts):
    return [f"{name}:{row:05d}" if name else f"{row:05d}" for name, count in parts for row in range(count)]


@given(PARTS, st.slices(130))
def test_they_are_those_of_the_list(parts, some):
    ids, expected = RowIds(parts), listed(parts)
    assert (len(ids), list(ids), ids[some]) == (len(expected), expected, expected[some])
    assert [ids[row] for row in range(-len(ids), len(ids))] == expected + expected
    assert ids == expected
    assert expected == ids
    assert ids == RowIds(parts)
    for beyond in (len(ids), -len(ids) - 1):
        with pytest.raises(IndexError):
            ids[beyond]


@given(PARTS, PARTS)
def test_two_are_equal_where_their_lists_are(some, others):
    assert (RowIds(some) == RowIds(others)) is (listed(some) == listed(others))
    assert (RowIds(some) == listed(others)) is (listed(some) == listed(others))


@given(PARTS)
def test_each_is_at_its_place_and_no_other_name_is_there(parts):
    ids, expected = RowIds(parts), listed(parts)
    assert [ids.position(name) for name in expected] == list(range(len(expected)))
    for name in OTHERS:
        assert ids.position(name) == (expected.index(name) if name in expected else None)
        assert (name in ids) is (name in expected)


def test_text_order_is_row_order_however_many_there_are():
    ids = RowIds([("", 100_001)])
    assert (ids[0], ids[100_000]) == ("000000", "100000")
    assert ids[9_998:10_001] == ["009998", "009999", "010000"]


def test_as_many_as_no_memory_holds():
    ids = RowIds([("train", 10**15), ("test", 10**15)])
    last = "test:999999999999999"
    assert (ids[-1], ids.position(last), ids[10**15 : 10**15 + 1]) == (last, 2 * 10**15 - 1, ["test:000000000000000"])
    assert ids == RowIds([("train", 10**15), ("test", 10**15)])


def test_a_pool_looks_them_up_without_all_of_them(monkeypatch):
    pool = Pool(RowIds([("", 100_000)]))
    monkeypatch.setattr(RowIds, "__iter__", lambda ids: pytest.fail("all ids were made"))
    assert pool.index("00042") == 42
    assert "100000" not in pool
