"""`.npy` and `.npz` files of strangers: headers are judged before a byte is allocated, nothing is unpickled."""

from __future__ import annotations

import math
import struct
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from labeler.core.errors import SourceError
from labeler.core.text import counted, display_safe
from labeler.plugins.importers.files import first_bytes

MAX_RATIO = 1100
"""Deflate cannot shrink more than 1,032 times: a member that claims more lies about its size."""

BOMB_BYTES = 1 << 30
BOMB_RATIO = 250
"""Above 1 GB, arrays that shrink this well are no data."""

MAPPED_FROM = 64_000_000
"""Bytes of a member that is not compressed from which it is mapped, not read: two processes have it open."""
NAME_LENGTH_AT, LOCAL_HEADER = 26, 30  # of a member's own header (PKWARE, "APPNOTE", 4.3.7)


@dataclass(frozen=True, slots=True)
class Header:
    """The shape and type that an array claims, checked against the bytes that are there."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class ArrayFile:
    """The arrays of one file by name; a `.npy` is an archive of the single array ``X``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shown = display_safe(path.name)
        self._members: dict[str, zipfile.ZipInfo] = {}
        if self._is_npy():
            self.names = ["X"]
            return
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
        except Exception as error:  # zipfile fails in many ways on damaged archives
            raise SourceError(
                f"{self.shown} is damaged or no .npz file: {_reason(error)}",
                "write it with numpy.savez(file, X=images, y=labels)",
            ) from error
        self._members = {m.filename.removesuffix(".npy"): m for m in members if m.filename.endswith(".npy")}
        self.names = list(self._members)

    def header(self, name: str) -> Header:
        """Shape and dtype of one array, without reading it.

        Raises
        ------
        SourceError
            Unreadable, of Python objects or records, or larger than the bytes that are there.
        """
        try:
            if not self._members:
                with self.path.open("rb") as file:
                    return self._checked(file, name, self.path.stat().st_size)
            member = self._members[name]
            self._check_member(member, name)
            with zipfile.ZipFile(self.path) as archive, archive.open(member) as stream:
                return self._checked(stream, name, member.file_size)
        except SourceError:
            raise
        except Exception as error:  # the header is parsed by numpy, which fails in many ways on damaged ones
            raise self._damaged(name, error) from error

    def usable(self, name: str) -> bool:
        """Whether :meth:`header` has nothing against it."""
        try:
            self.header(name)
        except SourceError:
            return False
        return True

    def is_empty(self, name: str) -> bool:
        """Whether it has no rows, as far as it can be read."""
        return self.usable(name) and self.header(name).shape[:1] == (0,)

    def read(self, name: str) -> NDArray[Any]:
        """One array: memory-mapped read-only from a `.npy`, in memory from a `.npz`, where large and not compressed
        mapped as well (its checksum is not looked at then, as a `.npy` has none); raises SourceError."""
        header = self.header(name)
        try:
            if not self._members:
                if math.prod(header.shape) == 0:
                    return np.zeros(header.shape, header.dtype)  # an empty map cannot be made
                mapped: NDArray[Any] = np.load(self.path, mmap_mode="r", allow_pickle=False)
                return mapped
            member = self._members[name]
            if _is_plain(member) and member.file_size >= MAPPED_FROM:
                return self._mapped(member)
            with zipfile.ZipFile(self.path) as archive, archive.open(member) as stream:
                array: NDArray[Any] = npy_format.read_array(stream, allow_pickle=False)
                return array
        except Exception as error:  # damaged data: zlib, CRC, end of file, memory
            raise self._damaged(name, error) from error

    def _mapped(self, member: zipfile.ZipInfo) -> NDArray[Any]:
        """A member that lies in the archive as it is, where it lies."""
        with self.path.open("rb") as file:
            file.seek(member.header_offset + NAME_LENGTH_AT)
            name_length, extra_length = struct.unpack("<HH", file.read(4))
            file.seek(member.header_offset + LOCAL_HEADER + name_length + extra_length)
            version = npy_format.read_magic(file)
            read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
            shape, is_fortran, dtype = read(file)
            return np.memmap(self.path, dtype, "r", file.tell(), shape, "F" if is_fortran else "C")

    def _is_npy(self) -> bool:
        return first_bytes(self.path, 6) == npy_format.MAGIC_PREFIX or self.path.suffix.lower() == ".npy"

    def _check_member(self, member: zipfile.ZipInfo, name: str) -> None:
        packed = max(member.compress_size, 1)
        ratio = member.file_size / packed
        if ratio > MAX_RATIO or (member.file_size > BOMB_BYTES and ratio > BOMB_RATIO):
            raise SourceError(
                f"{self.shown}: {display_safe(name)!r} claims {member.file_size:,} bytes from {packed:,}",
                "it is damaged or made to fill the memory; save it anew with numpy.savez",
            )

    def _checked(self, stream: IO[bytes], name: str, available: int) -> Header:
        version = npy_format.read_magic(stream)
        if version == (1, 0):
            claimed, _, dtype = npy_format.read_array_header_1_0(stream)
        elif version == (2, 0):
            claimed, _, dtype = npy_format.read_array_header_2_0(stream)
        else:  # 3.0 exists for records with non-Latin field names, which are refused anyway
            raise SourceError(f"{self.shown}: {name!r} holds records", "save plain numbers")
        shape: tuple[int, ...] = tuple(claimed)
        label = f"{self.shown}: {display_safe(name)!r}"
        if dtype.hasobject:
            raise SourceError(
                f"{label} holds Python objects, which are never loaded (they can run code)",
                "save plain numbers or text: np.asarray(values, dtype=np.uint8) or values.astype(str)",
            )
        if dtype.names is not None:
            raise SourceError(f"{label} holds records", "save plain numbers: one array, one dtype")
        cells: int = math.prod(shape)
        needed = cells * dtype.itemsize
        # before numpy takes the memory that a header asks for
        if min(shape, default=1) < 0 or needed > available - stream.tell() or (cells and not dtype.itemsize):
            claim = f"{'x'.join(map(str, shape))} {dtype.name} ({needed:,} bytes)"
            raise SourceError(f"{label} claims {display_safe(claim, 80)}, more than the file holds", "save it anew")
        return Header(shape, dtype)

    def _damaged(self, name: str, error: Exception) -> SourceError:
        return SourceError(f"{self.shown}: {display_safe(name)!r} is damaged: {_reason(error)}", "save it anew")


