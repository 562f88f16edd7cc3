"""Instances in an order, each with the number that puts it there: the result of search, outliers and hunt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labeler.commands.result import Result
from labeler.core.text import counted, display_safe
from labeler.core.types import UNLABELED, BoolArray, FloatArray, IndexArray, Progress
from labeler.project.project import Project

ReportProgress = Callable[[Progress], None]
COUNT = 25
"""Instances shown where nobody says how many."""


@dataclass(frozen=True, slots=True)
class RankedLabel:
    """The id of a ranked instance, its label by now ("" = none) and where that is from."""

    id: str
    label: str
    provenance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking(Result):
    """Instances in order, the first first. `numbers` (n,) are what they are ordered by, `measure` is their name.

    `query` is what was asked, JSON-able. `beyond` (n,): whether each score lies beyond a cut; None without a cut.
    `notes`: which views of the pool had no say, though nobody chose so.
    """

    query: dict[str, Any]
    measure: str  # "distance" or "score"
    indices: IndexArray
    numbers: FloatArray
    labels: list[RankedLabel]
    n_instances: int
    beyond: BoolArray | None = None
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the query, and under `found` one row an instance."""
        rows: list[dict[str, Any]] = [
            # the fewest digits that give the same float32 again
            {"id": row.id, "label": row.label, "provenance": row.provenance, self.measure: float(str(number))}
            for row, number in self._rows()
        ]
        if self.beyond is not None:
            rows = [row | {"beyond": bool(beyond)} for row, beyond in zip(rows, self.beyond, strict=True)]
        return self.query | {"n_instances": self.n_instances, "found": rows, "notes": self.notes}

    def warnings(self) -> list[str]:
        """Return the notes."""
        return self.notes

    def lines(self) -> list[str]:
        """Return one line an instance: the number, its label by now, its id."""
        lines = [f"{self.measure:>10}  {'label':<24}  id"]
        for place, (row, number) in enumerate(self._rows()):
            inside = self.beyond is not None and not self.beyond[place]
            # the column has 24 cells, for the label and its provenance in brackets
            room = 24 - len(row.provenance) - 3
            label = f"{display_safe(row.label, room)} ({row.provenance})" if row.label else "-"
            lines.append(f"{number:10.4g}  {label:<24}  {display_safe(row.id)}{'  (inside the cut)' if inside else ''}")
        lines.append(f"{counted(len(self.indices), 'instance')} of {self.n_instances:,}")
        if self.beyond is not None:
            lines[-1] += f"; {self.query['n_beyond']:,} beyond the cut at a score of {self.query['cut']:.6g}"
        return lines

    def _rows(self) -> list[tuple[RankedLabel, np.float32]]:
        return list(zip(self.labels, map(np.float32, self.numbers), strict=True))


def ranking_of(
    project: Project,
    query: dict[str, Any],
    measure: str,
    indices: IndexArray,
    numbers: FloatArray,
    beyond: BoolArray | None = None,
) -> Ranking:
    """Return the ranking of these instances, with the labels that the project has now."""
    session = project.session
    labels = []
    for index in indices.tolist():
        class_id, provenance = session.label_of(index)
        label = session.state.classes[class_id].name if class_id != UNLABELED else ""
        labels.append(RankedLabel(session.pool.ids[index], label, provenance.word if label else ""))
    return Ranking(
        query=query, measure=measure, indices=indices, numbers=numbers, labels=labels,
        n_instances=len(session.pool), beyond=beyond, notes=project.view_notes(),
    )  # fmt: skip
