"""The application used for a long time: memory and open files stay flat, a key is as quick at the end as at first."""

from __future__ import annotations

import os
import random
import signal
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.terminal import ROOT, labeler
from tests.chaos.evidence import acknowledged, examine
from tests.chaos.outcome import Outcome
from tests.chaos.pty_kills import ANSWERS, CLASSES, PATIENCE, last_words
from tests.chaos.screen import Watched

A_SECOND = 4
LOOKS = ("D", "?", "G", "T", "R")
"""Screens that are opened and left now and then."""
WARM_UP = 0.3
"""The share of the run after which memory is held against the end: the first fits load libraries and fill caches."""
MAY_GROW = 40
"""MB that a process may hold more at the end than when it was warm: the journal, the learning curve, and noise."""
LONG = 300
"""Seconds from which on latency is judged; shorter runs only tell it."""


@dataclass
class Course:
    """What was measured along a run: (seconds, value)."""

    memory: list[tuple[float, dict[str, float]]] = field(default_factory=list)  # MB by process
    files: list[tuple[float, dict[str, int]]] = field(default_factory=list)
    latency: list[tuple[float, float]] = field(default_factory=list)  # ms
    work: list[tuple[float, float, int]] = field(default_factory=list)  # processor seconds of the application, keys


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Use the application for `count` seconds."""
    outcome = Outcome(
        "soak",
        count,
        "seconds of use",
        seed,
        f"`labeler label` on 1,797 digits in a pseudo-terminal with its worker, {A_SECOND} keys a second (answers,"
        " undo, redo, skips, now and then another screen). Memory and open files of both processes stay flat, no key is"
        " lost, and a key takes no more of the processor in the last minute than in the first.",
    )
    began = time.perf_counter()
    chance, course = random.Random(seed), Course()
    path = folder / "chaos.labeler.db"
    source = ROOT / "labeler" / "_data" / "digits.npz"
    seen = Watched(labeler("label", source, "-p", path, "--classes", CLASSES), (80, 24), folder / "state")
    try:
        if not seen.until(lambda: seen.is_asking, PATIENCE):
            outcome.failures.append(f"no question was painted: {last_words(seen)}")
            return outcome
        seen.read_until(time.perf_counter() + 1.0)
        _use(seen, count, chance, course, outcome)
        seen.type("Q")
        if not seen.wait_for_end(60.0):
            outcome.failures.append(f"it did not quit within a minute: {last_words(seen)}")
        elif seen.process.returncode:
            outcome.failures.append(f"it quit with code {seen.process.returncode}: {last_words(seen)}")
    finally:
        seen.end(signal.SIGKILL)
        seen.put_away()
    acks = acknowledged(seen.said)
    outcome.seen["acknowledged events"] = len(acks)
    outcome.failures += examine(path, acks, 0)
    _judge(course, count, outcome)
    outcome.seconds = time.perf_counter() - began
    return outcome


def _use(seen: Watched, seconds: float, chance: random.Random, course: Course, outcome: Outcome) -> None:
    start = time.perf_counter()
    keys = 0
    while (now := time.perf_counter() - start) < seconds:
        if keys % 20 == 0:
            _measure(seen, now, keys, course)
        if keys % 60 == 59:
            _look_elsewhere(seen, chance.choice(LOOKS), outcome)
        key = chance.choices((chance.choice(ANSWERS), "\x7f", "\x19", " "), (60, 25, 10, 5))[0]
        before, pressed = seen.screen.text.splitlines()[0], time.perf_counter()
        seen.type(key)
        keys += 1
        if key in ANSWERS:
            n_acks = len(seen.said)
            if not seen.until(lambda n_acks=n_acks: len(seen.said) > n_acks, 20.0):
                outcome.failures.append(f"a key was lost after {now:.0f} s:\n{seen.screen.text}")
                return
            if seen.until(lambda before=before: seen.screen.text.splitlines()[0] != before, 20.0):
                course.latency.append((now, 1000 * (time.perf_counter() - pressed)))
        seen.read_until(pressed + 1.0 / A_SECOND)
    _measure(seen, seconds, keys, course)
    outcome.seen["keys pressed"] = keys


def _look_elsewhere(seen: Watched, key: str, outcome: Outcome) -> None:
    """Open another screen by its key, and go back by the same."""
    for _ in range(2):
        seen.type(key)
        seen.read_until(time.perf_counter() + 0.7)
    if not seen.until(lambda: seen.is_asking, 10.0):
        outcome.failures.append(f"{key} does not lead back:\n{seen.screen.text}")
    outcome.saw("other screens opened")


def _measure(seen: Watched, now: float, keys: int, course: Course) -> None:
    course.work.append((now, _computed(seen.process.pid), keys))
    processes = {"the application": seen.process.pid, "its worker": seen.worker}
    course.memory.append((now, {name: _megabytes(pid) for name, pid in processes.items() if pid}))
    files = {name: len(os.listdir(f"/proc/{pid}/fd")) for name, pid in processes.items() if pid}
    course.files.append((now, files))


def _computed(pid: int) -> float:
    """Processor seconds of a process so far: they do not depend on how busy the machine is, as a latency does."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _megabytes(pid: int) -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _judge(course: Course, seconds: float, outcome: Outcome) -> None:
    if not course.latency:
        outcome.failures.append("no key was painted")
        return
    for name in ("the application", "its worker"):
        held = [(now, by[name]) for now, by in course.memory if name in by and now >= WARM_UP * seconds]
        opened = [by[name] for now, by in course.files if name in by and now >= WARM_UP * seconds]
        if len(held) < 2:
            outcome.failures.append(f"{name} was not there")
            continue
        few = max(1, len(held) // 5)
        first, last = (statistics.median(value for _, value in part) for part in (held[:few], held[-few:]))
        outcome.seen[f"memory of {name}, warm and at the end, MB"] = f"{first:.0f}, {last:.0f}"
        outcome.seen[f"open files of {name}, fewest and most"] = f"{min(opened)}, {max(opened)}"
        if last - first > MAY_GROW:
            outcome.failures.append(f"{name} grew from {first:.0f} to {last:.0f} MB")
        if opened[-1] > opened[0] + 2:
            outcome.failures.append(f"{name} has {opened[-1]} open files, {opened[0]} when it was warm")
    minute = min(60.0, seconds / 3)
    first = [took for now, took in course.latency if now < minute]
    last = [took for now, took in course.latency if now >= seconds - minute]
    for name, part in (("first", first), ("last", last)):
        outcome.seen[f"key to frame in the {name} {minute:.0f} s, ms (median, 95 %)"] = (
            f"{statistics.median(part):.0f}, {sorted(part)[int(0.95 * len(part))]:.0f}" if part else "-"
        )
    _judge_work(course, seconds, minute, outcome)


def _judge_work(course: Course, seconds: float, minute: float, outcome: Outcome) -> None:
    """Processor time a key, first against last."""
    spent = []
    for name, start, end in (("first", 0.0, minute), ("last", seconds - minute, seconds)):
        part = [(computed, keys) for now, computed, keys in course.work if start <= now <= end]
        keys = part[-1][1] - part[0][1] if part else 0
        if not keys:
            outcome.failures.append(f"no key was pressed in the {name} {minute:.0f} s")
            return
        spent.append(1000 * (part[-1][0] - part[0][0]) / keys)
        outcome.seen[f"processor time of the application a key in the {name} {minute:.0f} s, ms"] = f"{spent[-1]:.0f}"
    if seconds >= LONG and spent[1] > 1.5 * spent[0] + 5:
        outcome.failures.append(f"a key takes {spent[1]:.0f} ms of the processor at the end, {spent[0]:.0f} at first")
