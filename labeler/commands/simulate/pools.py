"""The pool of a simulation: the instances that are labeled, and those that are held out."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from labeler.core.errors import SourceError, UsageError
from labeler.core.text import counted
from labeler.core.types import IndexArray
from labeler.plugins.importers.base import Source


def with_truth(source: Source, truth: dict[str, str], say: Callable[[str], None]) -> IndexArray:
    """Return the rows whose label the truth tells; what is left out is said."""
    rows = np.array([row for row, name in enumerate(source.ids) if name in truth], dtype=np.int64)
    if not len(rows):
        raise SourceError("the truth names no instance of this source", "its path|id column holds the source's ids")
    if len(rows) < len(source.ids):
        lead = counted(len(source.ids) - len(rows), "instance without truth is", "instances without truth are")
        say(f"{lead} left out")
    for name, why in source.unreadable.items():
        say(f"cannot be read: {name}: {why}")
    for note in source.notes:
        say(note)
    return rows


def thin(rows: IndexArray, labels: list[str], imbalance: str, seed: int) -> IndexArray:
    """Thin classes: ``10:1,4,8`` keeps one in ten of the classes 1, 4 and 8 (at least one of each)."""
    if not imbalance:
        return rows
    factor, _, listed = imbalance.partition(":")
    names = [name.strip() for name in listed.split(",") if name.strip()]
    if not re.fullmatch("[0-9]{1,9}", factor) or int(factor) < 1 or not names:
        raise UsageError(f"--imbalance {imbalance!r} cannot be read", "write FACTOR:CLASS,CLASS such as 10:1,4,8")
    unknown = [name for name in names if name not in labels]
    if unknown:
        raise UsageError(f"--imbalance names a class the truth does not have: {unknown[0]!r}", "see the truth file")
    # 10 and 20: streams of their own, so that thinning does not move what is held out
    rng = np.random.default_rng((seed, 10))
    keep = np.ones(len(rows), dtype=np.bool_)
    classes = np.array(labels)
    for name in names:
        members = np.flatnonzero(classes == name)
        chosen = rng.choice(members, max(1, len(members) // int(factor)), replace=False)
        keep[np.setdiff1d(members, chosen)] = False
    return rows[keep]


def hold_out(rows: IndexArray, share: float, seed: int) -> tuple[IndexArray, IndexArray]:
    """Split rows at random into the pool and a held-out test set of `share`; both in source order."""
    if share <= 0:
        return rows, rows[:0]
    order = np.random.default_rng((seed, 20)).permutation(len(rows))
    n_test = round(share * len(rows))
    return np.sort(rows[order[n_test:]]), np.sort(rows[order[:n_test]])
