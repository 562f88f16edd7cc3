"""A folder with everything that people (and attackers) leave in folders."""

from __future__ import annotations

import os
import time
import unicodedata

import numpy as np
import pytest
from PIL import Image

from labeler.errors import SourceError, UnreadableInstance
from labeler.importers.folder import FolderImporter


def put(path, value=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 5), value, np.uint8)).save(path)


def open_folder(path):
    return FolderImporter().open(path)


def test_ids_are_relative_in_natural_order(tmp_path):
    for name in ("img10.png", "img2.png", "b/img1.PNG", "a/deep/er/x.jpg", "img02.png"):
        put(tmp_path / name)
    source = open_folder(tmp_path)
    assert list(source.ids) == ["a/deep/er/x.jpg", "b/img1.PNG", "img02.png", "img2.png", "img10.png"]
    assert source.location(1) == tmp_path / "b/img1.PNG"
    assert source.folder_labels() == {"a/deep/er/x.jpg": "a/deep/er", "b/img1.PNG": "b"}


def test_one_folder_around_everything_is_no_class(tmp_path):
    put(tmp_path / "all/1.png")
    put(tmp_path / "all/2.png")
    assert open_folder(tmp_path).folder_labels() == {}


def test_broken_files_do_not_stop_the_others(tmp_path):
    put(tmp_path / "good.png", 9)
    (tmp_path / "zero.png").touch()
    (tmp_path / "text.png").write_text("not an image")
    source = open_folder(tmp_path)
    assert list(source.ids) == ["good.png", "text.png"]
    assert source.unreadable == {"zero.png": "empty file (0 bytes)"}
    assert source.image(0).max() == 9
    with pytest.raises(UnreadableInstance, match="text"):
        source.image(1)


def test_junk_is_silent_and_the_rest_is_counted(tmp_path):
    put(tmp_path / "a.png")
    put(tmp_path / ".hidden/b.png")
    put(tmp_path / "x.labeler.cache/c.png")
    for name in (".DS_Store", "Thumbs.db", "x.labeler.db", "x.labeler.db-wal", ".git"):
        (tmp_path / name).write_text("x")
    assert open_folder(tmp_path).notes == []
    for name in ("notes.txt", "more.txt", "README"):
        (tmp_path / name).write_text("x")
    source = open_folder(tmp_path)
    assert list(source.ids) == ["a.png"]
    assert source.notes == ["passed over 3 files without an image ending (.txt 2, without ending 1)"]


def test_links_and_pipes_are_passed_over(tmp_path):
    put(tmp_path / "outside/secret.png")
    pool = tmp_path / "pool"
    put(pool / "a.png")
    (pool / "link.png").symlink_to(tmp_path / "outside/secret.png")
    (pool / "folder").symlink_to(tmp_path / "outside")
    (pool / "loop").symlink_to(pool)
    os.mkfifo(pool / "pipe.png")
    source = open_folder(pool)
    assert list(source.ids) == ["a.png"]
    assert source.notes == [
        "passed over 3 links: links are not followed",
        "passed over 1 pipe, socket or device",
    ]


def test_a_file_replaced_by_a_pipe_or_link_is_not_waited_for(tmp_path):
    for name in ("a.png", "b.png", "c.png"):
        put(tmp_path / name)
    source = open_folder(tmp_path)
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / name).unlink()
    os.mkfifo(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to("/etc/hostname")
    for index in range(3):
        with pytest.raises(UnreadableInstance):
            source.content_bytes(index)


def test_names_that_are_not_utf8_and_unicode_twins(tmp_path):
    put(tmp_path / "ok.png")
    os.rename(tmp_path / "ok.png", os.path.join(os.fsencode(tmp_path), b"caf\xe9.png"))
    put(tmp_path / unicodedata.normalize("NFC", "é.png"))
    put(tmp_path / unicodedata.normalize("NFD", "é.png"))
    put(tmp_path / ("n" * 240 + ".png"))
    put(tmp_path / "\x1b]2;title\x07\n.png")
    source = open_folder(tmp_path)
    assert len(set(source.ids)) == 5
    assert "caf\udce9.png" in source.ids
    assert all(source.image(index).shape == (4, 5) for index in range(5))
    assert source.fingerprint()


def test_class_names_of_folders_are_text(tmp_path):
    put(tmp_path / "a/1.png")
    os.mkdir(os.path.join(os.fsencode(tmp_path), b"caf\xe9"))
    put(tmp_path / "2.png")
    os.rename(tmp_path / "2.png", os.path.join(os.fsencode(tmp_path), b"caf\xe9", b"2.png"))
    assert set(open_folder(tmp_path).folder_labels().values()) == {"a", "caf\\xe9"}


def test_an_empty_folder_says_what_is_there(tmp_path):
    with pytest.raises(SourceError, match="it is empty") as caught:
        open_folder(tmp_path)
    assert "png" in caught.value.hint
    (tmp_path / "zero.png").touch()
    (tmp_path / "a.txt").touch()
    with pytest.raises(SourceError, match=r"1 image file is empty; passed over 1 file .*\.txt 1"):
        open_folder(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_named(tmp_path):
    put(tmp_path / "a.png")
    (tmp_path / "closed").mkdir(mode=0)
    assert "closed" in open_folder(tmp_path).notes[0]


def test_fingerprint_follows_names_sizes_and_times(tmp_path):
    put(tmp_path / "a.png")
    prints = [open_folder(tmp_path).fingerprint(), open_folder(tmp_path).fingerprint()]
    assert prints[0] == prints[1]
    os.utime(tmp_path / "a.png", ns=(1, 1))
    prints.append(open_folder(tmp_path).fingerprint())
    put(tmp_path / "b.png")
    prints.append(open_folder(tmp_path).fingerprint())
    assert len(set(prints)) == 3


def test_many_files_are_listed_quickly(tmp_path):
    for row in range(4000):
        (tmp_path / f"{row}.png").write_bytes(b"x")
    start = time.process_time()
    assert len(open_folder(tmp_path).ids) == 4000
    assert time.process_time() - start < 2
