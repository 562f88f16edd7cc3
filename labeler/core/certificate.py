"""How right a set of labels is, with a bound that holds: from a simple random sample drawn without replacement.

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
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from labeler.core.vocabulary import BoolArray, IndexArray

Doubles = NDArray[np.float64]

PRIOR_ERRORS = 0.25
"""Imagined wrong answers before the first look: few, so that a clean sample is soon enough and an error is no ruin."""
FIRST_AUDIT, EACH_FURTHER = 0.8, 0.2
"""Of alpha the first audit gets four fifths, each further one a fifth of what the one before got: they sum to one.

Most sessions audit once; halving would cost the first audit 28 more clean looks at 98 %, 6 / (pi j)^2 18, this 8."""
WHOLE, CUT_OFF = 0.9, 0.1
"""Of an audit's share: to the statement about the whole set, and to the search for a cut-off where the whole fails."""
PLANNED, HELD = 400, 150
"""A cut-off is looked for from the smallest set that holds `HELD` of the first `PLANNED` instances drawn."""
STEPS = 20
"""Sets between the smallest and the whole."""
SIGHT = (8.0, 0.5)
"""The Beta that predicts whether a planted error is seen: most people see nearly all."""
USUAL_PLANTS = 10
"""Planted errors that an audit in pages holds before long: with fewer the bound hangs on them, more only cost keys."""
_SIGHTS = np.linspace(0.0, 1.0, 201)
FAR = 3_000
"""Looks ahead that a forecast goes: nobody asks how many tens of thousands more it would take."""
_SLACK = 0.01
"""Taken off the log wealth for the chances to see an error between two of :data:`_SIGHTS` (up to 300 plants)."""


@dataclass(frozen=True, slots=True)
class Reviewer:
    """What is known of the person's eye: of `shown` planted wrong labels `found` were seen to be wrong.

    Of the looks that go with it the first `alone` (in any order) were taken one at a time, blind, where nothing is
    overlooked; `alone_wrong` of them were found wrong. The plants speak of the others.
    """

    found: int
    shown: int
    alone: int = 0
    alone_wrong: int = 0

    @property
    def expected(self) -> Reviewer:
        """The same once :data:`USUAL_PLANTS` were shown, seen as often as those so far: what a forecast counts on."""
        shown = max(self.shown, USUAL_PLANTS)
        missed = math.ceil((self.shown - self.found) * shown / self.shown) if self.shown else 0
        return replace(self, found=shown - missed, shown=shown)


def allowed(population: int, target: float) -> int:
    """The most that may be wrong of `population` where a share of `target` shall be right."""
    return math.floor(population * (1.0 - target) + 1e-9)


def prior_looks(target: float) -> float:
    """Imagined right answers before the first look: the closer the target to 1, the rarer errors are expected."""
    return 1.0 / max(1.0 - target, 1e-4)


def share_of_alpha(alpha: float, number: int) -> float:
    """What the `number`-th audit of a project (from 1) may spend of `alpha`; all of them together spend no more."""
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
    found = np.arange(max(0, checked - (population - in_all)), min(wrong, in_all) + 1)
    return float(np.exp(_log_choices(found, checked, in_all, population)).sum())


# -- at every moment ---------------------------------------------------------------------------------------------------


def log_wealth(
    wrong: ArrayLike, checked: ArrayLike, in_all: ArrayLike, population: int, target: float = 0.98
) -> Doubles:
    """The log of the wealth won by betting against "`in_all` are wrong"; infinite where that cannot be.

    All of `wrong`, `checked`, `in_all` broadcast. `target` shapes the bets, not what holds of them; fix it beforehand.
    """
    s, t, k = (np.asarray(value, dtype=np.int64) for value in (wrong, checked, in_all))
    return _log_predicted(s, t, population, target) - _log_sequence(s, t, k, population)


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
    if reviewer is not None and (reviewer.shown or reviewer.alone < checked):
        return _overlooked_bound(wrong, checked, population, alpha, target, reviewer)
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
    found = np.concatenate([[0], np.cumsum(outcomes)]).astype(np.int64)
    looks = np.arange(len(found))
    if reviewer is None:
        bounds = _bounds(found, looks, population, alpha, target)
    else:
        every = [
            cached_bound(int(s), int(t), population, alpha, target, reviewer) for s, t in zip(found, looks, strict=True)
        ]
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
        return _gives_up(expected, checked + more, most + 1, population, alpha, bets, reviewer)

    left = min(population - checked, FAR)
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


