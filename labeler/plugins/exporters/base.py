"""The protocol of an exporter, and the rows it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from labeler.core.types import ByteArray, FloatArray, IndexArray, IntArray

Needs = Literal["", "content", "images"]
"""What an exporter needs of instances besides their labels: nothing, that they can be read, that they are images."""


class Rows(Protocol):
    """Rows (n, ...) of numbers that need not lie in memory: an array, or what reads one part by part."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, ...)."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the numbers."""
        ...

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        """Some of the rows, in memory."""
        ...


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Probabilities of exported rows by models that were not fitted on them.

    `proba` (n, k) float32, the columns in the order of the export's class names; `folds` (n,) says which rows were
    predicted by one model, `features` (n, d) what it saw, `how` how it was done in one line.
    """

    proba: FloatArray
    folds: IntArray
    features: Rows
    how: str


@dataclass(frozen=True, slots=True)
class Whole:
    """All usable instances of the pool, labeled or not: `ids`, the place among them of every exported row, features."""

    ids: list[str]
    places: IndexArray
    features: Rows


@dataclass(frozen=True, slots=True)
class ExportRows:
    """The rows of an export; the columns run in parallel, one entry an exported instance, in pool order.

    `class_indices` are positions in `class_names`. `confidence` and `weights` lie in [0, 1]. `annotators` is ""
    for labels no person gave, `source_ids` names the answered instance a label rests on most ("" = none).
    """

    ids: list[str]
    class_names: list[str]
    class_indices: IntArray
    provenances: list[str]
    confidence: FloatArray
    weights: FloatArray
    tiers: list[str]
    clusters: IntArray
    rounds: IntArray
    annotators: list[str]
    source_ids: list[str]
    sha256: list[str]
    flagged: list[bool]
    splits: list[str]  # "" or "train", "val", "test"
    locate: Callable[[int], Path | None]  # row -> file, where the instance is a file of its own
    image: Callable[[int], ByteArray]  # row -> decoded image; raises UnreadableInstance
    features: Callable[[], Rows]  # X of the exported rows: images (n, h, w[, 3]) uint8 or a table (n, d)
    held_out: Callable[[], HeldOut] | None = None
    whole: Callable[[], Whole] | None = None
    options: dict[str, str] = field(default_factory=dict)  # link=hard|sym|copy, csv_safe=yes, ...


class Exporter(Protocol):
    """Writes rows to a temporary place; `labeler.plugins.exporters.write` counts, hashes and renames.

    The endings that mean its format stand in the table of plug-ins, so that no exporter is imported to learn them; one
    of a person's or a package's own says them in an attribute `endings`.
    """

    is_folder: bool
    needs: Needs

    def write(self, rows: ExportRows, target: Path) -> list[str]:
        """Write to `target` (which does not exist yet); returns warnings, one line each."""
        ...

    def count(self, target: Path) -> dict[str, int]:
        """Read the written target back as another program would; returns class name -> number of instances."""
        ...
