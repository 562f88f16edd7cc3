"""The largest numbers of each row: rows of a few numbers are looked at column by column.

numpy reduces and partitions such an array row by row, which takes several times as long; comparing rounds nothing, so
the numbers are the same.
"""

from __future__ import annotations

import numpy as np

from labeler.core.steps import blocks
from labeler.core.types import FloatArray


def largest(values: FloatArray) -> FloatArray:
    """Return the largest of each row (n, k), k at least 1: (n,)."""
    first = np.empty(len(values), dtype=values.dtype)
    for rows in blocks(*values.shape):
        np.ascontiguousarray(values[rows].T).max(axis=0, out=first[rows])
    return first


def two_largest(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the largest and the second largest of each row (n, k), k at least 2: (n,) each."""
    first, second = np.empty((2, len(values)), dtype=values.dtype)
    for rows in blocks(*values.shape):
        columns = np.ascontiguousarray(values[rows].T)
        top, next_one = np.maximum(columns[0], columns[1]), np.minimum(columns[0], columns[1])
        for column in columns[2:]:
            np.maximum(next_one, np.minimum(top, column), out=next_one)
            np.maximum(top, column, out=top)
        first[rows], second[rows] = top, next_one
    return first, second
