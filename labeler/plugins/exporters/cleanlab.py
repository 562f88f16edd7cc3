"""All that cleanlab asks for, in one ``.npz``: labels, probabilities by models that have not seen them, features.

Layout after the parameters of ``cleanlab.filter.find_label_issues(labels, pred_probs)`` and
``cleanlab.Datalab.find_issues(features=, pred_probs=)`` (https://docs.cleanlab.ai/stable/cleanlab/filter.html):
labels are whole numbers 0..K-1, every class occurs, and the probabilities are out-of-sample, "computed via
cross-validation": a model that has seen a wrong label believes it.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import numpy as np

from labeler.core.errors import ExportError
from labeler.core.text import escape_warnings, escaped
from labeler.core.types import FloatArray, IntArray
from labeler.plugins.exporters.arrays import Texts, checked, count_labels, counted_by_name, write_npz
from labeler.plugins.exporters.base import ExportRows, Needs, Rows

FEWEST = 5
"""Labels of a class below which what is held out leaves too little to know it by."""


class CleanlabExporter:
    """``labels`` (n,) int64, ``pred_probs`` (n, k) float32, ``features`` (n, d); ``class_names`` of those that occur.

    Beside them ``fold`` (rows of one fold were predicted by one model, fitted without them), ``how`` in words,
    ``ids``, ``provenance``, ``weight`` and ``split``.
    """

    is_folder = False
    needs: Needs = "content"

    def write(self, rows: ExportRows, target: Path) -> list[str]:
        """Write `rows` to `target`; returns warnings.

        Raises
        ------
        ExportError
            No probabilities can be had for these rows.
        OSError
            The file cannot be written.
        """
        if rows.held_out is None:
            raise ExportError("there are no held-out probabilities for these rows", "export npz instead")
        held_out = rows.held_out()
        present = np.unique(rows.class_indices)
        compact = np.searchsorted(present, rows.class_indices).astype(np.int64)
        names = [rows.class_names[index] for index in present.tolist()]
        arrays: dict[str, Rows] = {
            "labels": compact,
            "pred_probs": _shares(held_out.proba, present),
            "features": checked(held_out.features, len(rows.ids)),
            "fold": held_out.folds.astype(np.int32),
            "ids": Texts(rows.ids, escaped),
            "provenance": Texts(rows.provenances),
            "weight": rows.weights.astype(np.float32),
            "confidence": rows.confidence.astype(np.float32),
            "split": Texts(rows.splits),
            "class_names": Texts(names, escaped),
            "how": Texts([held_out.how]),
        }
        write_npz(target, arrays)
        return [*_warnings(rows, present), *escape_warnings(chain(rows.ids, rows.class_names))]

    def count(self, target: Path) -> dict[str, int]:
        """Load ``labels`` and ``class_names``; class name -> number of rows."""
        return counted_by_name(*count_labels(target, "labels", "class_names", apart=("how",)))


def _shares(proba: FloatArray, present: IntArray) -> FloatArray:
    """The columns of the classes that occur, each row summing to 1."""
    shares = proba[:, present] if len(present) < proba.shape[1] else proba
    sums = shares.sum(axis=1, keepdims=True)
    # where no class that occurs has any probability, all are equally likely
    even = np.float32(1.0 / max(len(present), 1))
    return np.where(sums > 0, shares / np.maximum(sums, np.float32(1e-30)), even).astype(np.float32)


def _warnings(rows: ExportRows, present: IntArray) -> list[str]:
    warnings = []
    if len(present) < 2:
        warnings.append("cleanlab needs labels of two classes at least")
    if 0 < len(present) < len(rows.class_names):
        left = len(rows.class_names) - len(present)
        which = "1 class without a label is" if left == 1 else f"{left} classes without a label are"
        warnings.append(f"{which} left out: cleanlab takes only classes that occur")
    few = int((np.bincount(rows.class_indices, minlength=len(rows.class_names))[present] < FEWEST).sum())
    if few:
        which = "1 class has" if few == 1 else f"{few} classes have"
        warnings.append(f"{which} fewer than {FEWEST} labels: held out, too little is left to know them by")
    if "propagated" in rows.provenances or "predicted" in rows.provenances:
        warnings.append("spread and predicted labels are a model's own: --human-only asks about people's alone")
    return warnings
