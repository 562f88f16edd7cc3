"""Dividing the exported rows into train, val and test: by class, duplicates kept together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labeler.core.errors import UsageError
from labeler.core.types import IndexArray, IntArray

NAMES = {1: ("train",), 2: ("train", "test"), 3: ("train", "val", "test")}


def parse_split(text: str) -> tuple[float, ...]:
    """``80/10/10`` as numbers in any unit.

    Raises
    ------
    UsageError
        They are not two or three numbers that are positive, or zero for some.
    """
    try:
        shares = tuple(float(part) for part in text.split("/"))
    except ValueError:
        raise UsageError(f"the split {text!r} cannot be read", "write for example 80/10/10 or 80/20") from None
    _check(shares)
    return shares


def _check(shares: Sequence[float]) -> None:
    if len(shares) not in NAMES or min(shares) < 0 or not 0 < sum(shares) < float("inf"):
        raise UsageError("the shares of a split are two or three numbers", "write for example 80/10/10 or 80/20")


def split_rows(
    sha256: Sequence[str],
    class_indices: IntArray,
    shares: Sequence[float],
    random_state: int,
    repeats: Sequence[int] | None = None,
) -> list[str]:
    """Return the split of every row, stratified by class; rows of equal content are never separated.

    `sha256` and `class_indices` (n,) run in parallel; a row without a hash ("") is like no other. Rows of one number in
    `repeats` (n,) are near duplicates and stay together as well (None = none are known). `shares` are two
    (train, test) or three (train, val, test) numbers in any unit (80, 10, 10). Without duplicates every split of
    the whole is within one row of its share, and what a class leaves over is passed on to the next, so that classes of
    three instances do not all end up in train. Groups of duplicates with different labels count as their commonest.

    Raises
    ------
    UsageError
        `shares` are not one to three numbers that are positive, or zero for some.
    """
    _check(shares)
    fractions = np.asarray(shares, dtype=np.float64) / sum(shares)
    split_of = divided(sha256, class_indices, fractions, random_state, repeats)
    return [NAMES[len(fractions)][split] for split in split_of.tolist()]


def divided(
    sha256: Sequence[str],
    class_indices: IntArray,
    fractions: NDArray[np.float64],
    random_state: int,
    repeats: Sequence[int] | None = None,
) -> IndexArray:
    """The part (n,) of every row, as :func:`split_rows` says; `fractions` of the parts sum to 1."""
    rng = np.random.default_rng(random_state)
    split_of = np.zeros(len(sha256), dtype=np.int64)
    deficits = np.zeros(len(fractions))
    for groups in _groups_by_class(sha256, class_indices.tolist(), repeats):
        # before the sort below, so that among groups of one size chance decides
        rng.shuffle(groups)
        groups.sort(key=len, reverse=True)  # stable; the large ones first, while every split still has room
        deficits += fractions * sum(map(len, groups))
        for group in groups:
            # a part whose share is 0 gets nothing, even where all others have more than theirs
            chosen = int(np.argmax(np.where(fractions > 0, deficits, -np.inf)))
            split_of[group] = chosen
            deficits[chosen] -= len(group)
    return split_of


def _groups_by_class(
    sha256: Sequence[str], classes: Sequence[int], repeats: Sequence[int] | None
) -> list[list[list[int]]]:
    """The rows that are alike as groups, in order of first appearance; the groups by class, in order of class."""
    first_of = list(range(len(sha256)))

    def first(row: int) -> int:
        # chains stay short, as each row is hung below the first of its group
        while first_of[row] != row:
            row = first_of[row]
        return row

    seen: dict[tuple[str, str | int], int] = {}
    for row, digest in enumerate(sha256):
        marks: list[tuple[str, str | int]] = [("content", digest)] if digest else []
        marks += [("near", int(repeats[row]))] if repeats is not None else []
        for mark in marks:
            # the earlier row leads, so that groups come in the order of the pool
            one, other = sorted((first(row), first(seen.setdefault(mark, row))))
            first_of[other] = one
    groups: dict[int, list[int]] = {}
    for row in range(len(sha256)):
        groups.setdefault(first(row), []).append(row)
    by_class: dict[int, list[list[int]]] = {}
    for group in groups.values():
        by_class.setdefault(_commonest([classes[row] for row in group]), []).append(group)
    return [by_class[index] for index in sorted(by_class)]


def _commonest(classes: Sequence[int]) -> int:
    times = Counter(classes)
    # of equals the first class: the same rows are divided alike each time
    return min(times, key=lambda index: (-times[index], index))
