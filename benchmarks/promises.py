"""Promises that an export makes, held against the rows of a simulated session.

A row says what an export would hold at that moment: how much of the pool (coverage), how much of what spread by itself
is right, and the same of each tier. None of it needs the targets of a set: it must hold on every set, at every row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]

SPREAD_FROM, SPREAD_RIGHT = 0.10, 0.90
"""From this share of the pool exported as propagated, so much of it must be right."""
LARGEST_FALL = 0.10
"""Coverage may fall by so much between two rows, unless a class was added."""
LATE, LATE_RIGHT, LATE_COVERED = 300, 0.99, 0.85
"""From so many answers on, with so many labels right, so much must be in an export."""
TIERS = {"likely": 0.95, "locked": 0.99}
"""Share right that the name of a tier promises."""
TIER_FROM = 20
"""Labels of a tier from which its share right is judged: of fewer, a single error would decide."""


def breaches(curve: list[Row], n: int) -> Iterator[str]:
    """What a session's rows promise and do not hold, one line each; `n` instances in its pool."""
    previous: Row | None = None
    for row in curve:
        at = f"at {row['clicks']}"
        spread = row["propagated_share"]
        if spread > SPREAD_FROM and row["propagated_precision"] < SPREAD_RIGHT:
            yield f"{at}: {_percent(spread)} exported as propagated, {_percent(row['propagated_precision'])} right"
        if previous and previous["classes"] >= row["classes"] and previous["coverage"] - row["coverage"] > LARGEST_FALL:
            yield f"{at}: coverage fell from {_percent(previous['coverage'])} to {_percent(row['coverage'])}"
        if row["clicks"] >= LATE and row["labels_accuracy"] >= LATE_RIGHT and row["coverage"] < LATE_COVERED:
            yield f"{at}: {_percent(row['labels_accuracy'])} right and {_percent(row['coverage'])} exported"
        for word, right in TIERS.items():
            tier = row["tiers"][word]
            if n * tier["share"] >= TIER_FROM and tier["precision"] < right:
                yield f"{at}: {word} ({_percent(tier['share'])} of the pool) is {_percent(tier['precision'])} right"
        previous = row


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
