"""Whether the certificate holds, and what it costs: audits drawn on the labels that simulated sessions left.

    python benchmarks/certificate.py digits --sessions 30
    python benchmarks/certificate.py digits --sessions 30 --noise 0.02       (0.05)
    python benchmarks/certificate.py digits --sessions 30 --imbalance 10:1,4,8
    LABELER_DATA=... python benchmarks/certificate.py mnist10k --sessions 10

Each session is one `labeler simulate` of 10, 20 or 50 answers in turn, everything default; what its closing round
labels without a single answer of its own is the set an audit speaks of. On every set with an error in it `--audits`
orders are drawn. "holds" = share of audits whose bound is never below the truth; a set is "rejected" where a binomial
test at 1 % (shared among the sets) says that it holds in less than 95 %.

- betting, peeking: the bound of `labeler audit` at 5 %, looked at after each of all answers
- exact, 300 looks: the hypergeometric bound
- Wald, 300 looks: share right -+ 1.645 standard errors; Wald, peeking: stopped when it says 98 % (from 30 looks on)
- overlooking: a reviewer who does not see a share of the errors, betting, peeking at every 25th of 1,000 answers; with
  20 planted wrong labels in the bound, and without

"keys" counts everything for a clean person: answers, then looks until the bound of `labeler audit` (its share of alpha)
reaches the target: 1 key a look one by one; "in pages" 1 key a page of 25 (planted ones among them) and 1 an error.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from data import SETS, load
from numpy.typing import NDArray
from scipy import stats

from labeler.api import open_project
from labeler.core import certificate as core
from labeler.core.certificate import Reviewer, allowed, exact_bound, log_wealth, share_of_alpha
from labeler.core.vocabulary import Provenance
from labeler.options import Options
from labeler.session.audits import covered
from labeler.session.final import final_labels
from labeler.simulate import Simulation, simulate

ALPHA, FIXED, PAGE, PLANTS = 0.05, 300, 25, 20
CLICKS = (10, 20, 50)
MISSES = (0.0, 0.15, 0.3)
PEEKS = np.arange(25, 1001, 25)


@dataclass(frozen=True, slots=True)
class Set:
    """What a session left: so many labels that an audit speaks of, so many of them wrong; and how many answers in."""

    population: int
    wrong: int
    answers: int


def left_by(name: str, seed: int, clicks: int, noise: float, imbalance: str, folder: Path) -> Set:
    """One session, to the set its audit would speak of."""
    pool = load(name, seed, folder)
    project = folder / f"{seed}-{clicks}.labeler.db"
    simulate(Simulation(pool.path, pool.truth, clicks, Options(seed=seed), noise, False, imbalance, project=project))
    with open_project(project, read_only=True, with_source=False) as opened:
        session = opened.session
        assert session.derived.round is not None
        final = final_labels(session.state, session.derived.round)
        names = {class_id: info.name for class_id, info in session.state.classes.items()}
        indices = covered(final, session.pool)
        right = truth_of(pool.path, pool.truth)
        wrong = sum(names[int(final.labels[i])] != right[session.pool.ids[int(i)]] for i in indices)
        assert (final.provenances[indices] == Provenance.PROPAGATED).all()
    return Set(len(indices), int(wrong), clicks)


@lru_cache(maxsize=4)
def truth_of(path: Path, truth: str) -> dict[str, str]:
    """id -> class name."""
    from labeler.importers.detect import open_source
    from labeler.importers.truth import read_truth

    return read_truth(truth, open_source(path))


def found_along(of: Set, audits: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Errors met after 1, 2, ... looks (audits, population), each audit in an order of its own."""
    met = np.zeros((audits, of.population), dtype=np.int64)
    for row in met:
        row[rng.choice(of.population, of.wrong, replace=False)] = 1
    return np.cumsum(met, axis=1, out=met)


