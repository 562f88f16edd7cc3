"""Bent files against every importer and reader (:mod:`tests.fuzz`), put down beside the other parts."""

from __future__ import annotations

import time
from pathlib import Path

from tests.chaos.outcome import Outcome
from tests.fuzz.__main__ import LARGEST_MB, SLOWEST
from tests.fuzz.__main__ import run as fuzz


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Fuzz with `count` cases in all."""
    outcome = Outcome(
        "fuzz",
        count,
        "bent files",
        seed,
        "A valid file of each kind is bent (bytes, lengths, headers, cells, names) and opened: it is read or explained"
        f" in one line; nothing else comes out, no case takes {SLOWEST:g} s or {LARGEST_MB} MB.",
    )
    started = time.monotonic()
    for one in fuzz(count, seed):
        outcome.seen[one.target] = f"{one.taken:,} read, {one.explained:,} explained, slowest {one.slowest:.2f} s"
        if one.failure:
            outcome.failures.append(f"{one.target}: {one.failure.splitlines()[-1][:300]}")
    outcome.seconds = time.monotonic() - started
    return outcome
