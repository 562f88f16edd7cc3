"""Tars as people pack them, and as nobody should."""

from __future__ import annotations

import gzip
import io
import os
import tarfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeler.core.errors import LabelerError, SourceError, UnreadableInstance
from labeler.plugins.importers.tar_archive import TarImporter
from tests.fuzz.targets import explained, read_source
from tests.plugins.importers.test_zip_archive import png


def pack(path, members, mode="w", **options):
    """`members` are (name, content) or a TarInfo as it is."""
    with tarfile.open(path, mode, **options) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return path


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def open_tar(path):
    return TarImporter().open(path)


@pytest.mark.parametrize(("name", "mode"), [("x.tar", "w"), ("x.tar.gz", "w:gz"), ("x.tgz", "w:gz"), ("x", "w")])
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_images_are_read_wherever_they_lie(tmp_path, name, mode, form):
    members = [("./b/10.png", png(1)), ("./b/9.png", png(2)), ("a/1.png", png(3))]
    path = pack(tmp_path / name, members, mode, format=form)
    assert TarImporter().accepts(path)
    source = open_tar(path)
    assert list(source.ids) == ["a/1.png", "b/9.png", "b/10.png"]
    assert [int(source.image(i)[0, 0]) for i in range(3)] == [3, 2, 1]
    assert source.folder_labels() == {"a/1.png": "a", "b/9.png": "b", "b/10.png": "b"}
    assert source.notes == []
    source.close()
    with pytest.raises(UnreadableInstance):
        source.image(0)


def test_nothing_is_left_of_what_was_unpacked(tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    source = open_tar(pack(tmp_path / "x.tar.gz", [("a.png", png())], "w:gz"))
    assert os.listdir(tmp_path / "tmp") == []
    source.close()
    assert sorted(os.listdir(tmp_path)) == ["tmp", "x.tar.gz"]


@pytest.mark.parametrize("name", ["../evil.png", "a/../../evil.png", "/etc/evil.png", "C:/evil.png", "..\\evil.png"])
def test_no_id_leaves_the_archive(tmp_path, name):
    source = open_tar(pack(tmp_path / "x.tar", [(name, png()), ("ok.png", png())]))
    assert list(source.ids) == ["ok.png"]
    assert "leaves the archive" in source.notes[0]


def test_links_devices_junk_and_others_are_named(tmp_path):
    path = pack(
        tmp_path / "x.tar",
        [
            ("ok.png", png()),
            special("soft.png", tarfile.SYMTYPE, "/etc/passwd"),
            special("hard.png", tarfile.LNKTYPE, "ok.png"),
            special("pipe.png", tarfile.FIFOTYPE),
            special("folder.png", tarfile.DIRTYPE),
            ("__MACOSX/._ok.png", b"x"),
            ("zero.png", b""),
            ("labels.csv", b"a"),
            ("n.txt", b"x"),
        ],
    )
    source = open_tar(path)
    assert list(source.ids) == ["ok.png"]
    assert source.unreadable == {"pipe.png": "no regular file", "zero.png": "empty file (0 bytes)"}
    assert any("2 links" in note for note in source.notes)
    assert any("labels.csv" in note for note in source.notes)
    assert len(source.notes) == 4  # and the junk


@pytest.mark.slow
def test_a_bomb_is_not_unpacked(tmp_path):
    with gzip.open(tmp_path / "x.tar.gz", "wb", compresslevel=9) as stream:
        for _ in range(80):
            stream.write(b"\0" * (1 << 20))
    with pytest.raises(SourceError, match="grows more than 250 times"):
        open_tar(tmp_path / "x.tar.gz")


def test_a_header_that_claims_gigabytes_takes_no_memory(tmp_path):
    path = pack(tmp_path / "x.tar", [("a.png", png())])
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 5 << 30
    header = info.tobuf(tarfile.GNU_FORMAT)
    with path.open("wb") as file:  # sparse: the bytes are there, and cost nothing
        file.write(header)
        file.truncate(6 << 30)
    with pytest.raises(SourceError, match="claims 5,368,709,120 bytes"):
        open_tar(path)


@pytest.mark.parametrize("keep", [0.1, 0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("packed", [False, True])
def test_what_is_cut_short_is_said(tmp_path, keep, packed):
    rng = np.random.default_rng(0)
    members = [(f"{n}.png", rng.bytes(3000)) for n in range(5)]
    path = pack(tmp_path / ("x.tar.gz" if packed else "x.tar"), members, "w:gz" if packed else "w")
    content = path.read_bytes()
    path.write_bytes(content[: int((16_000 if not packed else len(content)) * keep)])
    with pytest.raises(SourceError, match=r"damaged|cannot be unpacked") as caught:
        open_tar(path)
    assert "\n" not in caught.value.message


def test_a_broken_header_in_the_middle_is_not_taken_for_the_end(tmp_path):
    path = pack(tmp_path / "x.tar", [("a.png", png()), ("b.png", png()), ("c.png", png())])
    content = bytearray(path.read_bytes())
    content[content.index(b"b.png") + 148] ^= 0x55  # its checksum
    path.write_bytes(content)
    with pytest.raises(SourceError, match="broken"):
        open_tar(path)


@settings(max_examples=150)
@given(
    spots=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=6), packed=st.booleans()
)
def test_any_bent_tar_is_read_or_explained(tmp_path_factory, spots, packed):
    folder = tmp_path_factory.mktemp("bent")
    members = [("a.png", png(1)), ("b/" + "n" * 120 + ".png", png(2)), special("l.png", tarfile.SYMTYPE, "a.png")]
    path = pack(folder / "x.tar", members)
    content = bytearray(path.read_bytes())
    for at, value in spots:
        content[at % len(content)] = value
    name = folder / ("y.tar.gz" if packed else "y.tar")
    name.write_bytes(gzip.compress(content) if packed else content)
    try:
        read_source(name)
    except LabelerError as error:
        explained(error)