def _is_plain(member: zipfile.ZipInfo) -> bool:
    """Whether a member lies in its archive neither compressed nor encrypted."""
    return member.compress_type == zipfile.ZIP_STORED and not member.flag_bits & 1


def text_array(file: ArrayFile, name: str, count: int) -> list[str]:
    """The array `name` as `count` strings: text as it is, whole numbers without a point, NaN as "".

    Raises
    ------
    SourceError
        Another length than `count`, or values that are neither text nor numbers.
    """
    header = file.header(name)
    if math.prod(header.shape) != count or header.dtype.kind not in "USiufb":
        what = f"{counted(math.prod(header.shape), 'value')} of type {header.dtype.name}"
        raise SourceError(
            f"{file.shown}: {display_safe(name)!r} holds {what} for {counted(count, 'instance')}",
            f"give one text or number an instance, or leave {name!r} out",
        )
    values = file.read(name).ravel()
    if header.dtype.kind == "S":
        return [value.decode("utf-8", "backslashreplace") for value in values.tolist()]
    if header.dtype.kind == "f":
        return [
            "" if math.isnan(value) else str(int(value)) if value.is_integer() else str(value)
            for value in values.astype(np.float64).tolist()
        ]
    if header.dtype.kind == "U" and not _is_text(values):
        raise SourceError(f"{file.shown}: {display_safe(name)!r} holds no text", "save it anew")
    return [str(value) for value in values.tolist()]


def _is_text(values: NDArray[np.str_]) -> bool:
    """Whether all is characters: numpy hands Python any number as one, and Python breaks on it later."""
    native = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
    return not native.size or not native.itemsize or int(native.view(np.uint32).max()) <= sys.maxunicode


def _reason(error: Exception) -> str:
    return display_safe(str(error), 100) or type(error).__name__
