"""Checks of features before an engine takes them."""

from __future__ import annotations

import numpy as np

from labeler.core.errors import EngineError
from labeler.core.mapped import let_go
from labeler.core.types import FloatArray

_CHUNK = 4_096  # rows of a mapped file in memory at a time
LARGEST = 1e15
"""Squared distances of larger values overflow float32, and a clustering library ends the process over it."""


def check_features(X: FloatArray) -> None:
    """Refuse features that are not a finite table.

    Raises
    ------
    EngineError
        `X` is not (n, d), or holds NaN, infinity or a value beyond :data:`LARGEST`; the message names the first such
        row and column.
    """
    if X.ndim != 2:
        raise EngineError(f"features are a table of rows, these have {X.ndim} dimensions", "give (n, d) numbers")
    for start in range(0, len(X), _CHUNK):
        bad = ~(np.abs(X[start : start + _CHUNK]) <= LARGEST)  # so written, it is true of NaN
        if bad.any():
            row, column = (int(position) for position in np.argwhere(bad)[0])
            raise EngineError(
                f"the feature in row {start + row}, column {column} is not a finite number"
                f" within ±{LARGEST:g}: {X[start + row, column]}",
                "remove, fill or scale such values; nothing was changed",
            )
        let_go(X)  # one pass over a mapped file must not count as memory of ours
