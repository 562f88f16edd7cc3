"""Every format with files keeps duplicates on one side of a split and every class on both."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from labeler.plugins import registry
from labeler.plugins.exporters.splits import split_rows
from labeler.plugins.exporters.write import write_export

N = 90
HASHES = [f"{row // 3 % 25:064x}" for row in range(N)]
CLASSES = np.array([row // 3 % 25 % 3 for row in range(N)], dtype=np.int32)


def splits_of(name: str, target: Path) -> dict[str, str]:
    """id -> split, as a reader of the format finds it."""
    if name in ("imagefolder",):
        with (target / "labels.csv").open(encoding="utf-8", newline="") as stream:
            return {row["path"]: row["file"].split("/")[0] for row in csv.DictReader(stream)}
    if name == "hf":
        parquet = list(target.glob("*/metadata.parquet"))  # where pyarrow is installed
        if parquet:
            rows = [(path.parent.name, row) for path in parquet for row in pd.read_parquet(path)["path"]]
            return {row: split for split, row in rows}
        files = target.glob("*/metadata.jsonl")
        return {json.loads(line)["path"]: path.parent.name for path in files for line in path.read_text().splitlines()}
    if name == "fiftyone":
        files = target.glob("*/labels.json")
        every = ((path.parent.name, json.loads(path.read_text())["labels"]) for path in files)
        return {value["attributes"]["path"]: split for split, labels in every for value in labels.values()}
    tasks = json.loads((target / "tasks.json").read_text())
    return {task["data"]["path"]: task["data"]["split"] for task in tasks}


EXPORTERS = [name for name in registry.names("exporter") if registry.entry("exporter", name).available]
FOLDERS = [name for name in EXPORTERS if registry.load("exporter", name).is_folder]


@pytest.mark.parametrize("name", FOLDERS)
def test_duplicates_stay_together_and_classes_are_everywhere(name: str, make_rows, tmp_path: Path) -> None:
    splits = split_rows(HASHES, CLASSES, (80, 10, 10), 0)
    rows = make_rows(
        [f"{row}.png" for row in range(N)], ["x", "y", "z"], CLASSES.tolist(), splits=splits, sha256=HASHES
    )
    write_export(registry.create("exporter", name), rows, tmp_path / "out", {}, force=False)
    found = splits_of(name, tmp_path / "out")
    assert found == {f"{row}.png": split for row, split in enumerate(splits)}
    sides, present = defaultdict(set), defaultdict(set)
    for row in range(N):
        sides[HASHES[row]].add(found[f"{row}.png"])
        present[found[f"{row}.png"]].add(int(CLASSES[row]))
    assert {len(side) for side in sides.values()} == {1}
    assert present == {"train": {0, 1, 2}, "val": {0, 1, 2}, "test": {0, 1, 2}}
    shares = Counter(found.values())
    assert 66 <= shares["train"] <= 78
