"""Certificate of a set of labels, a bound that holds: from a simple random sample drawn without replacement.

The set holds N labels of which an unknown K are wrong. Instances are looked at in an order drawn at random; `checked`
were looked at, `wrong` of them found wrong. Every bound here is the largest K the sample does not speak against, at an
error probability alpha over the draw, whatever the labels are. Nothing is assumed of the engine that made them.

- :func:`exact_bound`: a fixed number of looks (hypergeometric, Clopper-Pearson's for a finite set).
- :func:`betting_bound`: valid at every moment at once, so that one may look after each answer and stop when one likes.
  For every K a gambler bets against "K are wrong" in a game that is fair where K is the truth; by Ville's inequality
  the wealth ever reaches 1/alpha with probability alpha at most, and then K is given up. On 0/1 outcomes the bet of the
  predicted chance of an error, a Beta's, makes the wealth a ratio of two likelihoods in closed form (Waudby-Smith &
  Ramdas, "Confidence sequences for sampling without replacement", NeurIPS 2020, and "Estimating means of bounded random
  variables by betting", JRSS-B 2023).
- with planted instances whose label is known to be wrong, a reviewer who overlooks some: the game is played against
  every pair (K, chance to see an error), on the audit and on the plants together; the product of two wealths is a
  wealth, so nothing has to be split between them. Looks taken one at a time, where nothing is overlooked, go along.

Imports numpy alone: the screen's process tells the bound after each answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from labeler.core.stats.likelihoods import Doubles, log_choices, log_predicted, log_sequence
from labeler.core.stats.reviewer import Reviewer, overlooked_below, overlooked_bound
from labeler.core.types import BoolArray, IndexArray

FIRST_AUDIT, EACH_FURTHER = 0.8, 0.2
"""Of alpha the first audit gets four fifths, each further one a fifth of what the one before got: they sum to one.

Most sessions audit once; halving would cost the first audit 28 more clean looks at 98 %, 6 / (pi j)^2 18, this 8."""
WHOLE, CUT_OFF = 0.9, 0.1
"""Of an audit's share: to the statement about the whole set, and to the search for a cut-off where the whole fails."""
PLANNED, HELD = 400, 150
"""A cut-off is looked for from the smallest set that holds `HELD` of the first `PLANNED` instances drawn."""
STEPS = 20
"""Sets between the smallest and the whole."""
FAR = 3_000
"""Looks ahead that a forecast goes: nobody asks how many tens of thousands more it would take."""


def allowed(population: int, target: float) -> int:
    """The most that may be wrong of `population` where a share of `target` shall be right."""
    # 1 - .98 is not .02 to the last digit: rounding takes none away
    return math.floor(population * (1.0 - target) + 1e-9)


def share_of_alpha(alpha: float, number: int) -> float:
    """Return what the `number`-th audit of a project (from 1) may spend of `alpha`; together they spend no more."""
    return alpha * FIRST_AUDIT * EACH_FURTHER ** (number - 1)


# -- a fixed number of looks -------------------------------------------------------------------------------------------


def exact_bound(wrong: int, checked: int, population: int, alpha: float) -> int:
    """The largest K with P(at most `wrong` found in `checked` looks | K) > alpha; `checked` fixed beforehand.

    Raises
    ------
    ValueError
        More wrong than checked, or more checked than there are.
    """
    _check(wrong, checked, population)
    low, high = wrong, population - (checked - wrong)  # the chance falls as K grows
    while low < high:
        middle = (low + high + 1) // 2
        if _chance_of_at_most(wrong, checked, middle, population) > alpha:
            low = middle
        else:
            high = middle - 1
    return low


def _chance_of_at_most(wrong: int, checked: int, in_all: int, population: int) -> float:
    counts = np.arange(max(0, checked - (population - in_all)), min(wrong, in_all) + 1)
    return float(np.exp(log_choices(counts, checked, in_all, population)).sum())


# -- at every moment ---------------------------------------------------------------------------------------------------


def log_wealth(
    wrong: ArrayLike, checked: ArrayLike, in_all: ArrayLike, population: int, target: float = 0.98
) -> Doubles:
    """The log of the wealth won by betting against "`in_all` are wrong"; infinite where that cannot be.

    All of `wrong`, `checked`, `in_all` broadcast. `target` shapes the bets, not what holds of them; fix it beforehand.
    """
    s, t, k = (np.asarray(value, dtype=np.int64) for value in (wrong, checked, in_all))
    return log_predicted(s, t, population, target) - log_sequence(s, t, k, population)


def betting_bound(
    wrong: int, checked: int, population: int, alpha: float, target: float = 0.98, reviewer: Reviewer | None = None
) -> int:
    """The largest K whose wealth is below 1/alpha now. The smallest over all moments so far holds too.

    With `reviewer`, `wrong` is what the person saw, and K counts what was overlooked as well; without a single plant
    nobody knows what was overlooked, and only looks taken alone count.

    Raises
    ------
    ValueError
        More wrong than checked, or more checked than there are.
    """
    _check(wrong, checked, population)
    if reviewer is not None and reviewer.speaks_of(checked):
        return overlooked_bound(wrong, checked, population, alpha, target, reviewer)
    return int(_bounds(np.array([wrong]), np.array([checked]), population, alpha, target)[0])


def _bounds(wrong: IndexArray, checked: IndexArray, population: int, alpha: float, target: float) -> IndexArray:
    """:func:`betting_bound` for many moments at once, without plants."""
    enough = math.log(1.0 / alpha)
    high = population - (checked - wrong)
    low = _peak(wrong, checked, population)  # from there on wealth grows with K
    while (low < high).any():
        middle = (low + high + 1) // 2
        open_ = log_wealth(wrong, checked, middle, population, target) < enough
        low, high = np.where(open_, middle, low), np.where(open_, high, np.maximum(middle - 1, low))
    return low