def least_log_wealth(
    wrong: int, checked: int, in_all: int, population: int, reviewer: Reviewer, target: float = 0.98
) -> float:
    """The log of the least wealth won against "`in_all` are wrong", over all chances to see an error."""
    with np.errstate(divide="ignore"):
        log_sight, log_blind = np.log(_SIGHTS), np.log1p(-_SIGHTS)
    t, s = np.int64(checked), np.int64(wrong)
    won = _log_plants(reviewer, log_sight, log_blind) + _log_predicted(s, t, population, target)
    many = np.full(len(_SIGHTS), in_all, dtype=np.int64)
    won = won - _log_looks(wrong, checked, many, population, reviewer, log_sight, log_blind)
    return float(won.min()) - _SLACK


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
    """How many of the most trusted instances hold `target`: the largest set that passes, or None.

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
        passed = size
    return passed


def passes(outcomes: BoolArray, population: int, alpha: float, target: float, shaped_for: float | None = None) -> bool:
    """Whether :func:`bounds_along` came down to what `target` allows: its own test, for one K alone.

    `shaped_for`: the target that shapes the bets where it is another one.
    """
    too_many = allowed(population, target) + 1
    bets = target if shaped_for is None else shaped_for
    found, looks = np.cumsum(outcomes, dtype=np.int64), np.arange(1, len(outcomes) + 1)
    won = log_wealth(found, looks, too_many, population, bets) >= math.log(1.0 / alpha)
    return too_many > population or bool((won & (too_many > _peak(found, looks, population))).any())


# -- a reviewer who overlooks some -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Against:
    """The wealth against pairs (K, chance to see an error), for the chances that are not given up whatever K is."""

    wrong: int
    checked: int
    population: int
    reviewer: Reviewer
    won: Doubles  # what the pairs have in common, a chance each
    log_sight: Doubles
    log_blind: Doubles
    peak: IndexArray  # the K that the looks speak for most, a chance each

    def log_wealth(self, in_all: IndexArray) -> Doubles:
        """The log of the wealth against `in_all`, one K a chance."""
        looks = self.wrong, self.checked, in_all, self.population, self.reviewer
        return self.won - _log_looks(*looks, self.log_sight, self.log_blind)

    def of(self, chosen: BoolArray) -> _Against:
        """The same for some of the chances."""
        won, sight, blind = (x[chosen] for x in (self.won, self.log_sight, self.log_blind))
        return replace(self, won=won, log_sight=sight, log_blind=blind, peak=self.peak[chosen])


def _against(s: int, t: int, population: int, alpha: float, target: float, reviewer: Reviewer) -> _Against:
    with np.errstate(divide="ignore"):
        log_sight, log_blind = np.log(_SIGHTS), np.log1p(-_SIGHTS)
    won = _log_plants(reviewer, log_sight, log_blind) + _log_predicted(np.int64(s), np.int64(t), population, target)
    # all orders of the same numbers are equally likely, so no K makes the one that came likelier than this
    likeliest = -_log_binomial(reviewer.alone, reviewer.alone_wrong)
    likeliest = likeliest - _log_binomial(t - reviewer.alone, s - reviewer.alone_wrong)
    seeing = reviewer.alone + (t - reviewer.alone) * _SIGHTS  # so many looks would find as much if nothing were missed
    with np.errstate(divide="ignore", invalid="ignore"):
        peak = np.where(seeing > 0, np.ceil(population * s / seeing), population if s else 0)
    peak = np.clip(np.nan_to_num(peak, nan=0.0, posinf=population), s, population).astype(np.int64)
    if not t:
        peak[:] = population
    every = _Against(s, t, population, reviewer, won, log_sight, log_blind, peak)
    return every.of(won - likeliest < math.log(1.0 / alpha) + _SLACK)


_PEAK_SLACK = 0.05
"""More than enough to give up a chance at its peak, which is known only nearly."""


def _overlooked_bound(s: int, t: int, population: int, alpha: float, target: float, reviewer: Reviewer) -> int:
    """The largest K that some chance to see an error makes credible; one bisection a chance, all at once."""
    enough, pairs = math.log(1.0 / alpha) + _SLACK, _against(s, t, population, alpha, target, reviewer)
    pairs = pairs.of(pairs.log_wealth(pairs.peak) < enough + _PEAK_SLACK)
    low, step = pairs.peak, max(population // 64, 1)
    high = np.minimum(low + step, population)
    while len(low) and ((open_ := pairs.log_wealth(high) < enough) & (high < population)).any():
        low, step = np.where(open_, high, low), 2 * step
        high = np.where(open_, np.minimum(high + step, population), high)
    while (low < high).any():
        middle = (low + high + 1) // 2
        open_ = pairs.log_wealth(middle) < enough
        low, high = np.where(open_, middle, low), np.where(open_, high, np.maximum(middle - 1, low))
    return int(low.max(initial=s))


def _gives_up(
    s: int, t: int, in_all: int, population: int, alpha: float, target: float, reviewer: Reviewer | None
) -> bool:
    """Whether :func:`betting_bound` is below `in_all`: its test for one K alone, which is much less to compute."""
    if in_all > population:
        return True
    if reviewer is None or not (reviewer.shown or reviewer.alone < t):
        return int(_bounds(np.array([s]), np.array([t]), population, alpha, target)[0]) < in_all
    enough, pairs = math.log(1.0 / alpha) + _SLACK, _against(s, t, population, alpha, target, reviewer)
    most = np.maximum(pairs.peak, in_all)
    needed = np.where(most > in_all, enough + _PEAK_SLACK, enough)
    return bool((pairs.log_wealth(most) >= needed).all()) if len(most) else True


def _log_plants(reviewer: Reviewer, log_sight: Doubles, log_blind: Doubles) -> Doubles:
    """Log wealth won on the plants against each chance to see an error."""
    f, n = reviewer.found, reviewer.shown
    predicted = _log_rising(SIGHT[0], f) + _log_rising(SIGHT[1], n - f) - _log_rising(sum(SIGHT), n)
    won: Doubles = predicted - (_times(f, log_sight) + _times(n - f, log_blind))
    return won


def _log_looks(
    s: int, t: int, in_all: IndexArray, population: int, reviewer: Reviewer, log_sight: Doubles, log_blind: Doubles
) -> Doubles:
    """Log chance (d,) of a sequence of looks where `in_all` (d,) are wrong: those taken alone see them all, then the
    others with the chance of each."""
    s1, t1 = np.array(reviewer.alone_wrong), np.array(reviewer.alone)
    alone = _log_sequence(s1, t1, in_all, population)
    left = np.clip(in_all - s1, 0, population - int(t1))
    s2, t2 = s - int(s1), t - int(t1)
    seen = _log_seen(s2, t2, left, population - int(t1), log_sight, log_blind)
    log: Doubles = alone + seen - _log_binomial(t2, s2)
    return log


def _log_seen(s: int, t: int, in_all: IndexArray, population: int, log_sight: Doubles, log_blind: Doubles) -> Doubles:
    """Log chance (d,) that `s` of `t` looks are seen to be wrong where `in_all` (d,) are, each seen with its chance."""
    mean = float(in_all.max()) * t / max(population, 1)
    most = min(t, int(mean + 12.0 * math.sqrt(mean + 1.0)) + s + 20)  # beyond it lies less than 1e-20
    drawn = np.arange(s, most + 1, dtype=np.int64)[None, :]
    of_drawn = _log_choices(drawn, t, in_all[:, None], population)
    seen = _log_binomial(drawn, s) + _times(s, log_sight[:, None]) + _times(drawn - s, log_blind[:, None])
    terms = of_drawn + seen
    top = terms.max(axis=1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        total: Doubles = np.log(np.exp(terms - top).sum(axis=1)) + top[:, 0]
    return total


# -- logs of counts ----------------------------------------------------------------------------------------------------


def _log_predicted(s: NDArray[np.int64] | np.int64, t: NDArray[np.int64] | np.int64, n: int, target: float) -> Doubles:
    """Log chance of a sequence with `s` errors in `t` looks as the gambler predicts it."""
    a, b = PRIOR_ERRORS, prior_looks(target)
    predicted: Doubles = _log_rising(a, s) + _log_rising(b, t - s) - _log_rising(a + b, t)
    return predicted


def _log_sequence(s: NDArray[np.int64], t: NDArray[np.int64], k: NDArray[np.int64], population: int) -> Doubles:
    """Log chance of a sequence with `s` errors in `t` looks where `k` of the population are wrong; -inf = cannot be."""
    right, clean = population - k, t - s
    possible = (s <= k) & (clean <= right) & (k >= 0) & (right >= 0)
    log = _log_factorials(population)
    k, right = np.clip(k, 0, population), np.clip(right, 0, population)
    chance = (
        log[k]
        - log[np.maximum(k - s, 0)]
        + log[right]
        - log[np.maximum(right - clean, 0)]
        - (log[population] - log[population - t])
    )
    return np.where(possible, chance, -np.inf)


def _log_choices(found: IndexArray, t: int, in_all: ArrayLike, population: int) -> Doubles:
    """Log chance that `found` of `t` looks are wrong where `in_all` are: the hypergeometric."""
    k = np.asarray(in_all, dtype=np.int64)
    return _log_binomial(t, found) + _log_sequence(found, np.asarray(t), k, population)


def _log_binomial(n: ArrayLike, k: ArrayLike) -> Doubles:
    n, k = np.asarray(n, dtype=np.int64), np.asarray(k, dtype=np.int64)
    log = _log_factorials(int(n.max(initial=0)))
    chosen: Doubles = log[n] - log[np.clip(k, 0, n)] - log[np.clip(n - k, 0, n)]
    return np.where((k >= 0) & (k <= n), chosen, -np.inf)


def _times(count: ArrayLike, log: Doubles) -> Doubles:
    """`count` times a log, where 0 times -inf is 0."""
    count = np.asarray(count, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return np.where(count == 0, 0.0, count * log)


def _log_factorials(n: int) -> Doubles:
    return _rising(1.0, 1 << max(n, 1).bit_length())


def _log_rising(x: float, n: ArrayLike) -> Doubles:
    """Log of x (x + 1) ... (x + n - 1)."""
    n = np.asarray(n, dtype=np.int64)
    log: Doubles = _rising(x, 1 << max(int(n.max(initial=0)), 1).bit_length())[n]
    return log


@lru_cache(maxsize=32)
def _rising(x: float, size: int) -> Doubles:
    return np.concatenate([[0.0], np.cumsum(np.log(x + np.arange(size)))])


@lru_cache(maxsize=200_000)
def cached_bound(s: int, t: int, population: int, alpha: float, target: float, reviewer: Reviewer | None) -> int:
    """:func:`betting_bound`, computed once: a screen asks again and again."""
    return betting_bound(s, t, population, alpha, target, reviewer)


def _check(wrong: int, checked: int, population: int) -> None:
    if not 0 <= wrong <= checked <= population:
        raise ValueError(f"{wrong} wrong of {checked} looks at {population} instances cannot be")
