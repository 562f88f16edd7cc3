from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeler.engine.reach import within_reach

CLUSTERED = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30)), max_size=60)


def by_numpy(clusters, distances, percentile):
    out = np.zeros(len(clusters), dtype=bool)
    for cluster in np.unique(clusters):
        mine = clusters == cluster
        # the cut-off interpolates between two distances: a rounding error must not throw the lower one out
        out[mine] = distances[mine] <= np.percentile(distances[mine].astype(float), percentile) + 1e-9
    return out


def arrays(pairs):
    clusters = np.array([cluster for cluster, _ in pairs], dtype=np.int32)
    return clusters, np.array([distance for _, distance in pairs], dtype=np.float32)


@given(CLUSTERED, st.integers(1, 1000).map(lambda tenths: tenths / 10))
def test_the_rule_is_that_of_numpy_percentile_ties_and_all(pairs, percentile):
    clusters, distances = arrays(pairs)
    expected = by_numpy(clusters, distances, percentile)
    assert np.array_equal(within_reach(clusters, distances, percentile), expected)


@given(CLUSTERED)
def test_zero_reaches_the_nearest_instance_of_each_cluster_alone(pairs):
    clusters, distances = arrays(pairs)
    reach = within_reach(clusters, distances, 0)
    for cluster in np.unique(clusters):
        (chosen,) = np.flatnonzero(reach & (clusters == cluster))
        assert distances[chosen] == distances[clusters == cluster].min()


@given(CLUSTERED)
def test_a_hundred_takes_whole_clusters(pairs):
    assert within_reach(*arrays(pairs), 100).all()


@pytest.mark.slow
@given(CLUSTERED, st.floats(0, 100), st.floats(0, 100))
def test_a_larger_percentile_reaches_no_fewer(pairs, first, second):
    clusters, distances = arrays(pairs)
    small, large = (within_reach(clusters, distances, p) for p in sorted((first, second)))
    assert not (small & ~large).any()


@given(CLUSTERED, st.integers(1, 100), st.randoms(use_true_random=False))
def test_the_order_of_the_instances_does_not_matter(pairs, percentile, random):
    clusters, distances = arrays(pairs)
    order = np.array(random.sample(range(len(pairs)), len(pairs)), dtype=int)
    shuffled = within_reach(clusters[order], distances[order], percentile)
    assert np.array_equal(shuffled, within_reach(clusters, distances, percentile)[order])