def _peak(wrong: IndexArray, checked: IndexArray, population: int) -> IndexArray:
    """The K that the looks speak for most; all before the first look."""
    likeliest = (population + 1) * wrong // np.maximum(checked, 1)
    return np.where(checked > 0, np.minimum(population - (checked - wrong), likeliest), population)


def bounds_along(
    outcomes: BoolArray, population: int, alpha: float, target: float = 0.98, reviewer: Reviewer | None = None
) -> IndexArray:
    """After 0, 1, ... looks the bound on K that holds then, never rising; `outcomes` (t,) in drawn order, True = wrong.

    `reviewer` as known at the end: the plants are then taken to come before the first look.
    """
    errors = np.concatenate([[0], np.cumsum(outcomes)]).astype(np.int64)
    looks = np.arange(len(errors))
    if reviewer is None:
        bounds = _bounds(errors, looks, population, alpha, target)
    else:
        moments = zip(errors.tolist(), looks.tolist(), strict=True)
        every = [cached_bound(s, t, population, alpha, target, reviewer) for s, t in moments]
        bounds = np.array(every, dtype=np.int64)
    return np.minimum.accumulate(bounds)


def more_needed(
    wrong: int,
    checked: int,
    population: int,
    alpha: float,
    target: float,
    reviewer: Reviewer | None = None,
    shaped_for: float | None = None,
    to_come: int | None = None,
) -> int | None:
    """About how many more looks until `target` is certified, if errors go on as they came; None = not within `FAR`.

    `shaped_for`: the target that shapes the bets where it is another one. `to_come`: expect so many more errors.
    """
    bets = target if shaped_for is None else shaped_for
    rate = wrong / checked if checked else 0.0
    most = allowed(population, target)

    def reached(more: int) -> bool:
        expected = wrong + min(math.floor(rate * more + 0.5) if to_come is None else to_come, more)
        looks = checked + more
        if reviewer is None or not reviewer.speaks_of(looks):
            return cached_bound(expected, looks, population, alpha, bets, None) <= most
        return most >= population or overlooked_below(expected, looks, most + 1, population, alpha, bets, reviewer)

    left = min(population - checked, FAR)
    # first doubling, then bisection: most forecasts are short, and every test costs a bound
    if not reached(left):
        return None
    step = 1
    while step < left and not reached(step):
        step *= 2
    low, high = step // 2, min(step, left)
    while low < high:
        middle = (low + high) // 2
        if reached(middle):
            high = middle
        else:
            low = middle + 1
    return high


# -- how far down the order --------------------------------------------------------------------------------------------


def first_set(drawn_ranks: IndexArray, ends: IndexArray) -> int:
    """Size of the smallest set of most trusted instances that holds :data:`HELD` of the first :data:`PLANNED` drawn.

    `drawn_ranks`: of every instance in drawn order how many others are trusted as much or more; `ends` (g,): the sizes,
    ascending, of the sets that a threshold can cut off, the whole last. Known before any answer, so that the sequence
    of tests is fixed. The whole where it is too small for that.
    """
    planned = np.sort(drawn_ranks[:PLANNED])
    return int(planned[HELD - 1]) + 1 if len(planned) >= HELD else int(ends[-1])


def largest_cutoff(
    drawn_ranks: IndexArray,
    outcomes: BoolArray,
    ends: IndexArray,
    alpha: float,
    target: float,
    holds: Callable[[BoolArray, int], bool] | None = None,
) -> int | None:
    """Return how many of the most trusted instances hold `target`: the largest set that passes, or None.

    Fixed-sequence testing: sets grow from :func:`first_set` to the whole, each tested at the full `alpha`, and the
    first that fails ends it. `outcomes` (t,) belong to the first t of `drawn_ranks`. Valid at any moment: within a set
    its looks are a simple random sample of it, in drawn order.

    `holds` tests a set where :func:`passes` does not do, because some of the looks may have overlooked errors: which of
    the looks (t,) are inside, and the size of the set.
    """
    steps = np.linspace(first_set(drawn_ranks, ends), ends[-1], STEPS + 1)
    passed = None
    for size in np.unique(ends[np.searchsorted(ends, steps - 0.5)]).tolist():
        inside = drawn_ranks[: len(outcomes)] < size
        if not (passes(outcomes[inside], size, alpha, target) if holds is None else holds(inside, size)):
            break
        passed = size  # the first failure ends it: only so may each be tested at the full alpha
    return passed


def passes(outcomes: BoolArray, population: int, alpha: float, target: float, shaped_for: float | None = None) -> bool:
    """Whether :func:`bounds_along` came down to what `target` allows: its own test, for one K alone.

    `shaped_for`: the target that shapes the bets where it is another one.
    """
    too_many = allowed(population, target) + 1
    bets = target if shaped_for is None else shaped_for
    errors, looks = np.cumsum(outcomes, dtype=np.int64), np.arange(1, len(outcomes) + 1)
    won = log_wealth(errors, looks, too_many, population, bets) >= math.log(1.0 / alpha)
    return too_many > population or bool((won & (too_many > _peak(errors, looks, population))).any())


@lru_cache(maxsize=200_000)
def cached_bound(s: int, t: int, population: int, alpha: float, target: float, reviewer: Reviewer | None) -> int:
    """:func:`betting_bound`, computed once: a screen asks again and again."""
    return betting_bound(s, t, population, alpha, target, reviewer)


def _check(wrong: int, checked: int, population: int) -> None:
    if not 0 <= wrong <= checked <= population:
        raise ValueError(f"{wrong} wrong of {checked} looks at {population} instances cannot be")
