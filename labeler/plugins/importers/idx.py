"""IDX files, the layout MNIST is published in: one `*-images-idx3-ubyte[.gz]` or a folder of them."""

from __future__ import annotations

import gzip
import math
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import numpy as np

from labeler.core.errors import SourceError
from labeler.core.pool import RowIds
from labeler.core.text import counted, display_safe
from labeler.core.types import ByteArray
from labeler.plugins.importers.array_source import ImageRows
from labeler.plugins.importers.base import PlainSource, digest
from labeler.plugins.importers.decode import MAX_PIXELS
from labeler.plugins.importers.files import file_state, first_bytes
from labeler.plugins.importers.names import has_image_ending, is_junk, natural_key, row_ids
from labeler.plugins.importers.npy import BOMB_BYTES, BOMB_RATIO

# train-images-idx3-ubyte, train-images.idx3-ubyte, emnist-letters-train-images-idx3-ubyte.gz
_IMAGES = re.compile(r"(?:^|[-_.])(?:images[-_.])?idx3[-_.]ubyte(?:\.gz)?$", re.IGNORECASE)
_LABELS = re.compile(r"(?:^|[-_.])(?:labels[-_.])?idx1[-_.]ubyte(?:\.gz)?$", re.IGNORECASE)
_KINDS = {1: "labels", 3: "images"}
_MAX_RATIO = 1100  # deflate shrinks at most 1,032 times
_BLOCK = 1 << 20
_ANEW = "the file is cut short or damaged: get it anew"


class IdxSource(ImageRows, PlainSource):
    """The images of one or several IDX files as one pool, ids ``train:00012``."""

    kind = "idx"

    def __init__(self, path: Path, ids: Sequence[str], fingerprint: str, pixels: ByteArray) -> None:
        super().__init__(path, ids, fingerprint)
        self._pixels = pixels

    def truth(self) -> dict[str, str]:
        """id -> label from the label files that lie beside the images; empty without them. Raises SourceError."""
        folder = self.path if self.path.is_dir() else self.path.parent
        known = set(self.ids)
        return {i: name for i, name in read_labels_folder(folder).items() if i in known}


class IdxImporter:
    """Recognizes IDX images by name or first bytes, and folders that hold such files directly."""

    def accepts(self, path: Path) -> bool:
        """Whether `path` is such a file or folder."""
        if path.is_dir():
            return any(_IMAGES.search(name) for name in _file_names(path))
        head = first_bytes(path, 4)
        # two zeros, 8 for unsigned bytes, 3 dimensions
        return _IMAGES.search(path.name) is not None or head == b"\0\0\x08\x03"

    def open(self, path: Path) -> IdxSource:
        """Read the images.

        Raises
        ------
        SourceError
            Not IDX images of bytes, shorter or longer than the header says, or files of different image sizes.
        """
        files = _image_files(path) if path.is_dir() else {prefix_of(path.name) or "images": path}
        shapes = {prefix: idx_shape(file, 3) for prefix, file in files.items()}
        if len({shape[1:] for shape in shapes.values()}) > 1:
            shown = ", ".join(f"{prefix} {height} x {width}" for prefix, (_, height, width) in shapes.items())
            raise SourceError(f"the images have different sizes: {display_safe(shown)}", "open one of the files alone")
        ids = RowIds([(prefix, shape[0]) for prefix, shape in shapes.items()])
        if not ids:
            raise SourceError(f"{display_safe(path.name)} holds no images", "its header says 0; get the file anew")
        state = digest(part for prefix, file in files.items() for part in (prefix, *file_state(file)))
        source = IdxSource(path, ids, state, _read_all(list(files.values()), list(shapes.values())))
        if path.is_dir():
            read = {file.name for file in files.values()}
            twins = [name for name in _file_names(path) if _IMAGES.search(name) and name not in read]
            source.notes += [
                f"passed over {display_safe(name, 60)}: another file has its part of the name" for name in twins
            ]
            passed = sum(has_image_ending(name) for name in _file_names(path))
            if passed:
                source.notes.append(f"passed over {counted(passed, 'image file')} beside the IDX files")
        return source


def prefix_of(name: str) -> str:
    """The part of an IDX file's name before ``-images`` or ``-labels``: ``train``, ``t10k``."""
    return _LABELS.sub("", _IMAGES.sub("", name)) if _IMAGES.search(name) or _LABELS.search(name) else name


def read_labels_folder(folder: Path) -> dict[str, str]:
    """id (``train:00012``) -> label for every IDX label file in a folder; raises SourceError."""
    labels: dict[str, str] = {}
    for prefix, file in _by_prefix(folder, _LABELS).items():
        labels |= dict(zip(*labels_with_ids(file, prefix), strict=True))
    return labels


def labels_with_ids(file: Path, prefix: str | None = None) -> tuple[RowIds, list[str]]:
    """The ids that images of the same prefix have, and the labels of one file, row by row; raises SourceError."""
    labels = read_idx(file, 1)
    ids = row_ids(len(labels), (prefix_of(file.name) if prefix is None else prefix) or "images")
    return ids, [str(label) for label in labels.tolist()]


def is_labels_file(path: Path) -> bool:
    """Whether `path` is an IDX file of labels, by name or first bytes."""
    return path.is_file() and (_LABELS.search(path.name) is not None or first_bytes(path, 4) == b"\0\0\x08\x01")


