"""Rows 9 and 10: memory an instance, all assigned, the neighbour graph and how it grows."""

from __future__ import annotations

import math

from rows.pools import Pools
from rows.process import Used, job, run
from rows.table import Line, Rows, factor, verdict

MANY_KB, MOST_KB = 2.0, 1.0
LIMIT = 400.0
"""Seconds after which what belongs to 1,000,000 rows is stopped, so that the row's command ends within ten minutes."""


def measure_memory(pools: Pools) -> Rows:
    """Row 9: peak memory above the interpreter and its libraries, of opening and 50 answers."""
    many = run(job("engine_memory", pools.columns(pools.many), "session"))
    encoded = run(job("representatives", "default", pools.images(), pools.folder / "cache-memory"))
    most = run(job("engine_memory", pools.groups(pools.most), "open"), LIMIT)
    lines = [
        _memory_line(f"{pools.many:,} in the engine's columns, opened and 50 answers", many, MANY_KB),
        _memory_line(f"{pools.most:,} x 128, opened", most, MOST_KB),
    ]
    whole = (encoded.facts["peak"] - encoded.facts["before"]) * 1024 / pools.many
    notes = [
        (9, f"{pools.origin}; the libraries take {many.facts['before']:.0f} MB, which are left out. With reading "
            f"and encoding {pools.many:,} images, up to the first questions: {whole:.1f} KB an instance."),
        (9, f"peaks in MB, by what then ran, {pools.many:,}: {_peaks(many)}; {pools.most:,}: {_peaks(most)}."),
    ]  # fmt: skip
    return Rows(lines, notes)


def _memory_line(what: str, used: Used, most: float) -> Line:
    facts = used.facts
    kb = (facts["peak"] - facts["before"]) * 1024 / facts["rows"]
    state = "" if used.ended else f" (stopped after {used.wall:.0f} s while {facts['stage']})"
    holds = verdict(kb <= most) if used.ended else "**no**, not to its end"
    ours, before = f"{kb:.2f}{state}", f"{facts['before']:.0f} MB (interpreter and libraries)"
    whole = factor(facts["peak"] / facts["before"])
    return Line(9, f"memory an instance, {what}, KB", ours, before, whole, f"<= {most:g} KB", holds)


def _peaks(used: Used) -> str:
    return ", ".join(f"{what} {peak:,}" for what, peak in used.facts.get("peaks", {}).items()) or "none yet"


def measure_graph(pools: Pools) -> Rows:
    """Row 10: 1,000,000 assigned, their neighbour graph's CPU and recall, and its growth from 70,000 on."""
    assigned = run(job("assignment", pools.groups(pools.most))).facts
    columns = pools.columns(pools.most)
    many = run(job("neighbours", columns, pools.many)).facts
    most = run(job("neighbours", columns), LIMIT)
    hard = run(job("neighbours", pools.groups(pools.many))).facts
    lines = [
        Line(
            *(10, f"{pools.most:,} x 128 assigned to 50 centers: CPU, s", f"{assigned['assign']:.2f}"),
            *(f"{assigned['product']:.2f} (bare product and argmax)", factor(assigned["assign"] / assigned["product"])),
            *("<= 2 s", verdict(assigned["assign"] <= 2)),
        ),
        *_graph_lines(pools, many, most),
    ]
    notes = [
        (10, f"graph on {pools.origin}, shifted and bent, in the engine's {many['columns']} columns; "
             f"k-means of 50 with its assignment {assigned['kmeans']:.1f} s of CPU; "
             f"{pools.many:,} of the gaussian mixture x 128: {hard['cpu']:.1f} s, "
             f"recall {hard['recall']:.3f}. More sizes: graph.md."),
    ]  # fmt: skip
    if any(line.held != "yes" for line in lines):
        notes.append(
            (10, f"{pools.most:,}: {most.facts['stage']} after {most.facts['cpu']:.0f} s of CPU; see graph.md.")
        )
    return Rows(lines, notes)


def _graph_lines(pools: Pools, many: dict[str, float], most: Used) -> list[Line]:
    facts, what = most.facts, f"10-neighbour graph of {pools.most:,}"
    growth_of = f"growth of its CPU, {pools.many:,} -> {pools.most:,}"
    small = f"{many['cpu']:.1f} s, recall {many['recall']:.3f} ({pools.many:,})"
    if not most.ended and "recall" not in facts:
        ours = f"> {facts['cpu']:.0f} s (stopped: {facts['stage']})"
        line = Line(10, f"{what}: CPU and recall", ours, small, "", "<= 120 s, recall >= .95", verdict(False))
        least = math.log(facts["cpu"] / many["cpu"]) / math.log(pools.most / pools.many)
        holds = verdict(False) if least > 1.5 else "not to its end"
        return [line, Line(10, growth_of, f"> n^{least:.2f}", small, "", "<= n^1.5", holds)]
    growth = math.log(facts["cpu"] / many["cpu"]) / math.log(pools.most / pools.many)
    ours = f"{facts['cpu']:.1f} s, recall {facts['recall']:.3f}"
    ratio, holds = factor(facts["cpu"] / many["cpu"]), verdict(facts["cpu"] <= 120, facts["recall"] >= 0.95)
    return [
        Line(10, f"{what}: CPU and recall", ours, small, ratio, "<= 120 s, recall >= .95", holds),
        Line(10, growth_of, f"n^{growth:.2f}", small, ratio, "<= n^1.5", verdict(growth <= 1.5)),
    ]
