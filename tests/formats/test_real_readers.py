"""Exports read by the programs they are for: ``pip install -e '.[test,formats]' && pytest -m formats``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from labeler.commands.export.held_out import held_out_probabilities
from labeler.commands.import_labels import import_labels
from labeler.project.open import open_project
from tests.formats.conftest import CLASSES

pytestmark = pytest.mark.formats

Expected = dict[str, tuple[str, str]]


def need(module: str) -> Any:
    found = pytest.importorskip(module, reason=f"{module} is not installed: pip install -e '.[formats]'")
    if found.__file__ is None:  # our own folder `datasets/`, found where the library is missing
        pytest.skip(f"{module} is not installed: pip install -e '.[formats]'")
    return found


def pairs(ids: Any, labels: Any, provenances: Any) -> Expected:
    return {i: (str(a), str(b)) for i, a, b in zip(ids, labels, provenances, strict=True)}


@pytest.mark.parametrize("name", ["labels.csv", "labels.jsonl", "labels.parquet"])
def test_pandas_reads_what_was_exported(name: str, write: Callable[..., Path], expected: Expected) -> None:
    pandas = need("pandas")
    if name.endswith("parquet"):
        need("pyarrow")
        table = pandas.read_parquet(write(name))
        assert table["confidence"].dtype == np.float32
        assert table["flagged"].dtype == bool
    elif name.endswith("jsonl"):
        table = pandas.read_json(write(name), lines=True, dtype=False)
    else:
        table = pandas.read_csv(write(name), keep_default_na=False)
    assert pairs(table["path"], table["label"], table["provenance"]) == expected


def test_pyarrow_reads_a_parquet_of_any_row_groups(
    write: Callable[..., Path], expected: Expected, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: pip install -e '.[formats]'")
    monkeypatch.setattr("labeler.plugins.exporters.parquet.ROW_GROUP", 10)
    path = write("labels.parquet")
    assert parquet.ParquetFile(path).num_row_groups == -(-len(expected) // 10)
    table = parquet.read_table(path).to_pydict()
    assert pairs(table["path"], table["label"], table["provenance"]) == expected


@pytest.mark.parametrize("by_name", [True, False])
def test_datasets_reads_labels_and_images(
    by_name: bool, write: Callable[..., Path], expected: Expected, labeled: SimpleNamespace, tmp_path: Path
) -> None:
    datasets = need("datasets")
    target = write("set", "hf")
    read = datasets.load_dataset
    cache = str(tmp_path / "cache")
    found = (
        read("imagefolder", data_dir=str(target), cache_dir=cache) if by_name else read(str(target), cache_dir=cache)
    )
    assert set(found) == {"train"}
    rows = found["train"]
    label = rows.features["label"]
    assert isinstance(label, datasets.ClassLabel)
    assert pairs(rows["path"], map(label.int2str, rows["label"]), rows["provenance"]) == expected
    assert all(0 <= weight <= 1 for weight in rows["weight"])
    from PIL import Image

    for row in rows:
        with Image.open(labeled.source / row["path"]) as image:
            assert np.array_equal(np.asarray(row["image"]), np.asarray(image))


def test_datasets_reads_class_labels_in_the_order_of_the_project(
    write: Callable[..., Path], expected: Expected, labeled: SimpleNamespace, tmp_path: Path
) -> None:
    datasets = need("datasets")
    target = write("set", "hf:metadata=parquet")
    rows = datasets.load_dataset("imagefolder", data_dir=str(target), cache_dir=str(tmp_path / "cache"))["train"]
    label = rows.features["label"]
    assert isinstance(label, datasets.ClassLabel)
    assert label.names == list(CLASSES)
    assert pairs(rows["path"], map(label.int2str, rows["label"]), rows["provenance"]) == expected
    with open_project(labeled.source, tmp_path / "other.labeler.db") as project:
        import_labels(project, target)
        state = project.session.state
        names = {i: state.classes[standing.class_id].name for i, standing in state.answers.items()}
    given = {i: label for i, (label, word) in expected.items() if word in ("human", "confirmed", "imported")}
    assert {project.session.pool.ids[i]: name for i, name in names.items()} == given


def test_datasets_reads_the_splits(write: Callable[..., Path], expected: Expected, tmp_path: Path) -> None:
    datasets = need("datasets")
    target = write("set", "hf:metadata=jsonl", split=(60, 20, 20))
    found = datasets.load_dataset("imagefolder", data_dir=str(target), cache_dir=str(tmp_path / "cache"))
    assert set(found) == {"train", "validation", "test"}
    assert sum(map(len, found.values())) == len(expected)
    together = {}
    for rows in found.values():
        together |= pairs(rows["path"], rows["label"], rows["provenance"])
    assert together == expected


def test_datasets_takes_numbers_and_na_from_a_csv_as_the_export_warns(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    datasets = need("datasets")
    target = write("set", "hf:metadata=csv")
    found = datasets.load_dataset("imagefolder", data_dir=str(target), cache_dir=str(tmp_path / "cache"))["train"]
    assert None in found["label"]
    assert "NA" not in found["label"]


def test_datasets_drops_the_labels_of_folders_where_there_are_metadata(tmp_path: Path) -> None:
    """Why the label is a column: the trap that the layout is built around."""
    datasets = need("datasets")
    from PIL import Image

    for kind in ("cat", "dog"):
        (tmp_path / "set/train" / kind).mkdir(parents=True)
        Image.new("L", (4, 4)).save(tmp_path / "set/train" / kind / "0.png")
    (tmp_path / "set/train/metadata.jsonl").write_text(
        '{"file_name": "cat/0.png", "note": "a"}\n{"file_name": "dog/0.png", "note": "b"}\n'
    )
    found = datasets.load_dataset("imagefolder", data_dir=str(tmp_path / "set"), cache_dir=str(tmp_path / "cache"))
    assert set(found["train"].column_names) == {"image", "note"}


def test_cleanlab_finds_the_label_that_is_wrong(write: Callable[..., Path], labeled: SimpleNamespace) -> None:
    need("cleanlab")
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    with np.load(write("set.cleanlab.npz"), allow_pickle=False) as arrays:
        labels, proba = arrays["labels"], arrays["pred_probs"]
        ids, names, folds = arrays["ids"].tolist(), arrays["class_names"].tolist(), arrays["fold"]
    assert [names[label] for label in labels] == [labeled.truth[i] for i in ids]
    assert proba.shape == (len(labels), len(names))
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-5)
    assert len(np.unique(folds)) == 5
    wrong = labels.copy()
    wrong[3] = (wrong[3] + 3) % len(names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert not find_label_issues(labels, proba).any()
    assert get_label_quality_scores(wrong, proba).argmin() == 3


def test_cleanlab_finds_planted_errors_among_digits(digits: tuple[np.ndarray, np.ndarray]) -> None:
    need("cleanlab")
    from cleanlab.filter import find_label_issues

    X, y = digits[0][:600], digits[1][:600].astype(np.int32)
    planted = np.arange(0, 600, 20)
    wrong = y.copy()
    wrong[planted] = (y[planted] + 1 + planted // 20 % 8) % 10
    ones = np.ones(600, dtype=np.float32)
    found = held_out_probabilities(X, np.arange(600), wrong, ones, 10, 0, ([""] * 600, None))
    said = np.flatnonzero(find_label_issues(wrong, found.proba))
    caught = np.isin(planted, said).mean()
    assert caught >= 0.9, caught
    assert np.isin(said, planted).mean() >= 0.7


def test_cleanlabs_datalab_takes_features_and_probabilities(write: Callable[..., Path]) -> None:
    need("cleanlab")
    need("datasets")
    from cleanlab import Datalab

    with np.load(write("set.cleanlab.npz"), allow_pickle=False) as arrays:
        lab = Datalab({"y": arrays["labels"]}, label_name="y", verbosity=0)
        lab.find_issues(features=arrays["features"], pred_probs=arrays["pred_probs"], issue_types={"label": {}})
        assert len(lab.get_issues("label")) == len(arrays["labels"])


def test_scikit_learn_fits_the_rest_of_the_pool(write: Callable[..., Path], labeled: SimpleNamespace) -> None:
    from sklearn.semi_supervised import LabelSpreading

    with np.load(write("set.sklearn.npz", human_only=True), allow_pickle=False) as arrays:
        X, y, ids = arrays["X"], arrays["y"], arrays["ids"].tolist()
        names, weights = arrays["target_names"].tolist(), arrays["sample_weight"]
    assert names == CLASSES
    assert (y == -1).sum() == 83 - 24  # all but the rejected one, 24 of them a person's
    assert ((weights > 0) == (y >= 0)).all()
    assert labeled.asked[27] not in ids
    found = LabelSpreading(kernel="knn", n_neighbors=5).fit(X / np.abs(X).max(), y).transduction_
    assert np.mean([names[label] == labeled.truth[i] for label, i in zip(found, ids, strict=True)]) > 0.9
