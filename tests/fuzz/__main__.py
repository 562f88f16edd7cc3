"""``python -m tests.fuzz --cases 100000``: every importer and reader against bent files, each kind in its own process.

A case fails where anything but a LabelerError comes out, where it takes longer than two seconds, or where the process
grows past its limit. Hypothesis shrinks what fails and prints it. Exit code 1 where anything failed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NoReturn

from hypothesis import HealthCheck, given, seed, settings

from tests.fuzz.targets import run_case, targets

SLOWEST = 2.0
"""Seconds of processor time that one case may take."""
LARGEST_MB = 256
"""What the process may grow by in one case."""
ADDRESS_SPACE = 8 << 30
ROUND = 2_000
"""Cases that hypothesis draws at a stretch: it remembers all of them."""
MARK = "fuzzed: "
SINGLE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""What keeps a process to one thread, so that it may fork."""


@dataclass
class Result:
    """What became of one target's cases."""

    target: str
    cases: int = 0
    taken: int = 0
    explained: int = 0
    slowest: float = 0.0
    peak_mb: int = 0
    failure: str = ""


def run(cases: int, random_seed: int = 0, only: list[str] | None = None, at_once: int = 1) -> list[Result]:
    """Fuzz every target (or `only` these) with `cases` cases in all; a child process each, `at_once` side by side."""
    names = only or list(targets())
    share = -(-cases // len(names))
    waiting, running, results = list(names), {}, {}
    while waiting or running:
        while waiting and len(running) < at_once:
            name = waiting.pop(0)
            running[name] = _start(name, share, random_seed)
        for name, (process, output) in list(running.items()):
            process.join(0.05)
            if process.exitcode is not None:
                results[name] = _result(name, process.exitcode, output)
                del running[name]
    return [results[name] for name in names]


def serve(cases: int, random_seed: int) -> None:
    """Fuzz the targets that are named on standard input, a line each, and answer each with its result as JSON."""
    for line in sys.stdin:
        (result,) = run(cases, random_seed, [line.strip()])
        print(json.dumps(asdict(result)), flush=True)


def _start(name: str, cases: int, random_seed: int) -> tuple[BaseProcess, Any]:
    """Start a child that has all code already: loading it would take longer than a hundred cases."""
    output = tempfile.TemporaryFile()  # noqa: SIM115
    process = get_context("fork").Process(target=_fork, args=(name, cases, random_seed, output))
    process.start()
    return process, output


def _fork(name: str, cases: int, random_seed: int, output: Any) -> None:
    for stream in (sys.stdout, sys.stderr):
        os.dup2(output.fileno(), stream.fileno())
    child(name, cases, random_seed)


def _result(name: str, code: int, output: Any) -> Result:
    output.seek(0)
    text = output.read().decode("utf-8", "replace")
    output.close()
    line = next((line for line in text.splitlines() if line.startswith(MARK)), None)
    result = Result(**json.loads(line.removeprefix(MARK))) if line else Result(name)
    if code or line is None:
        result.failure = text.replace(line or "\0", "").strip()[-20_000:] or f"ended with {code}"
    return result


# -- in the child ------------------------------------------------------------------------------------------------------


class TooSlow(BaseException):
    """A case that does not end; no `except Exception` takes it for a damaged file."""


def child(name: str, cases: int, random_seed: int) -> None:
    """Fuzz one target in this process."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    signal.signal(signal.SIGVTALRM, _stop)
    target, result, kinds = targets()[name], Result(name), Counter[str]()

    def one(case: Any) -> None:
        before, started = _memory("VmRSS"), time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, 5 * SLOWEST)
        try:
            outcome = run_case(target, case)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        spent = time.process_time() - started
        grown = _memory("VmHWM") - before
        result.slowest, result.peak_mb = max(result.slowest, spent), max(result.peak_mb, grown)
        if grown > LARGEST_MB:
            Path("/proc/self/clear_refs").write_text("5")  # the next case is measured by itself
        kinds[outcome] += 1
        assert spent <= SLOWEST, f"took {spent:.1f} s"
        assert grown <= LARGEST_MB, f"grew by {grown} MB"

    try:
        for start in range(0, cases, ROUND):
            many = min(ROUND, cases - start)
            options = settings(max_examples=many, deadline=None, database=None, suppress_health_check=list(HealthCheck))
            seed(f"{random_seed}-{start}")(options(given(target.cases())(one)))()
    finally:
        result.taken, result.explained = kinds["taken"], kinds["explained"]
        result.cases = kinds.total()
        print(MARK + json.dumps(asdict(result)), flush=True)


def _stop(number: int, frame: object) -> NoReturn:
    raise TooSlow(f"a case took more than {5 * SLOWEST:g} s")


def _memory(field: str) -> int:
    """`VmRSS` (what the process holds) or `VmHWM` (what it held at most), in MB."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def table(results: list[Result]) -> str:
    """The counts, one line a target, and what failed."""
    lines = [
        "| target | cases | taken | explained | failed | slowest, s | grew by, MB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    total = Result("all")
    for one in results:
        lines.append(_row(one, bool(one.failure)))
        for name in ("cases", "taken", "explained"):
            setattr(total, name, getattr(total, name) + getattr(one, name))
        total.slowest, total.peak_mb = max(total.slowest, one.slowest), max(total.peak_mb, one.peak_mb)
    return "\n".join([*lines, _row(total, sum(bool(one.failure) for one in results))])


def _row(one: Result, failed: int) -> str:
    counts = f"{one.cases:,} | {one.taken:,} | {one.explained:,} | {int(failed)}"
    return f"| {one.target} | {counts} | {one.slowest:.2f} | {one.peak_mb} |"


def main() -> int:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2_000, help="in all, shared among the targets")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", choices=list(targets()), help="these targets alone")
    parser.add_argument("--at-once", type=int, default=1, help="processes side by side")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given_ = parser.parse_args()
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":  # which is read when numpy is loaded: no fork has more threads
        os.execve(sys.executable, [sys.executable, "-m", "tests.fuzz", *sys.argv[1:]], os.environ | SINGLE)  # noqa: S606
    if given_.serve:
        serve(given_.cases, given_.seed)
        return 0
    results = run(given_.cases, given_.seed, given_.only, given_.at_once)
    for one in results:
        if one.failure:
            print(f"-- {one.target} --\n{one.failure}\n")
    print(table(results))
    return int(any(one.failure for one in results))


if __name__ == "__main__":
    sys.exit(main())
