from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from labeler.core.errors import ExportError
from labeler.plugins.exporters.arrays import NpzExporter


def test_numpy_loads_it_without_pickle(make_rows, tmp_path: Path) -> None:
    rows = make_rows(["a", "b\udc80", "c"], ["x", "y", "none"], [1, 0, 1], splits=["train", "val", "train"])
    NpzExporter().write(rows, tmp_path / "no ending")
    with np.load(tmp_path / "no ending", allow_pickle=False) as arrays:
        assert arrays["X"].tolist() == rows.features().tolist()
        assert arrays["X"].dtype == np.uint8
        assert arrays["classes"][arrays["y"]].tolist() == ["y", "x", "y"]
        assert arrays["classes"].tolist() == ["x", "y", "none"]
        assert arrays["ids"].tolist() == ["a", "escaped:b%80", "c"]
        assert arrays["ids"].dtype.kind == "U"
        assert arrays["weight"].dtype == np.float32
        assert arrays["provenance"].tolist() == rows.provenances
        assert arrays["split"].tolist() == rows.splits
        assert not any(arrays[name].dtype.hasobject for name in arrays.files)
    assert NpzExporter().count(tmp_path / "no ending") == {"x": 1, "y": 2, "none": 0}


def test_the_same_rows_give_the_same_bytes(make_rows, tmp_path: Path) -> None:
    for name in "ab":
        NpzExporter().write(make_rows(["1", "2"], ["x"], [0, 0]), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("X", [np.zeros((1, 2), np.float32), np.array([None, 1])])
def test_features_that_do_not_fit_are_refused(make_rows, tmp_path: Path, X: np.ndarray) -> None:
    with pytest.raises(ExportError, match="2 rows"):
        NpzExporter().write(make_rows(["1", "2"], ["x"], [0, 0], features=lambda: X), tmp_path / "x.npz")


def test_a_file_with_a_missing_row_is_not_counted(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", X=np.zeros((1, 2)), y=[0, 0], classes=["a"])
    with pytest.raises(ValueError, match="different lengths"):
        NpzExporter().count(tmp_path / "x.npz")
