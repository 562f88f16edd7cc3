"""npz in the layouts of Keras, MedMNIST and scikit-learn: one pool, its labels as truth, its split kept."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from labeler.commands.export.export import export
from labeler.commands.export.labels import ExportOptions
from labeler.commands.import_labels import import_labels
from labeler.core.errors import SourceError
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.labels import read_labels, read_truth
from labeler.project.open import open_project
from tests.plugins.importers.test_zip_archive import png

SIZES = {"train": 4, "val": 2, "test": 3}
IDS = [f"{split}:{row:05d}" for split, n in SIZES.items() for row in range(n)]


def arrays(x, y, splits=("train", "val", "test"), label=lambda y: y):
    """What is saved: `x` and `y` are patterns of names; labels count on through the splits."""
    saved, at = {}, 0
    for split in reversed(splits):  # Keras saves the test set first
        saved[x.format(split)] = np.full((SIZES[split], 5, 4), 100 + len(split), np.uint8)
    for split in splits:
        saved[y.format(split)] = label(np.arange(at, at + SIZES[split]) % 3)
        at += SIZES[split]
    return saved


def npz(tmp_path, saved, **more):
    np.savez(tmp_path / "x.npz", **saved, **more)
    return tmp_path / "x.npz"


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("x_{}", "y_{}"),
        ("X_{}", "y_{}"),
        ("X_{}", "Y_{}"),
        ("{}_images", "{}_labels"),
        ("{}_X", "{}_y"),
        ("images_{}", "labels_{}"),
        ("{}_data", "{}_targets"),
        ("X{}", "y{}"),
        ("{}X", "{}Y"),
    ],
)
@pytest.mark.parametrize("upper", [False, True])
def test_parts_are_one_pool_with_truth_and_split(tmp_path, x, y, upper):
    saved = {name.upper() if upper else name: values for name, values in arrays(x, y).items()}
    source = open_source(npz(tmp_path, saved))
    assert list(source.ids) == IDS
    assert [int(source.image(index)[0, 0]) for index in (0, 4, 6)] == [105, 103, 104]
    assert source.truth() == {i: str(row % 3) for row, i in enumerate(IDS)}
    assert source.notes == ["one pool of train 4, val 2, test 3: exports keep the split as a column"]


@pytest.mark.parametrize(
    "label",
    [
        lambda y: y[:, None],
        lambda y: y.astype(np.float64),
        lambda y: np.eye(3, dtype=np.float32)[y],
        lambda y: np.eye(3, dtype=np.uint8)[y],
        lambda y: np.eye(3, dtype=bool)[y],
        lambda y: y.astype(str),
        lambda y: y.astype("S1")[:, None],
    ],
)
def test_labels_of_any_form(tmp_path, label):
    source = open_source(npz(tmp_path, arrays("x_{}", "y_{}", label=label)))
    assert source.truth() == {i: str(row % 3) for row, i in enumerate(IDS)}


def test_without_a_part_labels_or_rows(tmp_path):
    saved = arrays("x_{}", "y_{}", splits=("train", "test"))
    del saved["y_test"]
    saved |= {"x_val": np.zeros((0, 5, 4), np.uint8), "y_val": np.zeros(0, np.int64)}
    source = open_source(npz(tmp_path, saved))
    assert len(source.ids) == 7
    assert source.truth() == {f"train:{row:05d}": str(row % 3) for row in range(4)}
    assert source.notes == ["one pool of train 4, test 3: exports keep the split as a column; no labels of test"]


def test_a_row_of_several_classes_is_no_truth(tmp_path):
    marks = np.zeros((4, 3), np.uint8)
    marks[:, 0] = marks[2, 1] = 1
    saved = {"train_images": np.zeros((4, 5, 4), np.uint8), "train_labels": marks}
    with pytest.raises(SourceError, match="row 2 marks no single class of 3"):
        open_source(npz(tmp_path, saved)).truth()
    marks[2] = 0  # none is no label
    assert len(open_source(npz(tmp_path, saved)).truth()) == 3


def test_python_objects_are_named_and_never_loaded(tmp_path):
    saved = arrays("x_{}", "y_{}", label=lambda y: y.astype(str).astype(object))
    source = open_source(npz(tmp_path, saved))
    assert sum("'y_test' is not used" in note for note in source.notes) == 1
    with pytest.raises(SourceError, match="Python objects"):
        source.truth()


def test_parts_of_different_shapes_and_arrays_of_no_layout(tmp_path):
    saved = arrays("x_{}", "y_{}") | {"x_test": np.zeros((3, 6, 4), np.uint8)}
    with pytest.raises(SourceError, match="different shapes: x_train 4x5x4"):
        open_source(npz(tmp_path, saved))
    with pytest.raises(SourceError, match=r"no array .X. .arrays: a, b") as caught:
        open_source(npz(tmp_path, {"a": np.zeros((3, 2)), "b": np.zeros((3, 2))}))
    assert "x_train" in caught.value.hint


def test_features_in_parts_and_names_without_parts(tmp_path):
    rows = {"X_train": np.arange(6.0).reshape(3, 2), "X_test": np.ones((1, 2), np.float32)}
    assert open_source(npz(tmp_path, rows)).table().tolist() == [[0, 1], [2, 3], [4, 5], [1, 1]]
    images = np.full((2, 5, 4), 200, np.uint8)
    for saved in ({"images": images, "labels": [1, 0]}, {"data": images, "target": [1, 0], "more": [1]}):
        assert open_source(npz(tmp_path, saved)).truth() == {"00000": "1", "00001": "0"}
    np.savez(tmp_path / "x.npz", images, [1, 0])  # arr_0, arr_1
    assert open_source(tmp_path / "x.npz").truth() == {"00000": "1", "00001": "0"}
    source = open_source(npz(tmp_path, {"X": images, "x_train": np.zeros((9, 9))}))
    assert list(source.ids) == ["00000", "00001"]  # X is what it always was


def test_labels_come_in_by_row_and_leave_with_their_split(tmp_path):
    path = npz(tmp_path, arrays("{}_images", "{}_labels"))
    with open_project(path, tmp_path / "p.labeler.db") as project:
        assert import_labels(project, path).taken == 9
        export(project, tmp_path / "out.csv", "csv", ExportOptions())
    with (tmp_path / "out.csv").open(newline="") as stream:
        rows = {row["path"]: (row["label"], row["split"]) for row in csv.DictReader(stream)}
    assert rows == {i: (str(row % 3), i.partition(":")[0]) for row, i in enumerate(IDS)}


def test_rows_of_another_file_are_no_names_of_images(tmp_path):
    (tmp_path / "pool").mkdir()
    image = open_source(npz(tmp_path, {"X": np.zeros((2, 5, 4), np.uint8), "y": [0, 1]}))
    (tmp_path / "pool" / "00000.png").write_bytes(png(1))
    with pytest.raises(SourceError, match="no arrays 'ids'"):
        read_labels(tmp_path / "x.npz", open_source(tmp_path / "pool"))
    assert read_truth("y", image) == {"00000": "0", "00001": "1"}
