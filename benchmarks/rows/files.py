"""Rows 1 and 2: files to representatives, and files to the first question, against the book script."""

from __future__ import annotations

import shutil
import statistics
import time
from itertools import count
from pathlib import Path

from rows.pools import Pools
from rows.process import Used, cpu_so_far, in_turns, job, median_of, run
from rows.profiles import summary
from rows.table import Line, Rows, factor, verdict
from terminal import Terminal, labeler
from ui_latency import QUESTION


def measure_representatives(pools: Pools) -> Rows:
    """Row 1: everything clustered and representatives known, CPU and peak memory."""
    folder, number = pools.files(), count()
    jobs = {"book": lambda: run(job("book_script", folder))} | {
        kind: lambda kind=kind: _chain(kind, folder, pools.folder / f"cache-{next(number)}")
        for kind in ("raw", "default")
    }
    runs = in_turns(jobs)
    cpu = {kind: median_of(used, "cpu") for kind, used in runs.items()}
    peak = {kind: median_of(used, "peak_mb") for kind, used in runs.items()}
    n, turns = runs["book"][0].facts["images"], len(runs["book"])
    what = f"{n:,} PNG files -> representatives"
    lines = [
        _line(1, f"{what}, raw pixels: CPU, s", cpu["raw"], cpu["book"], 1 / 8, "{:.1f}"),
        _line(1, f"{what}, raw pixels: peak memory, MB", peak["raw"], peak["book"], 1 / 4, "{:,.0f}"),
        _line(1, f"{what}, default encoder: CPU, s", cpu["default"], cpu["book"], 1.5, "{:.1f}"),
    ]
    notes = [(1, f"{pools.origin}; medians of {turns}, in turns.")]
    for kind in ("raw", "default"):
        notes.append((1, f"{kind} chain, CPU by what it did: {_spent(runs[kind][-1])}."))
    return Rows(lines, notes)


def _chain(kind: str, folder: Path, cache: Path) -> Used:
    used = run(job("representatives", kind, folder, cache))
    shutil.rmtree(cache, ignore_errors=True)
    return used


def _spent(used: Used) -> str:
    """The CPU of a chain: its children's (reading), and its own by what it did, the largest first."""
    spent: dict[str, float] = used.facts["spent"]
    parts = {"children and end": used.cpu - sum(spent.values())} | spent
    largest = sorted(parts.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{what} {seconds:.1f} s" for what, seconds in largest if seconds >= 0.05)


def _line(row: int, what: str, ours: float, reference: float, most: float, form: str) -> Line:
    target = f"<= {factor(most).removesuffix(' x')} x the book script" if most >= 1 else f"<= 1/{1 / most:.0f}"
    ratio = ours / reference
    cells = form.format(ours), form.format(reference) + " (book script)"
    return Line(row, what, *cells, factor(ratio), target, verdict(ratio <= most))


def measure_first_question(pools: Pools) -> Rows:
    """Row 2: CPU until the first question is painted, and how good the first 50 questions are."""
    folder, number = pools.files(), count()
    first: list[dict[str, float]] = []
    book: list[Used] = []
    for _ in range(5):
        first.append(first_question(folder, pools.folder / f"first-{next(number)}.labeler.db"))
    book.append(run(job("book_script", folder)))
    quality = run(job("first_questions", pools.images(), pools.folder / "cache-first")).facts
    cpu, seconds = (statistics.median(one[name] for one in first) for name in ("cpu", "seconds"))
    ratio, share = cpu / book[0].cpu, quality["sample"] / quality["whole"]
    lines = [
        Line(
            *(2, f"{pools.many:,} PNG files -> first question painted: CPU of all processes, s", f"{cpu:.2f}"),
            *(f"{book[0].cpu:.1f} (book script)", factor(ratio), "<= 1/50", verdict(ratio <= 1 / 50)),
        ),
        Line(
            *(2, "labels right after 50 answers, %: started on a sample", f"{100 * quality['sample']:.2f}"),
            *(f"{100 * quality['whole']:.2f} (started on the whole)", factor(share), ">= 0.95 x"),
            verdict(share >= 0.95),
        ),
    ]
    parts = ", ".join(
        f"{name} {statistics.median(one[name] for one in first):.2f} s"
        for name in ("screen", "worker")
        if name in first[0]
    )
    notes = [
        (
            2,
            f"{pools.origin}; first question after {seconds:.2f} s, median of {len(first)}; of the CPU: {parts}.",
        ),
        (2, f"of the 50 questions {quality['asked_of_the_sample']} were the sample's, the rest the whole's."),
    ]
    if ratio > 1 / 50:
        notes.append((2, f"screen's process under cProfile until the question is there: {_profiled(folder, pools)}"))
    return Rows(lines, notes)


def first_question(folder: Path, project: Path, prefix: list[str] | None = None) -> dict[str, float]:
    """CPU and wall seconds from the start of `labeler label` until its first question is painted, in a terminal."""
    command = labeler("label", folder, "-p", project, "--classes", "0,1,2,3,4,5,6,7,8,9")
    if prefix:
        command = [command[0], *prefix, *command[1:]]
    with Terminal(command, environment={"OMP_NUM_THREADS": "1"}) as terminal:
        terminal.wait(QUESTION.search, "the first question")
        seconds, pid = time.perf_counter() - terminal.started, terminal.process.pid
        whole, screen = cpu_so_far(pid), cpu_so_far(pid, alone=True)
        terminal.press("Q")
        terminal.close()
    return {"cpu": whole, "seconds": seconds, "screen": screen, "worker": whole - screen}


def _profiled(folder: Path, pools: Pools) -> str:
    path = pools.folder / "first.prof"
    first_question(folder, pools.folder / "profiled.labeler.db", ["-m", "cProfile", "-o", str(path)])
    return summary(path)
