"""Files that hold images or labels and are not opened here: what each is, and the way in."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from labeler.core.errors import SourceError
from labeler.core.text import display_safe
from labeler.plugins.importers.files import first_bytes

NPZ = "then open pool.npz"


class WayIn(NamedTuple):
    """A kind of file, and in one line how its content comes in; ``FILE`` stands for its name."""

    what: str
    way: str


_HDF5 = WayIn(
    "HDF5",
    "python -c \"import h5py, numpy; f = h5py.File('FILE'); print(list(f)); numpy.savez('pool.npz', X=f['x'][:])\""
    f" with the name of the images for x, {NPZ}",
)
_MATLAB = WayIn(
    "a file of MATLAB",
    "python -c \"import scipy.io, numpy; m = scipy.io.loadmat('FILE'); print(list(m));"
    f" numpy.savez('pool.npz', X=m['X'])\" with the images in the order (n, height, width), {NPZ};"
    " from version 7.3 on it is HDF5: h5py reads it",
)
_WORKBOOK = WayIn("a workbook", "save its sheet as CSV UTF-8, and give that")
_DICOM = WayIn(
    "DICOM",
    "dcmj2pnm --write-png FILE image.png (package dcmtk), or in Python pydicom.dcmread('FILE').pixel_array"
    " into numpy.savez('pool.npz', X=...); then open the folder or pool.npz",
)
_PICKLE = WayIn(
    "a pickle of Python or torch, which can run code and is never loaded",
    f"load it yourself if you trust it and numpy.savez('pool.npz', X=images, y=labels), {NPZ}",
)
_TFRECORD = WayIn(
    "TFRecord",
    "write each example's image to a file (tf.data.TFRecordDataset, tf.io.parse_single_example), then open the folder",
)
_PACKED = WayIn("an archive", "unpack it (7z x FILE), and open the folder")
_ZSTD = WayIn("an archive", "unpack it (zstd -d FILE, or tar --zstd -xf FILE), and open the folder")
_VIDEO = WayIn("a video", "write its frames (ffmpeg -i FILE frames/%06d.png), and open the folder")
_PDF = WayIn("PDF", "write its pages as images (pdftoppm -png FILE page), and open the folder")
_VOLUME = WayIn(
    "a volume",
    f"numpy.savez('pool.npz', X=slices) with nibabel.load('FILE').get_fdata() or SimpleITK, the slices first, {NPZ}",
)
_ARROW = WayIn(
    "a table of Arrow",
    "save it as Parquet or CSV: in Python pyarrow.feather.read_table('FILE') and pyarrow.parquet.write_table(...)",
)
_LMDB = WayIn("LMDB", "write its values to files (Python: lmdb.open('FOLDER', readonly=True)), and open that folder")
_RAW = WayIn(
    "a camera's raw file", "develop it to TIFF or JPEG (dcraw, darktable-cli FILE out.jpg), and open the folder"
)
_SLIDE = WayIn(
    "a microscope's file", "write it as TIFF or PNG tiles (bfconvert FILE tile.tif, or vips dzsave), open these"
)

_BY_ENDING = {
    **dict.fromkeys(("h5", "hdf5", "hdf", "he5"), _HDF5),
    "mat": _MATLAB,
    **dict.fromkeys(("xlsx", "xls", "xlsm", "xlsb", "ods"), _WORKBOOK),
    **dict.fromkeys(("dcm", "dicom", "ima"), _DICOM),
    **dict.fromkeys(("pkl", "pickle", "pt", "pth", "joblib"), _PICKLE),
    **dict.fromkeys(("tfrecord", "tfrecords"), _TFRECORD),
    **dict.fromkeys(("rar", "7z"), _PACKED),
    **dict.fromkeys(("zst", "tzst"), _ZSTD),
    **dict.fromkeys(("mp4", "avi", "mov", "mkv", "webm", "mpg", "mpeg", "m4v"), _VIDEO),
    "pdf": _PDF,
    **dict.fromkeys(("nii", "nii.gz", "mha", "mhd", "nrrd"), _VOLUME),
    **dict.fromkeys(("feather", "arrow"), _ARROW),
    **dict.fromkeys(("mdb", "lmdb"), _LMDB),
    **dict.fromkeys(("cr2", "cr3", "nef", "arw", "dng", "orf", "rw2", "raf"), _RAW),
    **dict.fromkeys(("svs", "ndpi", "czi", "lif", "nd2", "vsi", "mrxs", "scn"), _SLIDE),
}
_BY_START = (
    (b"\x89HDF\r\n\x1a\n", _HDF5),
    (b"MATLAB 5.0", _MATLAB),
    (b"MATLAB 7.3", _MATLAB),
    (b"Rar!", _PACKED),
    (b"7z\xbc\xaf", _PACKED),
    (b"\x28\xb5\x2f\xfd", _ZSTD),
    (b"%PDF", _PDF),
    *((b"\x80" + bytes([version]), _PICKLE) for version in range(2, 6)),  # CIFAR's batches have no ending
)
_LABELS = re.compile(
    r"metadata\.(?:csv|jsonl|parquet)|data\.ya?ml|.*\.coco\.json|instances_.*\.json|(?:labels|tasks|annotations)\.json",
    re.IGNORECASE,
)
# a preamble of any content comes before the mark (DICOM part 10)
_DICOM_AT = 128
_NAMED = 3


def way_into(path: Path) -> WayIn | None:
    """The way into a file by its ending or first bytes; None where it is of no kind that has one."""
    known = way_by_name(path.name)
    if known is not None:
        return known
    head = first_bytes(path, _DICOM_AT + 4)
    if head[_DICOM_AT:] == b"DICM":
        return _DICOM
    return next((way for start, way in _BY_START if head.startswith(start)), None)


def way_by_name(name: str) -> WayIn | None:
    """The same by the name alone."""
    parts = name.lower().rsplit(".", 2)
    # two endings first: nii.gz is a volume, gz alone says nothing
    return _BY_ENDING.get(".".join(parts[-2:])) or (_BY_ENDING.get(parts[-1]) if len(parts) > 1 else None)


def labels_among(names: Iterable[str]) -> list[str]:
    """A line where files beside images are called as files of labels are, and how these come in."""
    called = sorted({base for name in names if _LABELS.fullmatch(base := os.path.basename(name))})
    if not called:
        return []
    more = ", ..." if len(called) > _NAMED else ""
    listed = ", ".join(display_safe(name, 40) for name in called[:_NAMED]) + more
    return [f"{listed} may hold labels: import-labels PROJECT FOLDER takes them, --truth y simulates with them"]


def refuse(path: Path) -> None:
    """Raise SourceError with the way in where `path` is a file of such a kind."""
    way = way_into(path) if path.is_file() else None
    if way is not None:
        shown = display_safe(path.name)
        raise SourceError(f"{shown} is {way.what}, which is not opened here", way.way.replace("FILE", shown))


def ways_into(names: Iterable[str]) -> list[str]:
    """One line for each kind of such files among `names`, the most frequent first: how many, and the way in."""
    ways = Counter(way for name in names if (way := way_by_name(os.path.basename(name))) is not None)
    return [f"{way.what} ({count:,}) comes in so: {way.way}" for way, count in ways.most_common(_NAMED)]
