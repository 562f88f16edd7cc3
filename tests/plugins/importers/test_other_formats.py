"""What is not opened here is named with the way in: on the command line, among labels and features, in a folder."""

from __future__ import annotations

import sys
import zipfile

import pytest

from labeler import cli
from labeler.core.errors import SourceError
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.labels import read_labels, read_truth
from labeler.plugins.importers.vectors import read_features
from tests.plugins.importers.test_zip_archive import png

HDF5 = b"\x89HDF\r\n\x1a\n" + b"\0" * 600
DICOM = b"\0" * 128 + b"DICM" + b"\0" * 100
MATLAB = b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(128) + b"\0" * 100


def workbook(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("xl/media/image1.png", png(3))  # no pool: a picture in a sheet
    return path.read_bytes()


FILES = {
    "a.h5": (HDF5, "HDF5", "h5py.File('a.h5')"),
    "a.HDF5": (HDF5, "HDF5", "h5py.File('a.HDF5')"),
    "noending": (HDF5, "HDF5", "h5py"),
    "a.mat": (MATLAB, "MATLAB", "scipy.io.loadmat('a.mat')"),
    "a.xlsx": (None, "a workbook", "as CSV"),
    "a.dcm": (DICOM, "DICOM", "dcmj2pnm"),
    "IM-0001": (DICOM, "DICOM", "pydicom"),
    "a.pkl": (b"\x80\x04", "never loaded", "numpy.savez"),
    "a.pt": (b"PK\x03\x04", "never loaded", "numpy.savez"),
    "a.tfrecord": (b"x", "TFRecord", "tf.data"),
    "a.7z": (b"7z\xbc\xaf", "an archive", "unpack"),
    "a.nii.gz": (b"\x1f\x8b", "a volume", "nibabel"),
    "a.mp4": (b"x", "a video", "ffmpeg"),
}


@pytest.mark.parametrize("name", FILES)
def test_one_line_names_the_way_in(tmp_path, name):
    content, what, way = FILES[name]
    path = tmp_path / name
    path.write_bytes(workbook(path) if content is None else content)
    (tmp_path / "pool").mkdir()
    (tmp_path / "pool" / "1.png").write_bytes(png(1))
    pool = open_source(tmp_path / "pool")
    doors = (
        lambda: open_source(path),
        lambda: read_labels(path, pool),
        lambda: read_truth(str(path), pool),
        lambda: read_features(path, pool.ids),
    )
    for door in doors:
        with pytest.raises(SourceError) as caught:
            door()
        assert what in caught.value.message
        assert way in caught.value.hint
        assert "\n" not in caught.value.message + caught.value.hint


def test_the_command_ends_with_2_and_two_lines(tmp_path, monkeypatch, capsys):
    (tmp_path / "a.h5").write_bytes(HDF5)
    monkeypatch.setattr(sys, "argv", ["labeler", "simulate", str(tmp_path / "a.h5"), "--truth", "y", "--clicks", "1"])
    with pytest.raises(SystemExit) as ended:
        cli.run(0.0)
    assert ended.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "a.h5 is HDF5, which is not opened here" in lines[0]
    assert "h5py.File('a.h5')" in lines[1]


def test_in_a_folder_they_are_counted_and_named(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("1.h5", "sub/2.H5", "3.dcm"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(SourceError, match=r"passed over 3 files.*\(\.h5 2, \.dcm 1\)") as caught:
        open_source(tmp_path)
    assert caught.value.hint.startswith("HDF5 (2) comes in so: ")
    assert "DICOM (1) comes in so: " in caught.value.hint
    (tmp_path / "4.png").write_bytes(png(4))
    notes = open_source(tmp_path).notes
    assert any(note.startswith("HDF5 (2) comes in so: ") for note in notes)
