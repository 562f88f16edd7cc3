"""Arrays in files: large ones that lie in an archive as they are, are mapped where they lie."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from labeler.core.errors import SourceError
from labeler.plugins.importers import npy
from labeler.plugins.importers.npy import ArrayFile


@pytest.fixture(autouse=True)
def _map_everything(monkeypatch):
    monkeypatch.setattr(npy, "MAPPED_FROM", 1)


ARRAYS = {
    "X": np.arange(60, dtype=np.uint8).reshape(5, 4, 3),
    "columns": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "big-endian": np.arange(5, dtype=">i4"),
    "y": np.array(["a", "bc", "ü"]),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_a_member_that_is_not_compressed_is_mapped(tmp_path, name):
    np.savez(tmp_path / "x.npz", **ARRAYS)
    array = ArrayFile(tmp_path / "x.npz").read(name)
    assert isinstance(array, np.memmap)
    assert array.dtype == ARRAYS[name].dtype
    np.testing.assert_array_equal(array, ARRAYS[name])
    with pytest.raises(ValueError, match="read-only"):
        array[0] = array[0]


def test_what_stands_before_an_archive_moves_nothing(tmp_path):
    np.savez(tmp_path / "x.npz", **ARRAYS)
    whole = (tmp_path / "x.npz").read_bytes()
    (tmp_path / "y.npz").write_bytes(b"#!/bin/sh\n" * 7 + whole)
    np.testing.assert_array_equal(ArrayFile(tmp_path / "y.npz").read("X"), ARRAYS["X"])


def test_a_compressed_member_is_read(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", **ARRAYS)
    array = ArrayFile(tmp_path / "x.npz").read("X")
    assert not isinstance(array, np.memmap)
    np.testing.assert_array_equal(array, ARRAYS["X"])


def test_a_file_that_was_cut_since_it_was_opened_is_damaged(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, X=np.zeros((100, 100), np.uint8))
    file = ArrayFile(path)
    assert file.header("X").shape == (100, 100)
    path.write_bytes(path.read_bytes()[:5_000])
    with pytest.raises(SourceError, match="is damaged"):
        file.read("X")


def test_small_members_are_read_and_their_checksum_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(npy, "MAPPED_FROM", 1_000_000)
    path = tmp_path / "x.npz"
    np.savez(path, X=np.zeros((100, 100), np.uint8))
    with zipfile.ZipFile(path) as archive:
        place = archive.infolist()[0].header_offset + 5_000
    spoiled = bytearray(path.read_bytes())
    spoiled[place] ^= 1
    path.write_bytes(spoiled)
    with pytest.raises(SourceError, match="is damaged"):
        ArrayFile(path).read("X")
