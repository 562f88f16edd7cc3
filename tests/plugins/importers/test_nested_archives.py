"""Archives in a folder, and labels beside images in archives: shards of WebDataset."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import tarfile
import zipfile

import pytest

from labeler.commands.export.export import export
from labeler.commands.export.labels import ExportOptions
from labeler.commands.import_labels import import_labels
from labeler.core.errors import SourceError, UnreadableInstance
from labeler.plugins.importers import nested_archives
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.labels import read_labels, read_truth
from labeler.project.open import open_project
from tests.plugins.importers.test_zip_archive import png

LABELS = ["cat", "dog", "cat", "dog"]


def tar(path, members, packed=None):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    content = out.getvalue() if packed is None else packed(out.getvalue())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def zipped(path, members):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def samples(first, labels, ending="cls", lead="", written=lambda label: label.encode() + b"\n"):
    """The members of a shard: an image, and what is beside it."""
    members = {}
    for place, label in enumerate(labels, first):
        members[f"{lead}{place:04d}.jpg"] = png(place)
        if label is not None:
            members[f"{lead}{place:04d}.{ending}"] = written(label)
    return members


def both(path, source):
    rows = {row.instance_id: row.label for row in read_labels(path, source)}
    assert read_truth(str(path), source) == rows
    return rows


def in_json(label):
    return json.dumps({"width": 4, "label": label}).encode()


@pytest.mark.parametrize(
    ("ending", "written"),
    [
        ("cls", str.encode),
        ("CLS", str.encode),
        ("txt", lambda label: f"{label}\r\n".encode()),
        ("json", in_json),
        ("json", lambda label: json.dumps({"Class_Name": label}).encode()),
        ("json", lambda label: json.dumps(label).encode()),
        ("cls.txt", str.encode),
    ],
)
@pytest.mark.parametrize("lead", ["", "./", "train/n01/"])
def test_a_shard_has_its_labels_beside(tmp_path, ending, written, lead):
    path = tar(tmp_path / "shard.tar", samples(0, LABELS, ending, lead, written))
    source = open_source(path)
    expected = {f"{lead.removeprefix('./')}{row:04d}.jpg": label for row, label in enumerate(LABELS)}
    assert read_truth("y", source) == both(path, source) == expected
    assert any("may be their labels" in note for note in source.notes)
    source.close()


@pytest.mark.parametrize(("name", "packed"), [("a.tar.gz", gzip.compress), ("a.tar.bz2", bz2.compress),
                                              ("a.tar.xz", lzma.compress), ("a.tgz", gzip.compress)])  # fmt: skip
def test_packed_shards(tmp_path, name, packed):
    source = open_source(tar(tmp_path / name, samples(0, LABELS), packed))
    assert list(source.truth().values()) == LABELS
    assert int(source.image(3)[0, 0]) == 3
    source.close()


def test_numbers_are_classes_and_what_is_missing_has_none(tmp_path):
    path = tar(tmp_path / "shard.tar", samples(0, ["7", None, "-", ""]))
    source = open_source(path)
    assert source.truth() == {"0000.jpg": "7", "0002.jpg": "-"}
    source.close()


def test_captions_and_boxes_are_no_classes(tmp_path):
    captions = samples(0, [f"a cat on chair {row}" for row in range(12)], "txt")
    boxes = samples(0, ["0 0.5 0.5 0.1 0.2", "1 0.5 0.5 0.1 0.2"] * 6, "txt")
    for members in (captions, boxes):
        source = open_source(tar(tmp_path / "shard.tar", members))
        assert source.truth() == {}
        source.close()
    source = open_source(tar(tmp_path / "shard.tar", captions | samples(0, ["3"] * 12)))
    assert set(source.truth().values()) == {"3"}  # beside them a class
    source.close()


def test_shards_in_a_folder_are_one_pool_with_splits(tmp_path):
    root = tmp_path / "set"
    tar(root / "train-000.tar", samples(0, LABELS))
    tar(root / "train-001.tar", samples(0, ["dog"]))  # keys may come again in the next shard
    zipped(root / "val-000.zip", samples(7, ["cat"]))
    source = open_source(root)
    ids = [f"train-000.tar/{row:04d}.jpg" for row in range(4)] + ["train-001.tar/0000.jpg", "val-000.zip/0007.jpg"]
    assert list(source.ids) == ids
    assert [int(source.image(row)[0, 0]) for row in range(6)] == [0, 1, 2, 3, 0, 7]
    expected = dict(zip(ids, [*LABELS, "dog", "cat"], strict=True))
    assert read_truth("y", source) == both(root, source) == expected
    assert source.folder_labels() == {}
    beside = "files beside the images may be their labels (.cls 4): import-labels takes them, --truth y, too"
    assert source.notes == [
        "the images are those of 3 archives in the folder",
        f"train-000.tar: {beside} (and so in 2 more archives)",
    ]
    source.close()
    with open_project(root, tmp_path / "p.labeler.db") as project:
        assert import_labels(project, root).taken == 6
        export(project, tmp_path / "out.csv", "csv", ExportOptions())
    with (tmp_path / "out.csv").open(newline="") as stream:
        rows = {row["path"]: row["split"] for row in csv.DictReader(stream)}
    assert rows == {i: i.partition("-")[0] for i in ids}


def test_archives_called_as_classes_and_folders_in_them(tmp_path):
    for name in ("cat", "dog"):
        zipped(tmp_path / "a" / f"{name}.zip", {f"{name}/1.png": png(1), f"{name}/2.png": png(2)})
    source = open_source(tmp_path / "a")
    assert set(source.folder_labels().items()) == {(i, i.partition(".")[0]) for i in source.ids}
    source.close()
    for row in range(2):
        zipped(tmp_path / "b" / f"part{row}.zip", {"cat/1.png": png(1), "dog/2.png": png(2)})
    source = open_source(tmp_path / "b")
    assert source.folder_labels()["part1.zip/dog/2.png"] == "dog"
    source.close()


def test_archives_beside_images_are_named_and_never_skipped_in_silence(tmp_path):
    (tmp_path / "1.png").write_bytes(png(1))
    zipped(tmp_path / "more" / "x.zip", {"2.png": png(2)})
    tar(tmp_path / "more" / "y.tar.gz", {"3.png": png(3)}, gzip.compress)
    source = open_source(tmp_path)
    assert list(source.ids) == ["1.png"]
    expected = "passed over 2 archives beside the images (more/x.zip): unpack it here, or open it alone"
    assert source.notes == [expected]


def test_broken_and_empty_archives_are_named(tmp_path):
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 no")
    zipped(tmp_path / "code.zip", {"a.py": b"x"})
    with pytest.raises(SourceError, match=r"no image in the folder.*bad\.zip is no zip file.*no image in code\.zip"):
        open_source(tmp_path)
    zipped(tmp_path / "good.zip", {"1.png": png(1), "inner.zip": b"PK"})
    source = open_source(tmp_path)
    assert list(source.ids) == ["good.zip/1.png"]
    notes = "\n".join(source.notes)
    assert "bad.zip is no zip file" in notes
    assert "no image in code.zip" in notes
    assert "good.zip: passed over 1 archive in the archive (inner.zip): unpack it to use it" in notes
    source.close()


def test_more_archives_than_may_be_open(tmp_path, monkeypatch):
    monkeypatch.setattr(nested_archives, "MOST_OPEN", 2)
    for row in range(5):
        tar(tmp_path / f"{row}.tar", samples(row, ["cat"]))
    source = open_source(tmp_path)
    assert [int(source.image(row)[0, 0]) for row in (4, 0, 2, 1, 3)] == [4, 0, 2, 1, 3]
    assert len(source.truth()) == 5
    tar(tmp_path / "0.tar", samples(9, ["cat", "dog"]))
    source.image(1), source.image(2)
    with pytest.raises(UnreadableInstance, match="has changed"):
        source.image(0)
    source.close()
    source.close()
