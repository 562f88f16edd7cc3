"""A CSV that names images."""

from __future__ import annotations

import os

import pytest

from labeler.errors import SourceError
from labeler.importers.detect import open_source
from tests.importers.test_archive import png


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


def test_what_is_not_there_leads_out_or_comes_twice_is_said(folder):
    os.symlink(folder / "b.png", folder / "link.png")
    (folder / "zero.png").touch()
    names = ["b.png", "gone.png", "../x.png", "/etc/x.png", "link.png", "zero.png", "b.png", "", "sub"]
    source = listed(folder, "path,n\n" + "".join(f"{name},1\n" for name in names))
    assert list(source.ids) == ["b.png", "link.png"]
    assert source.image(1).shape == source.image(0).shape
    assert source.unreadable == {
        "gone.png": "there is no such file",
        "zero.png": "empty file (0 bytes)",
        "sub": "no regular file",
    }
    assert "2 names that lead out" in source.notes[0]
    assert "2 rows" in source.notes[1]


def test_a_table_of_features_with_paths_for_ids_is_no_list(folder):
    assert listed(folder, "path,x,y\nmissing.png,1,2\nother.png,3,4\n").kind == "csv"
    assert listed(folder, "path,x,y\nb.png,1,2\n").kind == "list"


def test_none_is_there(folder):
    with pytest.raises(SourceError, match="none of the images"):
        listed(folder, "path,label\ngone.png,cat\n")
