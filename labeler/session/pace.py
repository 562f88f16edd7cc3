"""The person's own pace: seconds an answer, time worked, time left. Pure: the times come from the journal's events."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from statistics import median

BREAK = 60.0
"""Seconds between two answers from which on it was a break: neither pace nor work."""
WINDOW = 50
"""Intervals, the latest ones, that make the pace."""
LEAST = 5
"""Answers below which nobody can tell a pace."""


def intervals(times: Sequence[float]) -> list[float]:
    """Seconds between answers given at `times` (seconds, in order), without breaks and clocks set back."""
    return [gap for before, after in itertools.pairwise(times) if 0.0 <= (gap := after - before) < BREAK]


def pace(times: Sequence[float]) -> float | None:
    """Median seconds an answer over the last WINDOW intervals; None below LEAST answers in a row."""
    if len(times) < LEAST:
        return None
    latest: list[float] = []
    # from the end: this is asked at every drawing, and a long journal matters only by its last answers
    for place in range(len(times) - 1, 0, -1):
        latest += intervals(times[place - 1 : place + 1])
        if len(latest) == WINDOW:
            break
    # the median: a long look now and then does not make a quick person slow. LEAST times have one interval less
    return median(latest) if len(latest) >= LEAST - 1 else None


def worked(times: Sequence[float]) -> float:
    """Seconds spent answering, breaks left out."""
    return sum(intervals(times))


def time_left(times: Sequence[float], n_answers: int) -> float | None:
    """Seconds that `n_answers` more would take at this pace; None where there is no pace yet."""
    each = pace(times)
    return None if each is None else each * n_answers


def spoken(seconds: float) -> str:
    """A length of time as people say it: ``40 s``, ``7 min``, ``1 h 20 min``."""
    # up to 90, and so with minutes: rounded to a unit of the larger kind they would be far off
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours} h"
