"""Features made elsewhere, joined by row or by id."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.core.errors import LabelerError, SourceError
from labeler.plugins.importers.vectors import read_features

IDS = ["a.png", "b/c.png", "d.png"]
ROWS = np.arange(6, dtype=np.float32).reshape(3, 2)


def test_npy_by_row_order_is_mapped(tmp_path):
    np.save(tmp_path / "f.npy", ROWS)
    found = read_features(tmp_path / "f.npy", IDS)
    assert isinstance(found, np.memmap)
    assert np.array_equal(found, ROWS)


def test_npz_by_id_in_any_order_with_more_rows(tmp_path):
    np.savez(tmp_path / "f.npz", features=[[9, 9], [4, 5], [2, 3], [0, 1]], ids=["z", "d.png", "b/c.png", "a.png"])
    found = read_features(tmp_path / "f.npz", IDS)
    assert found.dtype == np.float32
    assert np.array_equal(found, ROWS)


@pytest.mark.parametrize(
    "text",
    [
        "0,1\n2,3\n4,5\n",
        "f0,f1\n0,1\n2,3\n4,5\n",
        "\ufefff0;f1\r\n0;1\r\n2;3\r\n4;5\r\n",
        "path,f0,f1\nd.png,4,5\na.png,0,1\nb/c.png,2,3\n",
        "f0,id,f1\n4,d.png,5\n0,a.png,1\n2,b/c.png,3\n",
        "d.png,4,5\na.png,0,1\nc.png,2,3\n",
    ],
)
def test_csv_with_and_without_header_and_ids(tmp_path, text):
    (tmp_path / "f.csv").write_text(text, encoding="utf-8")
    found = read_features(tmp_path / "f.csv", IDS)
    assert found.dtype == np.float32
    assert np.array_equal(found, ROWS)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0,1\n2,3\n", "2 rows, the source has 3 instances"),
        ("id,f\na.png,1\nd.png,2\n", r"none for 1 of 3 instances \(first: b/c.png\)"),
        ("id,f\na.png,1\na.png,2\n", "two rows for a.png"),
        ("id,f,label\na.png,1,3\n", "a label is no feature"),
        ("id\na.png\n", "no column of numbers"),
        ("0,1\n2,x\n4,5\n", "line 2: 'x' is no finite number"),
        ("0,1\n2,nan\n4,5\n", "line 2: 'nan' is no finite number"),
        ("0,1\n2,1e99\n4,5\n", "line 2: '1e99' is no finite number"),
        ("0,1\n2\n4,5\n", "line 2: 1 cells"),
        ("", "no rows"),
        ("f0,f1\n", "no rows"),
    ],
)
def test_csv_that_does_not_fit(tmp_path, text, why):
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(SourceError, match=why) as caught:
        read_features(tmp_path / "f.csv", IDS)
    assert caught.value.hint


def test_arrays_that_do_not_fit(tmp_path):
    for values, why in (
        (np.zeros((4, 2)), "4 rows, the source has 3 instances"),
        (np.zeros((3, 2, 2)), "this is 3x2x2"),
        (np.array([[1, np.nan], [2, 3], [4, 5]]), "row 0, column 1 is nan"),
        (np.array([None]), "Python objects"),
    ):
        np.save(tmp_path / "f.npy", values, allow_pickle=True)
        with pytest.raises(SourceError, match=why):
            read_features(tmp_path / "f.npy", IDS)
    with pytest.raises(SourceError, match=r"there are no features at .*: no such file or folder") as gone:
        read_features(tmp_path / "none.npy", IDS)
    assert "--features PLACE" in gone.value.hint
    (tmp_path / "f.feather").write_bytes(b"ARROW1")
    with pytest.raises(SourceError, match="a table of Arrow, which is not opened here"):
        read_features(tmp_path / "f.feather", IDS)
    (tmp_path / "f.other").write_bytes(b"1 2 3")
    with pytest.raises(SourceError, match="no features file this program reads"):
        read_features(tmp_path / "f.other", IDS)


@given(st.text('a,.1e\n";\t-', max_size=40))
def test_any_text_is_read_or_explained(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("f") / "f.csv"
    path.write_text(text)
    try:
        assert read_features(path, ["a"]).shape[0] == 1
    except LabelerError as error:
        assert "\n" not in error.message  # noqa: PT017


@pytest.mark.parametrize("number", [0x110000, 0x4D554E93])
@pytest.mark.parametrize("order", ["<", ">"])
def test_ids_of_numbers_that_are_no_characters_are_refused(tmp_path, number, order):
    # numpy makes strings of them that Python breaks on later, in any place
    ids = np.array(["a.png", "b.png"], dtype=f"{order}U5")
    ids.view(f"{order}u4")[3] = number
    np.savez(tmp_path / "f.npz", X=np.eye(2), ids=ids)
    with pytest.raises(SourceError, match="'ids' holds no text"):
        read_features(tmp_path / "f.npz", ["a.png", "b.png"])
