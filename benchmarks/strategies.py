"""Every query strategy in the source's chain: the share of labels right after 10, 20, 50, 100 and 200 answers.

    LABELER_DATA=... python benchmarks/strategies.py digits mnist-train bloodcells --seeds 3

`--engine book --encoder E --percentile 20` with logistic regression; what differs is the strategy alone. Those that
give utilities begin with the representatives of `--clusters 20` clusters; those that choose the first questions as well
(k-center, typiclust, probcover) begin by themselves. Figures are the shares of ALL instances whose final label is
right, in percent; *least* is the worst seed after 50 answers.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from data import SETS, load

from labeler.commands.simulate import Simulation, simulate
from labeler.plugins import registry
from labeler.project.options import Options

AT = (10, 20, 50, 100, 200)
ENCODERS = {"digits": "deskew-hog", "mnist-train": "deskew-hog", "mnist10k": "deskew-hog", "bloodcells": "scattering"}
CLUSTERS = 20


def run(name: str, strategy: str, seeds: int) -> str:
    """One row of the table."""
    shares: dict[int, list[float]] = {clicks: [] for clicks in AT}
    seconds = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory() as folder:
            pool = load(name, seed, Path(folder))
            options = Options(
                engine="book",
                encoder=ENCODERS.get(name),
                strategy=strategy,
                n_clusters=CLUSTERS,
                percentile=20.0,
                seed=seed,
            )
            report = simulate(Simulation(pool.path, pool.truth, max(AT), options))
            seconds.append(report.seconds_total)
            for row in report.curve:
                if row["clicks"] in shares:
                    shares[row["clicks"]].append(100 * row["labels_accuracy"])
    cells = [f"{statistics.mean(shares[clicks]):.1f}" for clicks in AT]
    return f"| `{strategy}` | {' | '.join(cells)} | {min(shares[50]):.1f} | {statistics.mean(seconds):.0f} |"


def main() -> None:
    """Print the table of each set, a row as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=sorted(SETS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--strategies", nargs="*", default=registry.names("strategy"))
    parser.add_argument("--one", action="store_true", help="one row alone")
    given = parser.parse_args()
    if given.one:
        print(run(given.names[0], given.strategies[0], given.seeds))
        return
    for name in given.names:
        print(f"\n## {name}, {given.seeds} seeds\n")
        print(f"| strategy | {' | '.join(map(str, AT))} | least at 50 | seconds |\n" + "|---" * 8 + "|", flush=True)
        for strategy in given.strategies:  # a process each: none pays for what another imported
            call = [sys.executable, __file__, name, "--seeds", str(given.seeds), "--one", "--strategies", strategy]
            print(subprocess.run(call, stdout=subprocess.PIPE, text=True, check=True).stdout.strip(), flush=True)


if __name__ == "__main__":
    main()
