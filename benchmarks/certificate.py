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

- in pages: audits done by the commands of a session (lay out, confirm a page, read the certificate), `--sittings` on
  each set, with a reviewer who leaves a share of what is wrong on a page, planted or not; a miss is a bound below the
  truth at the end of any page, until the target of 98 % is certified, everything was seen, or 120 pages are done

"keys" counts everything for a person who misses nothing: answers, then keys until the certificate of `labeler audit`
(its share of alpha) reaches the target. "one by one": 1 key a look, computed. "in pages": of those sittings, pages of
21 as in a terminal of 80x24; 1 key a page, 1 an exception (planted or not) whose letter brings its class, 2 where its
class key must follow. "-" stands where 120 pages, or all there is, did not do. `--only pages` leaves out what draws
1,000 audits.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from data import SETS, load
from numpy.typing import NDArray
from scipy import stats

from labeler.commands.simulate import Simulation, simulate
from labeler.core.events import Event
from labeler.core.pool import Pool
from labeler.core.stats import certificate as core
from labeler.core.stats.certificate import allowed, exact_bound, log_wealth, share_of_alpha
from labeler.core.stats.reviewer import Reviewer, least_log_wealth
from labeler.core.types import UNLABELED, Provenance, Question, Round
from labeler.project.open import open_project
from labeler.project.options import Options
from labeler.session.audit.audits import covered
from labeler.session.audit.pages import Cell
from labeler.session.final_labels import FinalLabels, final_labels
from labeler.session.session import Session

ALPHA, FIXED, PLANTS = 0.05, 300, 20
PAGE, MOST_PAGES = 21, 120
CLICKS = (10, 20, 50)
MISSES = (0.0, 0.15, 0.3)
PEEKS = np.arange(25, 1001, 25)


@dataclass(frozen=True, slots=True)
class Set:
    """What a session left: so many labels that an audit speaks of, so many of them wrong; and how many answers in.

    With the session's pool, events, last round, final labels, and the class id of each instance by the truth.
    """

    population: int
    wrong: int
    answers: int
    pool: Pool
    events: list[Event]
    round: Round
    final: FinalLabels
    right: NDArray[np.int64]


class Drawer:
    """A journal in memory that begins with what a session left."""

    def __init__(self, of: Set) -> None:
        self.events, self._round = list(of.events), of.round
        self._frozen: dict[int, dict[str, Any]] = {}

    def append(self, event: Event) -> Event:
        """Keep it."""
        stored = replace(event, seq=len(self.events) + 1)
        self.events.append(stored)
        return stored

    def replay(self) -> Iterator[Event]:
        """All of them."""
        return iter(list(self.events))

    def freeze(self, audit: int, arrays: Mapping[str, Any]) -> None:
        """Keep what an audit speaks of."""
        self._frozen[audit] = dict(arrays)

    def frozen(self, audit: int) -> dict[str, Any]:
        """What was kept."""
        return self._frozen.get(audit, {})

    def save_round(self, round_: Round) -> None:
        """Nothing: none comes."""

    def load_round(self) -> Round | None:
        """The last one."""
        return self._round

    def save_question(self, question: object, revision: int) -> None:
        """Nothing: none is asked."""

    def load_question(self) -> tuple[Question, int] | None:
        """None."""
        return None


def left_by(name: str, seed: int, clicks: int, noise: float, imbalance: str, folder: Path, keep: Path) -> Set:
    """One session, to the set its audit would speak of; its project stays in `keep`."""
    pool = load(name, seed, folder)
    project = keep / f"{seed}-{clicks}.labeler.db"
    if not project.exists():
        simulate(
            Simulation(pool.path, pool.truth, clicks, Options(seed=seed), noise, False, imbalance, project=project)
        )
    with open_project(project, read_only=True, with_source=False) as opened:
        session = opened.session
        assert session.machine_labels.round is not None
        final = final_labels(session.state, session.machine_labels.round)
        class_ids = {info.name: class_id for class_id, info in session.state.classes.items()}
        indices = covered(final, session.pool)
        truth = truth_of(pool.path, pool.truth)
        right = np.array([class_ids.get(truth.get(name, ""), UNLABELED) for name in session.pool.ids])
        assert (final.provenances[indices] == Provenance.PROPAGATED).all()
        wrong = int((final.labels[indices] != right[indices]).sum())
        events = list(session.recorder.journal.replay())
        return Set(len(indices), wrong, clicks, session.pool, events, session.machine_labels.round, final, right)


