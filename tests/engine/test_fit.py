"""What is read off one fit: the likeliest classes in their order, and how doubtful each answer is."""

import numpy as np

from labeler.core.types import UNLABELED
from labeler.engine.calibration import Calibration
from labeler.engine.fit import Fit

PROBA = np.array([[0.2, 0.8], [0.6, 0.4], [0.0, 1.0]], dtype=np.float32)
AS_IT_IS = Calibration(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 1.0)
NONE = np.empty(0, dtype=np.int32)
FIT = Fit(2, NONE, NONE, np.empty(0, dtype=np.bool_), np.array([7, 3], dtype=np.int32), PROBA, AS_IT_IS)


def test_the_likeliest_come_first_and_where_there_is_none_it_says_so():
    guesses, scores = FIT.top(slice(None), 3)
    assert guesses.tolist() == [[3, 7, UNLABELED], [7, 3, UNLABELED], [3, 7, UNLABELED]]
    assert np.allclose(scores, [[0.8, 0.2, 0.0], [0.6, 0.4, 0.0], [1.0, 0.0, 0.0]])
    assert np.array_equal(FIT.proba, PROBA)


def test_an_answer_is_as_doubtful_as_its_class_is_unlikely(make_snapshot):
    assert np.allclose(FIT.doubts(make_snapshot({2: 7, 1: 7})), [1.0, 0.4])