def betting_misses(of: Set, found: NDArray[np.int64], alpha: float) -> NDArray[np.bool_]:
    """Audits in which the truth is ever given up as too many."""
    looks = np.arange(1, of.population + 1)
    out = np.zeros(len(found), dtype=np.bool_)
    for row, s in enumerate(found):
        lost = log_wealth(s, looks, of.wrong, of.population) >= math.log(1.0 / alpha)
        out[row] = (lost & ((of.population + 1) * s // looks < of.wrong)).any()
    return out


def wald_misses(of: Set, found: NDArray[np.int64], target: float = 0.98) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The Wald bound after `FIXED` looks, and where one stops as soon as it says `target`."""
    z, looks = stats.norm.ppf(1.0 - ALPHA), np.arange(1, of.population + 1)
    rate = found / looks
    bound = 1.0 - rate - z * np.sqrt(rate * (1.0 - rate) / looks)
    right = 1.0 - of.wrong / of.population
    passes = bound[:, 29:] >= target
    stop = np.where(passes.any(axis=1), passes.argmax(axis=1) + 29, of.population - 1)
    at = min(FIXED, of.population) - 1
    return bound[:, at] > right + 1e-12, bound[np.arange(len(found)), stop] > right + 1e-12


def overlooking_misses(
    of: Set, found: NDArray[np.int64], miss: float, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """With plants in the bound, and without, for one who overlooks a share `miss` of the errors."""
    peeks = PEEKS[: np.searchsorted(PEEKS, of.population, side="right")]
    seen = np.zeros((len(found), len(peeks)), dtype=np.int64)
    before = np.zeros(len(found), dtype=np.int64)
    for place, t in enumerate(peeks):
        new = found[:, t - 1] - before
        before = found[:, t - 1]
        seen[:, place] = rng.binomial(new, 1.0 - miss) + (seen[:, place - 1] if place else 0)
    spotted = rng.binomial(PLANTS, 1.0 - miss, len(found))
    lost = log_wealth(seen, peeks[None, :], of.wrong, of.population) >= math.log(1.0 / ALPHA)
    naive = (lost & ((of.population + 1) * seen // peeks < of.wrong)).any(axis=1)
    told: dict[tuple[int, int, int], bool] = {}
    least: dict[tuple[int, int], int] = {}  # the fewer are seen, the lower the bound: the extreme alone is computed
    corrected = np.zeros(len(found), dtype=np.bool_)
    for row in range(len(found)):
        f = int(spotted[row])
        for place, t in enumerate(peeks.tolist()):
            s = int(seen[row, place])
            if s >= least.get((t, f), 1 << 30):  # with fewer seen the truth was still held
                continue
            key = (s, t, f)
            if key not in told:
                won = core.least_log_wealth(s, t, of.wrong, of.population, Reviewer(f, PLANTS))
                told[key] = won >= math.log(1.0 / ALPHA) and s * of.population <= of.wrong * t
                if not told[key]:
                    least[t, f] = min(s, least.get((t, f), 1 << 30))
            if told[key]:
                corrected[row] = True
                break
    return corrected, naive


def looks_to(of: Set, found: NDArray[np.int64], target: float, reviewer: Reviewer | None) -> NDArray[np.float64]:
    """Looks until the target is certified, at the first audit's share of alpha; NaN where it never is."""
    alpha = share_of_alpha(ALPHA, 1) * core.WHOLE
    looks = np.full(len(found), np.nan)
    if of.wrong > allowed(of.population, target):
        return looks
    if reviewer is None:
        too_many = allowed(of.population, target) + 1
        t = np.arange(1, of.population + 1)
        for row, s in enumerate(found):
            won = log_wealth(s, t, too_many, of.population, target) >= math.log(1.0 / alpha)
            won &= (of.population + 1) * s // t < too_many
            looks[row] = won.argmax() + 1 if won.any() else of.population
        return looks
    first = {s: _first(s, of.population, alpha, target, reviewer) for s in range(int(found[:, -1].max()) + 1)}
    for row, s in enumerate(found):
        ends = [first[e] for e in range(int(s[-1]) + 1) if first[e] <= of.population and s[first[e] - 1] <= e]
        looks[row] = min(ends, default=of.population)
    return looks


@lru_cache(maxsize=4096)
def _first(errors: int, population: int, alpha: float, target: float, reviewer: Reviewer) -> int:
    """Looks after which the target is certified with so many errors among them."""
    low, high = errors, errors + 64
    while high < population and core.betting_bound(errors, high, population, alpha, target, reviewer) > allowed(
        population, target
    ):
        low, high = high, 2 * high
        if high > 3000:
            return population
    high = min(high, population)
    low = min(low, high)
    while low < high:
        middle = (low + high) // 2
        bound = core.betting_bound(errors, middle, population, alpha, target, reviewer)
        low, high = (low, middle) if bound <= allowed(population, target) else (middle + 1, high)
    return low


def verdict(misses: list[int], audits: int) -> str:
    """``98.1 % (0 of 12 sets rejected)``."""
    if not misses:
        return "no set with an error"
    level = 0.01 / len(misses)
    bad = sum(stats.binomtest(m, audits, ALPHA, alternative="greater").pvalue < level for m in misses)
    mean, worst = 1 - np.mean(misses) / audits, 1 - max(misses) / audits
    return f"{100 * mean:.1f} / {100 * worst:.1f} / {bad} of {len(misses)}"


def main() -> None:
    """Print the rows of one setting."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=sorted(SETS))
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--audits", type=int, default=1000)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--imbalance", default="")
    parser.add_argument("--keep", type=Path, help="file of what the sessions left: read if it is there, else written")
    given = parser.parse_args()
    sets = []
    if given.keep is not None and given.keep.exists():
        sets = [Set(*row) for row in json.loads(given.keep.read_text())]
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(len(sets), given.sessions):
            clicks = CLICKS[seed % len(CLICKS)]
            sets.append(left_by(given.name, seed, clicks, given.noise, given.imbalance, Path(folder)))
            print(f"session {seed}: {sets[-1]}", file=sys.stderr)
    if given.keep is not None:
        given.keep.write_text(json.dumps([[of.population, of.wrong, of.answers] for of in sets]))
    rng = np.random.default_rng(2026)
    rows: dict[str, list[int]] = {}
    costs: dict[tuple[float, str], list[float]] = {}
    for of in sets:
        found = found_along(of, given.audits, rng)
        if of.wrong:
            measured = {"betting, peeking": betting_misses(of, found, ALPHA)}
            at = min(FIXED, of.population)
            bounds = {s: exact_bound(s, at, of.population, ALPHA) for s in set(found[:, at - 1].tolist())}
            measured["exact, 300 looks"] = np.array([bounds[s] < of.wrong for s in found[:, at - 1].tolist()])
            measured["Wald, 300 looks"], measured["Wald, peeking"] = wald_misses(of, found)
            for miss in MISSES:
                with_plants, without = overlooking_misses(of, found, miss, rng)
                measured[f"overlooking {miss:.0%}, plants"] = with_plants
                measured[f"overlooking {miss:.0%}, no plants"] = without
            for name, misses in measured.items():
                rows.setdefault(name, []).append(int(misses.sum()))
        for target in (0.98, 0.99):
            alone = looks_to(of, found[:200], target, None)
            costs.setdefault((target, f"{of.answers} answers, one by one"), []).extend(of.answers + alone)
            paged = looks_to(of, found[:200], target, Reviewer(PLANTS, PLANTS))
            whole = np.where(np.isnan(paged), of.population, paged).astype(np.int64)
            errors = found[np.arange(len(whole)), whole - 1]
            keys = of.answers + np.ceil((paged + PLANTS) / PAGE) + errors + PLANTS
            costs.setdefault((target, f"{of.answers} answers, in pages"), []).extend(keys)
        print(f"audited {of}", file=sys.stderr)
    wrong = [of.wrong for of in sets]
    setting = f"noise {given.noise:.0%}" + (f", imbalance {given.imbalance}" if given.imbalance else "")
    print(f"### {given.name}, {setting}: {len(sets)} sessions, {given.audits:,} audits on each set\n")
    lead = f"{np.mean([of.population for of in sets]):,.0f} labels a set on average"
    print(f"{lead}; wrong in it {min(wrong)} to {max(wrong)}, median {np.median(wrong):g}.\n")
    print("| | holds, mean / worst set / sets rejected |\n|---|---|")
    for name, misses in rows.items():
        print(f"| {name} | {verdict(misses, given.audits)} |")
    print("\n| keys, all counted: median / 90 % of audits / sets that hold the target | 98 % | 99 % |")
    print("|---|---|---|")
    for kind in sorted({kind for _, kind in costs}, key=lambda kind: (int(kind.split()[0]), kind)):
        cells = []
        for target in (0.98, 0.99):
            keys = np.array(costs[target, kind])
            held = keys[~np.isnan(keys)]
            share = f"{100 * len(held) / len(keys):.0f} %"
            cells.append(f"{np.median(held):.0f} / {np.quantile(held, 0.9):.0f} / {share}" if len(held) else "-")
        print(f"| {kind} | {cells[0]} | {cells[1]} |")
    print()


if __name__ == "__main__":
    main()
