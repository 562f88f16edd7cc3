"""Key to painted frame, and start to first frame, of the real application in a pty, against a bare Textual one.

    python benchmarks/ui_latency.py [SET ...] [--keys 200] [--starts 7]

SET is digits (1,797 images), mnist10k or mnist70k (the latter two by LABELER_DATA, see data.py). A key is written to
the pty; its frame is there when what was painted since holds the counter after it AND the path and size of the next
question (a picture's size is known when its drawing is). `busy`: the next key comes as soon as the frame is there, so
the worker never rests; `idle`: it comes when the worker has been at rest. Blocks of ten keys to the application and
to the bare one (a Static that changes at each key) take turns, so both meet the same machine. Starts and resumes take
turns with the bare application's in the same way. Figures are medians and percentiles; only ratios mean something on
a machine that others use too.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import data
from terminal import Terminal, bare, busy_seconds, children, cpu_seconds, labeler

BLOCK = 10
REST = 0.15
"""Seconds in which a worker at rest wants next to no CPU."""
MOST_REST = 4.0
LIMITS = {
    "p95 busy": 50.0,
    "p95 busy / bare": 3.0,
    "p99 busy / idle": 2.0,
    "p99 busy / p50": 2.0,
    "first frame / bare": 1.3,
}
QUESTION = re.compile(r"\S+ · \d+(?:×\d+| columns)")
"""What stands below a question: its name, and the size of its picture or row."""


def percentiles(seconds: list[float]) -> tuple[float, float, float]:
    """p50, p95, p99 in milliseconds."""
    ordered = sorted(seconds)
    return tuple(1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)] for share in (0.5, 0.95, 0.99))  # type: ignore[return-value]


class Person:
    """Presses class keys in the application and waits for each one's frame."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal, self.answers, self.bare_presses = terminal, 0, 0
        self.other: Terminal | None = None  # a bare application beside
        terminal.wait(QUESTION.search, "the first question")
        self.worker = children(terminal.process.pid)[0]

    def press(self) -> float:
        """Seconds from writing a key to the frame with the next question."""
        self.answers += 1
        counter = f"{self.answers:,} answer"
        began = self.terminal.press("0123456789"[self.answers * 7 % 10])
        return self.terminal.wait(lambda text: counter in text and QUESTION.search(text), counter) - began

    def let_rest(self) -> None:
        """Wait until the worker has nothing to do (at most MOST_REST seconds)."""
        end = time.perf_counter() + MOST_REST
        while time.perf_counter() < end:
            before = busy_seconds(self.worker)
            time.sleep(REST)
            if busy_seconds(self.worker) - before < 0.1 * REST:
                return


def press_bare(terminal: Terminal, count: int) -> float:
    """The same in the bare application."""
    began = terminal.press("a")
    return terminal.wait(lambda text: f"{count} presses" in text) - began


