"""Foresight: what the labels of a check said of the answers that came after it.

How smooth the waiting labels are tells early whether labels can spread, and less and less later: the easy ones are
answered or certain, and the right labels of photos lie among other kinds. So labels are remembered at checks, each
with about twice the answers of the one before, and judged by the answers since, which they could not know
("prequential", Dawid 1984). Questions are the least certain of a pool: where even those were foreseen, the rest is;
and as much as spread once goes on to, but for a little at each check, unless the answers since refute it.

All of it follows from the answers in their order alone: nothing depends on when a round was made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from labeler.core.types import BoolArray, FloatArray, IndexArray, IntArray, Snapshot
from labeler.engine.earned import skill
from labeler.engine.tiers import Groups, ramp

Step = TypeVar("Step")

CHECKS = (10, 20, 50)
"""Answers of the first checks; the next ones are ten times as many, and so on."""
ENOUGH = 50
"""Answers since a check from which they can bear out its labels: of 25, .72 were foreseen, of 50 .60."""
FORESEEN = (0.45, 0.6)
"""Share foreseen of the questions since a check, less a standard error and beyond the commonest class, from which the
rest can spread, a ramp (hand signs .46 and less, 80 % of the rest right; 1,200 groceries .63, 99.9 % right)."""
PROMISED = 0.9
"""Share right of what spreads by itself."""
LEAST = 5.0
"""Answers' worth below which nothing is clear: of 3.7, two were missed in a table whose labels were 98 % right."""
TAKEN_BACK = 0.08
"""Part of a pool that a check takes back, where less spreads by then: a pool is not turned over by a few answers."""


@dataclass(frozen=True, slots=True)
class Check:
    """The labels of the first `n_answers`: `class_ids` (n,), those that groups would `spread` (n,).

    `share` is the part of the waiting labels that did.
    """

    n_answers: int
    class_ids: IntArray
    spread: BoolArray
    share: float


@dataclass(frozen=True, slots=True)
class Since:
    """Answers after a check: which were foreseen (`hits`), which would `spread`, what each stands for; all (a,).

    `class_ids` (a,) are the answers themselves, `asked` (a,) those that were questions: the least certain of the pool.
    """

    hits: BoolArray
    spread: BoolArray
    weights: FloatArray
    class_ids: IntArray
    asked: BoolArray


def checks_at(n_answers: int) -> list[int]:
    """Return the numbers of answers, below `n_answers`, at which labels are remembered: 10, 20, 50, 100, 200, ..."""
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


def since(check: Check, indices: IndexArray, class_ids: IntArray, weights: FloatArray, asked: BoolArray) -> Since:
    """Return how `check` foresaw the answers after it; all answers are given, in their order."""
    later = slice(check.n_answers, None)
    rows = indices[later]
    hits = np.asarray(check.class_ids[rows] == class_ids[later])
    return Since(hits, check.spread[rows], weights[later], class_ids[later], asked[later])


def foreseen(answers: Since) -> float:
    """Return how far the rest of the pool can spread, in [0, 1], as its least certain part was foreseen.

    Labels that came from elsewhere are as certain as any others: that those were foreseen says nothing of the rest.
    Nothing can where the answers refute what would spread: of classes drawn by lot two thirds were guessed once.
    """
    count = int(np.count_nonzero(answers.asked))
    if count < ENOUGH or is_refuted(answers):
        return 0.0
    # the lower end of Wilson's interval (1927), a standard error below
    share = (float(np.count_nonzero(answers.hits & answers.asked)) + 0.5) / (count + 1.0)
    least = share - math.sqrt(share * (1.0 - share) / (count + 1.0))
    sizes = np.unique(answers.class_ids[answers.asked], return_counts=True)[1].astype(np.float64)
    return ramp(skill(least, sizes), FORESEEN)


def is_refuted(answers: Since) -> bool:
    """Whether answers since a check tell by a standard error that what would spread by it is less right than promised.

    Each counts by its weight: errors are looked for, and many of the least certain labels stand for little of the pool.
    """
    weights = answers.weights[answers.spread].astype(np.float64)
    short = float((weights * (PROMISED - answers.hits[answers.spread])).sum())
    # a single answer decides nothing: the error is at least that of one in full
    error = math.sqrt(PROMISED * (1.0 - PROMISED) * max(float(np.square(weights).sum()), 1.0))
    return float(weights.sum()) >= LEAST and short > error


def lifted(groups: Groups, past: Sequence[tuple[Check, Since]]) -> Groups:
    """Return the parts that may spread: those of `groups`, or what the answers since a check foresaw.

    What is locked is that of `groups` alone: it promises more than labels of before can tell.
    """
    part = max((foreseen(answers) for _, answers in past), default=0.0)
    return replace(groups, unanimous=max(groups.unanimous, part), agreed=max(groups.agreed, part))


def share_to_keep(past: Sequence[tuple[Check, Since]]) -> float:
    """Return the part of the waiting labels that goes on to spread: that of the last check, less TAKEN_BACK.

    0 where the answers since then refute it.
    """
    if not past:
        return 0.0
    check, answers = past[-1]
    return 0.0 if is_refuted(answers) else max(check.share - TAKEN_BACK, 0.0)


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

        `check` makes that of some first answers and the checks before them; None where nothing can be believed.
        """
        used: dict[bytes, Check | None] = {}
        past: tuple[Check, ...] = ()
        for count in checks_at(len(snapshot.indices)):
            first = first_answers(snapshot, count)
            # all that a check rests on; by whom an answer is, too: questions alone can be foreseen
            answers = (first.indices, first.class_ids, first.provenances, first.weights)
            key = b"|".join(part.tobytes() for part in (*answers, first.excluded, first.class_list))
            used[key] = self._checks[key] if key in self._checks else (yield from check(first, past))
            latest = used[key]
            past = past if latest is None else (*past, latest)
        self._checks = used  # those of answers that were taken back would pile up
        return past
