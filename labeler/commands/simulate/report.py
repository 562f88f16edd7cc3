"""What a simulation found, for machines and for a person."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from labeler.commands.simulate.meter import Meter
from labeler.commands.simulate.plan import Simulation
from labeler.core.types import UNLABELED, Round
from labeler.session.quality.summary import measure, records
from labeler.session.state import State
from labeler.worker.pipeline import Pipeline


def report_of(
    plan: Simulation,
    state: State,
    pipeline: Pipeline,
    meter: Meter,
    closing: Round,
    first: float,
    baseline: dict[str, Any] | None,
) -> dict[str, Any]:
    """The report as ``--json`` prints it; `first`: seconds to the first question."""
    facts = closing.facts
    measured = records(measure(state))
    return {
        "source": str(plan.source),
        "n_instances": int((meter.truth_ids != UNLABELED).sum()),
        "classes": meter.names,
        "engine": pipeline.recipe.engine,
        **{part: str(facts.get(part, "")) for part in ("encoder", "clusterer", "classifier", "strategy")},
        **({"search": facts["search"]} if "search" in facts else {}),
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
        "self_agreement": measured["self_agreement"],
        "sway": measured["sway"],
    }


def curve_rows(clicks: int) -> list[int]:
    """10, 20, 50, 100, 200, 500, ... up to `clicks`, and `clicks` itself."""
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
