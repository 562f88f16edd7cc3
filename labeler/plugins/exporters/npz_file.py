"""A `.npz` written part by part: columns of a million rows need no second copy of themselves in memory."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.plugins.exporters.base import Rows

_BLOCK_BYTES = 8 << 20


class Texts:
    """A column of `texts` as fixed-width strings, each as `written` makes it."""

    def __init__(self, texts: Sequence[str], written: Callable[[str], str] = str) -> None:
        self._texts, self._written = texts, written
        width = max((len(written(text)) for text in texts), default=0)
        self.shape: tuple[int, ...] = (len(texts),)
        self.dtype: np.dtype[Any] = np.dtype(f"<U{max(width, 1)}")

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        """Some of the strings."""
        return np.array([self._written(text) for text in self._texts[rows]], dtype=self.dtype)


def write_npz(target: Path, arrays: Mapping[str, Rows]) -> None:
    """Write `arrays` to the new file `target`, uncompressed; what `numpy.savez` would write, in bounded memory.

    Raises
    ------
    ValueError
        An array holds Python objects.
    OSError
        The file cannot be written.
    """
    with zipfile.ZipFile(target, "x", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in arrays.items():
            dtype = np.dtype(array.dtype)
            if dtype.hasobject:
                raise ValueError(f"the array {name!r} holds Python objects")
            shape = tuple(int(side) for side in array.shape)
            header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array_header_1_0(member, header)
                for rows in blocks(array):
                    member.write(np.ascontiguousarray(array[rows], dtype=dtype).tobytes())


def blocks(array: Rows) -> list[slice]:
    """Slices over the rows of `array`, a few megabytes each."""
    row_bytes = max(int(np.prod(array.shape[1:])) * np.dtype(array.dtype).itemsize, 1)
    step = max(1, _BLOCK_BYTES // row_bytes)
    return [slice(start, min(start + step, array.shape[0])) for start in range(0, array.shape[0], step)]


class Members:
    """The arrays of a `.npz`, for reading back what may be larger than the memory."""

    def __init__(self, path: Path) -> None:
        self._archive = zipfile.ZipFile(path)
        self.names = [name.removesuffix(".npy") for name in self._archive.namelist()]

    def __enter__(self) -> Members:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def shape(self, name: str) -> tuple[int, ...]:
        """Of one array, from its header alone."""
        with self._archive.open(f"{name}.npy") as stream:
            return self._header(stream)[0]

    def read(self, name: str) -> NDArray[Any]:
        """One array whole; never unpickled."""
        with self._archive.open(f"{name}.npy") as stream:
            array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
            return array

    @staticmethod
    def _header(stream: Any) -> tuple[tuple[int, ...], Any]:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(stream)
        return shape, dtype


def count_labels(path: Path, y: str, names: str, *, apart: Sequence[str] = ()) -> tuple[NDArray[Any], list[str]]:
    """(labels (n,), class names) of the arrays `y` and `names`, every other array but `apart` checked to run along.

    Raises
    ------
    ValueError
        The arrays do not run in parallel.
    """
    with Members(path) as arrays:
        labels, classes = arrays.read(y), arrays.read(names).tolist()
        lengths = {name: arrays.shape(name)[0] for name in arrays.names if name not in (names, *apart)}
    if set(lengths.values()) != {len(labels)}:
        raise ValueError(f"arrays of different lengths: {lengths}")
    return labels, classes
