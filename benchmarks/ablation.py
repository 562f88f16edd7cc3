"""What each part of the default engine brings: the same sessions with one part taken out, on sets of every kind.

    python benchmarks/ablation.py digits signs wine breast-cancer characters --seeds 2
    LABELER_DATA=... python benchmarks/ablation.py mnist10k cifar3000 small-digits --seeds 2
    python benchmarks/ablation.py digits --seeds 6 --noise 0.05
    LABELER_DATA=... python benchmarks/ablation.py grocery --seeds 1 --clicks 300 --only everything,rough

A part earns its place where a set that it was not made for gains by it and none loses much. Figures are shares of all
labels right, in percent, after 10, 20, 50, 100, 200 and 300 answers (fewer where the set is small); then what an export
would hold at the end, what is right of what spread in it, the largest fall of coverage between two rows, and how many
promises of an export (promises.py) break at any row. `--only` runs the parts whose names hold one of these words.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from data import SETS, PoolFile, load
from promises import breaches

from labeler.commands.simulate import Simulation, simulate
from labeler.core.errors import UsageError
from labeler.engine import belief, default, queue, representatives, view_choice
from labeler.engine import round as rounds
from labeler.engine.belief import Answers
from labeler.engine.blending import Blend, blend
from labeler.engine.queue import is_start
from labeler.engine.tiers import Groups
from labeler.plugins.encoders.automatic import NETWORK, further_views
from labeler.project.options import Options
from labeler.worker import pipeline

CLICKS = (10, 20, 50, 100, 200, 300)


@dataclass(frozen=True, slots=True)
class Part:
    """One change of the engine: what stands elsewhere in its place, and options that differ.

    `swaps`: (module, attribute, value), all of them at once. `options`: fields of :class:`Options`, as a person would
    give them (`encoder` measures one view alone).
    """

    swaps: tuple[tuple[Any, str, Any], ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Session:
    """The figures of one session: clicks -> share right; at the end coverage and what is right of what spread."""

    right: dict[int, float]
    coverage: float
    precision: float | None
    fall: float
    broken: int


def first_models(count: int) -> Callable[..., Blend]:
    """`blend` that knows the first `count` models alone."""

    def blended(left_out: Any, positions: Any) -> Blend:
        mix = blend(left_out[:count], positions)
        return Blend((*mix.weights, *(0.0,) * (len(left_out) - count)), mix.skill)

    return blended


def never_leading(encoder: str, reason: str) -> list[tuple[str, bool]]:
    """`further_views`, none of which may lead."""
    return [(spec, False) for spec, _ in further_views(encoder, reason)]


def start_until(answers_a_class: float) -> Callable[..., bool]:
    """`is_start` that goes on until there are so many answers a class."""

    def is_longer_start(answers: Answers, first: Any) -> bool:
        return is_start(answers, first) or len(answers) < answers_a_class * len(answers.classes)

    return is_longer_start


def parts() -> dict[str, Part]:
    """The name of each change -> what it is."""
    return {
        "everything": Part(),
        # the models and what they look at
        "without the linear rules": Part(((belief, "blend", first_models(2)),)),
        "without the second encoder": Part(
            ((belief, "blend", lambda out, of: first_models(min(3, len(out)))(out, of)),)
        ),
        "walk alone": Part(((belief, "blend", first_models(1)),)),
        "without the second opinion": Part(((belief, "OPINION", belief.OPINION * 0),)),
        # the views
        "the built-in view alone": Part(((pipeline, "further_views", lambda *_: []),)),
        "the network alone": Part(options={"encoder": NETWORK}),
        "a network that never leads": Part(((pipeline, "further_views", never_leading),)),
        "the first leader to the end": Part(((view_choice, "is_clearly_better", lambda *_: False),)),
        # the first questions
        "representatives to four a class": Part(((default, "is_start", start_until(4.0)),)),
        "first questions by no representative": Part(((default, "is_start", lambda answers, _: len(answers) < 2),)),
        "ten first clusters": Part(((representatives, "FIRST_CLUSTERS", 10),)),
        "forty first clusters": Part(((representatives, "FIRST_CLUSTERS", 40),)),
        # what is asked
        "without guards": Part(((queue, "GUARD_TURN", -1),)),
        # what spreads
        "without holding back on rough pools": Part(((rounds, "groups_of", lambda *_, **__: Groups(1.0, 1.0, 0.35)),)),
        "without what later answers say": Part(
            ((rounds, "lifted", lambda groups, _: groups), (rounds, "share_to_keep", lambda _: 0.0))
        ),
        "spreading by left-out answers alone": Part(((rounds, "groups_of", lambda *_, **__: Groups()),)),
    }


def run(pool: PoolFile, seed: int, clicks: int, part: Part, noise: float) -> Session:
    """One session with a part changed."""
    with contextlib.ExitStack() as stack:
        for swap in part.swaps:
            stack.enter_context(mock.patch.object(*swap))
        report = simulate(Simulation(pool.path, pool.truth, clicks, Options(seed=seed, **part.options), noise))
    covered = [row["coverage"] for row in report.curve]
    return Session(
        right={row["clicks"]: row["labels_accuracy"] for row in report.curve},
        coverage=covered[-1],
        precision=report.final["propagated_precision"],
        fall=max([0.0, *(before - after for before, after in itertools.pairwise(covered))]),
        broken=len(list(breaches(report.curve, report.n_instances))),
    )


def line_of(name: str, sessions: list[Session]) -> str:
    """A row of the table: means of the sessions, in percent; the largest fall and every broken promise of all."""
    shares = [statistics.mean(session.right[at] for session in sessions) for at in CLICKS if at in sessions[0].right]
    cells = [f"{100 * share:6.2f}" for share in shares]
    cells.append(f"{100 * statistics.mean(session.coverage for session in sessions):5.1f}")
    spread = [session.precision for session in sessions if session.precision is not None]
    cells.append(f"{100 * statistics.mean(spread):5.1f}" if spread else "    -")  # sessions where none did say nothing
    cells.append(f"{100 * max(session.fall for session in sessions):5.1f}")
    return f"| {name:<36} | {' | '.join(cells)} | {sum(session.broken for session in sessions)} |"


def head_of(clicks: int) -> str:
    """The first two rows of a table of sessions of so many answers."""
    heads = [*(str(at) for at in CLICKS if at <= clicks), "coverage", "right of what spread", "largest fall", "broken"]
    return f"| | {' | '.join(heads)} |\n{'|---' * (len(heads) + 1)}|"


def main() -> None:
    """Print a table a set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=sorted(SETS))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--clicks", type=int, default=200)
    parser.add_argument("--noise", type=float, default=0.0, help="share of wrong answers")
    parser.add_argument("--only", default="", help="words, comma-separated: the parts whose names hold one of them")
    arguments = parser.parse_args()
    chosen = {name: part for name, part in parts().items() if any(map(name.__contains__, arguments.only.split(",")))}
    if not chosen:
        parser.error(f"--only {arguments.only!r} names none of: {', '.join(parts())}")
    for name in arguments.names:
        with tempfile.TemporaryDirectory() as folder:
            pools = [load(name, seed, Path(folder)) for seed in range(arguments.seeds)]
            clicks = min(arguments.clicks, len(pools[0].y) // 2)
            print(f"\n## {name}, {arguments.seeds} seeds\n\n{head_of(clicks)}")
            for title, part in chosen.items():
                try:
                    sessions = [run(pool, seed, clicks, part, arguments.noise) for seed, pool in enumerate(pools)]
                except UsageError as error:  # a network does not take a table
                    print(f"| {title:<36} | {error.message} |")
                    continue
                print(line_of(title, sessions), flush=True)


if __name__ == "__main__":
    main()
