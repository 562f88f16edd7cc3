"""What every registered exporter owes: any names in, the same numbers out, nothing outside of the target."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeler.plugins import registry
from labeler.plugins.exporters.base import ExportRows, HeldOut
from labeler.plugins.exporters.write import write_export

EXPORTERS = [name for name in registry.names("exporter") if registry.entry("exporter", name).available]
CLASSES = [
    "../x",
    "a/b",
    "a_b",
    "",
    "=1+1",
    "CON",
    "z" * 300,
    "\x1b]2;title\x07",
    "10",
    "2",
    "Cat",
    "cat",
    "e\u0301",
    "\u00e9",
    "..",
    "manifest.json",
    "caf\udce9",
    "nul\0",
    "nul",
    "[/x]",
    "escaped:%41",
    "never used",
]
IDS = ["a,b.png", 'q"uote.png', "line\nbreak.png", "caf\udce9.png", "../up.png", "/abs.png", "", "d/1.png", "e/1.png"]
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=8)

pytestmark = pytest.mark.parametrize("name", EXPORTERS)


def held_out(n: int, n_classes: int) -> HeldOut:
    even = np.full((n, n_classes), 1 / n_classes, dtype=np.float32)
    return HeldOut(even, np.arange(n, dtype=np.int32) % 5, np.zeros((n, 3), dtype=np.float32), "even")


def rows_of(ids: list[str], names: list[str], indices: list[int], **columns: Any) -> ExportRows:
    n = len(ids)
    images = np.zeros((n, 2, 2), dtype=np.uint8)
    given_columns: dict[str, Any] = {
        "provenances": ["human"] * n,
        "confidence": np.ones(n, dtype=np.float32),
        "weights": np.ones(n, dtype=np.float32),
        "tiers": ["locked"] * n,
        "clusters": np.zeros(n, dtype=np.int32),
        "rounds": np.zeros(n, dtype=np.int32),
        "annotators": [""] * n,
        "source_ids": ids,
        "sha256": [f"{i:064x}" for i in range(n)],
        "flagged": [False] * n,
        "splits": [""] * n,
        "locate": lambda row: None,
        "image": lambda row: images[row],
        "features": lambda: images,
        "held_out": lambda: held_out(n, len(names)),
    } | columns
    return ExportRows(ids, names, np.array(indices, dtype=np.int32), **given_columns)


@pytest.mark.parametrize("splits", [False, True])
@pytest.mark.parametrize("csv_safe", ["no", "yes"])
def test_hostile_names_are_counted_back(name: str, tmp_path: Path, splits: bool, csv_safe: str) -> None:
    exporter = registry.create("exporter", name)
    indices = [i for i in range(len(CLASSES) - 1) for _ in range(2)]
    ids = IDS + [f"{i}.png" for i in range(len(indices) - len(IDS))]
    columns = {"splits": [("train", "val")[i % 2] for i in range(len(ids))]} if splits else {}
    rows = rows_of(ids, CLASSES, indices, options={"csv_safe": csv_safe}, **columns)
    written = write_export(exporter, rows, tmp_path / "out", {}, force=False)
    assert written.counts == dict.fromkeys(CLASSES[:-1], 2)
    assert written.warnings
    assert all("\n" not in line and "\x1b" not in line for line in written.warnings)
    allowed = {"out"} if exporter.is_folder else {"out", "out.manifest.json"}
    assert {path.name for path in tmp_path.iterdir()} == allowed
    manifest = json.loads(written.manifest_path.read_text())
    assert len(manifest["classes"]) == len(CLASSES)
    assert manifest["counts"]["total"] == len(ids)


@pytest.mark.mostly_slow
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_rows_are_counted_back(name: str, data: st.DataObject) -> None:
    names = data.draw(st.lists(ANY_TEXT, min_size=1, max_size=5, unique=True))
    ids = data.draw(st.lists(ANY_TEXT, max_size=6, unique=True))
    indices = [data.draw(st.integers(0, len(names) - 1)) for _ in ids]
    with TemporaryDirectory() as folder:
        written = write_export(
            registry.create("exporter", name), rows_of(ids, names, indices), Path(folder, "out"), {}, force=False
        )
    assert written.counts == Counter(names[index] for index in indices)


def test_no_rows_are_an_export_too(name: str, tmp_path: Path) -> None:
    written = write_export(registry.create("exporter", name), rows_of([], ["x"], []), tmp_path / "out", {}, force=False)
    assert written.counts == {}
    assert json.loads(written.manifest_path.read_text())["counts"]["classes"] == {"x": 0}


@pytest.mark.mostly_slow
def test_it_loads_nothing_heavy(name: str) -> None:
    script = (
        "import sys; from labeler.plugins import registry; import labeler.plugins.exporters.write\n"
        f"registry.create('exporter', {name!r})\n"
        "print([m for m in ('sklearn', 'scipy', 'pandas', 'textual', 'PIL', 'sqlite_utils') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"
