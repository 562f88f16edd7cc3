"""Reach: the instances of each cluster, nearest to its center first, that may take a label nobody gave them."""

from __future__ import annotations

import numpy as np

from labeler.core.types import BoolArray, FloatArray, IntArray, Snapshot


def percentiles_of(snapshot: Snapshot, clusters: IntArray, automatic: float = float("nan")) -> FloatArray:
    """Return how far labels spread in each cluster (k,), in percent: by the common rule, or one of its own.

    A cluster's own rule is named by an instance, once its representative: where the clustering has changed since, the
    rule goes with that instance into the cluster it is in now, and the latest one holds. `automatic` stands where the
    rule is to go as far as the tiers allow.
    """
    common = automatic if snapshot.percentile is None else snapshot.percentile
    percentiles = np.full(int(clusters.max(initial=-1)) + 1, common, dtype=np.float32)
    for index, own in zip(snapshot.reach_indices, snapshot.reach_percentiles, strict=True):
        percentiles[clusters[index]] = common if np.isnan(own) else own
    return percentiles


def within_reach(clusters: IntArray, distances: FloatArray, percentile: float | FloatArray) -> BoolArray:
    """Whether each instance (n,) is among the closest `percentile` percent of its cluster; one number, or (k,).

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
    percentiles = np.broadcast_to(np.asarray(percentile, dtype=np.float64), sizes.shape)
    # rank r of s lies at the percentile 100 r / (s - 1): the last rank inside the cut-off is the largest such r <= P
    # 1e-9: rounding must not leave out a rank that lies on the percentile
    last = starts + np.floor(percentiles * (sizes - 1) / 100.0 + 1e-9).astype(np.int64)
    edge = distances[order[np.clip(last, 0, len(clusters) - 1)]]
    alone = percentiles <= 0
    reach[order] = (distances[order] <= edge[ordered]) & ~alone[ordered]
    reach[order[starts[alone & (sizes > 0)]]] = True
    return reach
