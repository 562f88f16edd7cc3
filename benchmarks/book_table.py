"""The source's table, reproduced: digits, 50 clusters, 50 labels, held-out test accuracy, mean over seeds.

    python benchmarks/book_table.py --seeds 10

Runs `labeler simulate` once a cell and a seed; a quarter of the digits is held out. The source's own figures
(Géron, Hands-On Machine Learning, ch. 9, one split and one seed) stand beside ours.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from labeler.commands.simulate import Simulation, simulate
from labeler.project.options import Options

ROOT = Path(__file__).resolve().parent.parent
SOURCE_SAYS = {
    "random 50": 83.3,
    "representatives": 91.3,
    "100 %": 92.4,
    "75 %": 92.7,
    "20 %": 94.0,
    "all labels": 96.9,
}


def run(seed: int, percentile: float, baseline: str | None = None) -> float:
    """Held-out accuracy in percent after 50 clicks."""
    plan = Simulation(
        ROOT / "datasets" / "digits.zip",
        str(ROOT / "datasets" / "digits.csv"),
        50,
        Options(engine="book", percentile=percentile, seed=seed),
        test=0.25,
        baseline=baseline,
    )
    report = simulate(plan)
    rows = report.baseline["curve"] if baseline else report.curve
    return 100 * float(rows[-1]["test_accuracy"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    seeds = range(parser.parse_args().seeds)
    cells = {
        "random 50": [run(seed, 0.0, "random") for seed in seeds],
        "representatives": [run(seed, 0.0) for seed in seeds],
        "100 %": [run(seed, 100.0) for seed in seeds],
        "75 %": [run(seed, 75.0) for seed in seeds],
        "20 %": [run(seed, 20.0) for seed in seeds],
        "all labels": [run(seed, 0.0, "all") for seed in seeds],
    }
    print("| labels known | source | ours, mean | lowest | highest |")
    print("|---|---|---|---|---|")
    for name, values in cells.items():
        mean = statistics.mean(values)
        print(f"| {name} | {SOURCE_SAYS[name]} | {mean:.1f} | {min(values):.1f} | {max(values):.1f} |")


if __name__ == "__main__":
    main()
