"""Zips as people pack them, and as nobody should."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from labeler.core.errors import LabelerError, SourceError, UnreadableInstance
from labeler.plugins.importers.archive_members import is_inside
from labeler.plugins.importers.zip_archive import ZipImporter


def png(value: int = 0) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.full((3, 4), value, np.uint8)).save(out, "PNG")
    return out.getvalue()


def pack(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def open_zip(path):
    return ZipImporter().open(path)


def test_images_are_read_in_place(tmp_path):
    source = open_zip(pack(tmp_path / "x.zip", [("b/10.png", png(1)), ("b/9.png", png(2)), ("a/1.png", png(3))]))
    assert list(source.ids) == ["a/1.png", "b/9.png", "b/10.png"]
    assert [int(source.image(i)[0, 0]) for i in range(3)] == [3, 2, 1]
    assert source.folder_labels() == {"a/1.png": "a", "b/9.png": "b", "b/10.png": "b"}
    assert source.uniform_images() is None
    source.close()
    with pytest.raises(UnreadableInstance):
        source.image(0)


@pytest.mark.parametrize(
    "name", ["../evil.png", "a/../../evil.png", "/etc/evil.png", "C:/evil.png", "..\\evil.png", "\\\\host\\evil.png"]
)
def test_no_id_leaves_the_archive(tmp_path, name):
    source = open_zip(pack(tmp_path / "x.zip", [(name, png()), ("ok.png", png())]))
    assert list(source.ids) == ["ok.png"]
    assert "leaves the archive" in source.notes[0]


@given(st.text(max_size=30))
def test_is_inside_means_below(name):
    if is_inside(name):
        depth = 0
        for part in name.split("/"):
            depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
            assert depth >= 0


def test_links_junk_tables_and_others(tmp_path):
    link = zipfile.ZipInfo("link.png")
    link.external_attr = 0o120777 << 16
    path = pack(
        tmp_path / "x.zip",
        [("ok.png", png()), (link, "/etc/passwd"), ("__MACOSX/._ok.png", b"x"), ("labels.csv", "a"), ("n.txt", "x")],
    )
    source = open_zip(path)
    assert list(source.ids) == ["ok.png"]
    assert len(source.notes) == 4  # and the junk
    assert any("labels.csv" in note for note in source.notes)


def test_of_two_members_with_one_name_the_later_counts(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        path = pack(tmp_path / "x.zip", [("a.png", png(1)), ("a.png", png(2))])
    source = open_zip(path)
    assert list(source.ids) == ["a.png"]
    assert source.image(0)[0, 0] == 2
    assert "occurs twice" in source.notes[0]


@pytest.mark.slow
def test_zero_bytes_damage_and_bombs_are_single_instances(tmp_path):
    big = b"P5 12000 12000 255\n" + b"\0" * 144_000_000
    path = pack(
        tmp_path / "x.zip",
        [("zero.png", b""), ("bomb.pgm", big), ("ok.png", png()), ("bad.png", b"A" * 200)],
        compression=zipfile.ZIP_DEFLATED,
    )
    content = path.read_bytes()
    spot = content.index(b"bad.png") + len("bad.png")
    path.write_bytes(content[:spot] + bytes([content[spot] ^ 0x55]) + content[spot + 1 :])
    source = open_zip(path)
    assert set(source.unreadable) == {"zero.png", "bomb.pgm"}
    assert "grows" in source.unreadable["bomb.pgm"]
    with pytest.raises(UnreadableInstance, match="damaged in the archive"):
        source.image(list(source.ids).index("bad.png"))
    assert source.image(list(source.ids).index("ok.png")).shape == (3, 4)


def test_encrypted_archives_are_said_to_be(tmp_path):
    path = pack(tmp_path / "x.zip", [("a.png", png())])
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(SourceError, match="encrypted") as caught:
        open_zip(path)
    assert "unpack" in caught.value.hint


def test_no_image_and_no_zip(tmp_path):
    with pytest.raises(SourceError, match=r"no image in x\.zip"):
        open_zip(pack(tmp_path / "x.zip", [("a.txt", "x")]))
    (tmp_path / "y.zip").write_text("no zip")
    with pytest.raises(SourceError, match="no zip file"):
        open_zip(tmp_path / "y.zip")


@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 255))
def test_any_bytes_open_or_are_explained(tmp_path_factory, junk, place, value):
    path = tmp_path_factory.mktemp("zip") / "x.zip"
    content = bytearray(pack(path, [("a.png", png()), ("b/c.png", png(5))]).read_bytes())
    content[place % len(content)] = value
    for candidate in (bytes(content), junk, bytes(content) + junk):
        path.write_bytes(candidate)
        try:
            source = open_zip(path)
            for index in range(len(source.ids)):
                source.image(index)
            source.close()
        except LabelerError as error:
            assert "\n" not in error.message  # noqa: PT017
