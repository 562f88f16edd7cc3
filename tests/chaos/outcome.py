"""What a part of the suite found, kept in ``reliability/results.json`` and put down in ``reliability/RESULTS.md``."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "reliability"
UNTIL = "LABELER_CHAOS_UNTIL"
"""When a part stops although not all of its cases were run, in seconds since 1970."""
KEPT, WRITTEN = FOLDER / "results.json", FOLDER / "RESULTS.md"


@dataclass
class Outcome:
    """One run of one part: how many cases of what, by which seed, what was seen, and every case that failed."""

    part: str
    count: int
    what: str  # the cases, in the plural
    seed: int
    promise: str  # what was looked for in each
    seen: dict[str, Any] = field(default_factory=dict)  # facts beside the failures
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def is_over(self, number: int) -> bool:
        """Whether the time given to a part is up before case `number`, which then is how many it had."""
        if time.time() < float(os.environ.get(UNTIL, "inf")):
            return False
        self.count = number
        return True

    def saw(self, name: str, by: int = 1) -> None:
        """Count something."""
        self.seen[name] = self.seen.get(name, 0) + by


def machine() -> dict[str, str]:
    """Where this runs."""
    cpu = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    return {
        "machine": f"{os.cpu_count()} cores, {cpu}, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def keep(outcome: Outcome, folder: Path = FOLDER) -> None:
    """Put a run in place of the last of its part and write the report anew."""
    kept = _read(folder / KEPT.name)
    kept[outcome.part] = asdict(outcome) | machine() | {"day": time.strftime("%Y-%m-%d")}
    folder.mkdir(exist_ok=True)
    (folder / KEPT.name).write_text(json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    (folder / WRITTEN.name).write_text(report(kept))


def report(kept: dict[str, dict[str, Any]]) -> str:
    """The runs as Markdown."""
    lines = [
        "# Reliability",
        "",
        "What was done to the program, and what came of it. Written by `python -m tests.chaos` (every part) or",
        "`python -m tests.chaos PART --count N --seed S`; each row is the last run of its part.",
        "",
        "| part | cases | failures | seed | took | day |",
        "|---|---|---|---|---|---|",
    ]
    for part, run in kept.items():
        cells = (
            f"{run['count']:,} {run['what']}",
            str(len(run["failures"])),
            str(run["seed"]),
            _spoken(run["seconds"]),
            run["day"],
        )
        lines.append(f"| {part} | {' | '.join(cells)} |")
    for part, run in kept.items():
        lines += ["", f"## {part}", "", run["promise"], ""]
        lines += [f"- {name}: {_figure(value)}" for name, value in run["seen"].items()]
        lines += [f"- run on {run['machine']}; Python {run['python']}, SQLite {run['sqlite']}"]
        lines += [f"- **failed**: {failure}" for failure in run["failures"][:20]]
    return "\n".join(lines) + "\n"


def tell(outcome: Outcome) -> None:
    """Say it on standard output: one object."""
    sys.stdout.write(json.dumps(asdict(outcome), ensure_ascii=False) + "\n")


def _figure(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _read(path: Path) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return kept


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
