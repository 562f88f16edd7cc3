""".npz and .npy: shapes, ranges, lies."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.core.errors import LabelerError, SourceError
from labeler.plugins.importers.array_source import ArrayImporter


def open_array(path):
    return ArrayImporter().open(path)


def npz(tmp_path, **arrays):
    np.savez(tmp_path / "x.npz", **arrays)
    return tmp_path / "x.npz"


def lying_header(shape: str, dtype: str = "|u1") -> bytes:
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    header = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + b"\0" * 100


@pytest.mark.parametrize(
    ("shape", "seen"),
    [
        ((5, 4, 6), (4, 6)),
        ((5, 4, 6, 1), (4, 6)),
        ((5, 4, 6, 3), (4, 6, 3)),
        ((5, 4, 6, 4), (4, 6, 3)),
        ((5, 3, 8, 9), (8, 9, 3)),
        ((5, 1, 8, 9), (8, 9)),
    ],
)
def test_shapes_of_images(tmp_path, shape, seen):
    values = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    values.flat[0] = 255
    source = open_array(npz(tmp_path, X=values))
    assert source.content == "images"
    assert list(source.ids) == ["00000", "00001", "00002", "00003", "00004"]
    assert source.uniform_images().shape == (5, *seen)
    assert source.image(4).shape == seen
    assert source.image(4).dtype == np.uint8


@pytest.mark.parametrize(
    ("values", "white"),
    [
        (np.array([0, 0.5, 1.0]), 1),
        (np.array([0, 8, 16]), 16),
        (np.array([0, 127.5, 255.0], np.float32), 255),
        (np.array([0, 8, 16], np.uint8), 16),
        (np.array([False, True, True]), 1),
        (np.array([0, 2048, 4095], np.uint16), 4095),
        (np.array([0, 32768, 65535], np.uint16), 65535),
    ],
)
def test_ranges_become_0_to_255(tmp_path, values, white):
    source = open_array(npz(tmp_path, X=np.tile(values.reshape(1, 1, 3), (2, 2, 1))))
    expected = np.rint(values.astype(float) * 255 / white)
    assert np.array_equal(source.image(1)[0], expected)


def test_negative_values_are_stretched(tmp_path):
    source = open_array(npz(tmp_path, X=np.array([[[-2.0, 0.0, 2.0]]])))
    assert source.image(0).tolist() == [[0, 128, 255]]
    assert source.notes == ["pixel values -2 to 2 are shown as 0 to 255"]


def test_alpha_is_laid_over_white(tmp_path):
    values = np.array([[[[255, 0, 0, 255], [255, 0, 0, 0]]]], np.uint8)
    assert open_array(npz(tmp_path, X=values)).image(0).tolist() == [[[255, 0, 0], [255, 255, 255]]]


def test_npy_is_mapped(tmp_path):
    np.save(tmp_path / "x.npy", np.full((3, 2, 2), 200, np.uint8))
    pixels = open_array(tmp_path / "x.npy").uniform_images()
    assert isinstance(pixels, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        pixels[0] = 1
    np.save(tmp_path / "t.npy", np.zeros((3, 2), np.float32))
    assert isinstance(open_array(tmp_path / "t.npy").table(), np.memmap)


def test_table(tmp_path):
    source = open_array(npz(tmp_path, X=np.arange(12).reshape(4, 3), ids=["a", "b", "c", "d"], y=[1, 2, -1, 1]))
    assert source.content == "table"
    assert source.table().dtype == np.float32
    assert source.table().tolist()[1] == [3, 4, 5]
    assert source.truth() == {"a": "1", "b": "2", "d": "1"}
    assert source.image(0).shape == (1, 3)
    assert source.uniform_images() is None


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_values_that_are_no_numbers_are_located(tmp_path, value):
    X = np.zeros((50, 7))
    X[31, 4] = value
    with pytest.raises(SourceError, match="row 31, column 4"):
        open_array(npz(tmp_path, X=X))


def test_images_with_nan_are_located(tmp_path):
    X = np.zeros((5, 2, 2))
    X[3, 1, 1] = np.nan
    with pytest.raises(SourceError, match="image 3"):
        open_array(npz(tmp_path, X=X))


def test_y_as_text_floats_and_objects(tmp_path):
    X = np.zeros((3, 2, 2), np.uint8)
    assert open_array(npz(tmp_path, X=X, y=["cat", "", "Greek/character01"])).truth() == {
        "00000": "cat",
        "00002": "Greek/character01",
    }
    assert open_array(npz(tmp_path, X=X, y=[1.0, np.nan, 2.5])).truth() == {"00000": "1", "00002": "2.5"}
    source = open_array(npz(tmp_path, X=X, y=np.array(["a", "b", None], dtype=object)))
    assert "'y' is not used" in source.notes[0]
    with pytest.raises(SourceError, match="Python objects"):
        source.truth()
    with pytest.raises(SourceError, match=r"2 values .* for 3 instances"):
        open_array(npz(tmp_path, X=X, y=[1, 2])).truth()


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"X": np.array([{"a": 1}, None], dtype=object)}, "Python objects"),
        ({"X": np.zeros((2, 2, 2)), "ids": np.array(["a", "b"], dtype=object)}, "Python objects"),
        ({"X": np.zeros((2, 2, 2)), "ids": ["a", "a"]}, "'a' is given twice"),
        ({"X": np.zeros((2, 2, 2)), "ids": ["a", ""]}, "is empty"),
        ({"X": np.zeros((2, 2, 2)), "ids": ["a"]}, "1 value .* for 2 instances"),
        ({"X": np.zeros(3)}, "neither images nor features"),
        ({"X": np.zeros((2, 2, 2, 2))}, "2 channels"),
        ({"X": np.zeros((0, 2, 2))}, "empty"),
        ({"X": np.zeros((2, 2), complex)}, "complex"),
        ({"X": np.array([["a", "b"]])}, "not numbers"),
        ({"X": np.zeros(2, [("a", "f4")])}, "records"),
        ({"train": np.zeros((2, 2)), "test": np.zeros((2, 2))}, r"no array 'X' \(arrays: train, test\)"),
    ],
)
def test_what_cannot_be_used_is_one_line(tmp_path, arrays, why):
    with pytest.raises(SourceError, match=why) as caught:
        open_array(npz(tmp_path, **arrays))
    assert "\n" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("shape", ["(4000000000000,)", "(1000000, 2000, 2000)", "(-1, 4, 4)", "(2, 2, 0, 2)"])
def test_headers_that_lie_are_not_believed(tmp_path, shape):
    (tmp_path / "x.npy").write_bytes(lying_header(shape))
    with pytest.raises(SourceError):
        open_array(tmp_path / "x.npy")
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("X.npy", lying_header(shape))
    with pytest.raises(SourceError):
        open_array(tmp_path / "x.npz")


def test_text_of_no_length_cannot_claim_a_billion_rows(tmp_path):
    (tmp_path / "x.npy").write_bytes(lying_header("(1000000000, 3)", "<U0"))
    with pytest.raises(SourceError):
        open_array(tmp_path / "x.npy")


def test_members_that_grow_too_much_are_refused(tmp_path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, X=np.zeros((10, 4, 4), np.uint8))
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (4_000_000_000).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(SourceError, match="claims 4,000,000,000 bytes"):
        open_array(path)


@pytest.mark.slow
@given(st.binary(max_size=200), st.integers(0, 10_000), st.integers(0, 255))
def test_any_bytes_open_or_are_explained(tmp_path_factory, junk, place, value):
    folder = tmp_path_factory.mktemp("npy")
    for save, name in ((np.save, "x.npy"), (lambda f, x: np.savez(f, X=x), "x.npz")):
        whole = io.BytesIO()
        save(whole, np.arange(60, dtype=np.uint8).reshape(5, 3, 4))
        changed = bytearray(whole.getvalue())
        changed[place % len(changed)] = value
        for content in (bytes(changed), bytes(changed[: place % len(changed)]), junk, b"\x93NUMPY\x01\x00" + junk):
            (folder / name).write_bytes(content)
            try:
                source = open_array(folder / name)
                assert len(source.ids) > 0
            except LabelerError as error:
                assert "\n" not in error.message  # noqa: PT017
