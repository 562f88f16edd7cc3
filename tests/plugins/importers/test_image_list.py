"""A CSV that names images."""

from __future__ import annotations

import json
import os

import pytest

from labeler.core.errors import SourceError
from labeler.plugins.importers import remote
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.labels import read_labels
from tests.plugins.importers.test_zip_archive import png


@pytest.fixture
def folder(tmp_path):
    for place, name in enumerate(("b.png", "sub/a.png", "c.png")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(png(place))
    return tmp_path


def listed(folder, text):
    (folder / "list.csv").write_text(text)
    return open_source(folder / "list.csv")


@pytest.mark.parametrize(
    "text",
    [
        "path,label\nsub/a.png,cat\nb.png,dog\n",
        "label;File_Name\ncat;./sub/a.png\ndog;b.png\n",
        'label\tpath\ncat\t"sub\\a.png"\ndog\tb.png\n',
    ],
)
def test_images_in_the_order_of_the_file(folder, text):
    source = listed(folder, text)
    assert (source.kind, list(source.ids)) == ("list", ["sub/a.png", "b.png"])
    assert int(source.image(0)[0, 0]) == 1
    assert source.location(1) == folder / "b.png"
    assert source.truth() == {"sub/a.png": "cat", "b.png": "dog"}
    assert source.notes == []


def test_without_a_header(folder):
    assert list(listed(folder, "sub/a.png\nb.png\n").ids) == ["sub/a.png", "b.png"]


@pytest.fixture
def no_extra(monkeypatch):
    """Nothing that reads addresses on the web is installed."""
    monkeypatch.setattr(remote, "find_spec", lambda name: None)


@pytest.mark.usefixtures("no_extra")
def test_what_is_not_there_or_comes_twice_is_said(folder):
    os.symlink(folder / "b.png", folder / "link.png")
    os.mkfifo(folder / "pipe.png")
    (folder / "zero.png").touch()
    names = [
        "b.png",
        "gone.png",
        "/etc/x.png",
        "link.png",
        "zero.png",
        "b.png",
        "",
        "sub",
        "pipe.png",
        "http://x/y.png",
    ]
    source = listed(folder, "path,n\n" + "".join(f"{name},1\n" for name in names))
    assert list(source.ids) == ["b.png", "link.png"]
    assert source.image(1).shape == source.image(0).shape
    assert source.unreadable == {
        "gone.png": "there is no such file",
        "/etc/x.png": "there is no such file",
        "zero.png": "empty file (0 bytes)",
        "sub": "no regular file",
        "pipe.png": "no regular file",
        "http://x/y.png": "an address on the web: download it first",
    }
    assert source.notes == ["passed over 2 rows without a name or with one named before"]


@pytest.mark.parametrize("written", ["{0}/{1}", "../pool/{1}", "./../pool/{1}", "file://{0}/{1}", "..\\pool\\{1}"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.csv", "path,label\n{0},cat\n{1},dog\n"),
        ("list.csv", "{0}\n{1}\n"),
        ("list.txt", "{0}\n\n{1}\n"),
        ("list.txt", "# of mine\n{0} cat\n{1}\tdog\n"),
        ("list.lst", "{0}\r\n{1}\r\n"),
        ("list.json", ["{0}", "{1}"]),
        ("list.json", [{"file_name": "{0}", "label": "cat"}, {"file_name": "{1}", "label": "dog"}]),
        ("list.json", {"{0}": "cat", "{1}": "dog"}),
        ("list.jsonl", '{{"image": "{0}", "label": "cat"}}\n{{"image": "{1}", "label": "dog"}}\n'),
    ],
)
def test_paths_from_the_root_or_out_of_the_folder_open(folder, tmp_path_factory, written, name, text):
    root = tmp_path_factory.mktemp("set")
    (root / "pool").symlink_to(folder)
    (root / "lists").mkdir()
    paths = [written.format(root / "pool", file) for file in ("sub/a.png", "b.png")]
    if isinstance(text, str):
        shown = [path.replace("\\", "\\\\") for path in paths] if name.endswith("jsonl") else paths
        content = text.format(*shown)
    else:
        content = json.dumps(text).replace("{0}", json.dumps(paths[0])[1:-1]).replace("{1}", json.dumps(paths[1])[1:-1])
    (root / "lists" / name).write_text(content)
    source = open_source(root / "lists" / name)
    assert [int(source.image(row)[0, 0]) for row in range(2)] == [1, 0]
    assert source.notes == []
    assert list(source.truth().values()) == (["cat", "dog"] if "cat" in content else [])
    assert all(source.location(row).is_file() for row in range(2))
    if "cat" in content:
        pool = open_source(root / "pool")
        labels = {row.instance_id: row.label for row in read_labels(root / "lists" / name, pool)}
        assert labels == {"sub/a.png": "cat", "b.png": "dog"}


@pytest.mark.parametrize("lead", ["C:\\data\\set\\", "/home/somebody/set/", "data/set/"])
def test_paths_of_another_computer_are_found_below_the_list_and_that_is_said(folder, lead):
    names = [f"{lead}{name}" for name in ("sub/a.png", "b.png")]
    source = listed(folder, "path\n" + "".join(f"{name}\n" for name in names))
    assert [int(source.image(row)[0, 0]) for row in range(2)] == [1, 0]
    assert source.notes[0].startswith("none of the files is where the list says")
    names.append(f"{lead}gone.png")  # one that is nowhere: nothing is guessed
    with pytest.raises(SourceError, match="none of the images"):
        listed(folder, "path\n" + "".join(f"{name}\n" for name in names))


def test_a_list_in_a_folder_of_its_own_and_annotations_as_a_list(folder):
    (folder / "lists").mkdir()
    (folder / "lists" / "train.txt").write_text("sub/a.png 3\nb.png 4\n")
    source = open_source(folder / "lists" / "train.txt")
    assert source.truth() == {"sub/a.png": "3", "b.png": "4"}
    assert len(source.notes) == 1
    document = {
        "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "a.png"}],
        "annotations": [{"image_id": 1, "category_id": 1}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (folder / "lists" / "coco.json").write_text(json.dumps(document))
    source = open_source(folder / "lists" / "coco.json")
    assert (list(source.ids), source.truth()) == (["a.png"], {"a.png": "cat"})
    assert source.location(0) == folder / "sub" / "a.png"


@pytest.mark.parametrize("content", ['["a.png", ', '{"images": [{"id": 1}], "a": 1}', '[{"path": "nowhere.png"}, 3]'])
def test_json_that_is_none_is_one_line(folder, content):
    (folder / "list.json").write_text(content)
    with pytest.raises(SourceError) as caught:
        open_source(folder / "list.json")
    assert "\n" not in caught.value.message


@pytest.mark.usefixtures("no_extra")
def test_none_is_there_says_what_to_do(folder):
    for text, hint in (("C:\\x\\gone.png", "another computer"), ("https://example.org/gone.png", "download")):
        with pytest.raises(SourceError, match="none of the images") as caught:
            listed(folder, f"path\n{text}\n")
        assert hint in caught.value.hint


def test_a_table_of_features_with_paths_for_ids_is_no_list(folder):
    assert listed(folder, "path,x,y\nmissing.png,1,2\nother.png,3,4\n").kind == "csv"
    assert listed(folder, "path,x,y\nb.png,1,2\n").kind == "list"


def test_none_is_there(folder):
    with pytest.raises(SourceError, match="none of the images"):
        listed(folder, "path,label\ngone.png,cat\n")