def keys(pool: data.PoolFile, folder: Path, n_keys: int) -> dict[str, tuple[float, float, float]]:
    """Percentiles (ms) of keys to the application, busy and idle, and to the bare one beside each."""
    found: dict[str, list[float]] = {"busy": [], "bare beside busy": [], "idle": [], "bare beside idle": []}
    share = []
    project = folder / f"{pool.path.stem}.labeler.db"
    command = labeler("label", pool.path, "-p", project, "--classes", "0,1,2,3,4,5,6,7,8,9")
    with Terminal(command) as terminal, Terminal(bare()) as other:
        person, count = Person(terminal), 0
        other.wait(lambda text: "0 presses" in text)
        for kind in ("busy", "idle"):
            for _ in range(n_keys // BLOCK):
                person.let_rest() if kind == "idle" else person.press()  # after the other's block: at work again
                began, used = time.perf_counter(), busy_seconds(person.worker)
                for _ in range(BLOCK):
                    if kind == "idle":
                        person.let_rest()
                    found[kind].append(person.press())
                if kind == "busy":
                    share.append((busy_seconds(person.worker) - used) / (time.perf_counter() - began))
                else:
                    person.let_rest()
                for _ in range(BLOCK):
                    count += 1
                    found[f"bare beside {kind}"].append(press_bare(other, count))
        terminal.press("Q")
        terminal.close()
    busy = statistics.median(share)
    print(f"  worker to be busy: it was computing, or waiting for a core, {busy:.0%} of the time")
    return {kind: percentiles(times) for kind, times in found.items()}


def first_frames(pool: data.PoolFile, folder: Path, n_starts: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds and CPU seconds to the first frame (what is opened is named there), and to what it is opened for.

    Of a bare application, a new project and one with 30 answers, in turns; the first turn compiles, and is not counted.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    kept = folder / "resumed.labeler.db"
    options = ("--classes", "0,1,2,3,4,5,6,7,8,9")
    with Terminal(labeler("label", pool.path, "-p", kept, *options)) as terminal:
        person = Person(terminal)
        for _ in range(30):
            person.press()
        person.let_rest()
        terminal.press("Q")
        terminal.close()
    for number in range(n_starts + 1):
        new = labeler("label", pool.path, "-p", folder / f"started{number}.labeler.db", *options)
        for name, command, last, what, there in (
            ("bare", bare(), "0 presses", "", None),
            ("start", new, "opening", "start, the project open", re.compile("0 answers").search),
            ("resume", labeler("label", kept), "opening", "resume, the question", QUESTION.search),
        ):
            with Terminal(command) as terminal:
                took = terminal.wait(lambda text, last=last: last in text, name) - terminal.started
                times = {name: (took, cpu_seconds(terminal.process.pid))}
                if there is not None:
                    took = terminal.wait(there, what) - terminal.started
                    times[what] = took, cpu_seconds(terminal.process.pid)
                terminal.press("Q" if there is not None else "\x11")
                terminal.close()
            for kind, pair in times.items() if number else ():
                found.setdefault(kind, []).append(pair)
    return found


def judged(value: float, name: str) -> str:
    """A figure with what it is held against."""
    limit = LIMITS[name]
    return f"{value:.1f} ({'met' if value <= limit else 'NOT met'}: at most {limit:g})"


def report(
    name: str, n: int, found: dict[str, tuple[float, float, float]], frames: dict[str, list[tuple[float, float]]]
) -> str:
    """The figures of one set as Markdown."""
    lines = [f"## {name}, {n:,} instances", "", "| key to painted frame, ms | p50 | p95 | p99 |", "|---|---|---|---|"]
    lines += [f"| {kind} | {' | '.join(f'{value:.1f}' for value in found[kind])} |" for kind in found]
    busy, idle, beside = found["busy"], found["idle"], found["bare beside busy"]
    lines += [
        "",
        f"- p95, worker busy: {judged(busy[1], 'p95 busy')} ms; "
        f"over bare Textual's: {judged(busy[1] / beside[1], 'p95 busy / bare')} (row 3)",
        f"- p99, worker busy over idle: {judged(busy[2] / idle[2], 'p99 busy / idle')} (row 5)",
        f"- p99 over p50, worker busy: {judged(busy[2] / busy[0], 'p99 busy / p50')}",
    ]
    if frames:
        medians = {
            kind: [statistics.median(part) for part in zip(*pairs, strict=True)] for kind, pairs in frames.items()
        }
        bare_wall, bare_cpu = medians["bare"]
        lines += ["", "| to the first frame | ms | over bare | CPU ms | over bare |", "|---|---|---|---|---|"]
        lines += [
            f"| {kind} | {1000 * wall:.0f} | {wall / bare_wall:.2f} | {1000 * cpu:.0f} | {cpu / bare_cpu:.2f} |"
            for kind, (wall, cpu) in medians.items()
        ]
        worst = max(medians["start"][0], medians["resume"][0]) / bare_wall
        lines += ["", f"- first frame over bare Textual's: {judged(worst, 'first frame / bare')} (row 8)"]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=["digits"], metavar="SET")
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--starts", type=int, default=7)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="labeler-latency-"))
    # as installed: with compiled files, which some environments do not keep
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    try:
        for name in given.sets:
            pool = data.load(name, 0, folder)
            found = keys(pool, folder, given.keys)
            frames = first_frames(pool, folder, given.starts) if given.starts else {}
            print(report(name, len(pool.y), found, frames) + "\n", flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
