"""The view that leads: its space is clustered, asked from and spread in; the others have a linear rule's say.

Which one suits cannot be known before the answers: a network trained on photos of things tells things apart, and of
close-ups of one kind of thing hardly anything. So a view leads first by how alike it holds the pool to be, without an
answer, and from FIRST_CHECK answers on the left-out ones decide, each time they have doubled: no order of events but
that of the answers counts, and one more of them never turns the lead back and forth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeler.core.types import FloatArray

ONE_KIND = 0.6
"""Mean cosine between two pictures of the pool from which a network holds them to be of one kind. Photos of things have
.3 to .5, drawn hands .7."""
LOOK = 2_000
"""Rows looked at, evenly spread: of a mean that is enough."""
FIRST_CHECK = 20
CLEAR = 2.5
"""Standard errors of the difference by which another view must be better to take the lead (McNemar 1947). At 2, the
network took it by chance on two of four drawings of hands, which cost 2 to 3 points; at 3, it takes photos of groceries
that began with the wrong view 80 to 160 answers, at 2.5 40 to 80."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Left-out answers as a view guesses them: `hits` (a,) bool, `weights` (a,): what each stands for the pool."""

    hits: NDArray[np.bool_]
    weights: FloatArray


@dataclass(frozen=True, slots=True)
class Lead:
    """The place of the view that leads, and the number of answers that decided it; 0 = none did."""

    place: int
    n_answers: int = 0


def is_of_one_kind(X: FloatArray) -> bool:
    """Whether a view (n, d) holds the pool to be of one kind: rows point in hardly different directions."""
    rows = X[:: max(1, len(X) // LOOK)].astype(np.float64)
    lengths = np.linalg.norm(rows, axis=1)
    directions = rows[lengths > 0] / lengths[lengths > 0, None]
    # the squared length of the mean direction is the mean cosine over all pairs
    return bool(len(directions) and float(np.square(directions.mean(axis=0)).sum()) >= ONE_KIND)


def lead(
    n_answers: int, first: int, judge: Callable[[int], Generator[None, None, Sequence[Judged]]]
) -> Generator[None, None, Lead]:
    """Yield signs of life; return which view leads after `n_answers`.

    `first` leads before answers can tell; `judge` returns, for the first m answers, how each view guesses them.
    """
    leading, checked = Lead(first), FIRST_CHECK
    while checked <= n_answers:
        judged = yield from judge(checked)
        for place, other in enumerate(judged):
            if place != leading.place and is_clearly_better(other, judged[leading.place]):
                leading = Lead(place, checked)
        checked *= 2
    return leading


def is_clearly_better(other: Judged, current: Judged) -> bool:
    """Whether `other` is right where `current` is wrong by CLEAR standard errors more than the reverse."""
    gained = current.weights * (other.hits.astype(np.float64) - current.hits)
    spread = math.sqrt(float(np.square(gained).sum()))
    return float(gained.sum()) > CLEAR * max(spread, 1.0)
