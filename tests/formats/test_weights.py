"""How much a label counts, as `--weights` says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from labeler.core.errors import UsageError


def test_weights_are_as_believed_equal_or_balanced(write: Callable[..., Path]) -> None:
    believed = pd.read_csv(write("a.csv", predicted=True))
    assert np.array_equal(believed["weight"], believed["confidence"])
    assert believed["weight"].nunique() > 1
    equal = pd.read_csv(write("b.csv", predicted=True, weights="equal"))
    assert set(equal["weight"]) == {1}
    balanced = pd.read_csv(write("c.csv", predicted=True, weights="balanced"), keep_default_na=False)
    sums = balanced.groupby("label")["weight"].sum()
    np.testing.assert_allclose(sums, sums.iloc[0], rtol=1e-5)
    assert 0 < balanced["weight"].max() <= 1
    assert (balanced["confidence"] == believed["confidence"]).all()
    with pytest.raises(UsageError, match="no weights 'heavy'"):
        write("d.csv", weights="heavy")
