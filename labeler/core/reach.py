"""Reach: the instances of each cluster, nearest to its center first, that may take a label nobody gave them."""

from __future__ import annotations

import numpy as np

from labeler.core.vocabulary import BoolArray, FloatArray, IntArray


def within_reach(clusters: IntArray, distances: FloatArray, percentile: float) -> BoolArray:
    """Whether each instance (n,) is among the closest `percentile` percent of its cluster.

    The rule of the source (Géron, Hands-On Machine Learning, ch. 9): the distance to the center is at most that
    percentile of the cluster's distances, linearly interpolated. 100 takes whole clusters; 0 takes nobody but the
    instance at the center itself, which is asked anyway.
    """
    order = np.lexsort((distances, clusters))
    ordered = clusters[order]
    sizes = np.bincount(clusters) if len(clusters) else np.empty(0, dtype=np.int64)
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1])) if len(sizes) else sizes
    rank = np.arange(len(clusters)) - starts[ordered] if len(clusters) else np.empty(0)
    # rank r of s lies at the percentile 100 r / (s - 1): inside the cut-off exactly where that is <= P
    inside = rank * 100.0 <= percentile * (sizes[ordered] - 1) + 1e-9 if len(clusters) else np.empty(0, dtype=bool)
    reach = np.zeros(len(clusters), dtype=np.bool_)
    reach[order] = inside
    return reach
