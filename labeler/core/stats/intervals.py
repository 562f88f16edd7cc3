"""Exact intervals for a share, without scipy: the screen's process may ask for one."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

_STEPS = 60
"""Halvings of [0, 1]: to the last digit of a float."""


def clopper_pearson(right: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact two-sided interval of a share of which `right` of `n` independent draws were found (Clopper, Pearson 1934).

    Covers the true share at least as often as `confidence` says, whatever it is. (0, 1) for no draw.

    Raises
    ------
    ValueError
        `right` is not within 0 and `n`, or the confidence not between 0 and 1.
    """
    if not 0 <= right <= n or not 0.0 < confidence < 1.0:
        raise ValueError(f"no interval for {right} of {n} at {confidence}")
    alpha = (1.0 - confidence) / 2.0
    low = 0.0 if right == 0 else _where(lambda p: 1.0 - _at_most(right - 1, n, p) <= alpha)
    high = 1.0 if right == n else _where(lambda p: _at_most(right, n, p) > alpha)
    return low, high


def _where(holds: Callable[[float], bool]) -> float:
    """The share up to which `holds` is true."""
    # bisection, for `holds` is true up to one share and false from there on
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if holds(middle) else (low, middle)
    return (low + high) / 2.0


def _at_most(k: int, n: int, p: float) -> float:
    """P(X <= k) of a binomial variable."""
    if p <= 0.0 or k >= n:
        return 1.0
    if p >= 1.0:
        return 0.0
    logs = math.lgamma(n + 1)  # in logs: binomials of thousands of draws are past the largest float
    terms = (
        logs - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * math.log(p) + (n - i) * math.log1p(-p)
        for i in range(k + 1)
    )
    return min(1.0, math.fsum(math.exp(term) for term in terms))


def sign_test(more: int, less: int) -> float:
    """The chance of at least `more` heads in `more` + `less` throws of a fair coin: small = more is no accident."""
    n = more + less
    return 1.0 if more == 0 else 1.0 - _at_most(more - 1, n, 0.5)


def wilson(right: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of a share of which `right` of `n` draws were found (Wilson 1927); (0, 1) for no draw."""
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1.0 + confidence) / 2.0)
    share, spread = right / n, z * z / n
    middle = (share + spread / 2.0) / (1.0 + spread)
    half = z * math.sqrt(share * (1.0 - share) / n + spread / n / 4.0) / (1.0 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def difference(
    right: int, n: int, other_right: int, other_n: int, confidence: float = 0.95
) -> tuple[float, float, float]:
    """The first share less the other and an interval of that, of two independent samples.

    From the two Wilson intervals (Newcombe 1998, Statistics in Medicine 17:873, method 10): it holds for small samples
    and shares near 0 and 1, where the textbook's does not.

    Raises
    ------
    ValueError
        One of the samples is empty.
    """
    if not n or not other_n:
        raise ValueError("no difference to an empty sample")
    one, other = right / n, other_right / other_n
    low, high = wilson(right, n, confidence)
    other_low, other_high = wilson(other_right, other_n, confidence)
    apart = one - other
    return apart, apart - math.hypot(one - low, other_high - other), apart + math.hypot(high - one, other - other_low)
