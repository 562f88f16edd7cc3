"""One suite over every registered importer: a newcomer needs a maker in `MAKERS`, and is tested whole."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from labeler import registry
from labeler.errors import SourceError
from labeler.importers.detect import open_source


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


MAKERS = {"folder": make_folder, "zip": make_zip, "npz": make_npz, "idx": make_idx}
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


def test_the_right_importer_opens_it(kind, source, tmp_path):
    assert source.kind == kind
    assert source.path == MAKERS[kind](tmp_path, VALUES)
    accepting = [name for name in MAKERS if registry.load("importer", name)().accepts(source.path)]
    assert accepting == [kind]


def test_ids_are_unique_strings(source):
    assert len(source.ids) == len(set(source.ids)) == len(VALUES)
    assert all(isinstance(i, str) and i and not i.startswith("/") for i in source.ids)
    assert not set(source.ids) & source.unreadable.keys()


def test_images_are_uint8(source):
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


def test_the_rest_of_the_protocol(source):
    assert source.table() is None
    assert source.column_names() == []
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
        "import sys, pkgutil, importlib, labeler.importers as room\n"
        "[importlib.import_module('labeler.importers.' + m.name) for m in pkgutil.iter_modules(room.__path__)]\n"
        "print([m for m in ('sklearn', 'scipy', 'textual', 'pandas', 'sqlite_utils', 'PIL') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"
