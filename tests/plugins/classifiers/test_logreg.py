from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from labeler.plugins.classifiers.logreg import LogReg


@pytest.mark.parametrize("n_classes", [2, 3, 7, 8, 10, 40])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 300.0])
def test_probabilities_are_those_of_scikit_learn_to_the_bit(n_classes: int, scale: float) -> None:
    rng = np.random.default_rng(n_classes)
    X = (scale * rng.normal(size=(900, 12))).astype(np.float32)
    y = (np.arange(900) % n_classes).astype(np.int32)
    model = LogReg().fit(X[:200], y[:200])
    regression = model._regression
    assert isinstance(regression, LogisticRegression)
    for pool in (X, X[:1], np.zeros_like(X[:3]), 1e30 * X, X[:, ::-1][:, ::-1]):
        ours = model.predict_proba(pool)
        assert ours.dtype == np.float32
        np.testing.assert_array_equal(ours, regression.predict_proba(pool).astype(np.float32))


def test_one_class_is_certain() -> None:
    model = LogReg().fit(np.ones((3, 2), dtype=np.float32), np.full(3, 4, dtype=np.int32))
    np.testing.assert_array_equal(model.predict_proba(np.zeros((5, 2), dtype=np.float32)), np.ones((5, 1)))
