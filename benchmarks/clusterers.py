"""Every clusterer in the source's chain: the share of labels right after 10, 20 and 50 answers, beside k-means'.

    python benchmarks/clusterers.py --seeds 3 > benchmarks/clusterers.md

Digits, `--engine book --percentile 100`: 50 clusters on raw pixels, whole clusters take the label of their
representative. Clusterers that find by themselves how many clusters there are ask on by margin when theirs are
exhausted.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labeler.commands.simulate import Simulation, simulate
from labeler.commands.simulate.report import SimulationReport
from labeler.plugins import registry
from labeler.project.options import Options

ROOT = Path(__file__).resolve().parent.parent
ALSO = (
    "kmeans:algorithm=elkan,n_init=10",
    "gmm:covariance_type=full",
    "bayesian-gmm:weight_concentration_prior=0.001",
    "dbscan:eps=0.75,predict_from=all",
    "agglomerative:linkage=average",
)
"""Further parameters, each after the plain one."""


@dataclass(frozen=True, slots=True)
class Row:
    """Of one clusterer, means over seeds: shares right in percent after 10, 20, 50 answers, and the whole run."""

    spec: str
    right: tuple[float, float, float]
    propagated: float
    clusters: int
    anomalies: int
    seconds: float


def run(spec: str, seeds: int) -> Row:
    """Simulate `seeds` sessions of 50 answers."""
    reports = [_report(spec, seed) for seed in range(seeds)]
    curves = [report.curve for report in reports]
    found = _found(spec)
    return Row(
        spec,
        tuple(statistics.mean(100 * curve[at]["labels_accuracy"] for curve in curves) for at in range(3)),  # type: ignore[arg-type]
        statistics.mean(100 * (curve[-1]["propagated_precision"] or 0.0) for curve in curves),
        len(found.centers),
        int(found.outliers.sum()),
        statistics.mean(report.seconds_total for report in reports),
    )


def _report(spec: str, seed: int) -> SimulationReport:
    options = Options(engine="book", percentile=100.0, clusterer=spec, seed=seed)
    digits = ROOT / "datasets" / "digits"
    return simulate(Simulation(digits.with_suffix(".zip"), str(digits.with_suffix(".csv")), 50, options))


def _found(spec: str) -> Any:
    import numpy as np

    with np.load(ROOT / "labeler" / "_data" / "digits.npz") as arrays:
        X = (arrays["X"].reshape(len(arrays["X"]), -1) / 255).astype(np.float32)
    return registry.create("clusterer", spec).cluster(X, 50, 0)


def specs() -> list[str]:
    """Every clusterer that is installed, k-means first."""
    names = [name for name in registry.names("clusterer") if registry.entry("clusterer", name).available]
    also = list(ALSO)
    return [spec for name in names for spec in (name, *(one for one in also if one.startswith(f"{name}:")))]


def main() -> None:
    """Print the table, a row as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--one", metavar="SPEC", help="one row alone")
    given = parser.parse_args()
    if given.one:
        row = run(given.one, given.seeds)
        cells = [*(f"{share:.1f}" for share in row.right), f"{row.propagated:.1f}", row.clusters, row.anomalies]
        print(f"| `{row.spec}` | {' | '.join(map(str, cells))} | {row.seconds:.1f} |")
        return
    print("# Every clusterer in the source's chain")
    print(f"\nDigits, `--engine book --percentile 100`, 50 answers, {given.seeds} seeds a row; written by")
    print(f"`python benchmarks/clusterers.py --seeds {given.seeds}`. Clusters and anomalies are those of seed 0.\n")
    print("| clusterer | right at 10 | at 20 | at 50 | spread labels right | clusters | anomalies | seconds |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for spec in specs():  # a process each: none pays for what another imported
        call = [sys.executable, __file__, "--seeds", str(given.seeds), "--one", spec]
        print(subprocess.run(call, capture_output=True, text=True, check=True).stdout.strip(), flush=True)


if __name__ == "__main__":
    main()
