"""Logs of counts: how likely a sequence of looks is, as the gambler of a certificate predicts it and as it would be.

All arguments broadcast; all arrays are of float64 or int64.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labeler.core.types import IndexArray

Doubles = NDArray[np.float64]

PRIOR_ERRORS = 0.25
"""Imagined wrong answers before the first look: few, so that a clean sample is soon enough and an error is no ruin."""


def prior_looks(target: float) -> float:
    """Imagined right answers before the first look: the closer the target to 1, the rarer errors are expected."""
    return 1.0 / max(1.0 - target, 1e-4)


def log_predicted(s: NDArray[np.int64] | np.int64, t: NDArray[np.int64] | np.int64, n: int, target: float) -> Doubles:
    """Log chance of a sequence with `s` errors in `t` looks as the gambler predicts it."""
    a, b = PRIOR_ERRORS, prior_looks(target)
    predicted: Doubles = log_rising(a, s) + log_rising(b, t - s) - log_rising(a + b, t)
    return predicted


def log_sequence(s: NDArray[np.int64], t: NDArray[np.int64], k: NDArray[np.int64], population: int) -> Doubles:
    """Log chance of a sequence with `s` errors in `t` looks where `k` of the population are wrong; -inf = cannot be."""
    right, clean = population - k, t - s
    possible = (s <= k) & (clean <= right) & (k >= 0) & (right >= 0)
    log = log_factorials(population)
    k, right = np.clip(k, 0, population), np.clip(right, 0, population)
    chance = (
        log[k]
        - log[np.maximum(k - s, 0)]
        + log[right]
        - log[np.maximum(right - clean, 0)]
        - (log[population] - log[population - t])
    )
    return np.where(possible, chance, -np.inf)


def log_choices(wrong: IndexArray, t: int, in_all: ArrayLike, population: int) -> Doubles:
    """Log chance that `wrong` of `t` looks are errors where `in_all` are: the hypergeometric."""
    k = np.asarray(in_all, dtype=np.int64)
    return log_binomial(t, wrong) + log_sequence(wrong, np.asarray(t), k, population)


def log_binomial(n: ArrayLike, k: ArrayLike) -> Doubles:
    """Log of the ways to choose `k` of `n`; -inf where there is none."""
    n, k = np.asarray(n, dtype=np.int64), np.asarray(k, dtype=np.int64)
    log = log_factorials(int(n.max(initial=0)))
    chosen: Doubles = log[n] - log[np.clip(k, 0, n)] - log[np.clip(n - k, 0, n)]
    return np.where((k >= 0) & (k <= n), chosen, -np.inf)


def times(count: ArrayLike, log: Doubles) -> Doubles:
    """`count` times a log, where 0 times -inf is 0."""
    count = np.asarray(count, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return np.where(count == 0, 0.0, count * log)


def log_factorials(n: int) -> Doubles:
    """Logs of 0!, 1!, ... at least up to `n`!."""
    # sizes are powers of two: a table serves many counts, and few are ever made
    return _rising(1.0, 1 << max(n, 1).bit_length())


def log_rising(x: float, n: ArrayLike) -> Doubles:
    """Log of x (x + 1) ... (x + n - 1)."""
    n = np.asarray(n, dtype=np.int64)
    log: Doubles = _rising(x, 1 << max(int(n.max(initial=0)), 1).bit_length())[n]
    return log


@lru_cache(maxsize=32)
def _rising(x: float, size: int) -> Doubles:
    return np.concatenate([[0.0], np.cumsum(np.log(x + np.arange(size)))])
