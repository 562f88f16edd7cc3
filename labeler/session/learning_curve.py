"""The way of a session so far: one small point a merged round, for the learning curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from labeler.core import codec

MOST = 100
"""Points kept; when there are more, every second one of the older half goes."""


@dataclass(frozen=True, slots=True)
class Point:
    """The place where a round left the session. Shares are of the usable instances; nothing here is an accuracy.

    `answers`: answers, pages and imports that stood. `locked`, `likely`, `ask`: labels that nobody gave, by tier.
    `expected_errors`: what the engine expects to be wrong, None where it does not say. `agreement`: Cohen's kappa
    with the labels of the round before, None for the first.
    """

    answers: int
    keys: int
    usable: int
    given: int
    propagated: int
    locked: int
    likely: int
    ask: int
    expected_errors: float | None = None
    agreement: float | None = None

    @property
    def coverage(self) -> float:
        """Share that the default export would hold."""
        return (self.given + self.propagated) / self.usable if self.usable else 0.0

    @property
    def trusted(self) -> float:
        """Share given, locked or likely."""
        return (self.given + self.locked + self.likely) / self.usable if self.usable else 0.0


_NAMES = tuple(item.name for item in fields(Point))


def standing(history: Sequence[Point], answers: int) -> tuple[Point, ...]:
    """The points that hold when `answers` stand: what came after was taken back."""
    return tuple(point for point in history if point.answers <= answers)


def grown(history: Sequence[Point], point: Point) -> tuple[Point, ...]:
    """`history` with `point` at its end, in place of one at the same answer, thinned out where it gets long."""
    points = [*standing(history, point.answers - 1), point]
    if len(points) > MOST:
        # the later half stays whole: how fast the export grows now is read from it
        older = len(points) // 2
        points = points[:older:2] + points[older:]
    return tuple(points)


def packed(history: Sequence[Point]) -> list[list[Any]]:
    """The points as the facts of a round keep them."""
    return [[getattr(point, name) for name in _NAMES] for point in history]  # astuple copies each number deeply


def unpacked(stored: object) -> tuple[Point, ...]:
    """The inverse of :func:`packed`; empty for what cannot be read."""
    names = [item.name for item in fields(Point)]
    try:
        # what a newer version added stands behind, and is passed over
        return tuple(codec.decode(Point, dict(zip(names, values, strict=False))) for values in stored)  # type: ignore[attr-defined]
    except (codec.Unreadable, TypeError):
        return ()


LATELY = 8
"""Points that tell how fast the export grows now."""


def answers_to_cover(history: Sequence[Point]) -> int | None:
    """Answers until the export holds everything if it went on growing as it does now; None where it does not grow.

    It grows ever more slowly: so many at least.
    """
    recent = history[-LATELY:]
    # one point has no slope, and after a handful of answers the slope says little of what follows
    if len(recent) < 2 or recent[-1].answers < LATELY:
        return None
    first, last = recent[0], recent[-1]
    growth = (last.coverage - first.coverage) / (last.answers - first.answers)
    left = 1.0 - last.coverage
    return None if growth <= 0.0 or left <= 0.0 else math.ceil(left / growth)
