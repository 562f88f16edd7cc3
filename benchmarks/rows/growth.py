"""The growth of the neighbour graph: CPU, memory and recall from 10,000 rows to 1,000,000, and labels right."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

from rows.machine import described, moment
from rows.pools import Pools
from rows.process import Used, job, run
from terminal import labeler

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
LIMIT = 600.0
"""Seconds after which a size is stopped."""
ANSWERS = 50

HEAD = """# The neighbour graph and how it grows

`python -m benchmarks graph`: ten neighbours, one thread; recall = of 500 rows drawn by lot, the share of the ten
nearest by exact search that the graph has. CPU and peak memory above the features are the graph's alone; growth is the
exponent from the size before. *Glyphs*: {origin}, shifted and bent to that many, in the default encoder's principal
components, the columns that the engine searches. *Groups*: a gaussian mixture of 50 groups x 128, the hard case: no
direction counts less.
"""


def measure_growth(pools: Pools, path: Path) -> None:
    """Measure both kinds at every size up to the largest, then labels right, and write the table after each."""
    before, lines, labels = moment(), [], []
    sizes = [size for size in SIZES if size <= pools.most]
    for kind, source in (("glyphs", pools.columns), ("groups", pools.groups)):
        vectors, last = source(sizes[-1]), None
        for size in sizes:
            used = run(job("neighbours", vectors, size), LIMIT)
            lines.append(_line(kind, size, used, last))
            last = used if "recall" in used.facts else None
            _write(path, pools, before, lines, labels)
        vectors.unlink()  # before the next kind's: half the room
    for size in sorted({min(10_000, pools.many), pools.many}):
        labels.append(_labels_line(pools, size))
        _write(path, pools, before, lines, labels)


def _line(kind: str, size: int, used: Used, last: Used | None) -> str:
    facts = used.facts
    if "recall" not in facts:
        state = f"stopped at {used.cpu:.0f} s: {facts.get('stage', 'at its beginning')}"
        memory = f"{facts.get('above_mb', 0):,.0f}"
        line = f"| {kind} | {size:,} | {state} | | {memory} | {facts.get('above_mb', 0) * 1024 / size:.2f} | | |"
    else:
        growth = f"n^{growth_of(facts, last.facts):.2f}" if last is not None else ""
        line = (
            f"| {kind} | {size:,} | {facts['cpu']:.1f} | {growth} | {facts['above_mb']:,.0f} | "
            f"{facts['above_mb'] * 1024 / size:.2f} | {facts['recall']:.3f} | {facts['longest']:.2f} |"
        )
    print(line, file=sys.stderr, flush=True)
    return line


def growth_of(facts: dict[str, Any], last: dict[str, Any]) -> float:
    """The exponent by which CPU grew with the rows."""
    return math.log(facts["cpu"] / last["cpu"]) / math.log(facts["rows"] / last["rows"])


def _labels_line(pools: Pools, size: int) -> str:
    """Labels right after ANSWERS answers of a simulated person."""
    images = Pools(pools.folder, size, pools.most).images()
    used = run([*labeler("simulate", images), "--truth", "y", "--clicks", str(ANSWERS), "--json"], LIMIT)
    right = used.facts["final"]["labels_accuracy"] if used.ended else None
    cell = f"{100 * right:.2f} %" if right is not None else f"stopped after {used.wall:.0f} s"
    line = f"| {size:,} | {cell} | {used.cpu:.0f} | {used.peak_mb:,.0f} |"
    print(line, file=sys.stderr, flush=True)
    return line


def _write(path: Path, pools: Pools, before: str, lines: list[str], labels: list[str]) -> None:
    parts = [HEAD.format(origin=pools.origin), described(), f"- measured: {before} before the first", ""]
    parts += ["| rows | instances | CPU, s | growth | memory, MB | KB an instance | recall | longest step, s |"]
    parts += ["|---|---:|---:|---|---:|---:|---:|---:|", *lines, ""]
    if labels:
        parts += [
            f"Labels right after {ANSWERS} answers of a simulated person (`labeler simulate`), {pools.origin}:",
            "",
        ]
        parts += ["| images | right | CPU, s | peak, MB |", "|---:|---:|---:|---:|", *labels, ""]
    path.write_text("\n".join(parts), encoding="utf-8")
