from __future__ import annotations

import numpy as np

from labeler.engine.nearest_left_out import by_nearest
from tests.engine.pools import blobs


def test_each_answer_is_guessed_from_the_others() -> None:
    points, y = blobs(60, n_classes=3, spread=0.5)
    shares = by_nearest(points, y)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-5)
    assert (shares.argmax(axis=1) == y).all()
    alone = y.copy()
    alone[7] = 3  # its own class holds nobody else: it cannot be guessed
    shares = by_nearest(points, alone)
    assert shares[7].argmax() == y[7]
    assert shares[7, 3] == 0.0


def test_a_wrong_answer_among_its_like_is_guessed_right_and_not_as_it_was_given() -> None:
    points, y = blobs(60, n_classes=3, spread=0.5)
    given = y.copy()
    given[0] = (y[0] + 1) % 3
    assert by_nearest(points, given)[0].argmax() == y[0]


def test_one_answer_and_equal_points_are_no_trouble() -> None:
    assert np.isfinite(by_nearest(np.zeros((1, 4), dtype=np.float32), np.zeros(1, dtype=np.int32))).all()
    same = by_nearest(np.ones((6, 4), dtype=np.float32), np.array([0, 0, 1, 1, 2, 2], dtype=np.int32))
    np.testing.assert_allclose(same, 1 / 3, atol=1e-5)
