"""The pool for scikit-learn, in one ``.npz``: ``y`` is -1 where there is no label, as its semi-supervised methods want.

Layout after https://scikit-learn.org/stable/modules/semi_supervised.html ("assign an identifier to unlabeled points
along with the labeled data ... the integer value -1") and the names of
https://scikit-learn.org/stable/modules/generated/sklearn.utils.Bunch.html data sets (``target_names``).
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import numpy as np

from labeler.core.text import escape_warnings, escaped
from labeler.core.types import UNLABELED
from labeler.plugins.exporters.arrays import Texts, checked, count_labels, counted_by_name, write_npz
from labeler.plugins.exporters.base import ExportRows, Needs, Rows


class SklearnExporter:
    """``X`` (N, d), ``y`` (N,) int64 with -1 = unlabeled, ``target_names``, ``ids``, ``provenance`` ("" = unlabeled),
    ``sample_weight`` (0 = unlabeled): all usable instances of the pool, in its order."""

    is_folder = False
    needs: Needs = "content"

    def write(self, rows: ExportRows, target: Path) -> list[str]:
        """Write `rows` to `target`; returns warnings. Raises OSError where the file cannot be written."""
        whole = rows.whole() if rows.whole is not None else None
        ids = rows.ids if whole is None else whole.ids
        # where no pool is at hand the export is of its labeled rows alone
        places = np.arange(len(rows.ids)) if whole is None else whole.places
        X: Rows = rows.features() if whole is None else whole.features
        y = np.full(len(ids), UNLABELED, dtype=np.int64)
        y[places] = rows.class_indices
        weights = np.zeros(len(ids), dtype=np.float32)
        weights[places] = rows.weights
        provenances, splits = [""] * len(ids), [""] * len(ids)
        for place, provenance, split in zip(places.tolist(), rows.provenances, rows.splits, strict=True):
            provenances[place], splits[place] = provenance, split
        write_npz(
            target,
            {
                "X": checked(X, len(ids)),
                "y": y,
                "target_names": Texts(rows.class_names, escaped),
                "ids": Texts(ids, escaped),
                "provenance": Texts(provenances),
                "sample_weight": weights,
                "split": Texts(splits),
            },
        )
        return escape_warnings(chain(ids, rows.class_names))

    def count(self, target: Path) -> dict[str, int]:
        """Load ``y`` and ``target_names``; class name -> number of labeled rows."""
        return counted_by_name(*count_labels(target, "y", "target_names"))
