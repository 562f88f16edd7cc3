from __future__ import annotations

import csv
import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from labeler.core.errors import ExportError, UsageError
from labeler.plugins import registry
from labeler.plugins.exporters import image_files
from labeler.plugins.exporters.imagefolder import ImageFolderExporter

IDS = ["a/1.jpg", "b/1.jpg", "b/2.gif"]


def tree(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_rows_without_files_become_png(make_rows, tmp_path: Path) -> None:
    rows = make_rows(["train:00012", "x/b.jpg", "v1.2"], ["10", "2"], [0, 1, 1])
    warnings = ImageFolderExporter().write(rows, tmp_path / "out")
    assert tree(tmp_path / "out") == ["10/train_00012.png", "2/b.png", "2/v1.2.png", "classes.txt", "labels.csv"]
    with Image.open(tmp_path / "out/2/b.png") as image:
        assert np.asarray(image).tolist() == rows.image(1).tolist()
    assert (tmp_path / "out/classes.txt").read_text() == "10\n2\n"
    assert warnings == []


def test_the_sort_of_torchvision_is_warned_of(make_rows, tmp_path: Path) -> None:
    warnings = ImageFolderExporter().write(make_rows(["a", "b"], ["2", "10"], [0, 1]), tmp_path / "out")
    assert "classes.txt" in warnings[0]


def test_hard_links_are_the_default(make_rows, photos: Path, tmp_path: Path) -> None:
    rows = make_rows(IDS, ["x"], [0, 0, 0], locate=lambda row: photos / IDS[row])
    warnings = ImageFolderExporter().write(rows, tmp_path / "out")
    files = {path.read_bytes(): path for path in (tmp_path / "out/x").iterdir()}
    assert set(files) == {b"one", b"two", b"three"}
    assert os.path.samefile(files[b"one"], photos / "a/1.jpg")
    assert files[b"three"].name == "2.gif"
    assert any(".gif" in line for line in warnings)
    with (tmp_path / "out/labels.csv").open(newline="") as stream:
        table = {row["path"]: row for row in csv.DictReader(stream)}
    assert {id_: (tmp_path / "out" / row["file"]).read_bytes() for id_, row in table.items()} == {
        "a/1.jpg": b"one",
        "b/1.jpg": b"two",
        "b/2.gif": b"three",
    }
    assert table["b/1.jpg"]["provenance"] == "propagated"


def test_a_copy_where_links_are_refused(make_rows, photos: Path, tmp_path: Path, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "cross-device")

    monkeypatch.setattr(image_files.os, "link", refuse)
    rows = make_rows(IDS, ["x"], [0, 0, 0], locate=lambda row: photos / IDS[row])
    warnings = ImageFolderExporter().write(rows, tmp_path / "out")
    assert any("3 of 3 images are copies" in line for line in warnings)
    assert ImageFolderExporter().count(tmp_path / "out") == {"x": 3}


@pytest.mark.parametrize(("link", "is_link"), [("sym", True), ("copy", False)])
def test_links_and_copies(make_rows, photos: Path, tmp_path: Path, link: str, is_link: bool) -> None:
    rows = make_rows(IDS, ["x"], [0, 0, 0], locate=lambda row: photos / IDS[row])
    registry.create("exporter", f"imagefolder:link={link}").write(rows, tmp_path / "out")
    file = tmp_path / "out/x/2.gif"
    assert file.is_symlink() == is_link
    assert file.read_bytes() == b"three"
    assert file.stat().st_nlink == 1
    if is_link:
        (photos / "b/2.gif").unlink()
        assert ImageFolderExporter().count(tmp_path / "out") == {"x": 2}


def test_bad_link_and_lost_files_are_said_before_anything_is_written(make_rows, photos: Path, tmp_path: Path) -> None:
    rows = make_rows(IDS, ["x"], [0, 0, 0], options={"link": "soft"})
    with pytest.raises(UsageError, match="link=soft"):
        ImageFolderExporter().write(rows, tmp_path / "out")
    rows = make_rows(["gone"], ["x"], [0], locate=lambda row: photos / "gone")
    with pytest.raises(ExportError, match="1 of 1 images are gone"):
        ImageFolderExporter().write(rows, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_splits_are_the_first_level(make_rows, tmp_path: Path) -> None:
    rows = make_rows(list("abcd"), ["x", "y"], [0, 1, 0, 0], splits=["train", "train", "val", ""])
    warnings = ImageFolderExporter().write(rows, tmp_path / "out")
    assert tree(tmp_path / "out")[2:] == ["train/x/a.png", "train/y/b.png", "unsplit/x/d.png", "val/x/c.png"]
    assert ImageFolderExporter().count(tmp_path / "out") == {"x": 3, "y": 1}
    assert any(line.startswith("val has images of 1 of 2 classes") for line in warnings)
    assert any("1 instances belong to no split" in line for line in warnings)


def test_the_map_gives_the_classes_back(make_rows, tmp_path: Path) -> None:
    names = ["../x", "a/b", "a_b", "", "manifest.json", "caf\udce9"]
    ImageFolderExporter().write(make_rows(list("abcdef"), names, list(range(6))), tmp_path / "out")
    assert json.loads((tmp_path / "out/class_map.json").read_text()) == {
        "___x": "../x",
        "a_b~2": "a/b",
        "_": "",
        "manifest.json~2": "manifest.json",
        "caf_": "escaped:caf%E9",
    }
    assert ImageFolderExporter().count(tmp_path / "out") == dict.fromkeys(names, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


@pytest.mark.parametrize("file", ["../x/1.png", "a/../../1.png", "/etc/x", "."])
def test_nothing_leaves_the_root(tmp_path: Path, file: str) -> None:
    with pytest.raises(ExportError, match="outside"):
        image_files.inside(tmp_path / "out", file)
