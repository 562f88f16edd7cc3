"""Benchmarks are scripts that know each other by their plain names: their folder is on the path for a test alone."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def forget() -> None:
    """Take the benchmarks' modules from memory: names as these (data, rows) are nobody else's to meet."""
    for name, module in list(sys.modules.items()):
        places = [getattr(module, "__file__", None) or "", *map(str, getattr(module, "__path__", ()))]
        if not name.startswith("benchmarks") and any(place.startswith(str(BENCHMARKS)) for place in places):
            del sys.modules[name]


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Return what imports a benchmark by its plain name, as the scripts themselves do."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    forget()
    yield importlib.import_module
    forget()
