from __future__ import annotations

import numpy as np
import pytest

from labeler.core import steps
from labeler.core.numeric.largest import largest, two_largest


@pytest.mark.parametrize("shape", [(0, 3), (1, 2), (7, 2), (500, 10), (3, 400)])
def test_they_are_what_a_sort_has_last(shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "NUMBERS", 1_000)  # several blocks
    values = np.random.default_rng(0).random(shape, dtype=np.float32) - np.float32(0.5)
    ordered = np.sort(values, axis=1)
    first, second = two_largest(values)
    np.testing.assert_array_equal(largest(values), ordered[:, -1])
    np.testing.assert_array_equal(first, ordered[:, -1])
    np.testing.assert_array_equal(second, ordered[:, -2])


def test_the_second_may_equal_the_first() -> None:
    first, second = two_largest(np.array([[1, 3, 3], [2, 2, 2], [5, 1, 4]], dtype=np.float32))
    np.testing.assert_array_equal(first, [3, 2, 5])
    np.testing.assert_array_equal(second, [3, 2, 4])


def test_one_column_is_its_own_largest() -> None:
    np.testing.assert_array_equal(largest(np.array([[2.0], [-1.0]], dtype=np.float32)), [2.0, -1.0])


def test_columns_in_another_order_of_memory_are_the_same() -> None:
    values = np.asfortranarray(np.random.default_rng(1).random((50, 6), dtype=np.float32))
    np.testing.assert_array_equal(two_largest(values[::2, ::-1])[1], np.sort(values[::2], axis=1)[:, -2])
