"""One uncompressed ``.npz`` that loads with ``allow_pickle=False``: what a training script wants."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeler.errors import ExportError
from labeler.exporters.base import ExportRows
from labeler.exporters.escaping import escape_warnings, escaped, unescaped


class NpzExporter:
    """Arrays in parallel, one entry a row.

    ``X`` images (n, h, w[, 3]) uint8 or features (n, d); ``y`` int64 positions in ``classes``; ``weight`` and
    ``confidence`` float32; ``cluster`` and ``round`` int32; ``ids``, ``provenance``, ``tier``, ``split`` and
    ``classes`` fixed-width strings, escaped as :mod:`labeler.exporters.escaping` says (the same ids as in a CSV).
    """

    is_folder = False
    endings: tuple[str, ...] = (".npz",)

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
        X = np.asanyarray(rows.features())  # maybe memory-mapped: savez copies it block by block
        if len(X) != len(rows.ids) or X.dtype.hasobject:
            raise ExportError(
                f"the features are {X.dtype} of shape {X.shape}, the export has {len(rows.ids)} rows",
                "export csv or imagefolder instead",
            )
        arrays: dict[str, NDArray[Any]] = {
            "X": X,
            "y": rows.class_indices.astype(np.int64),
            "provenance": _strings(rows.provenances),
            "weight": rows.weights.astype(np.float32),
            "ids": _strings([escaped(name) for name in rows.ids]),
            "classes": _strings([escaped(name) for name in rows.class_names]),
            "confidence": rows.confidence.astype(np.float32),
            "tier": _strings(rows.tiers),
            "cluster": rows.clusters.astype(np.int32),
            "round": rows.rounds.astype(np.int32),
            "split": _strings(rows.splits),
        }
        with target.open("xb") as stream:  # a stream: given a path, savez appends ".npz" to it
            np.savez(stream, allow_pickle=False, **arrays)
        return escape_warnings([*rows.ids, *rows.class_names])

    def count(self, target: Path) -> dict[str, int]:
        """Load ``y``, ``ids`` and ``classes``, and the header of ``X``; class name -> number of rows.

        Raises
        ------
        ValueError
            The arrays do not run in parallel.
        """
        with np.load(target, allow_pickle=False) as arrays:
            y, classes = arrays["y"], arrays["classes"].tolist()
            lengths = {name: len(arrays[name]) for name in arrays.files if name not in ("X", "classes")}
            lengths["X"] = _length(arrays, "X")
        if set(lengths.values()) != {len(y)}:
            raise ValueError(f"arrays of different lengths: {lengths}")
        numbers = np.bincount(y, minlength=len(classes))
        counts: dict[str, int] = {}
        for name, number in zip(map(unescaped, classes), numbers.tolist(), strict=True):
            counts[name] = counts.get(name, 0) + number
        return counts


def _strings(texts: Sequence[str]) -> NDArray[np.str_]:
    return np.array(list(texts), dtype=np.str_)


def _length(arrays: Any, name: str) -> int:
    """The first dimension of a member, from its header alone: X may be larger than the memory."""
    with arrays.zip.open(f"{name}.npy") as stream:
        version = np.lib.format.read_magic(stream)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        return int(read(stream)[0][0])
