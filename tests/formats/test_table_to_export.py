"""A table of customers from its CSV to every format that needs no image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from labeler.commands.export.export import export
from labeler.core.errors import ExportError
from labeler.plugins import registry
from labeler.project.open import open_project


def test_customers_leave_in_every_format_without_images(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    kinds = np.arange(90) % 3
    centers = np.array([[25, 30_000], [45, 90_000], [70, 40_000]])[kinds]
    rows = centers + rng.normal(0, 1, (90, 2)) * [3, 2_000]
    lines = [f"c{n},Anna {n},{age:.0f},{income:.0f}" for n, (age, income) in enumerate(rows)]
    (tmp_path / "customers.csv").write_text("CustomerID,Name,Age,Income\n" + "\n".join(lines) + "\n")
    with open_project(tmp_path / "customers.csv", tmp_path / "p.labeler.db") as project:
        session = project.session
        for n in range(12):
            session.label(f"c{n}", session.classes.id_for(f"segment {kinds[n]}", setup=True))
        for name in registry.names("exporter"):
            entry = registry.entry("exporter", name)
            if not entry.available:
                continue
            exporter = registry.create("exporter", name)
            target = tmp_path / f"out-{name}{entry.endings[0] if entry.endings else ''}"
            if exporter.needs == "images":
                with pytest.raises(ExportError, match="no images"):
                    export(project, target, name)
                assert not target.exists()
            else:
                assert sum(export(project, target, name).counts.values()) >= 12
    table = pd.read_csv(tmp_path / "out-csv.csv")
    assert (table["label"] == [f"segment {kinds[int(i[1:])]}" for i in table["path"]]).mean() > 0.95
    with np.load(tmp_path / "out-npz.npz", allow_pickle=False) as arrays:
        np.testing.assert_allclose(arrays["X"], np.round(rows[[int(i[1:]) for i in arrays["ids"]]]))
    with np.load(tmp_path / "out-sklearn.sklearn.npz", allow_pickle=False) as arrays:
        assert arrays["X"].shape == (90, 2)
