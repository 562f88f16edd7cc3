"""Exports are streamed: what a row costs beyond itself is a few bytes, and stays that for a million.

`benchmarks/export_memory.py` measures the million; docs/formats.md has its figures.
"""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from labeler.commands.export.held_out import ArrayRows
from labeler.plugins import registry
from labeler.plugins.exporters.base import HeldOut, Whole
from labeler.plugins.exporters.write import write_export

FILES = [
    name
    for name in registry.names("exporter")
    if registry.entry("exporter", name).available and not registry.load("exporter", name).is_folder
]
FEW, MANY = 10_000, 30_000
BYTES_A_ROW = 170
"""Of arrays that a format has beside the rows: k probabilities for cleanlab, y and weights for others."""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", FILES)
def test_memory_does_not_grow_with_the_rows(name: str, make_rows, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("labeler.plugins.exporters.parquet.ROW_GROUP", 2_000)  # what is held at once

    def peak(n: int) -> int:
        X = np.lib.format.open_memmap(tmp_path / f"{n}.npy", "w+", np.float32, (n, 200))
        every = np.arange(n)
        proba = np.full((n, 10), 0.1, dtype=np.float32)
        ids = [f"{row:07d}.png" for row in range(n)]
        rows = make_rows(
            ids,
            [f"class {number}" for number in range(10)],
            (every % 10).tolist(),
            locate=lambda row: tmp_path / ids[row],
            features=lambda: ArrayRows(X, every),
            held_out=lambda: HeldOut(proba, (every % 5).astype(np.int32), ArrayRows(X, every), "even"),
            whole=lambda: Whole(ids, every, ArrayRows(X, every)),
        )
        tracemalloc.start()
        try:
            write_export(registry.create("exporter", name), rows, tmp_path / f"out-{n}", {}, force=False)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)  # what a first call imports and keeps
    grown = (peak(MANY) - peak(FEW)) / (MANY - FEW)
    assert grown < BYTES_A_ROW, f"{grown:.0f} bytes a row"
