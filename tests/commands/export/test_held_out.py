"""No row is judged by a model that has seen it, or its twin."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.commands.export.held_out import FOLDS, held_out_probabilities
from labeler.plugins import registry


def judged(digits, n=300, labels=None, repeats=None, indices=None):
    X, y = digits
    indices = np.arange(n) if indices is None else indices
    labels = y[indices].astype(np.int32) if labels is None else labels
    ones = np.ones(len(indices), dtype=np.float32)
    return held_out_probabilities(X, indices, labels, ones, 10, 0, ([""] * len(indices), repeats))


@pytest.mark.slow
def test_every_row_has_shares_by_a_model_of_the_other_folds(digits):
    found = judged(digits)
    assert found.proba.shape == (300, 10)
    assert np.bincount(found.folds).tolist() == [60] * FOLDS
    np.testing.assert_allclose(found.proba.sum(axis=1), 1, atol=1e-5)
    assert (found.proba.argmax(axis=1) == digits[1][:300]).mean() > 0.85
    rest = np.flatnonzero(found.folds != 2)
    model = registry.create("classifier", "logreg").fit(digits[0][rest], digits[1][rest].astype(np.int32))
    mine = np.flatnonzero(found.folds == 2)
    np.testing.assert_allclose(found.proba[mine], model.predict_proba(digits[0][mine]), atol=1e-5)


def test_a_wrong_label_is_not_believed_as_it_is_by_a_model_that_has_seen_it(digits):
    labels = digits[1][:300].astype(np.int32)
    labels[5] = (labels[5] + 1) % 10
    seen = registry.create("classifier", "logreg", C=1e6).fit(digits[0][:300], labels)
    assert judged(digits, labels=labels).proba[5, labels[5]] < 0.5 < seen.predict_proba(digits[0][5:6])[0, labels[5]]


def test_twins_share_a_fold(digits):
    repeats = [number // 3 for number in range(300)]
    folds = judged(digits, repeats=repeats).folds.reshape(-1, 3)
    assert (folds == folds[:, :1]).all()


def test_the_same_rows_give_the_same_bits(digits):
    assert np.array_equal(judged(digits).proba, judged(digits).proba)


def test_few_rows_and_one_class_are_no_error(digits):
    for labels in ([0], [0, 1], [3, 3, 3], [0, 1, 2, 3, 4, 5, 6]):
        found = judged(digits, labels=np.array(labels, dtype=np.int32), indices=np.arange(len(labels)))
        np.testing.assert_allclose(found.proba.sum(axis=1), 1, atol=1e-5)
    assert judged(digits, labels=np.empty(0, np.int32), indices=np.arange(0)).proba.shape == (0, 10)
