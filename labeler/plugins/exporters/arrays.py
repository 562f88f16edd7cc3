"""One uncompressed ``.npz`` that loads with ``allow_pickle=False``: what a training script wants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labeler.core.errors import ExportError
from labeler.core.text import escape_warnings, escaped, unescaped
from labeler.plugins.exporters.base import ExportRows, Needs, Rows
from labeler.plugins.exporters.npz_file import Texts, count_labels, write_npz


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
