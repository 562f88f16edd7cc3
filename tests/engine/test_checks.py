from __future__ import annotations

import numpy as np
import pytest

from labeler.core.errors import EngineError
from labeler.engine import checks
from labeler.engine.checks import check_features


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e19, -1e16])
def test_the_first_value_that_no_distance_can_be_computed_of_is_named(monkeypatch, bad):
    monkeypatch.setattr(checks, "_CHUNK", 10)
    X = np.zeros((50, 4), np.float32)
    check_features(X)
    X[23, 2] = X[40, 0] = bad
    with pytest.raises(EngineError, match="row 23, column 2"):
        check_features(X)


@pytest.mark.parametrize("shape", [(5,), (5, 2, 2)])
def test_features_are_a_table(shape):
    with pytest.raises(EngineError):
        check_features(np.zeros(shape, np.float32))
