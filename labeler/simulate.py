"""`labeler simulate`: the same session with a simulated person, measured against the truth."""

from __future__ import annotations

import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from labeler.api import Options, Project, open_project_of
from labeler.baselines import baseline_curve
from labeler.core.steps import finished
from labeler.core.vocabulary import UNLABELED, FloatArray, IndexArray, IntArray, Progress, Provenance, Round
from labeler.errors import SourceError, UsageError
from labeler.importers.base import Source
from labeler.importers.detect import open_source
from labeler.importers.names import counted
from labeler.importers.subset import Subset
from labeler.importers.truth import read_truth
from labeler.session.blind import sway
from labeler.session.control import estimate
from labeler.session.oracle import Oracle
from labeler.session.repeats import self_agreement
from labeler.session.state import State
from labeler.workbench import Workbench

GOALS = (0.95, 0.98, 0.99, 0.995)
BASELINES = ("book", "random", "all")
GRID_SIZE = 25


@dataclass(frozen=True, slots=True)
class Simulation:
    """What to simulate."""

    source: Path
    truth: str
    clicks: int
    options: Options = field(default_factory=Options)
    noise: float = 0.0
    grids: bool = False
    imbalance: str = ""
    test: float = 0.0
    baseline: str | None = None
    project: Path | None = None
    started: float = 0.0  # time.perf_counter() at the program's first line


@dataclass(slots=True)
class _Meter:
    """What one run measures, row by row."""

    truth_ids: IntArray  # class numbers of the truth, one an instance of the pool
    names: list[str]
    started: float
    curve: list[dict[str, Any]] = field(default_factory=list)
    keys_to: dict[str, int | None] = field(default_factory=lambda: {str(goal): None for goal in GOALS})
    latencies: list[float] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)
    keys: int = 0
    clicks: int = 0


