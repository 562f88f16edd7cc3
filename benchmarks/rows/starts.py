"""Rows 8 and 12: start and resume to the first frame, against bare Textual; and `labeler --help`.

One way of measuring: bytecode compiled before, a pty, the time from exec to the first frame's bytes (the first visible
character after the terminal's other screen is entered), ours and bare Textual in pairs.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
from pathlib import Path

from rows.keys import OPTIONS
from rows.pools import Pools
from rows.process import ROOT, environment, in_turns, median_of, run
from rows.profiles import summary
from rows.table import Line, Rows, factor, verdict
from terminal import Terminal, bare, labeler
from ui_latency import QUESTION, Person

STARTS, ANSWERS = 7, 30
DIGITS = ROOT / "datasets" / "digits.zip"
HEAVY = ("textual", "rich", "numpy", "sklearn", "scipy", "faiss", "PIL", "sqlite_utils")
_LISTED = """
import json, sys
sys.argv = ["labeler", "--help"]
from labeler.__main__ import main
try:
    main()
except SystemExit:
    pass
packages = sorted({name.split(".")[0] for name in sys.modules})
print("\\n" + json.dumps({"modules": len(sys.modules), "packages": packages}))
"""


def measure_starts(pools: Pools) -> Rows:
    """Row 8: medians of 7 starts and resumes, a bare start before each; 1,000,000 resumed beside 1,797."""
    few, most = pools.folder / "few.labeler.db", pools.folder / "resumed.labeler.db"
    prepare(DIGITS, few, ANSWERS)
    prepare(pools.groups(pools.most), most, 5)
    frames: dict[str, list[float]] = {"bare": [], "start": [], "few": [], "most": []}
    questions: dict[str, list[float]] = {"start": [], "few": [], "most": []}
    for number in range(STARTS):
        fresh = labeler("label", DIGITS, "-p", pools.folder / f"fresh{number}.labeler.db", *OPTIONS)
        for name, command in (("start", fresh), ("few", labeler("label", few)), ("most", labeler("label", most))):
            frames["bare"].append(first_frame(bare())[0])
            frame, question = first_frame(command, QUESTION)
            frames[name].append(frame)
            questions[name].append(question)
    ms = {name: 1000 * statistics.median(times) for name, times in frames.items()}
    later = {name: 1000 * statistics.median(times) for name, times in questions.items()}
    rows = Rows(_start_lines(ms, pools.most), [(8, _start_note(ms, later, len(frames["bare"])))])
    if not all(line.held == "yes" for line in rows.lines):
        few_profile, most_profile = (_profiled(project, pools.folder) for project in (few, most))
        rows.notes.append((8, f"resumed to the question under cProfile: 1,797: {few_profile}"))
        rows.notes.append((8, f"{pools.most:,}: {most_profile}"))
    return rows


def _start_lines(ms: dict[str, float], most: int) -> list[Line]:
    pairs = (
        ("start (1,797 digits, new project) to first frame, ms", "start", "bare", "bare Textual", 1.3),
        ("resume (1,797 digits) to first frame, ms", "few", "bare", "bare Textual", 1.3),
        (f"resume ({most:,} x 128) to first frame, ms", "most", "few", "1,797 digits", 1.2),
    )
    return [
        Line(
            *(8, what, f"{ms[ours]:.0f}", f"{ms[other]:.0f} ({whose})", factor(ms[ours] / ms[other]), f"<= {limit} x"),
            verdict(ms[ours] <= limit * ms[other]),
        )
        for what, ours, other, whose, limit in pairs
    ]


def _start_note(ms: dict[str, float], later: dict[str, float], n_bare: int) -> str:
    parts = ", ".join(f"{name} {value:.0f} ms ({factor(value / ms['bare'])})" for name, value in later.items())
    growth = factor(later["most"] / later["few"])
    return f"medians of {STARTS} (bare: {n_bare}), in pairs; question painted: {parts}; most over few {growth}."


def prepare(source: Path, project: Path, n_answers: int) -> None:
    """A project with a few answers, closed."""
    with Terminal(labeler("label", source, "-p", project, *OPTIONS)) as terminal:
        person = Person(terminal)
        for _ in range(n_answers):
            person.press()
        terminal.press("Q")
        terminal.close()


def first_frame(command: list[str], question: re.Pattern[str] | None = None) -> tuple[float, float]:
    """Seconds from exec to the first frame's bytes, and to a question where there will be one."""
    with Terminal(command, environment={"OMP_NUM_THREADS": "1"}) as terminal:
        frame = terminal.wait_drawn() - terminal.started
        asked = frame
        if question is not None:
            asked = terminal.wait(question.search, "the question") - terminal.started
            terminal.press("Q")
            terminal.close()
        terminal.process.terminate()  # the bare one knows no key to quit by
    return frame, asked


def _profiled(project: Path, folder: Path) -> str:
    path = folder / f"{project.name}.prof"
    command = labeler("label", project)
    first_frame([command[0], "-m", "cProfile", "-o", str(path), *command[1:]], QUESTION)
    return summary(path, packages=5, functions=3)


def measure_help(pools: Pools) -> Rows:
    """Row 12: wall seconds of `labeler --help` and what it loads."""
    runs = in_turns(
        {
            "ours": lambda: run(labeler("--help")),
            "click": lambda: run([sys.executable, "-c", "import click"]),
            "python": lambda: run([sys.executable, "-c", "pass"]),
        },
        most=7,
    )
    wall = {name: median_of(used, "wall") for name, used in runs.items()}
    facts = run([sys.executable, "-c", _LISTED]).facts
    loaded = [name for name in HEAVY if name in facts["packages"]]
    lines = [
        Line(
            *(12, "`labeler --help`, s", f"{wall['ours']:.3f}", f"{wall['click']:.3f} (python + click)"),
            *(factor(wall["ours"] / wall["click"]), "<= 0.25 s", verdict(wall["ours"] <= 0.25)),
        ),
        Line(
            *(12, f"heavy packages it loads, of {', '.join(HEAVY)}", ", ".join(loaded) or "none", "", ""),
            *("no Textual, numpy or scikit-learn", verdict(not {"textual", "numpy", "sklearn"} & set(loaded))),
        ),
    ]
    cpu = median_of(runs["ours"], "cpu")
    notes = [
        (12, f"medians of 7, {facts['modules']} modules, {cpu:.3f} s of CPU; python alone {wall['python']:.3f} s.")
    ]
    if any(line.held != "yes" for line in lines):
        notes.append((12, f"`python -X importtime -m labeler --help`, the longest of their own: {_slowest_imports()}."))
    return Rows(lines, notes)


def _slowest_imports(count: int = 6) -> str:
    """The modules whose own import takes longest, in ms."""
    command = [sys.executable, "-X", "importtime", "-m", "labeler", "--help"]
    output = subprocess.run(command, env=environment(), cwd=ROOT, capture_output=True, text=True, check=True).stderr
    times = re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", output)
    slowest = sorted(((int(own), name) for own, name in times), reverse=True)[:count]
    return ", ".join(f"{name} {own / 1000:.1f}" for own, name in slowest)
