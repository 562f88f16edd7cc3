"""What was looked at of a mapped file is let go of, and is there again when it is asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from labeler.core import content
from labeler.core.content import Columns
from labeler.core.mapped import let_go
from labeler.plugins.importers import array_source
from labeler.plugins.importers.array_source import ArrayImporter

KB_A_PAGE = 4
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="says what is in memory")


def in_memory(path) -> int:
    """Kilobytes of a mapped file that count as this process's."""
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    return sum(
        next(int(field.split()[1]) for field in lines if field.startswith("Rss:"))
        for line in lines
        if line.endswith(str(path))
    )


@pytest.fixture
def path(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((64_000, 32), dtype=np.float32))  # 8 MB
    return tmp_path / "x.npy"


@needs_linux
def test_it_is_let_go_of(path):
    mapped = np.load(path, mmap_mode="r")
    total = mapped.sum()
    assert in_memory(path) > 4_000
    let_go(mapped)
    assert in_memory(path) == 0
    assert mapped.sum() == total


def test_an_array_in_memory_stays_as_it_is():
    array = np.arange(10)
    for some in (array, array[2:]):
        let_go(some)
    assert array.tolist() == list(range(10))


@needs_linux
def test_a_table_that_was_opened_and_sampled_is_not_in_memory(path, monkeypatch):
    monkeypatch.setattr(array_source, "_CHUNK_BYTES", 1 << 20)
    seen, real = [], np.isfinite
    monkeypatch.setattr(np, "isfinite", lambda part: (seen.append(in_memory(path)), real(part))[1])
    table = ArrayImporter().open(path).table()
    assert len(seen) == 8  # before a part is looked at nothing of those before it is there
    assert max(seen) <= KB_A_PAGE
    monkeypatch.undo()
    monkeypatch.setattr(content, "SAMPLE_ROWS", 2_000)
    columns = Columns(table, [])
    assert in_memory(path) == 0
    rows = np.asarray(table)
    assert float(columns.card(5).facts[3].apart) == pytest.approx(
        (rows[5, 3] - rows[:, 3].mean()) / rows[:, 3].std(), abs=0.1
    )
