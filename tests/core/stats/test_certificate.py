"""The certificate: bounds against exact enumeration, coverage at every moment, monotonicity, forecasts, cut-offs."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from labeler.core.stats import certificate, likelihoods
from labeler.core.stats import reviewer as reviewers
from labeler.core.stats.certificate import (
    CUT_OFF,
    WHOLE,
    allowed,
    betting_bound,
    bounds_along,
    exact_bound,
    first_set,
    largest_cutoff,
    log_wealth,
    more_needed,
    share_of_alpha,
)
from labeler.core.stats.reviewer import Reviewer, least_log_wealth, overlooked_below


class TestExact:
    @pytest.mark.slow
    @pytest.mark.parametrize("population", [1, 2, 7])
    def test_against_every_sample_there_is(self, population):
        """P(bound < K) <= alpha, counted over all samples; and one more would be wrong too often."""
        for in_all in range(population + 1):
            for checked in range(population + 1):
                samples = list(combinations(range(population), checked))
                found = [sum(i < in_all for i in sample) for sample in samples]
                for alpha in (0.05, 0.3):
                    misses = sum(exact_bound(s, checked, population, alpha) < in_all for s in found)
                    assert misses <= alpha * len(samples) + 1e-9

    @given(st.integers(1, 300), st.data())
    def test_is_the_largest_that_scipy_does_not_reject(self, population, data):
        checked = data.draw(st.integers(0, population))
        wrong = data.draw(st.integers(0, checked))
        alpha = data.draw(st.sampled_from([0.001, 0.05, 0.2]))
        bound = exact_bound(wrong, checked, population, alpha)
        every = np.arange(wrong, population - (checked - wrong) + 1)
        chances = stats.hypergeom.cdf(wrong, population, every, checked)
        kept = every[chances > alpha * (1 + 1e-6)]
        also = every[chances > alpha * (1 - 1e-6)]
        assert kept.max(initial=wrong) <= bound <= also.max(initial=wrong)

    @pytest.mark.slow
    def test_the_rule_of_three(self):
        """No honest scheme certifies 98 % below 149 clean looks, 99 % below 299."""
        big = 10_000_000
        for target, looks in ((0.98, 149), (0.99, 299)):
            assert exact_bound(0, looks, big, 0.05) <= allowed(big, target)
            assert exact_bound(0, looks - 1, big, 0.05) > allowed(big, target)

    def test_everything_checked_is_known(self):
        assert exact_bound(3, 50, 50, 0.05) == 3
        assert betting_bound(3, 50, 50, 0.05) == 3

    @pytest.mark.parametrize("bad", [(5, 4, 10), (0, 11, 10), (-1, 3, 10)])
    def test_what_cannot_be(self, bad):
        for bound in (exact_bound, betting_bound):
            with pytest.raises(ValueError, match="cannot be"):
                bound(*bad, 0.05)


def crossed(population: int, in_all: int, alpha: float, target: float) -> float:
    """The exact chance, over all orders, that the bound is ever below the truth; stopping whenever one likes."""
    alive = {0: 1.0}
    missed = 0.0
    for t in range(1, population + 1):
        following: dict[int, float] = {}
        for s, chance in alive.items():
            left = population - t + 1
            for error, share in ((1, (in_all - s) / left), (0, 1 - (in_all - s) / left)):
                if share <= 1e-15:
                    continue
                if betting_bound(s + error, t, population, alpha, target) < in_all:
                    missed += chance * share
                else:
                    following[s + error] = following.get(s + error, 0.0) + chance * share
        alive = following
    return missed


class TestBetting:
    @pytest.mark.slow
    @pytest.mark.parametrize("population", [1, 5, 24])
    @pytest.mark.parametrize("target", [0.8, 0.98])
    def test_holds_at_every_moment_at_once(self, population, target):
        """Exactly, for every truth: peeking after each answer and stopping at will misses at most alpha."""
        for alpha in (0.05, 0.25):
            for in_all in range(population + 1):
                assert crossed(population, in_all, alpha, target) <= alpha + 1e-9

    @given(st.integers(1, 200), st.data())
    @settings(max_examples=60, deadline=None)
    def test_bisection_finds_the_largest_of_all(self, population, data):
        checked = data.draw(st.integers(0, population))
        wrong = data.draw(st.integers(0, checked))
        alpha, target = data.draw(st.sampled_from([0.01, 0.05, 0.3])), data.draw(st.sampled_from([0.5, 0.98, 0.999]))
        wealth = log_wealth(wrong, checked, np.arange(population + 1), population, target)
        kept = np.flatnonzero(wealth < math.log(1 / alpha))
        assert betting_bound(wrong, checked, population, alpha, target) == kept.max()

    @given(st.integers(2, 500), st.data())
    @settings(max_examples=60, deadline=None)
    def test_an_error_never_helps_and_a_clean_look_never_hurts(self, population, data):
        checked = data.draw(st.integers(0, population - 1))
        wrong = data.draw(st.integers(0, checked))
        now = betting_bound(wrong, checked, population, 0.05)
        assert betting_bound(wrong, checked + 1, population, 0.05) <= now
        if wrong < checked:
            assert betting_bound(wrong + 1, checked, population, 0.05) >= now
        assert betting_bound(wrong, checked, population, 0.2) <= now
        assert wrong <= exact_bound(wrong, checked, population, 0.05) <= now  # looking all the time has its price

    @given(st.lists(st.booleans(), max_size=60))
    def test_along_an_audit_it_never_rises(self, outcomes):
        bounds = bounds_along(np.array(outcomes, dtype=np.bool_), 80, 0.05)
        assert len(bounds) == len(outcomes) + 1
        assert bounds[0] == 80
        assert (np.diff(bounds) <= 0).all()
        assert bounds[-1] >= sum(outcomes)

    def test_wealth_is_a_fair_game(self):
        """Where K is the truth, the wealth expected after the next look is the wealth now."""
        population = 30
        for in_all, t, s in ((3, 4, 1), (10, 12, 4), (1, 20, 0)):
            chance = (in_all - s) / (population - t)
            now, error, clean = (
                math.exp(log_wealth(a, b, in_all, population)) for a, b in ((s, t), (s + 1, t + 1), (s, t + 1))
            )
            assert chance * error + (1 - chance) * clean == pytest.approx(now, rel=1e-9)

    def test_coverage_on_a_large_set(self):
        """2,000 audits at the edge of the target: what misses is not more than alpha (binomial test)."""
        rng, population, in_all, alpha = np.random.default_rng(7), 10_000, 200, 0.05
        misses = 0
        for _ in range(2000):
            places = rng.choice(population, in_all, replace=False)
            found = np.bincount(places[places < 1000] + 1, minlength=1001).cumsum()
            wealth = log_wealth(found, np.arange(1001), in_all, population)
            misses += bool((wealth >= math.log(1 / alpha)).any())
        assert stats.binomtest(misses, 2000, alpha, alternative="greater").pvalue > 0.01
        assert misses > 20  # and it is no bound that never says anything

    def test_few_more_looks_than_with_a_fixed_number(self):
        big = 1_000_000
        assert more_needed(0, 0, big, 0.05, 0.98) <= 149 + 20
        assert more_needed(0, 0, big, 0.05, 0.99) <= 299 + 40


class TestOverlooked:
    @pytest.mark.parametrize("sight", [1.0, 0.7, 0.35])
    def test_holds_for_one_who_overlooks_some(self, sight):
        """Exactly, small: over the plants, the order of the set and what is overlooked."""
        population, shown, alpha = 10, 6, 0.2
        for in_all in (1, 3, 6, 10):
            missed = 0.0
            for found in range(shown + 1):
                plants = float(stats.binom.pmf(found, shown, sight))
                missed += plants * overlooked(population, in_all, alpha, sight, Reviewer(found, shown))
            assert missed <= alpha + 1e-9

    @pytest.mark.slow
    def test_bisection_finds_the_largest_of_all(self):
        """Against every K and every chance to see an error, one by one."""
        sights = reviewers.SIGHTS
        for s, t, n, reviewer in ((0, 12, 30, Reviewer(5, 6)), (2, 15, 40, Reviewer(9, 9)), (4, 9, 25, Reviewer(1, 4))):
            kept = 0
            enough = math.log(1 / 0.1) + reviewers.SLACK
            a, b = reviewers.SIGHT
            plants = math.exp(math.lgamma(a + reviewer.seen) + math.lgamma(b + reviewer.shown - reviewer.seen))
            plants /= math.exp(math.lgamma(a + b + reviewer.shown))
            plants *= math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b))
            a, b = likelihoods.PRIOR_ERRORS, likelihoods.prior_looks(0.98)
            predicted = stats.betabinom.pmf(s, t, a, b)
            for k in range(s, n + 1):
                for d in sights:
                    drawn = np.arange(s, t + 1)
                    seen = (stats.hypergeom.pmf(drawn, n, k, t) * stats.binom.pmf(s, drawn, d)).sum()
                    null = seen * d**reviewer.seen * (1 - d) ** (reviewer.shown - reviewer.seen)
                    if null > 0 and math.log(plants * predicted / null) < enough - 1e-7:
                        kept = k
            assert betting_bound(s, t, n, 0.1, reviewer=reviewer) == kept

    def test_the_wealth_against_one_number_says_what_the_bound_says(self):
        for s, t, n, reviewer in ((0, 200, 900, Reviewer(19, 20)), (2, 300, 900, Reviewer(20, 20))):
            bound = betting_bound(s, t, n, 0.05, reviewer=reviewer)
            wealth = [least_log_wealth(s, t, k, n, reviewer) for k in (bound, bound + 1)]
            assert wealth[0] < math.log(1 / 0.05) <= wealth[1]

    def test_a_keen_eye_costs_little_and_a_poor_one_more(self):
        none = more_needed(0, 0, 1797, 0.05, 0.98)
        keen = more_needed(0, 0, 1797, 0.05, 0.98, Reviewer(20, 20))
        poor = more_needed(0, 0, 1797, 0.05, 0.98, Reviewer(14, 20))
        assert none < keen < none + 40
        assert keen < poor

    def test_one_who_sees_nothing_certifies_nothing(self):
        assert betting_bound(0, 500, 1000, 0.05, reviewer=Reviewer(0, 20)) >= 500
        assert betting_bound(0, 0, 700, 0.05, reviewer=Reviewer(18, 20)) == 700


class TestMixed:
    @pytest.mark.parametrize("sight", [1.0, 0.6, 0.2])
    @pytest.mark.parametrize(
        "steps",
        [
            ((4, 2), (3, 1), (3, 2)),  # three blocks
            ((1, -1), (1, -1), (4, 3), (1, -1), (3, 2)),  # single looks before and between
        ],
    )
    def test_holds_at_the_end_of_every_block_and_after_every_single_look(self, sight, steps):
        """Exactly: over orders, what is overlooked, and the plants; `steps`: (looks, plants), -1 = alone."""
        population, alpha = 10, 0.2
        for in_all in (1, 3, 5, 8):
            assert missed_along(population, in_all, alpha, sight, steps) <= alpha + 1e-9

    def test_without_plants_looks_in_pages_say_nothing(self):
        assert betting_bound(0, 300, 900, 0.05, reviewer=Reviewer(0, 0)) == 900
        assert betting_bound(0, 300, 900, 0.05, reviewer=Reviewer(0, 0, 300)) == betting_bound(0, 300, 900, 0.05)

    def test_looks_taken_alone_tell_more_than_those_in_pages(self):
        eyes = Reviewer(8, 10), Reviewer(8, 10, 100, 1), Reviewer(8, 10, 200, 1)
        bounds = [betting_bound(1, 200, 900, 0.05, reviewer=eye) for eye in eyes]
        assert bounds[0] > bounds[1] > bounds[2]

    def test_one_peak_and_the_largest_that_is_kept(self):
        """Bisection against every K, where some looks were alone."""
        for s, t, n, reviewer in ((3, 20, 40, Reviewer(4, 6, 8, 2)), (1, 30, 60, Reviewer(7, 7, 12, 0))):
            kept = [k for k in range(n + 1) if least_log_wealth(s, t, k, n, reviewer) < math.log(1 / 0.1)]
            assert betting_bound(s, t, n, 0.1, reviewer=reviewer) == max(kept)

    @pytest.mark.slow
    def test_one_number_alone_is_given_up_where_the_bound_is_below_it(self):
        """The short test that forecasts use, against the bound; and the bound against every K."""
        rng = np.random.default_rng(0)
        for _ in range(60):
            n, alpha = int(rng.integers(30, 400)), 0.04
            t = int(rng.integers(1, n))
            s, alone = min(t, int(rng.poisson(2))), int(rng.integers(0, t + 1)) if rng.random() < 0.5 else 0
            by_one = int(rng.integers(max(0, s - (t - alone)), min(s, alone) + 1))
            shown = int(rng.integers(1, 15))
            eye = Reviewer(int(rng.binomial(shown, 0.85)), shown, alone, by_one)
            bound = betting_bound(s, t, n, alpha, reviewer=eye)
            every = [least_log_wealth(s, t, k, n, eye) for k in range(n + 1)]
            assert bound == max((k for k in range(n + 1) if every[k] < math.log(1 / alpha)), default=s)
            for k in {max(bound - 3, 0), bound, bound + 1, bound + 9} - set(range(n + 1, n + 20)):
                assert overlooked_below(s, t, k, n, alpha, 0.98, eye) == (bound < k)

    def test_a_forecast_counts_on_the_usual_number_of_plants(self):
        assert Reviewer(0, 0, 5, 1).expected == Reviewer(10, 10, 5, 1)
        assert Reviewer(3, 4).expected == Reviewer(7, 10)
        assert Reviewer(11, 12).expected == Reviewer(11, 12)


def missed_along(population: int, in_all: int, alpha: float, sight: float, steps: tuple[tuple[int, int], ...]) -> float:
    """The chance that the bound is below `in_all` at the end of any step."""
    alive = {(0, 0, 0, 0): 1.0}  # (wrong drawn, of them found alone, seen in pages, plants found)
    missed, t, alone, shown = 0.0, 0, 0, 0
    for looks, plants in steps:
        for _ in range(looks):
            after: dict[tuple[int, ...], float] = {}
            for (drawn, by_one, seen, found), chance in alive.items():
                error = (in_all - drawn) / (population - t)
                ways = [((drawn, by_one, seen, found), 1 - error)]
                if plants < 0:
                    ways.append(((drawn + 1, by_one + 1, seen, found), error))
                else:
                    ways.append(((drawn + 1, by_one, seen + 1, found), error * sight))
                    ways.append(((drawn + 1, by_one, seen, found), error * (1 - sight)))
                for state, share in ways:
                    if share > 0:
                        after[state] = after.get(state, 0.0) + chance * share
            alive, t = after, t + 1
        alone += looks if plants < 0 else 0
        shown += max(plants, 0)
        after = {}
        for (drawn, by_one, seen, found), chance in alive.items():
            for more in range(max(plants, 0) + 1):
                share = chance * float(stats.binom.pmf(more, max(plants, 0), sight))
                reviewer = Reviewer(found + more, shown, alone, by_one)
                if certificate.cached_bound(by_one + seen, t, population, alpha, 0.9, reviewer) < in_all:
                    missed += share
                else:
                    state = (drawn, by_one, seen, found + more)
                    after[state] = after.get(state, 0.0) + share
        alive = after
    return missed


def overlooked(population: int, in_all: int, alpha: float, sight: float, reviewer: Reviewer) -> float:
    """The chance that the bound ever misses: over orders, and which of the wrong ones are seen."""
    alive = {(0, 0): 1.0}  # (wrong drawn, of them seen)
    missed = 0.0
    for t in range(population + 1):
        staying: dict[tuple[int, int], float] = {}
        for (drawn, seen), chance in alive.items():
            if certificate.cached_bound(seen, t, population, alpha, 0.9, reviewer) < in_all:
                missed += chance
            else:
                staying[drawn, seen] = chance
        if t == population:
            break
        alive = {}
        for (drawn, seen), chance in staying.items():
            error = (in_all - drawn) / (population - t)
            for step, share in (((1, 1), error * sight), ((1, 0), error * (1 - sight)), ((0, 0), 1 - error)):
                if share > 0:
                    place = (drawn + step[0], seen + step[1])
                    alive[place] = alive.get(place, 0.0) + chance * share
    return missed


class TestForecast:
    @given(st.integers(50, 3000), st.integers(0, 4), st.integers(0, 120), st.sampled_from([0.9, 0.98]))
    @settings(max_examples=40, deadline=None)
    def test_so_many_more_reach_it(self, population, wrong, clean, target):
        checked = wrong + clean
        if checked > population:
            return
        more = more_needed(wrong, checked, population, 0.05, target)
        if more is None:
            return
        expected = wrong + math.floor(wrong / max(checked, 1) * more + 0.5)
        assert betting_bound(expected, checked + more, population, 0.05, target) <= allowed(population, target)

    def test_at_too_many_errors_never(self):
        assert more_needed(10, 100, 10_000, 0.05, 0.98) is None

    def test_done_is_none_more(self):
        assert more_needed(0, 400, 1797, 0.05, 0.98) == 0


def sizes(population: int) -> np.ndarray:
    """Every set can be cut off: no two are trusted alike."""
    return np.arange(1, population + 1)


class TestCutOff:
    def test_finds_the_trusted_part(self):
        """Errors only among the least trusted third: two thirds and no more are certified."""
        rng = np.random.default_rng(3)
        population = 3000
        wrong = np.zeros(population, dtype=np.bool_)
        wrong[2200:] = rng.random(800) < 0.25
        drawn = rng.permutation(population)[:600]
        found = largest_cutoff(drawn, wrong[drawn], sizes(population), 0.05, 0.98)
        assert found is not None
        assert 1500 <= found <= 2500
        assert wrong[:found].mean() <= 0.02

    def test_none_where_the_most_trusted_are_no_better(self):
        rng = np.random.default_rng(4)
        wrong = rng.random(2000) < 0.1
        drawn = rng.permutation(2000)[:500]
        assert largest_cutoff(drawn, wrong[drawn], sizes(2000), 0.05, 0.98) is None

    def test_the_first_set_is_known_before_any_answer(self):
        drawn = np.random.default_rng(5).permutation(5000)
        size = first_set(drawn, sizes(5000))
        assert (drawn[: certificate.PLANNED] < size).sum() == certificate.HELD
        assert first_set(drawn[:100], sizes(5000)) == 5000

    def test_what_is_trusted_alike_stays_together(self):
        """Two kinds of trust, 700 and 300: there is no set between them."""
        drawn = np.random.default_rng(9).permutation(1000)
        ranks = np.where(drawn < 700, 699, 999)
        wrong = (drawn >= 700) & (drawn % 3 == 0)
        assert largest_cutoff(ranks, wrong[:500], np.array([700, 1000]), 0.05, 0.98) == 700

    def test_a_clean_set_passes_whole(self):
        drawn = np.random.default_rng(6).permutation(1000)
        assert largest_cutoff(drawn, np.zeros(400, dtype=np.bool_), sizes(1000), 0.05, 0.98) == 1000

    @given(st.lists(st.booleans(), max_size=80), st.sampled_from([0.5, 0.8, 0.95]))
    def test_a_set_passes_where_its_bound_does(self, outcomes, target):
        outcomes = np.array(outcomes, dtype=np.bool_)
        drawn = np.arange(90)[::-1].copy()  # too few for a smaller set: the whole alone
        passed = largest_cutoff(drawn, outcomes, sizes(90), 0.1, target) == 90
        assert passed == (bounds_along(outcomes, 90, 0.1, target)[-1] <= allowed(90, target))

    def test_misses_no_more_than_alpha(self):
        """At the edge: sets just not good enough pass in at most alpha of the audits (binomial test)."""
        rng, population, alpha, trials, misses = np.random.default_rng(8), 800, 0.1, 300, 0
        wrong = np.zeros(population, dtype=np.bool_)
        wrong[rng.permutation(population)[:21]] = True  # 17 of 800 are allowed at 98 %
        wrong[:300:14] = True
        for _ in range(trials):
            drawn = rng.permutation(population)[:450]
            found = largest_cutoff(drawn, wrong[drawn], sizes(population), alpha, 0.98)
            misses += found is not None and wrong[:found].sum() > allowed(found, 0.98)
        assert stats.binomtest(misses, trials, alpha, alternative="greater").pvalue > 0.01


class TestAlpha:
    def test_all_audits_together_spend_no_more(self):
        assert sum(share_of_alpha(0.05, number) for number in range(1, 60)) == pytest.approx(0.05)
        assert pytest.approx(1.0) == WHOLE + CUT_OFF

    def test_what_may_be_wrong(self):
        assert allowed(1797, 0.98) == 35
        assert allowed(100, 0.98) == 2  # not 1, as 100 * (1 - 0.98) in floats would have it
        assert allowed(10, 0.98) == 0
