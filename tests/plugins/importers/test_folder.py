"""A folder with everything that people (and attackers) leave in folders."""

from __future__ import annotations

import json
import os
import time
import unicodedata

import numpy as np
import pytest
from PIL import Image

from labeler.core.errors import SourceError, UnreadableInstance
from labeler.plugins.importers.folder import FolderImporter


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


def test_junk_and_the_rest_are_counted(tmp_path):
    put(tmp_path / "a.png")
    put(tmp_path / ".hidden/b.png")
    put(tmp_path / "x.labeler.cache/c.png")
    for name in (".DS_Store", "Thumbs.db", "x.labeler.db", "x.labeler.db-wal", ".git"):
        (tmp_path / name).write_text("x")
    (line,) = open_folder(tmp_path).notes  # what is our own is no news
    assert line.startswith("passed over 4 hidden or left-over files and folders (")
    assert all(f"{name} 1" in line for name in (".hidden", ".DS_Store", "Thumbs.db", ".git"))
    for name in ("notes.txt", "more.txt", "README"):
        (tmp_path / name).write_text("x")
    source = open_folder(tmp_path)
    assert list(source.ids) == ["a.png"]
    assert source.notes[0] == "passed over 3 files without an image ending (.txt 2, without ending 1)"


def test_what_disk_stations_and_systems_leave_is_counted(tmp_path):
    put(tmp_path / "a.png")
    for name in ("@eaDir/a.png/SYNO_THUMB.jpg", "$RECYCLE.BIN/x.png", "__MACOSX/._a.png", "b/._a.png", "b/.DS_Store"):
        put(tmp_path / "t.png")
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        os.rename(tmp_path / "t.png", tmp_path / name)
    (tmp_path / "System Volume Information").mkdir()
    (tmp_path / "\x1b[2J.png.").mkdir()  # no junk, and nothing in it
    source = open_folder(tmp_path)
    assert list(source.ids) == ["a.png"]
    (line,) = source.notes
    assert line.startswith("passed over 6 hidden or left-over files and folders")
    assert "._* 1" in line


def test_a_set_of_links_opens(tmp_path):
    put(tmp_path / "store/1.png", 7)
    put(tmp_path / "elsewhere/deep/2.png", 8)
    pool = tmp_path / "pool"
    (pool / "cat").mkdir(parents=True)
    (pool / "cat/a.png").symlink_to("../../store/1.png")
    (pool / "cat/blob.png").symlink_to(tmp_path / "hash")  # as Hugging Face and git-annex keep them
    put(tmp_path / "t.png", 9)
    os.rename(tmp_path / "t.png", tmp_path / "hash")
    (pool / "dog").symlink_to(tmp_path / "elsewhere")
    source = open_folder(pool)
    assert list(source.ids) == ["cat/a.png", "cat/blob.png", "dog/deep/2.png"]
    assert [int(source.image(row).max()) for row in range(3)] == [7, 9, 8]
    assert source.notes == ["followed 3 links (to 2 files and 1 folder)"]
    assert set(source.folder_labels().values()) == {"cat", "dog/deep"}
    prints = source.fingerprint()
    put(tmp_path / "store/1.png", 99)
    os.utime(tmp_path / "store/1.png", ns=(5, 5))
    assert open_folder(pool).fingerprint() != prints  # what it leads to has changed


def test_links_in_circles_and_to_what_is_there_are_not_followed_twice(tmp_path):
    pool = tmp_path / "pool"
    put(tmp_path / "private.png")
    put(pool / "a/1.png")
    put(tmp_path / "out/x/2.png")
    (pool / "self").symlink_to(pool)
    (pool / "up").symlink_to("..")
    (pool / "root").symlink_to("/")
    (pool / "a/again").symlink_to("../a")
    (pool / "b").symlink_to("a")
    (pool / "first").symlink_to(tmp_path / "out/x")
    (pool / "second").symlink_to(tmp_path / "out")  # holds what the first leads to
    (tmp_path / "out/back").symlink_to(pool)
    (pool / "best.png").symlink_to("a/1.png")  # another name of a file that is listed
    (pool / "nowhere.png").symlink_to("gone.png")
    (pool / "circle.png").symlink_to("circle.png")
    source = open_folder(pool)
    assert list(source.ids) == ["a/1.png", "first/2.png"]
    assert source.notes == [
        "followed 2 links (to 2 folders); passed over 9 links (2 lead nowhere, 7 lead to what is listed anyway)"
    ]


def test_two_links_to_one_file_are_two_instances(tmp_path):
    put(tmp_path / "store/1.png", 7)
    pool = tmp_path / "pool"
    pool.mkdir()
    for name in ("a.png", "b.png"):
        (pool / name).symlink_to(tmp_path / "store/1.png")
    assert list(open_folder(pool).ids) == ["a.png", "b.png"]  # content-addressed stores have one file for both


def test_pipes_are_passed_over_and_a_link_to_one_is_not_waited_for(tmp_path):
    put(tmp_path / "a.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to("pipe.png")
    source = open_folder(tmp_path)
    assert list(source.ids) == ["a.png"]
    assert source.notes == ["passed over 2 pipes, sockets or devices"]


def test_an_export_below_the_source_is_passed_over_and_opens_by_itself(tmp_path):
    put(tmp_path / "a/1.png")
    put(tmp_path / "out/2024/cat/1.png")
    put(tmp_path / "foreign/2.png")
    document = {"version": "1", "configuration": {"note": '"tool": "other"'}, "tool": "labeler", "files": {}}
    (tmp_path / "out/2024/manifest.json").write_text(json.dumps(document))
    (tmp_path / "foreign/manifest.json").write_text(json.dumps({"tool": "another", "of": '"tool": "labeler"'}))
    source = open_folder(tmp_path)
    assert list(source.ids) == ["a/1.png", "foreign/2.png"]
    assert "passed over 1 export of labeler's own (out/2024)" in source.notes
    assert list(open_folder(tmp_path / "out/2024").ids) == ["cat/1.png"]
    with pytest.raises(SourceError, match="1 export of labeler's own") as caught:
        open_folder(tmp_path / "out")
    assert "open it itself" in caught.value.hint


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
