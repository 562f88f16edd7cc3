"""One uncompressed ``.npz`` that loads with ``allow_pickle=False``: a training set in arrays.

It is written part by part: columns of a million rows need no second copy of themselves in memory.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.core.errors import ExportError
from labeler.core.text import escape_warnings, escaped, unescaped
from labeler.plugins.exporters.base import ExportRows, Needs, Rows

_BLOCK_BYTES = 8 << 20
"""Of rows that are in memory at once."""


class NpzExporter:
    """Arrays in parallel, one entry a row.

    ``X`` images (n, h, w[, 3]) uint8 or features (n, d); ``y`` int64 positions in ``classes``; ``weight`` and
    ``confidence`` float32; ``cluster`` and ``round`` int32; ``ids``, ``provenance``, ``tier``, ``split`` and
    ``classes`` fixed-width strings, escaped as :mod:`labeler.core.text` says (the same ids as in a CSV).
    """

    is_folder = False
    needs: Needs = "content"

    def write(self, rows: ExportRows, target: Path) -> list[str]:
        """Write `rows` to `target`; returns warnings.

        Raises
        ------
        ExportError
            X has another number of rows, or is an array of objects.
        LabelerError
            Whatever ``rows.features()`` raises, e.g. for images of different sizes.
        OSError
            The file cannot be written.
        """
        X = checked(rows.features(), len(rows.ids))
        arrays: Mapping[str, Rows] = {
            "X": X,
            "y": rows.class_indices.astype(np.int64),
            "provenance": Texts(rows.provenances),
            "weight": rows.weights.astype(np.float32),
            "ids": Texts(rows.ids, escaped),
            "classes": Texts(rows.class_names, escaped),
            "confidence": rows.confidence.astype(np.float32),
            "tier": Texts(rows.tiers),
            "cluster": rows.clusters.astype(np.int32),
            "round": rows.rounds.astype(np.int32),
            "split": Texts(rows.splits),
        }
        write_npz(target, arrays)
        return escape_warnings(chain(rows.ids, rows.class_names))

    def count(self, target: Path) -> dict[str, int]:
        """Load ``y`` and ``classes``, and the headers of the others; class name -> number of rows.

        Raises
        ------
        ValueError
            The arrays do not run in parallel.
        """
        return counted_by_name(*count_labels(target, "y", "classes"))


def checked(X: Rows, n_rows: int) -> Rows:
    """`X` if it is of numbers and has `n_rows`; else raises ExportError."""
    if X.shape[0] != n_rows or np.dtype(X.dtype).hasobject:
        raise ExportError(
            f"the features are {X.dtype} of shape {X.shape}, the export has {n_rows} rows",
            "export csv or imagefolder instead",
        )
    return X


def counted_by_name(y: NDArray[np.int64], classes: Sequence[str]) -> dict[str, int]:
    """Class name -> number of rows of `y` (n,), positions in the escaped `classes`; -1 = no label, not counted."""
    return _summed(map(unescaped, classes), np.bincount(y[y >= 0], minlength=len(classes)).tolist())


def _summed(names: Iterable[str], numbers: Iterable[int]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, number in zip(names, numbers, strict=True):
        counts[name] = counts.get(name, 0) + number
    return counts


# -- the file ---------------------------------------------------------------------------------------------------------


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
            # a bare ZipInfo is dated 1980, so the same rows give the same bytes
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                # the version that every numpy reads; later ones are for longer headers, such as those of records
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
        """Return the shape of one array, from its header alone."""
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
