"""Utilities -> indices: masks, ties and spread are written once, here."""

from __future__ import annotations

import numpy as np

from labeler.core.types import BoolArray, FloatArray, IndexArray, IntArray


def best(
    utilities: FloatArray,
    candidates: BoolArray,
    batch_size: int,
    rng: np.random.Generator,
    clusters: IntArray | None = None,
) -> IndexArray:
    """The `batch_size` candidates of the highest utility, best first; ties are broken by `rng`.

    Parameters
    ----------
    utilities, candidates
        (n,) float32 and bool.
    clusters
        (n,): where given, one instance of each cluster is taken before any cluster gives a second one.
    """
    indices = np.flatnonzero(candidates)
    if not len(indices) or batch_size < 1:
        return np.empty(0, dtype=np.int64)
    ties, utility = rng.random(len(indices)), utilities[indices]  # for all: cutting the list short changes no draw
    short = _in_question(utility, batch_size, clusters[indices] if clusters is not None else None)
    indices = indices[short]
    order = indices[np.lexsort((ties[short], -utility[short]))]
    if clusters is not None:
        order = order[np.argsort(turn_in_group(clusters[order]), kind="stable")]
    return order[:batch_size].astype(np.int64)


def _in_question(utility: FloatArray, batch_size: int, groups: IntArray | None) -> IndexArray:
    """Places of those that may be among the best, in their order: sorting them is sorting all, and much less work.

    Of each group as many as it can give, and all that tie with the last of them.
    """
    n = len(utility)
    if n <= batch_size:
        return np.arange(n)
    if groups is None:
        return np.flatnonzero(utility >= np.partition(utility, n - batch_size)[n - batch_size])
    sizes = np.bincount(groups)
    given = np.cumsum((sizes[:, None] > np.arange(batch_size)).sum(axis=0))  # by all groups, after each turn
    turns = int(np.searchsorted(given, batch_size)) + 1
    bars = np.full(len(sizes), -np.inf, dtype=utility.dtype)
    by_group = np.argsort(groups.astype(np.min_scalar_type(len(sizes))), kind="stable")  # small numbers sort faster
    ends = np.cumsum(sizes)
    for group in np.flatnonzero(sizes > turns):
        members = utility[by_group[ends[group] - sizes[group] : ends[group]]]
        bars[group] = np.partition(members, len(members) - turns)[len(members) - turns]
    return np.flatnonzero(utility >= bars[groups])


def turn_in_group(groups: IntArray) -> IndexArray:
    """Count for each entry the ones before it in its group: 0 for a group's first, 1 for its second."""
    by_group = np.argsort(groups, kind="stable")
    ordered = groups[by_group]
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))) if len(groups) else by_group
    sizes = np.diff(np.concatenate((first, [len(groups)])))
    turns = np.empty(len(groups), dtype=np.int64)
    turns[by_group] = np.arange(len(groups)) - np.repeat(first, sizes)
    return turns
