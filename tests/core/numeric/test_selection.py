from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from labeler.core.numeric.selection import best, turn_in_group

POOL = st.integers(1, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 5), min_size=n, max_size=n),
        st.lists(st.booleans(), min_size=n, max_size=n),
        st.lists(st.integers(0, 6), min_size=n, max_size=n),
        st.integers(1, n + 3),
    )
)


def arrays(pool):
    utilities, candidates, clusters, size = pool
    return np.array(utilities, np.float32), np.array(candidates), np.array(clusters, np.int32), size


def rng(seed=0):
    return np.random.default_rng(seed)


@given(POOL)
def test_the_chosen_are_candidates_once_each_and_none_better_is_left_out(pool):
    utilities, candidates, _, size = arrays(pool)
    chosen = best(utilities, candidates, size, rng())
    assert len(chosen) == min(size, candidates.sum()) == len(set(chosen.tolist()))
    assert candidates[chosen].all()
    assert (np.diff(utilities[chosen]) <= 0).all()
    left = np.setdiff1d(np.flatnonzero(candidates), chosen)
    if len(left) and len(chosen):
        assert utilities[left].max() <= utilities[chosen].min()


@given(POOL)
def test_no_cluster_gives_a_second_one_before_every_cluster_gave_a_first(pool):
    utilities, candidates, clusters, size = arrays(pool)
    chosen = best(utilities, candidates, size, rng(), clusters)
    assert len(chosen) == min(size, candidates.sum())
    turns = turn_in_group(clusters[chosen])
    assert (np.diff(turns) >= 0).all()
    n_first = int((turns == 0).sum())
    assert n_first == min(size, len(np.unique(clusters[candidates])))
    for index in chosen[:n_first]:  # each is the best of its cluster
        assert utilities[index] == utilities[candidates & (clusters == clusters[index])].max()


@given(st.permutations(range(20)), st.booleans())
def test_the_order_of_the_pool_does_not_matter_where_nothing_ties(order, spread):
    order = np.array(order)
    utilities = np.linspace(0, 1, 20, dtype=np.float32)[rng(3).permutation(20)]
    clusters = np.arange(20, dtype=np.int32) % 4
    candidates = np.arange(20) != 5
    plain = best(utilities, candidates, 8, rng(), clusters if spread else None)
    shuffled = best(utilities[order], candidates[order], 8, rng(), clusters[order] if spread else None)
    assert order[shuffled].tolist() == plain.tolist()


def test_ties_are_broken_by_the_generator_not_by_position():
    first = [best(np.zeros(50, np.float32), np.ones(50, bool), 1, rng(seed))[0] for seed in range(40)]
    assert len(set(first)) > 20
    assert first == [best(np.zeros(50, np.float32), np.ones(50, bool), 1, rng(seed))[0] for seed in range(40)]


def test_no_candidates_no_choice():
    chosen = best(np.ones(3, np.float32), np.zeros(3, bool), 2, rng())
    assert (len(chosen), chosen.dtype) == (0, np.int64)


@given(st.lists(st.integers(0, 4), max_size=30))
def test_a_turn_counts_the_equals_before_it(groups):
    turns = turn_in_group(np.array(groups, dtype=np.int32))
    assert turns.tolist() == [groups[:position].count(group) for position, group in enumerate(groups)]
