from __future__ import annotations

import csv
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labeler.core.errors import UsageError
from labeler.core.text import unescaped
from labeler.plugins import registry
from labeler.plugins.exporters.csv_jsonl import COLUMNS, CsvExporter, JsonlExporter

HOSTILE_IDS = ["plain.png", "a,b.png", 'quo"te.png', "line\nbreak.png", "car\rriage.png", "caf\udce9.png", "=1+1", "é"]


def test_pandas_reads_the_csv_as_it_was_written(make_rows, tmp_path: Path) -> None:
    rows = make_rows(HOSTILE_IDS, ["x", "=y"], [0, 1] * 4, confidence=np.full(8, 0.9, np.float32))
    warnings = CsvExporter().write(rows, tmp_path / "x.csv")
    frame = pd.read_csv(tmp_path / "x.csv", keep_default_na=False)
    assert tuple(frame.columns) == COLUMNS
    assert [unescaped(path) for path in frame["path"]] == rows.ids
    assert frame["label"].tolist() == ["x", "=y"] * 4
    assert frame["confidence"].tolist() == [0.9] * 8
    assert frame["cluster"].tolist() == rows.clusters.tolist()
    assert frame["flagged"].tolist() == rows.flagged
    assert frame["split"].tolist() == [""] * 8
    assert len(warnings) == 2  # the surrogate, the formulas
    assert (tmp_path / "x.csv").read_bytes().startswith(b"path,label,provenance,confidence,tier,")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.text(st.characters(exclude_categories=()), max_size=8), min_size=1, max_size=5, unique=True))
@pytest.mark.parametrize("exporter", [CsvExporter(), CsvExporter(csv_safe=True), JsonlExporter()])
def test_any_class_name_reads_back(make_rows, exporter, names: list[str]) -> None:
    rows = make_rows([f"{name}{i}" for i, name in enumerate(names)], names, list(range(len(names))))
    with TemporaryDirectory() as folder:
        exporter.write(rows, Path(folder, "x"))
        assert exporter.count(Path(folder, "x")) == dict.fromkeys(names, 1)


def test_csv_safe_takes_the_formula_away_and_back(make_rows, tmp_path: Path) -> None:
    names = ["=1+1", "'=1+1", "'quoted'", "-5", "plain"]
    rows = make_rows([f"{i}.png" for i in range(5)], names, list(range(5)), options={"csv_safe": "yes"})
    exporter = CsvExporter()
    assert exporter.write(rows, tmp_path / "x.csv") == []
    with (tmp_path / "x.csv").open(newline="") as stream:
        assert [row["label"] for row in csv.DictReader(stream)] == ["'=1+1", "''=1+1", "'quoted'", "'-5", "plain"]
    assert exporter.count(tmp_path / "x.csv") == dict.fromkeys(names, 1)
    assert registry.create("exporter", "csv:csv_safe=no").write(rows, tmp_path / "z.csv") == []  # the rows' word counts
    with pytest.raises(UsageError, match="csv_safe=perhaps"):
        CsvExporter().write(make_rows([], [], [], options={"csv_safe": "perhaps"}), tmp_path / "y.csv")


def test_jsonl_has_the_same_keys_and_types(make_rows, tmp_path: Path) -> None:
    rows = make_rows(["a\u2028b", "c\udc80"], ["x"], [0, 0], confidence=np.array([0.9, np.nan], np.float32))
    JsonlExporter().write(rows, tmp_path / "x.jsonl")
    records = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text("utf-8").splitlines()]
    assert [tuple(record) for record in records] == [COLUMNS, COLUMNS]
    assert [unescaped(record["path"]) for record in records] == rows.ids
    assert [record["confidence"] for record in records] == [0.9, None]
    assert [record["flagged"] for record in records] == [False, True]
    assert records[0]["cluster"] == -1


def test_a_class_that_pandas_drops_is_named(make_rows, tmp_path: Path) -> None:
    assert "'NA'" in CsvExporter().write(make_rows(["a"], ["NA"], [0]), tmp_path / "x.csv")[0]


def test_columns_of_different_lengths_are_an_error(make_rows, tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        CsvExporter().write(make_rows(["a"], ["x"], [0], tiers=[]), tmp_path / "x.csv")