@dataclass(slots=True)
class Sitting:
    """What an audit in pages cost and said."""

    keys: int = 0
    pages: int = 0
    reached: bool = False
    false: bool = False  # the bound was below the truth at the end of some page


def sit(of: Set, target: float, miss: float, seed: int) -> Sitting:
    """One audit in pages, by the commands of a session, until the target is certified or nothing is left."""
    count, rng, out = itertools.count(), np.random.default_rng((2026, seed)), Sitting()
    session = Session(of.pool, Drawer(of), clock=lambda: 0.0, new_id=lambda: f"a{next(count)}")
    session.audit.begin(of.final, target=target, confidence=1.0 - ALPHA, seed=seed)
    while out.pages < MOST_PAGES and session.audit.next_index() is not None:
        page = session.audit.pages.lay_out(PAGE).page
        wrong = [place for place, cell in enumerate(page) if cell.class_id != of.right[cell.index]]
        marked = [place for place in wrong if rng.random() >= miss]
        session.audit.pages.answer({page[place].index: int(of.right[page[place].index]) for place in marked})
        out.pages += 1
        out.keys += 1 + sum(1 if of.right[page[p].index] in likeliest(of, page[p]) else 2 for p in marked)
        if session.audit.latest is None or (
            session.audit.latest.block is not None and session.audit.latest.block.answers
        ):
            continue  # nothing counts until the block is done
        found = session.audit.certificate(paged=True)
        assert found is not None
        out.false |= found.most_wrong < of.wrong
        out.reached = found.reached
        if out.reached:
            break
    return out


def likeliest(of: Set, cell: Cell) -> set[int]:
    """The class that one key sets instead of the one shown."""
    ranked = [int(of.round.labels[cell.index]), int(of.round.runner_ups[cell.index])]
    return set([class_id for class_id in ranked if class_id not in (UNLABELED, cell.class_id)][:1])


@lru_cache(maxsize=4)
def truth_of(path: Path, truth: str) -> dict[str, str]:
    """id -> class name."""
    from labeler.plugins.importers.detect import open_source
    from labeler.plugins.importers.labels import read_truth

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
                won = least_log_wealth(s, t, of.wrong, of.population, Reviewer(f, PLANTS))
                told[key] = won >= math.log(1.0 / ALPHA) and s * of.population <= of.wrong * t
                if not told[key]:
                    least[t, f] = min(s, least.get((t, f), 1 << 30))
            if told[key]:
                corrected[row] = True
                break
    return corrected, naive


def looks_to(of: Set, found: NDArray[np.int64], target: float) -> NDArray[np.float64]:
    """Looks one by one until the target is certified, at the first audit's share of alpha; NaN where it never is."""
    alpha = share_of_alpha(ALPHA, 1) * core.WHOLE
    looks = np.full(len(found), np.nan)
    if of.wrong > allowed(of.population, target):
        return looks
    too_many = allowed(of.population, target) + 1
    t = np.arange(1, of.population + 1)
    for row, s in enumerate(found):
        won = log_wealth(s, t, too_many, of.population, target) >= math.log(1.0 / alpha)
        won &= (of.population + 1) * s // t < too_many
        looks[row] = won.argmax() + 1 if won.any() else of.population
    return looks


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
    parser.add_argument("--only", choices=["pages"], help="the audits in pages and the keys alone")
    parser.add_argument("--sittings", type=int, default=10, help="audits in pages on each set")
    parser.add_argument("--keep", type=Path, help="folder for the projects the sessions leave: those there are used")
    given = parser.parse_args()
    sets = []
    with tempfile.TemporaryDirectory() as folder:
        keep = given.keep or Path(folder)
        keep.mkdir(parents=True, exist_ok=True)
        for seed in range(given.sessions):
            clicks = CLICKS[seed % len(CLICKS)]
            sets.append(left_by(given.name, seed, clicks, given.noise, given.imbalance, Path(folder), keep))
            print(f"session {seed}: {sets[-1].population} labels, {sets[-1].wrong} wrong", file=sys.stderr)
    rng = np.random.default_rng(2026)
    rows: dict[str, list[int]] = {}
    sat: dict[float, list[bool]] = {miss: [] for miss in MISSES}
    costs: dict[tuple[float, str], list[float]] = {}
    for number, of in enumerate(sets):
        found = found_along(of, given.audits, rng)
        if of.wrong and not given.only:
            for name, misses in held(of, found, rng).items():
                rows.setdefault(name, []).append(int(misses.sum()))
        for target in (0.98, 0.99):
            alone = looks_to(of, found[:200], target)
            costs.setdefault((target, f"{of.answers} answers, one by one"), []).extend(of.answers + alone)
            sittings = [sit(of, target, 0.0, 1000 * number + seed) for seed in range(given.sittings)]
            holds = of.wrong <= allowed(of.population, target)
            keys = [of.answers + (one.keys if one.reached else np.inf) if holds else np.nan for one in sittings]
            costs.setdefault((target, f"{of.answers} answers, in pages"), []).extend(keys)
            sat[0.0] += [one.false for one in sittings] if of.wrong else []
        for miss in MISSES[1:] if of.wrong else ():
            sat[miss] += [sit(of, 0.98, miss, 1000 * number + 500 + seed).false for seed in range(given.sittings)]
        print(f"audited set {number}", file=sys.stderr)
    report(given, sets, rows, sat, costs)


