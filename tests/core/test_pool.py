from __future__ import annotations

import pytest

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
