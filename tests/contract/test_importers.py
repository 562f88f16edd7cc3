"""One suite over every registered importer: a newcomer needs a maker in `MAKERS`, and is tested whole."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from labeler.core.errors import SourceError
from labeler.plugins import registry
from labeler.plugins.importers.detect import open_source


def _png(value: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.full((4, 5), value, np.uint8)).save(out, "PNG")
    return out.getvalue()


def make_folder(root, values):
    path = root / "pool"
    (path / "sub").mkdir(parents=True, exist_ok=True)
    for row, value in enumerate(values):
        file = path / ("sub" if row % 2 else ".") / f"{row}.png"
        file.write_bytes(_png(value))
        os.utime(file, ns=(value, value))
    return path


def make_zip(root, values):
    with zipfile.ZipFile(root / "pool.zip", "w") as archive:
        for row, value in enumerate(values):
            archive.writestr(f"sub/{row}.png", _png(value))
    return root / "pool.zip"


def make_npz(root, values):
    path = root / "pool.npz"
    np.savez(path, X=np.array([np.full((4, 5), value, np.uint8) for value in values]))
    os.utime(path, ns=(sum(values), sum(values)))
    return path


def make_idx(root, values):
    path = root / "pool-images-idx3-ubyte"
    pixels = b"".join(bytes([value]) * 20 for value in values)
    path.write_bytes(b"\0\0\x08\x03" + struct.pack(">3I", len(values), 4, 5) + pixels)
    os.utime(path, ns=(sum(values), sum(values)))
    return path


def make_tar(root, values):
    path = root / "pool.tar"
    with tarfile.open(path, "w") as archive:
        for row, value in enumerate(values):
            content = _png(value)
            info = tarfile.TarInfo(f"./sub/{row}.png")
            info.size, info.mtime = len(content), value
            archive.addfile(info, io.BytesIO(content))
    os.utime(path, ns=(sum(values), sum(values)))
    return path


def make_list(root, values):
    folder = make_folder(root, values)
    path = folder / "images.csv"
    names = "".join(f"{'sub/' if row % 2 else ''}{row}.png,{value}\n" for row, value in enumerate(values))
    path.write_text(f"path,weight\n{names}")
    return path


def make_csv(root, values):
    path = root / "pool.csv"
    path.write_text("id,a,b\n" + "".join(f"row {row},{value},{row}\n" for row, value in enumerate(values)))
    os.utime(path, ns=(sum(values), sum(values)))
    return path


def make_parquet(root, values):
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install '.[parquet]'")
    from pyarrow import parquet

    path = root / "pool.parquet"
    ids = [f"row {row}" for row in range(len(values))]
    parquet.write_table(pyarrow.table({"id": ids, "a": values, "b": list(range(len(values)))}), path)
    os.utime(path, ns=(sum(values), sum(values)))
    return path


IMAGES = {
    "folder": make_folder,
    "zip": make_zip,
    "tar": make_tar,
    "npz": make_npz,
    "idx": make_idx,
    "list": make_list,
}
TABLES = {"csv": make_csv, "parquet": make_parquet}
MAKERS = IMAGES | TABLES
VALUES = [10, 255, 30]


def test_every_importer_is_under_contract():
    assert set(registry.names("importer")) == set(MAKERS)


@pytest.fixture(params=sorted(MAKERS))
def kind(request):
    return request.param


@pytest.fixture
def source(kind, tmp_path):
    opened = open_source(MAKERS[kind](tmp_path, VALUES))
    yield opened
    opened.close()


@pytest.fixture(params=sorted(IMAGES))
def images(request, tmp_path):
    opened = open_source(MAKERS[request.param](tmp_path, VALUES))
    yield opened
    opened.close()


@pytest.fixture(params=sorted(TABLES))
def table(request, tmp_path):
    opened = open_source(MAKERS[request.param](tmp_path, VALUES))
    yield opened
    opened.close()


def test_the_right_importer_opens_it(kind, source, tmp_path):
    assert source.kind == kind
    assert source.path == MAKERS[kind](tmp_path, VALUES)
    there = [name for name in MAKERS if registry.entry("importer", name).available]
    accepting = [name for name in there if registry.load("importer", name)().accepts(source.path)]
    assert accepting == [kind]


def test_ids_are_unique_strings(source):
    assert len(source.ids) == len(set(source.ids)) == len(VALUES)
    assert all(isinstance(i, str) and i and not i.startswith("/") for i in source.ids)
    assert not set(source.ids) & source.unreadable.keys()


def test_images_are_uint8(images):
    source = images
    assert source.content == "images"
    seen = []
    for index in range(len(VALUES)):
        image = source.image(index)
        assert image.dtype == np.uint8
        assert image.shape == (4, 5)
        assert len(source.content_bytes(index)) > 0
        seen.append(int(image[0, 0]))
    assert sorted(seen) == sorted(VALUES)
    whole = source.uniform_images()
    if whole is not None:
        assert whole.dtype == np.uint8
        assert all(np.array_equal(whole[index], source.image(index)) for index in range(len(VALUES)))


def test_tables_are_finite_float32(table):
    assert table.content == "table"
    rows = table.table()
    assert rows.dtype == np.float32
    assert rows.tolist() == [[value, row] for row, value in enumerate(VALUES)]
    assert table.column_names() == ["a", "b"]
    assert list(table.ids) == ["row 0", "row 1", "row 2"]
    assert table.image(0).dtype == np.uint8
    assert table.content_bytes(0) == rows[0].tobytes()


def test_the_rest_of_the_protocol(source):
    assert (source.table() is None) == (source.content == "images")
    assert len(source.column_names()) == (0 if source.table() is None else source.table().shape[1])
    assert all(isinstance(note, str) and "\n" not in note for note in source.notes)
    assert set(source.folder_labels()) <= set(source.ids)
    assert set(source.truth()) <= set(source.ids)
    for index in range(len(VALUES)):
        place = source.location(index)
        assert place is None or place.read_bytes() == source.content_bytes(index)


def test_fingerprint_changes_with_the_content_and_only_then(kind, tmp_path):
    prints = []
    for values in (VALUES, VALUES, [10, 255, 31], [10, 255, 30, 40]):
        opened = open_source(MAKERS[kind](tmp_path, values))
        prints.append(opened.fingerprint())
        opened.close()
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3
    assert all(int(text, 16) >= 0 for text in prints)


def test_close_twice(source):
    source.close()
    source.close()


def test_missing_path_and_strange_ones(kind, tmp_path):
    if not registry.entry("importer", kind).available:
        pytest.skip("its extra is not installed")
    importer = registry.load("importer", kind)()
    assert not importer.accepts(tmp_path / "nothing.here")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    (tmp_path / "note.txt").write_text("text")
    for name in ("nothing.here", "pipe", "empty", "dangling", "note.txt", "nul\0name"):
        with pytest.raises(SourceError) as caught:
            open_source(tmp_path / name)
        assert "\n" not in caught.value.message
        assert caught.value.hint


def test_reading_loads_nothing_heavy():
    program = (
        "import sys, pkgutil, importlib, labeler.plugins.importers as room\n"
        "[importlib.import_module(room.__name__ + '.' + m.name) for m in pkgutil.iter_modules(room.__path__)]\n"
        "heavy = ('sklearn', 'scipy', 'textual', 'pandas', 'sqlite_utils', 'PIL', 'pyarrow')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"
