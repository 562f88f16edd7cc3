"""Processes measured from outside: CPU with all children, peak resident size, and a limit after which they end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).resolve().parent.parent
ROOT = BENCHMARKS.parent
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Used:
    """The use of a process and its children: CPU and wall seconds, peak resident size (of the largest of them) in MB.

    `facts`: the JSON object in its last line of output. `ended`: whether it came to its end within the limit.
    """

    cpu: float
    wall: float
    peak_mb: float
    facts: dict[str, Any]
    ended: bool


def environment() -> dict[str, str]:
    """The environment of what is measured: one thread, compiled files, our modules by their names."""
    names = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    paths = os.pathsep.join(filter(None, (str(BENCHMARKS), str(ROOT), os.environ.get("PYTHONPATH"))))
    return os.environ | names | {"PYTHONPATH": paths, "PYTHONWARNINGS": "ignore"}


def job(name: str, *arguments: Any) -> list[str]:
    """The command line of a module of `jobs`."""
    return [sys.executable, "-m", f"jobs.{name}", *map(str, arguments)]


def run(command: Sequence[str], limit: float = 540.0) -> Used:
    """Run a command to its end or its limit in seconds, and measure it.

    A child's peak is at least that of the process it was started from (Linux keeps the larger one), so this one must
    stay small: rows hold no data, their jobs do.

    Raises
    ------
    RuntimeError
        It failed of its own.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=output, stderr=errors, env=environment(), cwd=ROOT, start_new_session=True
        )
        stopped = threading.Event()

        def stop() -> None:
            stopped.set()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(limit, stop)
        timer.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
        finally:
            timer.cancel()
        wall, process.returncode = time.perf_counter() - began, os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        lines = output.read().decode("utf-8", "replace").splitlines()
        if process.returncode and not stopped.is_set():
            last_words = errors.read().decode("utf-8", "replace").splitlines()[-8:]
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: " + "\n".join(last_words))
    unit = 2**20 if sys.platform == "darwin" else 2**10
    cpu = used.ru_utime + used.ru_stime
    return Used(cpu, wall, used.ru_maxrss / unit, _last_object(lines), not stopped.is_set())


def _last_object(lines: list[str]) -> dict[str, Any]:
    for line in reversed(lines):
        if line.startswith("{"):
            with contextlib.suppress(json.JSONDecodeError):  # the last line of what was stopped may be torn
                value: dict[str, Any] = json.loads(line)
                return value
    return {}


def in_turns(jobs: dict[str, Callable[[], Used]], most: int = 5, budget: float = 420.0) -> dict[str, list[Used]]:
    """Run every job once, then again while a whole turn of all fits into `budget` seconds, `most` times at most.

    Turns, so that all meet the same machine.
    """
    runs: dict[str, list[Used]] = {name: [] for name in jobs}
    began = time.perf_counter()
    for turn in range(most):
        took = time.perf_counter() - began
        if turn and took + took / turn > budget:
            break
        for name, measure in jobs.items():
            runs[name].append(measure())
    return runs


def median_of(runs: list[Used], figure: str) -> float:
    """The median of a figure (`cpu`, `wall`, `peak_mb`) of some runs."""
    return statistics.median(getattr(used, figure) for used in runs)


def cpu_so_far(pid: int, *, alone: bool = False) -> float:
    """CPU seconds that a process used, with its children, those that ended and those that run; or `alone`."""
    try:
        values = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        tasks = list(Path(f"/proc/{pid}/task").glob("*/children"))
        children = {int(child) for task in tasks for child in task.read_text(encoding="utf-8").split()}
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    own = [int(value) for value in values[11 : 13 if alone else 15]]
    return sum(own) / _TICKS + (0.0 if alone else sum(map(cpu_so_far, children)))


def peak_of(pid: int) -> float:
    """The peak resident size of a running process in MB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
