"""Every benchmark can still be imported: what it takes from the program is there."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
NAMES = sorted(path.stem for path in BENCHMARKS.glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_can_be_imported(name, monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)  # as `python benchmarks/NAME.py` has it
    for each in NAMES:
        monkeypatch.delitem(sys.modules, each, raising=False)
    try:
        importlib.import_module(name)
    finally:
        for each in NAMES:  # names as these (data, terminal) are nobody else's to meet
            sys.modules.pop(each, None)


def test_there_are_benchmarks_to_import():
    assert {"peers", "ablation", "label_efficiency"} <= set(NAMES)
