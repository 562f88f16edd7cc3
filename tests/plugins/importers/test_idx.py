"""IDX files, true and false."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.core.errors import LabelerError, SourceError
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.idx import prefix_of, read_idx


def idx(values) -> bytes:
    values = np.asarray(values, np.uint8)
    return bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


IMAGES = np.arange(5 * 3 * 4, dtype=np.uint8).reshape(5, 3, 4)


def mnist_like(folder, packed=True):
    folder.mkdir(exist_ok=True)
    for prefix, count in (("train", 5), ("t10k", 2)):
        for kind, values in (("images-idx3", IMAGES[:count]), ("labels-idx1", np.arange(count) % 3)):
            content = idx(values)
            name = f"{prefix}-{kind}-ubyte{'.gz' if packed else ''}"
            (folder / name).write_bytes(gzip.compress(content) if packed else content)
    return folder


@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_is_one_pool_in_name_order(tmp_path, packed):
    folder = mnist_like(tmp_path / "m", packed)
    (folder / "preview.png").write_bytes(b"x")
    source = open_source(folder)
    assert source.kind == "idx"
    assert list(source.ids)[:3] == ["t10k:00000", "t10k:00001", "train:00000"]
    assert source.uniform_images().shape == (7, 3, 4)
    assert np.array_equal(source.image(3), IMAGES[1])
    assert source.truth()["train:00004"] == "1"
    assert source.notes == ["passed over 1 image file beside the IDX files"]


def test_a_single_file_has_the_same_ids(tmp_path):
    folder = mnist_like(tmp_path / "m")
    source = open_source(folder / "train-images-idx3-ubyte.gz")
    assert list(source.ids) == [f"train:{row:05d}" for row in range(5)]
    assert len(source.truth()) == 5


def test_an_unpacked_file_is_mapped(tmp_path):
    folder = mnist_like(tmp_path / "m", packed=False)
    assert isinstance(open_source(folder / "train-images-idx3-ubyte").uniform_images(), np.memmap)


def test_of_packed_and_unpacked_twins_one_is_read(tmp_path):
    folder = mnist_like(tmp_path / "m", packed=False)
    mnist_like(folder, packed=True)
    source = open_source(folder)
    assert len(source.ids) == 7
    assert sorted(source.notes) == [
        f"passed over {name}-images-idx3-ubyte.gz: another file has its part of the name" for name in ("t10k", "train")
    ]


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("train-images-idx3-ubyte.gz", "train"),
        ("t10k-images.idx3-ubyte", "t10k"),
        ("emnist-letters-train-images-idx3-ubyte.gz", "emnist-letters-train"),
        ("digits.idx3-ubyte", "digits"),
        ("train-labels-idx1-ubyte", "train"),
        ("images-idx3-ubyte", ""),
    ],
)
def test_prefix(name, prefix):
    assert prefix_of(name) == prefix


def test_recognized_by_first_bytes(tmp_path):
    (tmp_path / "data.bin").write_bytes(idx(IMAGES))
    assert open_source(tmp_path / "data.bin").ids[0] == "data.bin:00000"


def test_different_sizes_do_not_mix(tmp_path):
    folder = mnist_like(tmp_path / "m")
    (folder / "z-images-idx3-ubyte").write_bytes(idx(np.zeros((2, 9, 9))))
    with pytest.raises(SourceError, match="different sizes"):
        open_source(folder)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no IDX file"),
        (b"\0\0\x08\x01" + idx(IMAGES)[4:], "no IDX file of images"),
        (b"\0\0\x0d\x03" + idx(IMAGES)[4:], "no IDX file of images"),
        (idx(IMAGES)[:10], "ends within its header"),
        (idx(IMAGES)[:-1], "claims 60 bytes"),
        (idx(IMAGES) + b"x", "claims 60 bytes|more than the 60 bytes"),
        (b"\0\0\x08\x03" + struct.pack(">3I", 4_000_000_000, 1000, 1000) + b"x", "claims 4,000,000,000,000,000 bytes"),
        (b"\0\0\x08\x03" + struct.pack(">3I", 5, 0, 4), "images of 0 x 4"),
        (b"\0\0\x08\x03" + struct.pack(">3I", 1, 60_000, 60_000), "images of 60000 x 60000"),
        (idx(np.zeros((0, 3, 4))), "no images"),
    ],
)
def test_lies_are_one_line(tmp_path, content, why, packed):
    path = tmp_path / "x-images-idx3-ubyte"
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(SourceError, match=why) as caught:
        open_source(path)
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_a_cut_gzip_is_said(tmp_path):
    path = tmp_path / "x-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx(IMAGES))[:-12])
    with pytest.raises(SourceError, match="cannot be read"):
        open_source(path)


@given(st.binary(max_size=100), st.integers(0, 400), st.integers(0, 255), st.booleans())
def test_any_bytes_are_read_or_explained(tmp_path_factory, junk, place, value, packed):
    path = tmp_path_factory.mktemp("idx") / "x-images-idx3-ubyte"
    content = bytearray(gzip.compress(idx(IMAGES)) if packed else idx(IMAGES))
    content[place % len(content)] = value
    for candidate in (bytes(content), junk, b"\0\0\x08\x03" + junk, b"\x1f\x8b" + junk, bytes(content) + junk):
        path.write_bytes(candidate)
        try:
            assert read_idx(path, 3).ndim == 3
        except LabelerError as error:
            assert "\n" not in error.message  # noqa: PT017


def test_a_folder_of_links_to_idx_files_opens(tmp_path):
    store = tmp_path / "blobs"
    store.mkdir()
    pixels = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4)
    header = b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in pixels.shape)
    (store / "1f0c").write_bytes(header + pixels.tobytes())
    pool = tmp_path / "pool"
    pool.mkdir()
    (pool / "train-images-idx3-ubyte").symlink_to(store / "1f0c")
    assert len(open_source(pool).ids) == 2
