"""Measures what a start and a key cost, of several checkouts in turns: the machine is the same for all of them.

    python -m tests.walks.cpu [CHECKOUT ...] [--runs 15] [--keys 40]

By default the present checkout alone. CPU is user and system time of the process itself, not of its worker; wall is
what a clock says. Medians of the runs:

- `help`: ``labeler --help``, a whole process;
- `first frame`: from the process's first line until the screen of ``labeler label`` holds anything, headless, of a new
  project of 400 digits;
- `resumed`: until the question and its picture are there, of the same project with its answers;
- `key`: from a class key's arrival to the next painted question, the next key at once; the mean of the run's keys.

The screen is looked at every 5 ms, which costs some CPU itself, the same for all.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

STARTED = time.perf_counter()
QUESTION = re.compile(r"\S+ · \d+×\d+")
LOOK = 0.005
PATIENCE = 120.0
N_INSTANCES = 400
Figures = dict[str, tuple[float, float]]
"""What -> (CPU, wall) in milliseconds."""


def main() -> None:
    """Measure every checkout in turns and print the medians; or, within, one run."""
    parser = argparse.ArgumentParser(prog="python -m tests.walks.cpu", description=__doc__.splitlines()[0])
    parser.add_argument("checkouts", nargs="*", type=Path, default=[Path.cwd()])
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--keys", type=int, default=40)
    parser.add_argument("--within", nargs=2, metavar=("SOURCE", "PROJECT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.within:
        print(json.dumps(in_application(*given.within, given.keys)))
        return
    runs: dict[Path, list[Figures]] = {checkout.resolve(): [] for checkout in given.checkouts}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.runs + 1):  # the first compiles the files, and is not counted
            for checkout, figures in runs.items():
                whole = one_run(checkout, Path(folder), number, given.keys)
                figures += [whole] if number else []
    for checkout, figures in runs.items():
        print(f"{checkout.name}, median of {given.runs} (CPU ms, wall ms; lowest)")
        for what in figures[0]:
            cpu, wall = zip(*(run[what] for run in figures), strict=True)
            middle = f"{statistics.median(cpu):7.1f} {statistics.median(wall):7.1f}"
            print(f"  {what:14} {middle}   ({min(cpu):.1f} {min(wall):.1f})")


def one_run(checkout: Path, folder: Path, number: int, n_keys: int) -> Figures:
    """Everything once, with the code of a checkout."""
    own = checkout / ".venv" / "bin" / "python"
    python = str(own if own.exists() else sys.executable)
    places = {f"XDG_{kind}_HOME": str(folder / kind.lower()) for kind in ("STATE", "CACHE", "DATA", "CONFIG")}
    environment = dict(os.environ) | places | {"PYTHONPATH": str(checkout)}
    environment |= {"PYTHONPYCACHEPREFIX": str(folder / f"compiled-{checkout.name}")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    source = folder / "digits.npz"
    if not source.exists():
        import numpy as np

        with np.load(checkout / "labeler" / "_data" / "digits.npz") as digits:
            np.savez(source, X=digits["X"][:N_INSTANCES])
    figures = {"help": _timed([python, "-m", "labeler", "--help"], environment, folder)}
    command = [python, str(Path(__file__).resolve()), "--keys", str(n_keys), "--within", str(source)]
    for words in (("first frame", "", "key"), ("", "resumed", "")):
        project = str(folder / f"{checkout.name}-{number}.labeler.db")
        output = subprocess.run(
            [*command, project], env=environment, cwd=folder, check=True, capture_output=True
        ).stdout
        measured = json.loads(output)
        figures |= {name: tuple(pair) for name, pair in zip(words, measured, strict=True) if name}
    return figures


def _timed(command: list[str], environment: dict[str, str], folder: Path) -> tuple[float, float]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=environment, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - began
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime), 1000 * wall


def in_application(source: str, project: str, n_keys: int) -> list[tuple[float, float]]:
    """(CPU, wall) to the first frame, to its question, and of a key, in the application on a project."""
    figures: list[tuple[float, float]] = []
    os.environ["TEXTUAL_DRIVER"] = "textual.drivers.headless_driver:HeadlessDriver"
    sys.path.pop(0)  # the script's own folder
    sys.argv = ["labeler", "-q", "label", source, "-p", project, "--classes", "0,1,2,3,4,5,6,7,8,9"]
    from textual.app import App

    App.run = lambda app, **_: asyncio.run(_drive(app, figures, n_keys))  # type: ignore[method-assign, assignment]
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        from labeler.__main__ import main as run

        run()
    return figures


async def _drive(app: Any, figures: list[tuple[float, float]], n_keys: int) -> None:
    from textual import events

    async with app.run_test(size=(80, 24)) as pilot:
        await _shown(app, r"\S")
        figures.append((1000 * time.process_time(), 1000 * (time.perf_counter() - STARTED)))
        answers = int((await _shown(app, r"([\d,]+) answer"))[1])
        figures.append((1000 * time.process_time(), 1000 * (time.perf_counter() - STARTED)))
        await asyncio.sleep(2.0)
        await pilot.pause()
        used, began = time.process_time(), time.perf_counter()
        for press in range(n_keys):
            key = "0123456789"[press * 7 % 10]
            app.post_message(events.Key(key, key))
            await _shown(app, rf"\b{answers + press + 1} answer")
        wall = (time.perf_counter() - began) / n_keys
        figures.append((1000 * (time.process_time() - used) / n_keys, 1000 * wall))


async def _shown(app: Any, pattern: str) -> re.Match[str]:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        lines = app.screen._compositor.render_strips()
        text = "\n".join("".join(segment.text for segment in line) for line in lines)
        match = re.search(pattern, text)
        if match and (pattern == r"\S" or QUESTION.search(text)):
            return match
        await asyncio.sleep(LOOK)
    raise TimeoutError(f"{pattern} was not painted")


if __name__ == "__main__":
    main()
