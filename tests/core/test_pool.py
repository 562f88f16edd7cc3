from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.core.errors import UsageError
from labeler.core.pool import Pool


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
