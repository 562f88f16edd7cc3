from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from labeler.core.stats.agreement import kappa


def test_kappa_is_cohens() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(4, size=(2, 200)).astype(np.int32)
    second[:120] = first[:120]
    assert kappa(first, second) == pytest.approx(cohen_kappa_score(first, second))
    same = np.zeros(5, dtype=np.int32)
    assert kappa(same, same) == 1
    assert kappa(same[:0], same[:0]) == 1
