"""Every benchmark can still be imported: what it takes from the program is there."""

from __future__ import annotations

import pytest

from tests.benchmarks.conftest import BENCHMARKS

PATHS = [path.relative_to(BENCHMARKS) for path in BENCHMARKS.rglob("*.py") if path.name != "__main__.py"]
NAMES = sorted(".".join(path.with_suffix("").parts) for path in PATHS)


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_can_be_imported(name, plain):
    plain(name)


def test_there_are_benchmarks_to_import():
    assert {"peers", "ablation", "label_efficiency", "rows.table", "jobs.book_script"} <= set(NAMES)
