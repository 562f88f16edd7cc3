"""A million rows out: seconds and the memory that an exporter takes beyond the rows themselves, format by format.

    python benchmarks/export_memory.py [ROWS [FORMAT ...]]

Each format runs in a process of its own. Memory is the peak of the resident set while it is written, read back,
counted and hashed, less what was resident with the rows ready. Folder formats link one picture a row from a folder that
is made first, and take FOLDER_ROWS rows at most (file systems, not memory, limit those). Features are 64 columns,
memory-mapped, as a project has them.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

FILES = ("csv", "jsonl", "parquet", "npz", "sklearn", "cleanlab", "prodigy")
FOLDERS = ("imagefolder", "hf", "fiftyone", "labelstudio")
FOLDER_ROWS = 100_000
COLUMNS = 64
CLASSES = [f"class {n}" for n in range(10)]


def rows_of(n: int, folder: Path, pictures: bool):
    """`n` rows as an export has them; `pictures` makes a folder of files to link."""
    from labeler.commands.export.held_out import ArrayRows
    from labeler.plugins.exporters.base import ExportRows, HeldOut, Whole

    X = np.lib.format.open_memmap(folder / "X.npy", "w+", np.float32, (n, COLUMNS))
    rng = np.random.default_rng(0)
    for start in range(0, n, 10_000):
        X[start : start + 10_000] = rng.random((len(X[start : start + 10_000]), COLUMNS), dtype=np.float32)
    X.flush()
    del X
    X = np.load(folder / "X.npy", mmap_mode="r")
    every = np.arange(n)
    classes = (every % 10).astype(np.int32)
    root = folder / "pictures"
    if pictures:
        for place in range(n):
            if place % 1000 == 0:
                (root / f"{place // 1000:04d}").mkdir(parents=True)
            (root / f"{place // 1000:04d}/{place:07d}.png").touch()
    ids = [f"{place // 1000:04d}/{place:07d}.png" for place in range(n)]
    proba = np.full((n, 10), 0.1, dtype=np.float32)
    return ExportRows(
        ids=ids,
        class_names=CLASSES,
        class_indices=classes,
        provenances=["human" if place % 10 == 0 else "propagated" for place in range(n)],
        confidence=rng.random(n, dtype=np.float32),
        weights=rng.random(n, dtype=np.float32),
        tiers=["locked"] * n,
        clusters=classes,
        rounds=classes,
        annotators=["ada"] * n,
        source_ids=ids,
        sha256=[f"{place:064x}" for place in range(n)],
        flagged=[False] * n,
        splits=[""] * n,
        locate=lambda row: root / ids[row],
        image=lambda row: np.zeros((8, 8), np.uint8),
        features=lambda: ArrayRows(X, every),
        held_out=lambda: HeldOut(proba, classes % 5, ArrayRows(X, every), "even"),
        whole=lambda: Whole(ids, every, ArrayRows(X, every)),
    )


def resident_mb() -> float:
    """Anonymous memory of this process: what mapped files have in the page cache is not taken from anybody."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) / 1024


class Peak:
    """The largest anonymous memory, looked at from a thread beside."""

    def __enter__(self) -> Peak:
        import threading

        self.largest, self._ended = resident_mb(), threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.01):
            self.largest = max(self.largest, resident_mb())


def measure(name: str, n: int) -> str:
    """One line of the table."""
    from labeler.plugins import registry
    from labeler.plugins.exporters.write import write_export

    with tempfile.TemporaryDirectory(dir=os.environ.get("LABELER_SCRATCH")) as folder:
        exporter = registry.create("exporter", name)
        pictures = exporter.needs == "images"
        rows = rows_of(n, Path(folder), pictures)
        before = resident_mb()
        start = time.perf_counter()
        with Peak() as peak:
            written = write_export(exporter, rows, Path(folder, "out"), {}, force=False)
        took = time.perf_counter() - start
        size = sum(path.stat().st_size for path in (
            [written.path] if written.path.is_file() else written.path.glob("*.*")
        )) / 1e6  # fmt: skip
        assert sum(written.counts.values()) == n
    return f"| {name} | {n:,} | {took:.1f} | {before:.0f} | {peak.largest - before:.0f} | {size:,.0f} |"


def main() -> None:
    """Every format in a process of its own."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if "--one" in sys.argv:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        print(measure(sys.argv[3], n))
        return
    print("| format | rows | seconds | MB the rows are | MB more at the peak | MB written |")
    print("|---|---:|---:|---:|---:|---:|", flush=True)
    for name in sys.argv[2:] or (*FILES, *FOLDERS):
        rows = min(n, FOLDER_ROWS) if name in FOLDERS else n
        subprocess.run([sys.executable, __file__, str(rows), "--one", name], check=True)


if __name__ == "__main__":
    main()
