"""Foresight: what the labels of a check said of the answers that came after it.

How smooth the waiting labels are tells early whether labels can spread, and less and less later: the easy ones are
answered or certain, and the right labels of photos lie among other kinds. So labels are remembered
at checks, each with about twice the answers of the one before, and judged by the answers since, which they could not
know ("prequential", Dawid 1984). Questions are the least certain of a pool: where even those were foreseen, the rest
is; and a part that was to spread once goes on to, until answers that stand for the pool show clearly that it should
not have.

All of it follows from the answers in their order alone: nothing depends on when a round was made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from labeler.core.types import BoolArray, FloatArray, IndexArray, IntArray, Snapshot
from labeler.engine.tiers import Groups

Step = TypeVar("Step")

CHECKS = (20, 50, 100)
"""Answers of the first checks; the next ones are ten times as many, and so on. Below 20 nothing is worth keeping."""
ENOUGH = 50
"""Answers since a check from which they can bear out its labels: of 25, .72 were foreseen, of 50 .60."""
FORESEEN = (0.55, 0.7)
"""Share foreseen of the questions since a check, less a standard error, from which the rest can spread, a ramp (hand
signs .51 and less, 80 % of the rest right; 1,200 groceries .75, 99.9 % right)."""
PROMISED = 0.9
"""Share right of what spreads by itself."""
CLEAR = 2.0
"""Standard errors by which answers must fall short of that for a part to be taken back."""
LEAST = 5.0
"""Answers' worth below which nothing is clear: of 3.7, two were missed in a table whose labels were 98 % right."""
TAKEN_BACK = 0.08
"""Part of a pool that clear evidence at a check takes back: the answers that refute labels mend them as well."""


@dataclass(frozen=True, slots=True)
class Check:
    """The labels of the first `n_answers`: `class_ids` (n,), which of them were to `spread` (n,), by which `groups`."""

    n_answers: int
    class_ids: IntArray
    spread: BoolArray
    groups: Groups


@dataclass(frozen=True, slots=True)
class Since:
    """Answers after a check: which were foreseen (`hits`), which were to `spread`, what each stands for; all (a,)."""

    hits: BoolArray
    spread: BoolArray
    weights: FloatArray


def checks_at(n_answers: int) -> list[int]:
    """Return the numbers of answers, below `n_answers`, at which labels are remembered: 20, 50, 100, 200, 500, ..."""
    places: list[int] = []
    scale = 1
    while CHECKS[0] * scale < n_answers:
        places += [place * scale for place in CHECKS if place * scale < n_answers]
        scale *= 10
    return places


def first_answers(snapshot: Snapshot, count: int) -> Snapshot:
    """Return the snapshot of the first `count` answers alone."""
    return replace(
        snapshot,
        indices=snapshot.indices[:count],
        class_ids=snapshot.class_ids[:count],
        provenances=snapshot.provenances[:count],
        weights=snapshot.weights[:count],
    )


def since(check: Check, indices: IndexArray, class_ids: IntArray, weights: FloatArray) -> Since:
    """Return how `check` foresaw the answers after it; all answers are given, in their order."""
    later = indices[check.n_answers :]
    return Since(
        np.asarray(check.class_ids[later] == class_ids[check.n_answers :]),
        check.spread[later],
        weights[check.n_answers :],
    )


def foreseen(answers: Since) -> float:
    """Return how far the rest of the pool can spread, in [0, 1], as its least certain part was foreseen."""
    count = len(answers.hits)
    if count < ENOUGH:
        return 0.0
    # the lower end of Wilson's interval (1927), a standard error below
    share = (float(np.count_nonzero(answers.hits)) + 0.5) / (count + 1.0)
    least = share - math.sqrt(share * (1.0 - share) / (count + 1.0))
    return min(max((least - FORESEEN[0]) / (FORESEEN[1] - FORESEEN[0]), 0.0), 1.0)


def is_refuted(answers: Since) -> bool:
    """Whether answers show clearly that what was to spread at a check is less right than promised.

    Each by its weight: errors are looked for, and many of the least certain labels stand for little of the pool.
    """
    weights = answers.weights[answers.spread].astype(np.float64)
    short = float((weights * (PROMISED - answers.hits[answers.spread])).sum())
    # a single answer decides nothing: the error is at least that of one in full
    error = math.sqrt(PROMISED * (1.0 - PROMISED) * max(float(np.square(weights).sum()), 1.0))
    return float(weights.sum()) >= LEAST and short > CLEAR * error


def held(groups: Groups, past: Sequence[tuple[Check, Since]]) -> Groups:
    """Return the parts that may spread now: those of the round, of the last check, or what was foreseen.

    What is locked is that of the round alone: it promises more than labels of before can tell.
    """
    if not past or groups.is_full:
        return groups
    part = max(foreseen(answers) for _, answers in past)
    unanimous, agreed = max(groups.unanimous, part), max(groups.agreed, part)
    check, answers = past[-1]
    less = TAKEN_BACK if is_refuted(answers) else 0.0
    return replace(
        groups,
        unanimous=max(unanimous, check.groups.unanimous - less),
        agreed=max(agreed, check.groups.agreed - less),
    )


class Remembered:
    """The checks of a session, kept from round to round while its first answers stay the same."""

    def __init__(self) -> None:
        self._checks: dict[bytes, Check | None] = {}

    def clear(self) -> None:
        """Forget all: the views have changed."""
        self._checks.clear()

    def by_steps(
        self,
        snapshot: Snapshot,
        check: Callable[[Snapshot, tuple[Check, ...]], Generator[Step, None, Check | None]],
    ) -> Generator[Step, None, tuple[Check, ...]]:
        """Yield signs of life; return the checks before the answers of `snapshot`.

        `check` makes that of some first answers and the checks before them; None where classes were still discovered.
        """
        used: dict[bytes, Check | None] = {}
        past: tuple[Check, ...] = ()
        for count in checks_at(len(snapshot.indices)):
            first = first_answers(snapshot, count)
            key = b"|".join(
                part.tobytes()
                for part in (first.indices, first.class_ids, first.weights, first.excluded, first.class_list)
            )
            used[key] = self._checks[key] if key in self._checks else (yield from check(first, past))
            latest = used[key]
            past = past if latest is None else (*past, latest)
        self._checks = used  # those of answers that were taken back would pile up
        return past
