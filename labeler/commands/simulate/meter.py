"""The measurements while a simulated person answers, row by row."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labeler.core import steps
from labeler.core.types import (
    GIVEN,
    UNLABELED,
    BoolArray,
    FloatArray,
    IndexArray,
    IntArray,
    Provenance,
    Round,
    Snapshot,
    Tier,
)
from labeler.plugins.importers.base import Source
from labeler.project.open import Project
from labeler.session.quality.random_sample import estimate
from labeler.worker.pipeline import Pipeline

GOALS = (0.95, 0.98, 0.99, 0.995)
PROMISING = (Tier.LIKELY, Tier.LOCKED)
"""The tiers that promise something: that a label may leave without a look."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The shares of one round, over the instances with a truth.

    `tiers`: word of a tier -> share of the pool whose machine label is of it, and the share right of these (None where
    there is none). `classes`: how many have an answer.
    """

    accuracy: float
    coverage: float
    propagated: float
    precision: float | None
    tiers: dict[str, dict[str, float | None]]
    classes: int


@dataclass(slots=True)
class Meter:
    """The measurements of one run, row by row."""

    truth_ids: IntArray  # class numbers of the truth, one an instance of the pool
    names: list[str]
    started: float
    curve: list[dict[str, Any]] = field(default_factory=list)
    keys_to: dict[str, int | None] = field(default_factory=lambda: {str(goal): None for goal in GOALS})
    latencies: list[float] = field(default_factory=list)
    behind: list[float] = field(default_factory=list)
    keys: int = 0
    clicks: int = 0


def note_goals(session: Any, meter: Meter, round_: Round) -> None:
    """Remember the keys at which a goal was reached first."""
    _note(meter, measured(session, meter, round_).accuracy)


def _note(meter: Meter, accuracy: float) -> None:
    for goal in GOALS:
        if meter.keys_to[str(goal)] is None and accuracy >= goal:
            meter.keys_to[str(goal)] = meter.keys


@dataclass(slots=True)
class HeldOut:
    """Instances outside the pool: `rows` (m,) of the source `test`, of the classes `y` (m,)."""

    pipeline: Pipeline
    test: Source
    rows: IndexArray
    y: IntArray
    _by_encoder: dict[str, FloatArray] = field(default_factory=dict)

    def features(self, snapshot: Snapshot | None) -> FloatArray | None:
        """Return their features (m, d), those that lead after a `snapshot` or the pool's; None where there are none."""
        if not len(self.rows):
            return None
        prepared = self.pipeline.prepared if snapshot is None else self.pipeline.leading(snapshot)
        encoder = prepared.encoder if prepared is not None else ""
        if encoder not in self._by_encoder:
            self._by_encoder[encoder] = steps.run(self.pipeline.encode(self.test, snapshot)).features[self.rows]
        return self._by_encoder[encoder]


def row_of(project: Project, pipeline: Pipeline, meter: Meter, held_out: HeldOut) -> dict[str, Any]:
    """Return one row of the curve, from a closing round: what an export would hold now."""
    session = project.session
    snapshot = session.snapshot()
    # from scratch, as an export: the curve shows what a person would take home, not what is live
    shares = measured(session, meter, pipeline.closing_round(snapshot))
    _note(meter, shares.accuracy)
    control = estimate(session.state)
    test_accuracy, X_test, y_test = None, held_out.features(snapshot), held_out.y
    if X_test is not None:
        number_of = _numbers(session, meter)
        predicted, _ = pipeline.predict(snapshot, X_test)
        test_accuracy = float(np.mean([number_of.get(int(c), -1) == y for c, y in zip(predicted, y_test, strict=True)]))
    return {
        "clicks": meter.clicks,
        "keys": meter.keys,
        "labels_accuracy": round(shares.accuracy, 6),
        "coverage": round(shares.coverage, 6),
        "propagated_share": round(shares.propagated, 6),
        "propagated_precision": _rounded(shares.precision),
        "tiers": {word: {name: _rounded(share) for name, share in of.items()} for word, of in shares.tiers.items()},
        "classes": shares.classes,
        "test_accuracy": _rounded(test_accuracy),
        "estimate": None if control is None else control.facts,
        "seconds": round(time.perf_counter() - meter.started, 3),
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 6)


def measured(session: Any, meter: Meter, round_: Round) -> Measured:
    """Return the shares of a round."""
    number_of = _numbers(session, meter)
    # a table from class ids to the truth's numbers: ids are dense, and -1 (no label) is its last entry
    lookup = np.full(max(number_of, default=0) + 2, UNLABELED - 1, dtype=np.int32)
    for class_id, number in number_of.items():
        lookup[class_id] = number
    known = meter.truth_ids != UNLABELED
    right = (lookup[round_.labels] == meter.truth_ids) & known
    given = np.isin(round_.provenances, GIVEN) & known
    propagated = (round_.provenances == Provenance.PROPAGATED) & known
    machine = known & ~given
    n = max(int(known.sum()), 1)
    tiers = {
        tier.word: {"share": int((of := machine & (round_.tiers == tier)).sum()) / n, "precision": _share(right, of)}
        for tier in PROMISING
    }
    return Measured(
        accuracy=float(right.sum() / n),
        coverage=float((given | propagated).sum() / n),
        propagated=float(propagated.sum() / n),
        precision=_share(right, propagated),
        tiers=tiers,
        classes=len(np.unique(round_.labels[given])),
    )


def _share(right: BoolArray, among: BoolArray) -> float | None:
    return float(right[among].mean()) if among.any() else None


def _numbers(session: Any, meter: Meter) -> dict[int, int]:
    """Return class id -> its number in the truth; a class of --classes that the truth never names is never right."""
    numbers = {name: number for number, name in enumerate(meter.names)}
    # below all that stands for no truth: so it is equal to nothing
    return {info.class_id: numbers.get(info.name, UNLABELED - 2) for info in session.state.classes.values()}
