"""`python -m tests.chaos [PART ...]`: breaks things on purpose and writes what came of it to reliability/RESULTS.md."""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.outcome import UNTIL, Outcome, keep, tell

PARTS = {
    "fuzz": ("fuzz", 100_000),
    "writer-kills": ("writer_kills", 2000),
    "pty-kills": ("pty_kills", 200),
    "export-kills": ("export_kills", 200),
    "copy-kills": ("copy_kills", 200),
    "clocks": ("clocks", 200),
    "mutations": ("mutations", 500),
    "faults": ("faults", 20_000),
    "power-cuts": ("power_cuts", 5000),
    "flushes": ("flushes", 1000),
    "places": ("places", 400),
    "readers": ("readers", 50),
    "signals": ("signals", 60),
    "walk": ("walk", 20_000),
    "soak": ("soak", 1200),
}
"""Part -> its module, which has ``run(count, seed, folder)``, and how many cases make a whole run."""


IN_MEMORY = frozenset({"faults", "walk", "clocks", "power-cuts", "flushes"})
"""Parts that test logic and not the disk: thousands of flushes take minutes on one."""


def main() -> int:
    """Run parts; 1 where something failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of: {', '.join(PARTS)} (default: all)")
    parser.add_argument("--count", type=int, help="cases, in place of the whole run's")
    parser.add_argument("--minutes", type=float, help="stop a part after so long, with the cases it had by then")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print what was found and leave the report alone")
    given = parser.parse_args()
    unknown = [part for part in given.parts if part not in PARTS]
    if unknown:
        parser.error(f"no part is called {unknown[0]}; there are: {', '.join(PARTS)}")
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # a process that forks has one thread
    failed = 0
    for part in given.parts or PARTS:
        module, whole = PARTS[part]
        memory = "/dev/shm" if part in IN_MEMORY and os.access("/dev/shm", os.W_OK) else None  # noqa: S108
        folder = Path(tempfile.mkdtemp(prefix=f"labeler-{part}-", dir=memory))
        if given.minutes:
            os.environ[UNTIL] = str(time.time() + 60 * given.minutes)
        run = importlib.import_module(f"tests.chaos.{module}").run
        outcome: Outcome = run(given.count or whole, given.seed, folder)
        if given.json:
            tell(outcome)
        else:
            keep(outcome)
            print(f"{part}: {outcome.count:,} {outcome.what}, {len(outcome.failures)} failed, {outcome.seconds:.0f} s")
            for failure in outcome.failures[:20]:
                print(f"  {failure}")
        failed += bool(outcome.failures)
        if outcome.failures:
            print(f"what is left of {part} is in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
