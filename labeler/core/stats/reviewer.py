"""A reviewer who overlooks some errors: what planted ones tell of the eye, and the bound where nothing is sure.

The game of :mod:`labeler.core.stats.certificate` is played against every pair (K wrong, chance to see an error), on the
looks and on the plants together. Looks taken one at a time, where nothing is overlooked, go along.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from labeler.core.stats.likelihoods import (
    Doubles,
    log_binomial,
    log_choices,
    log_predicted,
    log_rising,
    log_sequence,
    times,
)
from labeler.core.types import BoolArray, IndexArray

SIGHT = (8.0, 0.5)
"""The Beta that predicts whether a planted error is seen: most people see nearly all."""
USUAL_PLANTS = 10
"""Planted errors that an audit in pages holds before long: with fewer the bound hangs on them, more only cost keys."""
SIGHTS = np.linspace(0.0, 1.0, 201)
"""Chances to see an error that are played against."""
SLACK = 0.01
"""Taken off the log wealth for the chances to see an error between two of :data:`SIGHTS` (up to 300 plants)."""
PEAK_SLACK = 0.05
"""More than enough to give up a chance at its peak, which is known only nearly."""


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A person's eye, as far as it is known: of `shown` planted wrong labels `seen` were seen to be wrong.

    Of the looks that go with it the first `alone` (in any order) were taken one at a time, blind, where nothing is
    overlooked; `alone_wrong` of them were found wrong. The plants speak of the others.
    """

    seen: int
    shown: int
    alone: int = 0
    alone_wrong: int = 0

    def speaks_of(self, checked: int) -> bool:
        """Whether any of so many looks may have overlooked something, or plants were shown."""
        return self.shown > 0 or self.alone < checked

    @property
    def expected(self) -> Reviewer:
        """The same once :data:`USUAL_PLANTS` were shown, seen as often as those so far: what a forecast counts on."""
        shown = max(self.shown, USUAL_PLANTS)
        missed = math.ceil((self.shown - self.seen) * shown / self.shown) if self.shown else 0
        return replace(self, seen=shown - missed, shown=shown)


def least_log_wealth(
    wrong: int, checked: int, in_all: int, population: int, reviewer: Reviewer, target: float = 0.98
) -> float:
    """The log of the least wealth won against "`in_all` are wrong", over all chances to see an error."""
    with np.errstate(divide="ignore"):
        log_sight, log_blind = np.log(SIGHTS), np.log1p(-SIGHTS)
    t, s = np.int64(checked), np.int64(wrong)
    won = _log_plants(reviewer, log_sight, log_blind) + log_predicted(s, t, population, target)
    many = np.full(len(SIGHTS), in_all, dtype=np.int64)
    won = won - _log_looks(wrong, checked, many, population, reviewer, log_sight, log_blind)
    return float(won.min()) - SLACK


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
        log_sight, log_blind = np.log(SIGHTS), np.log1p(-SIGHTS)
    won = _log_plants(reviewer, log_sight, log_blind) + log_predicted(np.int64(s), np.int64(t), population, target)
    # all orders of the same numbers are equally likely, so no K makes the one that came likelier than this
    likeliest = -log_binomial(reviewer.alone, reviewer.alone_wrong)
    likeliest = likeliest - log_binomial(t - reviewer.alone, s - reviewer.alone_wrong)
    seeing = reviewer.alone + (t - reviewer.alone) * SIGHTS  # so many looks would find as much if nothing were missed
    with np.errstate(divide="ignore", invalid="ignore"):
        peak = np.where(seeing > 0, np.ceil(population * s / seeing), population if s else 0)
    peak = np.clip(np.nan_to_num(peak, nan=0.0, posinf=population), s, population).astype(np.int64)
    if not t:
        peak[:] = population
    every = _Against(s, t, population, reviewer, won, log_sight, log_blind, peak)
    return every.of(won - likeliest < math.log(1.0 / alpha) + SLACK)


def overlooked_bound(s: int, t: int, population: int, alpha: float, target: float, reviewer: Reviewer) -> int:
    """The largest K that some chance to see an error makes credible; one bisection a chance, all at once."""
    enough, pairs = math.log(1.0 / alpha) + SLACK, _against(s, t, population, alpha, target, reviewer)
    pairs = pairs.of(pairs.log_wealth(pairs.peak) < enough + PEAK_SLACK)
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


def overlooked_below(
    s: int, t: int, in_all: int, population: int, alpha: float, target: float, reviewer: Reviewer
) -> bool:
    """Whether :func:`overlooked_bound` is below `in_all`: its test for one K alone, which is much less to compute."""
    enough, pairs = math.log(1.0 / alpha) + SLACK, _against(s, t, population, alpha, target, reviewer)
    most = np.maximum(pairs.peak, in_all)
    needed = np.where(most > in_all, enough + PEAK_SLACK, enough)
    return bool((pairs.log_wealth(most) >= needed).all()) if len(most) else True


def _log_plants(reviewer: Reviewer, log_sight: Doubles, log_blind: Doubles) -> Doubles:
    """Log wealth won on the plants against each chance to see an error."""
    f, n = reviewer.seen, reviewer.shown
    predicted = log_rising(SIGHT[0], f) + log_rising(SIGHT[1], n - f) - log_rising(sum(SIGHT), n)
    won: Doubles = predicted - (times(f, log_sight) + times(n - f, log_blind))
    return won


def _log_looks(
    s: int, t: int, in_all: IndexArray, population: int, reviewer: Reviewer, log_sight: Doubles, log_blind: Doubles
) -> Doubles:
    """Log chance (d,) of a sequence of looks where `in_all` (d,) are wrong: those taken alone see them all, then the
    others with the chance of each."""
    s1, t1 = np.array(reviewer.alone_wrong), np.array(reviewer.alone)
    alone = log_sequence(s1, t1, in_all, population)
    left = np.clip(in_all - s1, 0, population - int(t1))
    s2, t2 = s - int(s1), t - int(t1)
    seen = _log_seen(s2, t2, left, population - int(t1), log_sight, log_blind)
    log: Doubles = alone + seen - log_binomial(t2, s2)
    return log


def _log_seen(s: int, t: int, in_all: IndexArray, population: int, log_sight: Doubles, log_blind: Doubles) -> Doubles:
    """Log chance (d,) that `s` of `t` looks are seen to be wrong where `in_all` (d,) are, each seen with its chance."""
    mean = float(in_all.max()) * t / max(population, 1)
    most = min(t, int(mean + 12.0 * math.sqrt(mean + 1.0)) + s + 20)  # beyond it lies less than 1e-20
    drawn = np.arange(s, most + 1, dtype=np.int64)[None, :]
    of_drawn = log_choices(drawn, t, in_all[:, None], population)
    seen = log_binomial(drawn, s) + times(s, log_sight[:, None]) + times(drawn - s, log_blind[:, None])
    terms = of_drawn + seen
    top = terms.max(axis=1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        total: Doubles = np.log(np.exp(terms - top).sum(axis=1)) + top[:, 0]
    return total
