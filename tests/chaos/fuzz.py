"""The fuzzing of importers and readers (`tests.fuzz`) as a part of the whole."""

from __future__ import annotations

import time
from pathlib import Path

from tests.chaos.outcome import Outcome
from tests.fuzz.__main__ import LARGEST_MB, SLOWEST
from tests.fuzz.__main__ import run as fuzz


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Fuzz every target with `count` cases in all."""
    began = time.perf_counter()
    results = fuzz(count, seed)
    outcome = Outcome(
        "fuzz",
        sum(one.cases for one in results),
        "bent files and options",
        seed,
        "Every importer, reader and option against bent files: taken, or refused with one line and a hint; no other"
        f" error, no case over {SLOWEST:g} s of the processor or {LARGEST_MB} MB.",
    )
    for one in results:
        outcome.seen[one.target] = (
            f"{one.cases:,} cases, {one.taken:,} taken, {one.explained:,} refused; "
            f"slowest {one.slowest:.2f} s, {one.peak_mb} MB"
        )
        if one.failure:
            outcome.failures.append(f"{one.target}: {one.failure[:2000]}")
    outcome.seconds = time.perf_counter() - began
    return outcome
