"""What each part of the default engine brings: the same sessions with one part taken out, on sets of every kind.

    python benchmarks/ablation.py digits signs wine breast-cancer characters --seeds 2
    LABELER_DATA=... python benchmarks/ablation.py mnist10k cifar3000 small-digits --seeds 2
    python benchmarks/ablation.py digits --seeds 6 --noise 0.05

A part earns its place where a set that it was not made for gains by it and none loses much. Figures are shares of all
labels right, in percent, after 20, 50, 100 and 200 answers (fewer where the set is small).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from data import SETS, PoolFile, load

from labeler.commands.simulate import Simulation, simulate
from labeler.engine import belief, queue
from labeler.engine import round as rounds
from labeler.engine.blending import Blend, blend
from labeler.project.options import Options

CLICKS = (20, 50, 100, 200)


def first_models(count: int) -> Callable[..., Blend]:
    """`blend` that knows the first `count` models alone."""

    def blended(left_out: Any, positions: Any) -> Blend:
        found = blend(left_out[:count], positions)
        return Blend((*found.weights, *(0.0,) * (len(left_out) - count)), found.skill)

    return blended


def parts() -> dict[str, tuple[Any, ...]]:
    """Name of what is taken out -> (module, attribute, what stands there instead)."""
    return {
        "everything": (),
        "without the linear rules": (belief, "blend", first_models(2)),
        "without the second encoder": (belief, "blend", lambda out, of: first_models(min(3, len(out)))(out, of)),
        "walk alone": (belief, "blend", first_models(1)),
        "without the second opinion": (belief, "OPINION", belief.OPINION * 0),
        "without guards": (queue, "GUARD_TURN", -1),
        "without holding back on rough pools": (rounds, "grouped", lambda *_: 1.0),
    }


def run(
    pool: PoolFile, seed: int, clicks: int, part: tuple[Any, ...], noise: float
) -> dict[int, tuple[float, float, float]]:
    """Clicks -> share right, share that an export would hold, share right of what spread."""
    with mock.patch.object(*part) if part else mock.patch.object(belief, "PASSES", belief.PASSES):
        report_ = simulate(Simulation(pool.path, pool.truth, clicks, Options(seed=seed), noise))
    return {
        row["clicks"]: (row["labels_accuracy"], row["coverage"], row["propagated_precision"] or 0.0)
        for row in report_.curve
    }


def main() -> None:
    """Print a table a set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=sorted(SETS))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--clicks", type=int, default=200)
    parser.add_argument("--noise", type=float, default=0.0, help="share of wrong answers")
    arguments = parser.parse_args()
    for name in arguments.names:
        print(f"\n{name}, {arguments.seeds} seeds; at the end also coverage and what is right of what spread")
        with tempfile.TemporaryDirectory() as folder:
            pools = [load(name, seed, Path(folder)) for seed in range(arguments.seeds)]
            for part, taken in parts().items():
                found = [
                    run(pool, seed, min(arguments.clicks, len(pool.y) // 2), taken, arguments.noise)
                    for seed, pool in enumerate(pools)
                ]
                cells = [
                    f"{100 * statistics.mean(rows[at][0] for rows in found):6.2f}" for at in CLICKS if at in found[0]
                ]
                last = max(found[0])
                ends = [f"{100 * statistics.mean(rows[last][column] for rows in found):5.1f}" for column in (1, 2)]
                print(f"| {part:<36} | {' | '.join([*cells, *ends])} |", flush=True)


if __name__ == "__main__":
    main()
