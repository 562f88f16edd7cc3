"""Rows 6 and 7: refit + next question, and one more label spread, against those who do the same."""

from __future__ import annotations

from rows.pools import Pools
from rows.process import job, run
from rows.profiles import summary, within
from rows.table import Line, Rows, verdict

NAMES = {"book": "same model (logistic regression)", "graph": "default engine, with the graph"}
LEAST = {"book": 1.3, "graph": 5.0}


def measure_next_question(pools: Pools) -> Rows:
    """Row 6: how many times faster than scikit-activeml and modAL."""
    features = pools.columns(pools.many)
    command = job("next_question", features)
    facts = run(command).facts
    seconds, failures = facts["seconds"], facts["failures"]
    lines = []
    for ours, title in NAMES.items():
        for peer in ("scikit-activeml", "modAL"):
            lines.append(
                _line(f"refit + next question, {facts['rows']:,}, {title}: CPU, ms", ours, peer, seconds, failures)
            )
    notes = [(6, f"{pools.origin}, shifted and bent, in the engine's {facts['columns']} columns; "
                 "the 200th answer, medians of 7 (graph: the last 30 of 60).")]  # fmt: skip
    if any(line.held == verdict(False) for line in lines):
        path = pools.folder / "next.prof"
        run([*command, str(path)])
        notes.append((6, f"our refits under cProfile: {summary(path)}; {within(path, 'labeler')}"))
    return Rows(lines, notes)


def _line(what: str, ours: str, peer: str, seconds: dict[str, float], failures: dict[str, str]) -> Line:
    cell, least = f"{1000 * seconds[ours]:.1f}", f">= {LEAST[ours]:g} x faster"
    if peer in failures:
        return Line(6, what, cell, f"{peer}: {failures[peer]}", "", least, "not measured")
    times = seconds[peer] / seconds[ours]
    reference = f"{1000 * seconds[peer]:.1f} ({peer})"
    return Line(6, what, cell, reference, f"{times:.1f} x faster", least, verdict(times >= LEAST[ours]))


def measure_spread(pools: Pools) -> Rows:
    """Row 7: how many times faster than LabelSpreading's refit, and how far from a tight solve."""
    facts = run(job("spread", pools.columns(pools.many))).facts
    reference = facts["scikit-learn LabelSpreading refit, ms"]
    prepared, work = (facts[f"one more label spread, {how}, ms"] for how in ("prepared", "not prepared"))
    away = facts["mass away from a tight solve after 200, %"]
    what = f"one more label spread over {pools.many:,}: CPU, ms"
    lines = [
        Line(
            *(7, f"{what}, prepared behind the question", f"{prepared:.3f}", f"{reference:,.0f} (LabelSpreading)"),
            *(f"{reference / prepared:,.0f} x faster", ">= 1,000 x faster", verdict(reference >= 1000 * prepared)),
        ),
        Line(
            *(7, f"{what}, as work (not prepared)", f"{work:.2f}", f"{reference:,.0f} (LabelSpreading)"),
            *(f"{reference / work:,.0f} x faster", "(no target)", "-"),
        ),
        Line(
            *(7, "mass away from a tight solve after 200 updates, %", f"{away:.2f}", "tight solve", "", "<= 1 %"),
            verdict(away <= 1),
        ),
    ]
    alike = facts["labels unlike a tight solve, %"]
    notes = [(7, f"{pools.origin}, shifted and bent; labels unlike a tight solve {alike:.2f} %; LabelSpreading "
                 "builds its graph anew at each refit, one refit measured.")]  # fmt: skip
    return Rows(lines, notes)