def held(of: Set, found: NDArray[np.int64], rng: np.random.Generator) -> dict[str, NDArray[np.bool_]]:
    """Which audits miss, by kind of bound."""
    measured = {"betting, peeking": betting_misses(of, found, ALPHA)}
    at = min(FIXED, of.population)
    bounds = {s: exact_bound(s, at, of.population, ALPHA) for s in set(found[:, at - 1].tolist())}
    measured["exact, 300 looks"] = np.array([bounds[s] < of.wrong for s in found[:, at - 1].tolist()])
    measured["Wald, 300 looks"], measured["Wald, peeking"] = wald_misses(of, found)
    for miss in MISSES:
        with_plants, without = overlooking_misses(of, found, miss, rng)
        measured[f"overlooking {miss:.0%}, plants"] = with_plants
        measured[f"overlooking {miss:.0%}, no plants"] = without
    return measured


def report(
    given: argparse.Namespace,
    sets: list[Set],
    rows: dict[str, list[int]],
    sat: dict[float, list[bool]],
    costs: dict[tuple[float, str], list[float]],
) -> None:
    """Print the section of one setting."""
    wrong = [of.wrong for of in sets]
    setting = f"noise {given.noise:.0%}" + (f", imbalance {given.imbalance}" if given.imbalance else "")
    print(f"### {given.name}, {setting}: {len(sets)} sessions, {given.audits:,} audits on each set\n")
    lead = f"{np.mean([of.population for of in sets]):,.0f} labels a set on average"
    print(f"{lead}; wrong in it {min(wrong)} to {max(wrong)}, median {np.median(wrong):g}.\n")
    print("| | holds, mean / worst set / sets rejected |\n|---|---|")
    for name, misses in rows.items():
        print(f"| {name} | {verdict(misses, given.audits)} |")
    for miss, false in sat.items():
        if false:
            p = stats.binomtest(sum(false), len(false), ALPHA, alternative="greater").pvalue
            said = f"{100 * (1 - np.mean(false)):.1f} % of {len(false)} audits through the session (p {p:.2f})"
            print(f"| in pages, a reviewer who leaves {miss:.0%} | {said} |")
    print("\n| keys, all counted: median / 90 % of audits / sets that hold the target | 98 % | 99 % |")
    print("|---|---|---|")
    for kind in sorted({kind for _, kind in costs}, key=lambda kind: (int(kind.split()[0]), kind)):
        cells = []
        for target in (0.98, 0.99):
            keys = np.array(costs[target, kind])
            certified = keys[~np.isnan(keys)]
            share = f"{100 * len(certified) / len(keys):.0f} %"
            if not len(certified):
                cells.append("-")
                continue
            middle, most = (np.quantile(certified, q, method="higher") for q in (0.5, 0.9))
            cells.append(" / ".join([f"{x:.0f}" if np.isfinite(x) else "-" for x in (middle, most)] + [share]))
        print(f"| {kind} | {cells[0]} | {cells[1]} |")
    print()


if __name__ == "__main__":
    main()
