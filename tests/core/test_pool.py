from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.core.errors import UsageError
from labeler.core.pool import Pool, RowIds

NAMES = st.sampled_from(["", "train", "test", "train:x", "00000", "é", "%d"])
PARTS = st.lists(st.tuples(NAMES, st.integers(0, 30)), max_size=4, unique_by=lambda part: part[0])
OTHERS = ["", "0", "00030", "0000", "000000", "-0001", "٠٠٠٠٠", "train:0000٠", "train", "other:00000", "0" * 5000]


def test_ids_and_positions_belong_together():
    pool = Pool(["b", "a", "c"])
    assert [pool.index(name) for name in ("b", "a", "c")] == [0, 1, 2]
    assert "a" in pool
    assert "d" not in pool
    with pytest.raises(UsageError, match="'d'"):
        pool.index("d")


def test_missing_ones_stay_in_place_and_come_back():
    pool = Pool(["a", "b", "c"])
    pool.mark_unreadable([2])
    assert pool.mark_missing(["c", "a", "new"]) == 1
    assert pool.unusable().tolist() == [1, 2]
    assert pool.index("b") == 1
    assert pool.mark_missing(["a", "b", "c"]) == 0
    assert pool.unusable().tolist() == [2]


@given(st.lists(st.text(), unique=True), st.text())
def test_a_place_is_that_of_the_list_whether_it_is_sorted_or_not(ids, other):
    for order in (ids, sorted(ids), sorted(ids, reverse=True)):
        pool = Pool(order)
        assert [pool.index(name) for name in order] == list(range(len(order)))
        assert (other in pool) is (other in order)


def test_bytes_that_are_no_text_are_found_among_others():
    names = sorted(["a", "b\udcff", "b\udcfe", "\U0001f600", "\ud7ff", "z"])
    assert [Pool(names).index(name) for name in names] == list(range(6))


def test_a_list_of_ids_is_shared_and_told_from_others():
    names = ["b", "a"]
    pool = Pool(names)
    assert pool.ids is names
    for same in (names, ["b", "a"], ("b", "a")):
        assert pool.is_of(same)
    for other in ([], ["b"], ["a", "b"], ["b", "a", "c"], ["b", "c"]):
        assert not pool.is_of(other)
    assert Pool(iter(names)).ids == names


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
