"""Layouts of arrays in an npz: which are instances and which are labels, by the names that are in use.

One pool: ``X, y`` (also ``images, labels``, ``data, target``, numpy's ``arr_0, arr_1``). In parts: ``x_train, y_train,
x_test, y_test`` (Keras), ``X_train, ...`` (scikit-learn), ``train_images, train_labels, val_images, ...`` (MedMNIST).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from labeler.core.errors import SourceError
from labeler.core.pool import RowIds
from labeler.core.text import display_safe
from labeler.plugins.importers.names import row_ids, split_of
from labeler.plugins.importers.npy import ArrayFile, text_array

# the first that is there is taken, so that a file with both `X` and `data` is read as it was meant for this program
_CONTENT = ("X", "images", "image", "imgs", "x", "data", "features", "inputs")
_LABELS = ("y", "labels", "label", "targets", "target", "Y")
_SPLITS = "train|training|test|testing|val|valid|validation|dev|eval|holdout|unlabell?ed|extra"
_WHAT = "x|images?|imgs?|data|features?|inputs?|y|labels?|targets?"
_PART = re.compile(
    rf"(?P<split>{_SPLITS})[-_. ]?(?P<what>{_WHAT})|(?P<what_first>{_WHAT})[-_. ]?(?P<split_last>{_SPLITS})",
    re.IGNORECASE,
)
_ORDER = {"train": 0, "val": 1, "test": 2}
_NUMPYS = re.compile(r"arr_[01]")


class Part(NamedTuple):
    """Instances and their labels: `split` is what their ids begin with ("" where the file is one pool)."""

    split: str
    content: str
    labels: str | None

    def ids(self, count: int) -> RowIds:
        """``00000``, ... or ``train:00000``, ..., as many as there are rows."""
        return row_ids(count, self.split)


def parts_of(file: ArrayFile) -> list[Part]:
    """The pools of a file, train before val before test.

    Raises
    ------
    SourceError
        None of its arrays is known to hold instances; the message names what there is.
    """
    # with an `X` the file is one pool, whatever else in it is called like a part
    if "X" not in file.names and (parts := _split_parts(file)):
        return parts
    names = file.names
    labels = next((name for name in _LABELS if name in names), None)
    beside = [name for name in names if name not in ("ids", labels)]
    # the only array there is may be called anything
    content = "X" if "X" in names else beside[0] if len(beside) == 1 else None
    content = content or next((name for name in _CONTENT if name in names), None)
    if content is None and len(names) == 2 and all(map(_NUMPYS.fullmatch, names)):
        content, labels = "arr_0", "arr_1"
    if content is None:
        there = ", ".join(display_safe(name, 30) for name in names[:10]) or "none"
        raise SourceError(
            f"{file.shown} has no array 'X' (arrays: {there})",
            "write it with numpy.savez(file, X=images, y=labels), or with x_train, y_train, x_test, y_test",
        )
    return [Part("", content, labels)]


def _split_parts(file: ArrayFile) -> list[Part]:
    content: dict[str, str] = {}
    labels: dict[str, str] = {}
    for name in file.names:
        match = _PART.fullmatch(name)
        if match is None:
            continue
        split = (match["split"] or match["split_last"]).lower()
        what = (match["what"] or match["what_first"]).lower()
        # y, labels, targets; no name of content begins with one of these letters
        target = labels if what[0] in "ylt" else content
        target.setdefault(split_of(split) or split, name)
    # an empty part would become a split without instances
    filled = [split for split, name in content.items() if not file.is_empty(name)]
    in_order = sorted(filled, key=lambda split: _ORDER.get(split, len(_ORDER)))
    return [Part(split, content[split], labels.get(split)) for split in in_order]


def label_texts(file: ArrayFile, name: str, count: int) -> list[str]:
    """The labels of `count` instances as text, "" = none: one a row, in a column, or one-hot (a class by its place).

    Raises
    ------
    SourceError
        As :func:`text_array`, or a row marks several classes.
    """
    header = file.header(name)
    is_matrix = len(header.shape) == 2 and header.shape[0] == count and header.shape[1] > 1
    if not is_matrix or header.dtype.kind not in "biuf" or math.prod(header.shape) == count:
        return text_array(file, name, count)
    values = np.asarray(file.read(name))
    marks = values == 1
    # a row of zeros is an instance without a label; two ones, or a 0.7, are more than one class can say
    several = np.flatnonzero((marks.sum(axis=1) > 1) | ~(marks | (values == 0)).all(axis=1))
    if len(several):
        raise SourceError(
            f"{file.shown}: {display_safe(name)!r}, row {several[0]:,} marks no single class of {header.shape[1]}",
            "give one class an instance: a number or name, or one-hot rows of 0 and 1",
        )
    places = np.where(marks.any(axis=1), marks.argmax(axis=1), -1)
    return ["" if place < 0 else str(place) for place in places.tolist()]


def notes_on(parts: Sequence[Part], counts: Sequence[int]) -> list[str]:
    """One line where the file is in several parts; none where it is one."""
    if len(parts) < 2:
        return []
    sizes = ", ".join(f"{part.split} {count:,}" for part, count in zip(parts, counts, strict=True))
    line = f"one pool of {sizes}: exports keep the split as a column"
    without = [part.split for part in parts if part.labels is None]
    return [line + (f"; no labels of {', '.join(without)}" if without and len(without) < len(parts) else "")]
