"""The plan of a simulation, and the check of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from labeler.core.errors import UsageError
from labeler.project.open import Options

SAMPLE_ANSWERS = 20  # 40 s of a person's time, and as many as there are clusters in the sample
BASELINES = ("book", "random", "all")


@dataclass(frozen=True, slots=True)
class Simulation:
    """The plan of a simulation: the source, its truth, how many answers, which person.

    `views_after`: the answers after which further views of the pool join, or the first row of the curve if that comes
    before. In the application they join as soon as they are encoded; 0 = before the first answer, so that no row
    depends on the machine.

    `sample_answers`: the answers given to questions from a sample of a big pool, which the application asks while the
    whole is read; 0 = none. None = SAMPLE_ANSWERS where the application does so for the size alone (for photos it does
    so in smaller pools as well: how many answers that takes depends on the machine).
    """

    source: Path
    truth: str
    clicks: int
    options: Options = field(default_factory=Options)
    noise: float = 0.0
    grids: bool = False
    imbalance: str = ""
    test: float = 0.0
    baseline: str | None = None
    project: Path | None = None
    views_after: int = 0
    sample_answers: int | None = None
    started: float = 0.0  # time.perf_counter() at the program's first line


def check(plan: Simulation) -> None:
    """Refuse, as a UsageError, what cannot be simulated."""
    if plan.clicks < 1:
        raise UsageError(f"--clicks {plan.clicks} is too few", "give a number from 1 up")
    if not 0 <= plan.noise < 1:
        raise UsageError(f"--noise {plan.noise} is out of range", "give a share from 0 up to, not including, 1")
    if not 0 <= plan.test < 1:
        raise UsageError(f"--test {plan.test} is out of range", "give a share from 0 up to, not including, 1")
    if plan.sample_answers is not None and plan.sample_answers < 0:
        raise UsageError(f"{plan.sample_answers} answers from a sample are too few", "give a number from 0 up")
    if plan.baseline is not None and plan.baseline not in BASELINES:
        raise UsageError(f"no baseline is called {plan.baseline!r}", f"there are: {', '.join(BASELINES)}")
    if plan.project is not None and plan.project.exists():
        raise UsageError(f"{plan.project} exists", "a simulation starts a new project: give another -p PROJECT")


def bare(options: Options) -> Options:
    """Return the options a baseline shares: seed, classes, features, how the source is read; no part of the chain."""
    return Options(
        seed=options.seed,
        classes=options.classes,
        features=options.features,
        text=options.text,
        range=options.range,
        pages=options.pages,
    )