def idx_shape(path: Path, ndim: int) -> tuple[int, ...]:
    """The shape that the header of an IDX file claims, checked as far as that goes without reading the rest.

    Raises
    ------
    SourceError
        Other magic number, more claimed than the file can hold, not readable.
    """
    with _reading(path) as stream:
        return _read_header(stream, path, ndim)


def read_idx(path: Path, ndim: int, out: ByteArray | None = None) -> ByteArray:
    """An IDX file of bytes as an uint8 array of `ndim` dimensions (1 labels, 3 images).

    Written into `out` (of the file's shape) if given; else mapped where the file is not packed.

    Raises
    ------
    SourceError
        Other magic number, shorter or longer than its header says, damaged, not readable.
    """
    with _reading(path) as stream:
        shape = _read_header(stream, path, ndim)
        # a file without an image cannot be mapped
        if out is None and not _packed(path) and min(shape):
            return np.memmap(path, np.uint8, "r", 4 + 4 * ndim, shape)
        target = np.empty(shape, np.uint8) if out is None else out  # pages never written to take no memory
        _fill(stream, target.reshape(-1), display_safe(path.name))
        return target


def _read_all(files: list[Path], shapes: list[tuple[int, ...]]) -> ByteArray:
    """Several files one after the other in one array, each read straight into its place."""
    if len(files) == 1:
        return read_idx(files[0], 3)
    try:
        pixels = np.empty((sum(shape[0] for shape in shapes), *shapes[0][1:]), np.uint8)
    except MemoryError:
        raise SourceError("the files claim more images than memory holds", _ANEW) from None
    start = 0
    for file, shape in zip(files, shapes, strict=True):
        read_idx(file, 3, pixels[start : start + shape[0]])
        start += shape[0]
    return pixels


@contextmanager
def _reading(path: Path) -> Iterator[IO[bytes]]:
    try:
        with cast("IO[bytes]", gzip.open(path, "rb") if _packed(path) else path.open("rb")) as stream:
            yield stream
    except (OSError, EOFError, zlib.error, MemoryError) as error:  # gzip.BadGzipFile is an OSError
        reason = display_safe(str(getattr(error, "strerror", None) or error), 100) or type(error).__name__
        raise SourceError(f"{display_safe(path.name)} cannot be read: {reason}", _ANEW) from error


def _packed(path: Path) -> bool:
    # not by the name, which may still say .gz when the file was unpacked
    return first_bytes(path, 2) == b"\x1f\x8b"


def _read_header(stream: IO[bytes], path: Path, ndim: int) -> tuple[int, ...]:
    shown = display_safe(path.name)
    start = 4 + 4 * ndim
    head = stream.read(start)
    if head[:4] != bytes((0, 0, 8, ndim)):
        raise SourceError(
            f"{shown} is no IDX file of {_KINDS[ndim]} (its first bytes are {head[:4].hex(' ') or 'missing'})",
            f"such a file begins with 00 00 08 0{ndim}",
        )
    if len(head) != start:
        raise SourceError(f"{shown} ends within its header", _ANEW)
    # sizes are big-endian on every machine
    shape = tuple(int(size) for size in np.frombuffer(head, ">u4", offset=4))
    if ndim == 3 and shape[0] and not 0 < shape[1] * shape[2] <= MAX_PIXELS:
        raise SourceError(f"{shown} claims images of {shape[1]} x {shape[2]} pixels", _ANEW)
    size, expected = path.stat().st_size, math.prod(shape)
    if _packed(path) and expected > BOMB_BYTES and expected > size * BOMB_RATIO:
        raise SourceError(
            f"{shown} claims {expected:,} bytes of {_KINDS[ndim]} from a packed file of {size:,}",
            "it is damaged or made to fill the memory: get it anew, or unpack it first",
        )
    if expected > size * _MAX_RATIO or (not _packed(path) and expected != size - start):
        there = f"a packed file of {size:,}" if _packed(path) else f"{size - start:,}"
        raise SourceError(f"{shown} claims {expected:,} bytes of {_KINDS[ndim]}, there are {there}", _ANEW)
    return shape


def _fill(stream: IO[bytes], target: ByteArray, shown: str) -> None:
    """Unpack block by block into `target` (1-d, contiguous); raises SourceError if it is not just filled."""
    done = 0
    while done < len(target):
        block = stream.read(min(_BLOCK, len(target) - done))
        if not block:
            raise SourceError(f"{shown} claims {len(target):,} bytes, there are {done:,}", _ANEW)
        target[done : done + len(block)] = np.frombuffer(block, np.uint8)
        done += len(block)
    if stream.read(1):  # a packed file tells its true length only by ending
        raise SourceError(f"{shown} holds more than the {len(target):,} bytes its header claims", _ANEW)


def _image_files(folder: Path) -> dict[str, Path]:
    return _by_prefix(folder, _IMAGES)


def _by_prefix(folder: Path, pattern: re.Pattern[str]) -> dict[str, Path]:
    """prefix -> file in name order; of a file and its packed twin, the one that is not packed."""
    files: dict[str, Path] = {}
    for name in sorted(_file_names(folder), key=lambda name: (name.lower().endswith(".gz"), natural_key(name))):
        if pattern.search(name):
            files.setdefault(prefix_of(name) or "images", folder / name)
    return dict(sorted(files.items(), key=lambda item: natural_key(item[1].name)))


def _file_names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [e.name for e in entries if e.is_file() and not is_junk(e.name)]
    except OSError:  # said by the importer that opens it
        return []
