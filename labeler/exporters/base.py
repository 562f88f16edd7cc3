"""What an exporter gets and does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from labeler.core.vocabulary import ByteArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class ExportRows:
    """What leaves the program; the columns run in parallel, one entry an exported instance, in pool order.

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
    features: Callable[[], FloatArray | ByteArray]  # X of the exported rows: images (n, h, w[, 3]) uint8 or a table
    options: dict[str, str] = field(default_factory=dict)  # link=hard|sym|copy, csv_safe=yes, ...


class Exporter(Protocol):
    """Writes rows to a temporary place; `labeler.exporters.writing` counts, hashes and renames."""

    is_folder: bool
    endings: tuple[str, ...]  # of a target's name that mean this format, e.g. (".csv",)

    def write(self, rows: ExportRows, target: Path) -> list[str]:
        """Write to `target` (which does not exist yet); returns warnings, one line each."""
        ...

    def count(self, target: Path) -> dict[str, int]:
        """Read the written target back as another program would; returns class name -> number of instances."""
        ...
