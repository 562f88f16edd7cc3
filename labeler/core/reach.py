"""Reach: the instances of each cluster, nearest to its center first, that may take a label nobody gave them."""

from __future__ import annotations

import numpy as np

from labeler.core.vocabulary import BoolArray, FloatArray, IntArray


def within_reach(clusters: IntArray, distances: FloatArray, percentile: float) -> BoolArray:
    """Whether each instance (n,) is among the closest `percentile` percent of its cluster.

    The rule of the source (Géron, Hands-On Machine Learning, ch. 9): the distance to the center is at most that
    percentile of the cluster's distances, linearly interpolated; equals at the edge are all inside. 100 takes whole
    clusters; 0 takes nobody but the one nearest instance, which is asked anyway.
    """
    reach = np.zeros(len(clusters), dtype=np.bool_)
    if not len(clusters):
        return reach
    order = np.lexsort((distances, clusters))
    ordered = clusters[order]
    sizes = np.bincount(clusters)
    starts = np.cumsum(sizes) - sizes
    if percentile <= 0:
        reach[order[starts[sizes > 0]]] = True
        return reach
    # rank r of s lies at the percentile 100 r / (s - 1): the last rank inside the cut-off is the largest such r <= P
    last = starts + np.floor(percentile * (sizes - 1) / 100.0 + 1e-9).astype(np.int64)
    edge = distances[order[np.clip(last, 0, len(clusters) - 1)]]
    reach[order] = distances[order] <= edge[ordered]
    return reach