def simulate(
    plan: Simulation,
    say: Callable[[str], None] = lambda _: None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> dict[str, Any]:
    """Run the session and return the report as interface.md defines it.

    Raises
    ------
    LabelerError
        The source, truth or an option cannot be used.
    """
    started = plan.started or time.perf_counter()
    _check(plan)
    whole = open_source(plan.source)
    truth = read_truth(plan.truth, whole)
    seed = plan.options.seed or 0
    kept = _with_truth(whole, truth, say)
    kept = thin(kept, [truth[whole.ids[row]] for row in kept], plan.imbalance, seed)
    pool_rows, test_rows = hold_out(kept, plan.test, seed)
    if not len(pool_rows):
        raise UsageError(f"--test {plan.test} leaves no instance to label", "hold out a smaller share")
    source: Source = whole if len(pool_rows) == len(whole.ids) else Subset(whole, pool_rows)
    with tempfile.TemporaryDirectory(prefix="labeler-") as scratch:
        path = plan.project or Path(scratch) / "simulated.labeler.db"
        with open_project_of(source, path, replace(plan.options, seed=seed)) as project:
            project.backed_up = False  # a simulated person can say it all again
            report = _run(plan, project, source, truth, Subset(whole, test_rows), started, say, progress)
    return report


def _run(
    plan: Simulation,
    project: Project,
    source: Source,
    truth: dict[str, str],
    test: Subset,
    started: float,
    say: Callable[[str], None],
    progress: Callable[[Progress], None],
) -> dict[str, Any]:
    bench: Workbench = project.open_bench(progress)
    for index in np.flatnonzero(project.session.pool.unreadable):
        say(f"cannot be read: {project.session.pool.ids[int(index)]}")
    session = project.session
    names = sorted({truth[name] for name in session.pool.ids})
    numbers = {name: number for number, name in enumerate(names)}
    truth_ids = np.array([numbers[truth[name]] for name in session.pool.ids], dtype=np.int32)
    truth_ids[session.pool.unreadable] = UNLABELED
    y_test = np.array([numbers.get(truth[name], -2) for name in test.ids], dtype=np.int32)
    X_test = None
    if len(test.ids):
        held_out = finished(bench.encode(test))
        for row in held_out.unreadable:
            say(f"cannot be read: {test.ids[row]}")
        readable = np.setdiff1d(np.arange(len(test.ids)), list(held_out.unreadable))
        X_test, y_test = held_out.features[readable] if len(readable) else None, y_test[readable]
    session.merge_queue(bench.rerank(session.snapshot()), session.state.revision)
    first = time.perf_counter() - started
    finished(bench.join_companion())
    meter = _Meter(truth_ids, names, started)
    oracle = Oracle(truth, plan.noise, plan.options.seed or 0)
    rows = set(curve_rows(plan.clicks))
    shown: list[int] = []
    while meter.clicks < plan.clicks and session.question is not None:
        if plan.grids and session.pacing.wants_page and _page(session, bench, oracle, meter, shown):
            continue
        _click(session, bench, oracle, meter)
        progress(Progress("answering", meter.clicks, plan.clicks))
        if meter.clicks in rows:
            meter.curve.append(_row(project, bench, meter, X_test, y_test))
    if not meter.curve or meter.curve[-1]["clicks"] != meter.clicks or meter.curve[-1]["keys"] != meter.keys:
        meter.curve.append(_row(project, bench, meter, X_test, y_test))
    progress(Progress("computing every label anew"))
    closing = bench.closing_round(session.snapshot())
    session.merge_round(closing)
    baseline = None
    if plan.baseline == "book":
        inner = replace(
            plan,
            baseline=None,
            project=None,
            grids=False,
            started=time.perf_counter(),
            options=replace(_bare(plan.options), engine="book"),
        )
        baseline = {"name": "book", "curve": simulate(inner, say, progress)["curve"]}
    elif plan.baseline:
        curve = baseline_curve(
            plan.baseline,
            bench.features(),
            truth_ids,
            X_test,
            y_test,
            curve_rows(plan.clicks),
            bench.recipe.classifier or "logreg",
            plan.options.seed or 0,
        )
        baseline = {"name": plan.baseline, "curve": curve}
    return _report(plan, session.state, bench, meter, closing, first, baseline)


def _click(session: Any, bench: Workbench, oracle: Oracle, meter: _Meter) -> None:
    """One answer to the question on the screen, then what the application would do behind the person."""
    question = session.question
    name = oracle.answer(question.instance_id, again=bool(question.first))
    class_id = session.class_id_for(name, setup=True)  # naming a class is no click: the answer is
    began = time.perf_counter()
    session.label(question.instance_id, class_id)
    snapshot = session.snapshot()
    session.merge_queue(bench.rerank(snapshot), snapshot.revision)
    meter.latencies.append(time.perf_counter() - began)
    meter.clicks += 1
    meter.keys += 1
    if bench.round_due(len(snapshot.indices)):
        _behind(session, bench, meter)


def _behind(session: Any, bench: Workbench, meter: _Meter) -> None:
    began = time.perf_counter()
    for step in bench.round(session.snapshot()):
        if isinstance(step, Round):
            session.merge_round(step)
            _note_goals(session, meter, step)
    meter.behind.append(time.perf_counter() - began)


def _page(session: Any, bench: Workbench, oracle: Oracle, meter: _Meter, shown: list[int]) -> bool:
    """A page of one class, if the engine holds it worth the keys; True when one was answered."""
    snapshot = session.snapshot()
    grid = bench.grid(snapshot, GRID_SIZE, np.array(shown, dtype=np.int64))
    if grid is None or not grid.pays or not len(grid.indices):
        return False
    names = {class_id: info.name for class_id, info in session.state.classes.items()}
    labels = []
    meter.keys += 1
    for index, runner_up in zip(grid.indices, grid.runner_ups, strict=True):
        name = oracle.answer(session.pool.ids[int(index)])
        right = session.class_id_for(name, setup=True)
        if name != names[grid.class_id]:
            meter.keys += 1 if right == runner_up else 2
        word = Provenance.CONFIRMED.word if right == grid.class_id else Provenance.HUMAN.word
        labels.append((session.pool.ids[int(index)], right, word))
    session.page(labels)
    shown.extend(int(index) for index in grid.indices)
    session.merge_queue(bench.rerank(session.snapshot()), session.state.revision)
    _behind(session, bench, meter)
    return True


def _note_goals(session: Any, meter: _Meter, round_: Round) -> None:
    accuracy = _accuracy(session, meter, round_)[0]
    for goal in GOALS:
        if meter.keys_to[str(goal)] is None and accuracy >= goal:
            meter.keys_to[str(goal)] = meter.keys


def _accuracy(session: Any, meter: _Meter, round_: Round) -> tuple[float, float, float | None]:
    """labels_accuracy, coverage and propagated_precision of a round, over the instances with a truth."""
    number_of = _numbers(session, meter)
    lookup = np.full(max(number_of, default=0) + 2, UNLABELED - 1, dtype=np.int32)
    for class_id, number in number_of.items():
        lookup[class_id] = number
    known = meter.truth_ids != UNLABELED
    right = (lookup[round_.labels] == meter.truth_ids) & known
    covered = np.isin(round_.provenances, (*_GIVEN, Provenance.PROPAGATED)) & known
    propagated = (round_.provenances == Provenance.PROPAGATED) & known
    n = max(int(known.sum()), 1)
    precision = float(right[propagated].mean()) if propagated.any() else None
    return float(right.sum() / n), float(covered.sum() / n), precision


def _numbers(session: Any, meter: _Meter) -> dict[int, int]:
    """Class id -> its number in the truth; a class of --classes that the truth never names is never right."""
    numbers = {name: number for number, name in enumerate(meter.names)}
    return {info.class_id: numbers.get(info.name, UNLABELED - 2) for info in session.state.classes.values()}


_GIVEN = (Provenance.HUMAN, Provenance.CONFIRMED, Provenance.IMPORTED)


def _row(
    project: Project, bench: Workbench, meter: _Meter, X_test: FloatArray | None, y_test: IntArray
) -> dict[str, Any]:
    """One row of the curve, from a closing round: what an export would hold now."""
    session = project.session
    snapshot = session.snapshot()
    closing = bench.closing_round(snapshot)
    accuracy, coverage, precision = _accuracy(session, meter, closing)
    for goal in GOALS:
        if meter.keys_to[str(goal)] is None and accuracy >= goal:
            meter.keys_to[str(goal)] = meter.keys
    control = estimate(session.state)
    test_accuracy = None
    if X_test is not None:
        number_of = _numbers(session, meter)
        predicted, _ = bench.predict(snapshot, X_test)
        test_accuracy = float(np.mean([number_of.get(int(c), -1) == y for c, y in zip(predicted, y_test, strict=True)]))
    return {
        "clicks": meter.clicks,
        "keys": meter.keys,
        "labels_accuracy": round(accuracy, 6),
        "coverage": round(coverage, 6),
        "propagated_precision": None if precision is None else round(precision, 6),
        "test_accuracy": None if test_accuracy is None else round(test_accuracy, 6),
        "estimate": None if control is None else control.facts,
        "seconds": round(time.perf_counter() - meter.started, 3),
    }


def _report(
    plan: Simulation,
    state: State,
    bench: Workbench,
    meter: _Meter,
    closing: Round,
    first: float,
    baseline: dict[str, Any] | None,
) -> dict[str, Any]:
    facts = closing.facts
    twice, swayed = self_agreement(state), sway(state)
    return {
        "source": str(plan.source),
        "n_instances": int((meter.truth_ids != UNLABELED).sum()),
        "classes": meter.names,
        "engine": bench.recipe.engine,
        **{part: str(facts.get(part, "")) for part in ("encoder", "clusterer", "classifier", "strategy")},
        "seed": plan.options.seed or 0,
        "curve": meter.curve,
        "final": meter.curve[-1],
        "keys_to": meter.keys_to,
        "seconds_to_first_question": round(first, 3),
        "seconds_total": round(time.perf_counter() - meter.started, 3),
        "click_latency_ms": _quantiles(meter.latencies),
        "behind_ms": _quantiles(meter.behind),
        "peak_memory_mb": _peak_memory_mb(),
        "baseline": baseline,
        "self_agreement": None if twice is None else twice.facts | {"statement": twice.statement},
        "sway": None if swayed is None else swayed.facts | {"statement": swayed.statement},
    }


def curve_rows(clicks: int) -> list[int]:
    """10, 20, 50, 100, 200, 500, ... up to `clicks`, and `clicks` itself."""
    return sorted({row for row in _series() if row <= clicks} | {clicks}) if clicks else []


def _series() -> Iterator[int]:
    return iter([step * 10**power for power in range(1, 9) for step in (1, 2, 5)])


def thin(rows: IndexArray, labels: list[str], imbalance: str, seed: int) -> IndexArray:
    """Thin classes: ``10:1,4,8`` keeps one in ten of the classes 1, 4 and 8 (at least one of each)."""
    if not imbalance:
        return rows
    factor, _, listed = imbalance.partition(":")
    names = [name.strip() for name in listed.split(",") if name.strip()]
    if not re.fullmatch("[0-9]{1,9}", factor) or int(factor) < 1 or not names:
        raise UsageError(f"--imbalance {imbalance!r} cannot be read", "write FACTOR:CLASS,CLASS such as 10:1,4,8")
    unknown = [name for name in names if name not in labels]
    if unknown:
        raise UsageError(f"--imbalance names a class the truth does not have: {unknown[0]!r}", "see the truth file")
    rng = np.random.default_rng((seed, 10))
    keep = np.ones(len(rows), dtype=np.bool_)
    classes = np.array(labels)
    for name in names:
        members = np.flatnonzero(classes == name)
        kept = rng.choice(members, max(1, len(members) // int(factor)), replace=False)
        keep[np.setdiff1d(members, kept)] = False
    return rows[keep]


def hold_out(rows: IndexArray, share: float, seed: int) -> tuple[IndexArray, IndexArray]:
    """Split rows at random into the pool and a held-out test set of `share`; both in source order."""
    if share <= 0:
        return rows, rows[:0]
    order = np.random.default_rng((seed, 20)).permutation(len(rows))
    n_test = round(share * len(rows))
    return np.sort(rows[order[n_test:]]), np.sort(rows[order[:n_test]])


def _with_truth(source: Source, truth: dict[str, str], say: Callable[[str], None]) -> IndexArray:
    rows = np.array([row for row, name in enumerate(source.ids) if name in truth], dtype=np.int64)
    if not len(rows):
        raise SourceError("the truth names no instance of this source", "its path|id column holds the source's ids")
    if len(rows) < len(source.ids):
        lead = counted(len(source.ids) - len(rows), "instance without truth is", "instances without truth are")
        say(f"{lead} left out")
    for name, why in source.unreadable.items():
        say(f"cannot be read: {name}: {why}")
    for note in source.notes:
        say(note)
    return rows


def _check(plan: Simulation) -> None:
    if plan.clicks < 1:
        raise UsageError(f"--clicks {plan.clicks} is too few", "give a number from 1 up")
    if not 0 <= plan.noise < 1:
        raise UsageError(f"--noise {plan.noise} is out of range", "give a share from 0 up to, not including, 1")
    if not 0 <= plan.test < 1:
        raise UsageError(f"--test {plan.test} is out of range", "give a share from 0 up to, not including, 1")
    if plan.baseline is not None and plan.baseline not in BASELINES:
        raise UsageError(f"no baseline is called {plan.baseline!r}", f"there are: {', '.join(BASELINES)}")
    if plan.project is not None and plan.project.exists():
        raise UsageError(f"{plan.project} exists", "a simulation starts a new project: give another -p PROJECT")


def _bare(options: Options) -> Options:
    """The options a baseline run shares: seed, classes and features, not the parts of the chain."""
    return Options(seed=options.seed, classes=options.classes, features=options.features)


def _quantiles(seconds: list[float]) -> dict[str, float | None]:
    if not seconds:
        return {"p50": None, "p95": None, "max": None}
    values = 1000 * np.asarray(seconds)
    return {
        "p50": round(float(np.percentile(values, 50)), 3),
        "p95": round(float(np.percentile(values, 95)), 3),
        "max": round(float(values.max()), 3),
    }


def _peak_memory_mb() -> float:
    scale = 1024 * 1024 if sys.platform == "darwin" else 1024
    return round(
        sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / scale, 1
    )


_MEASURED = {"self_agreement": "repeats", "sway": "blind"}


def curve_text(report: dict[str, Any]) -> str:
    """The report for a person: one line a row of the curve."""
    lines = [f"{report['n_instances']:,} instances, engine {report['engine']}, encoder {report['encoder']}"]
    heading = ("clicks", "keys", "labels right", "coverage", "propagated right", "test", "seconds")
    lines.append("  ".join(f"{word:>12}" for word in heading))
    runs = [("", report["curve"])]
    if report["baseline"]:
        runs.append((f"baseline {report['baseline']['name']}", report["baseline"]["curve"]))
    for title, curve in runs:
        if title:
            lines.append(title)
        for row in curve:
            shares = [row[k] for k in ("labels_accuracy", "coverage", "propagated_precision", "test_accuracy")]
            cells = [f"{row['clicks']:,}", f"{row['keys']:,}"]
            cells += ["-" if share is None else f"{100 * share:.2f} %" for share in shares]
            cells.append("-" if row["seconds"] is None else f"{row['seconds']:.1f}")
            lines.append("  ".join(f"{cell:>12}" for cell in cells))
    lines += [f"{name}: {report[key]['statement']}" for key, name in _MEASURED.items() if report[key]]
    return "\n".join(lines)
