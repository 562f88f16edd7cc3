"""Utilities -> indices: masks, ties and spread are written once, here."""

from __future__ import annotations

import numpy as np

from labeler.core.vocabulary import BoolArray, FloatArray, IndexArray, IntArray


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
    if not len(indices):
        return np.empty(0, dtype=np.int64)
    order = indices[np.lexsort((rng.random(len(indices)), -utilities[indices]))]
    if clusters is not None:
        order = order[np.argsort(turn_in_group(clusters[order]), kind="stable")]
    return order[:batch_size].astype(np.int64)


def turn_in_group(groups: IntArray) -> IndexArray:
    """For each entry, how many entries before it are of the same group: 0 for a group's first, 1 for its second."""
    by_group = np.argsort(groups, kind="stable")
    ordered = groups[by_group]
    first = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))) if len(groups) else by_group
    sizes = np.diff(np.concatenate((first, [len(groups)])))
    turns = np.empty(len(groups), dtype=np.int64)
    turns[by_group] = np.arange(len(groups)) - np.repeat(first, sizes)
    return turns
