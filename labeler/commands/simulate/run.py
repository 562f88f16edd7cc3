"""Run a session with a simulated person: the loop of the application, without a screen and without a worker."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from labeler.commands.simulate.baselines import baseline_curve
from labeler.commands.simulate.meter import HeldOut, Meter, note_goals, row_of
from labeler.commands.simulate.oracle import Oracle
from labeler.commands.simulate.plan import SAMPLE_ANSWERS, Simulation, bare, check
from labeler.commands.simulate.pools import hold_out, thin, with_truth
from labeler.commands.simulate.report import SimulationReport, curve_rows, report_of
from labeler.core import steps
from labeler.core.errors import UsageError
from labeler.core.types import UNLABELED, IntArray, Progress, Provenance, Question, Queue, Round
from labeler.plugins.importers.base import Source
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.labels import read_truth
from labeler.plugins.importers.subset import Subset
from labeler.project.notices import blank_line
from labeler.project.open import Project, open_project_of
from labeler.project.options import reading_of
from labeler.session.session import Session
from labeler.worker.pipeline import Pipeline

GRID_SIZE = 25
Say = Callable[[str], None]
Tell = Callable[[Progress], None]


def simulate(
    plan: Simulation,
    say: Callable[[str], None] = lambda _: None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> SimulationReport:
    """Run the session and return its report.

    Raises
    ------
    LabelerError
        The source, truth or an option cannot be used.
    """
    started = plan.started or time.perf_counter()
    check(plan)
    whole = open_source(plan.source, reading_of(plan.options, {}))
    truth = read_truth(plan.truth, whole, plan.options.classes)
    seed = plan.options.seed or 0
    chosen = with_truth(whole, truth, say)
    chosen = thin(chosen, [truth[whole.ids[row]] for row in chosen], plan.imbalance, seed)
    pool_rows, test_rows = hold_out(chosen, plan.test, seed)
    if not len(pool_rows):
        raise UsageError(f"--test {plan.test} leaves no instance to label", "hold out a smaller share")
    source: Source = whole if len(pool_rows) == len(whole.ids) else Subset(whole, pool_rows)
    with tempfile.TemporaryDirectory(prefix="labeler-") as scratch:
        path = plan.project or Path(scratch) / "simulated.labeler.db"
        with open_project_of(source, path, replace(plan.options, seed=seed)) as project:
            project.backed_up = False  # a simulated person can say it all again
            report = _run(plan, project, truth, Subset(whole, test_rows), started, say, progress)
    return report


def _run(
    plan: Simulation, project: Project, truth: dict[str, str], test: Subset, started: float, say: Say, progress: Tell
) -> SimulationReport:
    session = project.session
    early = _early_questions(plan, project, progress)
    first = time.perf_counter() - started
    pipeline: Pipeline = project.open_pipeline(progress)  # behind the person, where there are questions
    for index in np.flatnonzero(session.pool.unreadable):
        say(f"cannot be read: {session.pool.ids[int(index)]}")
    if pipeline.prepared is not None and pipeline.prepared.blank:
        say(blank_line([session.pool.ids[row] for row in pipeline.prepared.blank]))
    names = sorted({truth[name] for name in session.pool.ids})
    numbers = {name: number for number, name in enumerate(names)}
    truth_ids = np.array([numbers[truth[name]] for name in session.pool.ids], dtype=np.int32)
    truth_ids[session.pool.unreadable] = UNLABELED
    held_out = _held_out(pipeline, test, np.array([numbers.get(truth[name], -2) for name in test.ids], np.int32), say)
    session.merge_queue(early or pipeline.rerank(session.snapshot()), session.state.revision)
    if early is None:  # the clock stops at the first question, as for a person who waits for it
        first = time.perf_counter() - started
    meter = Meter(truth_ids, names, started)
    oracle = Oracle(truth, plan.noise, plan.options.seed or 0)
    rows = set(curve_rows(plan.clicks))
    shown: list[int] = []
    while meter.clicks < plan.clicks and session.question is not None:
        if meter.clicks >= plan.views_after:
            steps.run(pipeline.join_companion())
        if early is not None and meter.clicks + 1 < _sample_answers(plan):  # the last one calls for the pool's own
            _answer(session, session.question, oracle, meter)
        elif plan.grids and session.pacing.wants_page and _page(session, pipeline, oracle, meter, shown):
            continue
        else:
            _click(session, session.question, pipeline, oracle, meter)
        progress(Progress("answering", meter.clicks, plan.clicks))
        if meter.clicks in rows:
            meter.curve.append(row_of(project, pipeline, meter, held_out))
    # the last row is where it ended, also when the pool was used up before
    if not meter.curve or meter.curve[-1]["clicks"] != meter.clicks or meter.curve[-1]["keys"] != meter.keys:
        meter.curve.append(row_of(project, pipeline, meter, held_out))
    progress(Progress("computing every label anew"))
    closing = pipeline.closing_round(session.snapshot())
    session.merge_round(closing)
    baseline = _baseline(plan, pipeline, truth_ids, held_out, say, progress)
    return report_of(plan, session.state, pipeline, meter, closing, first, baseline, project.view_notes())


def _held_out(pipeline: Pipeline, test: Subset, y_test: IntArray, say: Say) -> HeldOut:
    """The instances that are held out, without those that cannot be read."""
    if not len(test.ids):
        return HeldOut(pipeline, test, np.empty(0, dtype=np.int64), y_test)
    encoded = steps.run(pipeline.encode(test))
    for row in encoded.unreadable:
        say(f"cannot be read: {test.ids[row]}")
    readable = np.setdiff1d(np.arange(len(test.ids)), list(encoded.unreadable))
    return HeldOut(pipeline, test, readable, y_test[readable])


def _baseline(
    plan: Simulation,
    pipeline: Pipeline,
    truth_ids: IntArray,
    held_out: HeldOut,
    say: Say,
    progress: Tell,
) -> dict[str, Any] | None:
    if plan.baseline is None:
        return None
    if plan.baseline == "book":
        book = replace(bare(plan.options), engine="book")
        # a clock and a file of its own: the project to keep is the one that is compared
        inner = replace(plan, baseline=None, project=None, grids=False, started=time.perf_counter(), options=book)
        return {"name": "book", "curve": simulate(inner, say, progress).curve}
    classifier, rows = pipeline.recipe.classifier or "logreg", curve_rows(plan.clicks)
    seed = plan.options.seed or 0
    X_test = held_out.features(None)
    curve = baseline_curve(plan.baseline, pipeline.features(), truth_ids, X_test, held_out.y, rows, classifier, seed)
    return {"name": plan.baseline, "curve": curve}


def _sample_answers(plan: Simulation) -> int:
    return SAMPLE_ANSWERS if plan.sample_answers is None else plan.sample_answers


def _early_questions(plan: Simulation, project: Project, progress: Tell) -> Queue | None:
    """The questions that the application asks before the whole is read; None where it reads the whole first."""
    if not _sample_answers(plan):
        return None
    return project.early_questions(progress, for_photos=plan.sample_answers is not None)


def _answer(session: Session, question: Question, oracle: Oracle, meter: Meter) -> None:
    """One answer to the question on the screen, while nothing else is there yet."""
    name = oracle.answer(question.instance_id, again=bool(question.first))
    class_id = session.classes.id_for(name, setup=True)  # naming a class is no click: the answer is
    session.label(question.instance_id, class_id)
    meter.clicks += 1
    meter.keys += 1


def _click(session: Session, question: Question, pipeline: Pipeline, oracle: Oracle, meter: Meter) -> None:
    """One answer to the question on the screen, then what the application would do behind the person."""
    # from the answer to the next question known: that is what a person waits for
    began = time.perf_counter()
    _answer(session, question, oracle, meter)
    snapshot = session.snapshot()
    session.merge_queue(pipeline.rerank(snapshot), snapshot.revision)
    meter.latencies.append(time.perf_counter() - began)
    if pipeline.round_due(len(snapshot.indices)):
        _behind(session, pipeline, meter)


def _behind(session: Session, pipeline: Pipeline, meter: Meter) -> None:
    began = time.perf_counter()
    for step in pipeline.round(session.snapshot()):
        if isinstance(step, Round):
            session.merge_round(step)
            note_goals(session, meter, step)
    meter.behind.append(time.perf_counter() - began)


def _page(session: Session, pipeline: Pipeline, oracle: Oracle, meter: Meter, shown: list[int]) -> bool:
    """A page of one class, if the engine holds it worth the keys; True when one was answered."""
    snapshot = session.snapshot()
    grid = pipeline.engine.grid(snapshot, GRID_SIZE, np.array(shown, dtype=np.int64))
    if grid is None or not grid.pays or not len(grid.indices):
        return False
    names = {class_id: info.name for class_id, info in session.state.classes.items()}
    labels = []
    meter.keys += 1
    for index, runner_up in zip(grid.indices, grid.runner_ups, strict=True):
        name = oracle.answer(session.pool.ids[int(index)])
        right = session.classes.id_for(name, setup=True)
        if name != names[grid.class_id]:
            meter.keys += 1 if right == runner_up else 2
        word = Provenance.CONFIRMED.word if right == grid.class_id else Provenance.HUMAN.word
        labels.append((session.pool.ids[int(index)], right, word))
    session.page(labels)
    shown.extend(int(index) for index in grid.indices)
    session.merge_queue(pipeline.rerank(session.snapshot()), session.state.revision)
    _behind(session, pipeline, meter)
    return True
