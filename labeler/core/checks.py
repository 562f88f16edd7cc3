"""What features must be before an engine takes them."""

from __future__ import annotations

import numpy as np

from labeler.core.vocabulary import FloatArray
from labeler.errors import EngineError

_CHUNK = 65_536


def check_features(X: FloatArray) -> None:
    """Refuse features that are not a finite table.

    Raises
    ------
    EngineError
        `X` is not (n, d), or holds NaN or infinity; the message names the first such row and column.
    """
    if X.ndim != 2:
        raise EngineError(f"features are a table of rows, these have {X.ndim} dimensions", "give (n, d) numbers")
    for start in range(0, len(X), _CHUNK):
        bad = ~np.isfinite(X[start : start + _CHUNK])
        if bad.any():
            row, column = (int(position) for position in np.argwhere(bad)[0])
            raise EngineError(
                f"the feature in row {start + row}, column {column} is not a finite number",
                "remove or fill such values; nothing was changed",
            )
