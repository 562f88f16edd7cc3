"""The report of a job to the row that started it."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any


def tell(**facts: Any) -> None:
    """Write facts as a line of JSON; the last line counts, so that a job that is stopped has said how far it came."""
    print(json.dumps(facts), flush=True)


def peak_mb() -> float:
    """The peak resident size of this program itself, where the system tells that; else of the process."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        unit = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
