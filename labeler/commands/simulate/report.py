"""The report of a simulation: its curve, times and memory."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from labeler.commands.result import Result
from labeler.commands.simulate.meter import Meter
from labeler.commands.simulate.plan import Simulation
from labeler.core.codec import encode
from labeler.core.types import UNLABELED, Round
from labeler.session.quality.summary import measure, records
from labeler.session.state import State
from labeler.worker.pipeline import Pipeline

Row = dict[str, Any]
"""A row of the curve, JSON-able: clicks, keys, shares right and covered, seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationReport(Result):
    """The curve of a session with a simulated person, in the order in which ``--json`` prints it."""

    source: str
    n_instances: int
    classes: list[str]
    engine: str
    encoder: str
    clusterer: str
    classifier: str
    strategy: str
    search: dict[str, Any] | None
    seed: int
    curve: list[Row]
    final: Row
    keys_to: dict[str, int | None]
    seconds_to_first_question: float
    seconds_total: float
    click_latency_ms: dict[str, float | None]
    behind_ms: dict[str, float | None]
    peak_memory_mb: float
    baseline: dict[str, Any] | None
    self_agreement: dict[str, Any] | None
    sway: dict[str, Any] | None
    notes: list[str]

    def to_json(self) -> dict[str, Any]:
        """Return all of it; a search only where the classifier made one."""
        values = encode(self, {})
        return {name: value for name, value in values.items() if name != "search" or value is not None}

    def warnings(self) -> list[str]:
        """Return which views of the pool had no say, though nobody chose so."""
        return self.notes

    def lines(self) -> list[str]:
        """Return one line a row of the curve, the baseline's below."""
        lines = [f"{self.n_instances:,} instances, engine {self.engine}, encoder {self.encoder}"]
        heading = ("clicks", "keys", "labels right", "coverage", "propagated right", "test", "seconds")
        lines.append("  ".join(f"{word:>12}" for word in heading))
        lines += map(_row_line, self.curve)
        if self.baseline:
            lines += [f"baseline {self.baseline['name']}", *map(_row_line, self.baseline["curve"])]
        measured = (("repeats", self.self_agreement), ("blind", self.sway))
        return [*lines, *(f"{name}: {facts['statement']}" for name, facts in measured if facts)]


def _row_line(row: Row) -> str:
    shares = [row[key] for key in ("labels_accuracy", "coverage", "propagated_precision", "test_accuracy")]
    cells = [f"{row['clicks']:,}", f"{row['keys']:,}"]
    cells += ["-" if share is None else f"{100 * share:.2f} %" for share in shares]
    cells.append("-" if row["seconds"] is None else f"{row['seconds']:.1f}")
    return "  ".join(f"{cell:>12}" for cell in cells)


def report_of(
    plan: Simulation,
    state: State,
    pipeline: Pipeline,
    meter: Meter,
    closing: Round,
    first: float,
    baseline: dict[str, Any] | None,
    notes: list[str],
) -> SimulationReport:
    """Return the report of a run; `first`: seconds to the first question; `notes`: of views that had no say."""
    facts = closing.facts
    measured = records(measure(state))
    return SimulationReport(
        source=str(plan.source),
        n_instances=int((meter.truth_ids != UNLABELED).sum()),
        classes=meter.names,
        engine=pipeline.recipe.engine,
        **{part: str(facts.get(part, "")) for part in ("encoder", "clusterer", "classifier", "strategy")},
        search=facts.get("search"),
        seed=plan.options.seed or 0,
        curve=meter.curve,
        final=meter.curve[-1],
        keys_to=meter.keys_to,
        seconds_to_first_question=round(first, 3),
        seconds_total=round(time.perf_counter() - meter.started, 3),
        click_latency_ms=_quantiles(meter.latencies),
        behind_ms=_quantiles(meter.behind),
        peak_memory_mb=_peak_memory_mb(),
        baseline=baseline,
        self_agreement=measured["self_agreement"],
        sway=measured["sway"],
        notes=notes,
    )


def curve_rows(clicks: int) -> list[int]:
    """Return 10, 20, 50, 100, 200, 500, ... up to `clicks`, and `clicks` itself."""
    return sorted({row for row in _series() if row <= clicks} | {clicks}) if clicks else []


def _series() -> Iterator[int]:
    return iter([step * 10**power for power in range(1, 9) for step in (1, 2, 5)])


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
    # ru_maxrss is in kilobytes, on macOS in bytes
    scale = 1024 * 1024 if sys.platform == "darwin" else 1024
    return round(
        sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / scale, 1
    )
