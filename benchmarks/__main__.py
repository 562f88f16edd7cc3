"""Every row of the performance table, each against its reference in the same run: ``python -m benchmarks``.

    python -m benchmarks              all 12 rows -> benchmarks/RESULTS.md
    python -m benchmarks 1 2 8        these rows; the others' lines stay
    python -m benchmarks graph        the neighbour graph from 10,000 to 1,000,000 rows -> benchmarks/graph.md

Each row ends within 10 minutes on 2 cores. MNIST is read from LABELER_DATA (benchmarks/data.py), else glyphs are made
up; pools are made below LABELER_SCRATCH (a folder; else the system's), 2 GB at most, and taken away at the end. Row 6
wants its peers: pip install scikit-activeml modAL-python.
"""

from __future__ import annotations

import argparse
import compileall
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))  # the scripts here know each other by their plain names

from rows.all_rows import MEASURES, NUMBERS  # noqa: E402 - the line above
from rows.growth import measure_growth  # noqa: E402
from rows.machine import described, moment  # noqa: E402
from rows.pools import MANY, MOST, Pools  # noqa: E402
from rows.table import Rows, merged  # noqa: E402

HEAD = """# Results

`python -m benchmarks [ROW ...]`: every figure beside its reference in the same run; ratios are ours over the
reference's (*faster*: the reverse). CPU is user and system time of the process and its children, one thread each; peak
memory that of the largest of them. The machine is shared: no absolute time is a claim, each line has the load before
it. The book script: `Path.rglob`, Pillow, float64, `KMeans(50, n_init=1)` on raw pixels, nearest to the centroids. Bare
Textual: an application that shows one Static.
"""


def measured(wanted: list[int], pools: Pools, table: Path) -> None:
    """Measure rows and write each into the table as soon as it is there, so that a run may be stopped."""
    for numbers, measure in MEASURES.items():
        asked = [number for number in numbers if number in wanted]
        if not asked:
            continue
        print(f"row {', '.join(map(str, asked))} ...", file=sys.stderr, flush=True)
        before, began = moment(), time.perf_counter()
        rows = measure(pools).only(asked)
        rows = Rows([replace(line, measured=before) for line in rows.lines], rows.notes)
        text = table.read_text(encoding="utf-8") if table.exists() else ""
        table.write_text(merged(text, rows, f"{HEAD}\n{described()}"), encoding="utf-8")
        print(*rows.lines, *(f"- {number}: {note}" for number, note in rows.notes), sep="\n", flush=True)
        print(f"{time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"{NUMBERS[0]} to {NUMBERS[-1]}, or graph")
    parser.add_argument("--output", type=Path, help="the file to write, in place of RESULTS.md or graph.md")
    parser.add_argument("--many", type=int, default=MANY, help="a trial with fewer than 70,000")
    parser.add_argument("--most", type=int, default=MOST, help="a trial with fewer than 1,000,000")
    given = parser.parse_args()
    if given.rows != ["graph"] and (unknown := [row for row in given.rows if row not in map(str, NUMBERS)]):
        parser.error(f"there is no row {unknown[0]}: {NUMBERS[0]} to {NUMBERS[-1]}, or graph alone")
    # as installed: with compiled files, which some environments do not keep
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    compileall.compile_dir(HERE.parent / "labeler", quiet=2)
    with tempfile.TemporaryDirectory(prefix="labeler-rows-", dir=os.environ.get("LABELER_SCRATCH")) as folder:
        pools = Pools(Path(folder), given.many, given.most)
        if given.rows == ["graph"]:
            measure_growth(pools, given.output or HERE / "graph.md")
        else:
            measured([int(row) for row in given.rows] or list(NUMBERS), pools, given.output or HERE / "RESULTS.md")


if __name__ == "__main__":
    main()
