"""A flush fails, and later the power is cut: what was acknowledged after it rests on nothing that was lost."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.outcome import Outcome
from tests.chaos.power_cuts import NO_COMPILER, compiled, sweep

MOST = 30
"""One of the first so many flushes of a session fails; the shortest has about as many."""


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Look at `count` states of disks of which one flush had failed."""
    outcome = Outcome(
        "failed flushes",
        0,
        "states of a disk",
        seed,
        "The sessions of the power cuts, in each of which one flush of a project's file fails (EIO) at some moment and"
        " loses for good what it should have flushed, as Linux does; the program goes on, and the power is cut later."
        " Every acknowledged event is there, in order and once, and all that the power cuts promise.",
    )
    if compiled(folder) is None:
        outcome.seen["skipped"] = NO_COMPILER
        return outcome
    sweep(count, seed, folder, outcome, lambda chance: chance.randint(1, MOST))
    return outcome
