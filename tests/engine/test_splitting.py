"""Clusters a person divides, gives a reach of their own, and looks outside of: in both engines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeler.core import steps
from labeler.core.types import Provenance, Round, Snapshot
from labeler.engine.book import BookEngine
from labeler.engine.cluster_neighbors import cluster_neighbors
from labeler.engine.reach import percentiles_of, within_reach
from labeler.engine.representatives import first_level
from labeler.engine.splitting import Partition, divide
from labeler.plugins.classifiers.logreg import LogReg
from labeler.plugins.clusterers.kmeans import KMeans
from labeler.plugins.query_strategies.uncertainty import MarginClusters
from tests.engine.pools import assert_same, blobs, opened, snapshot

X, Y = blobs(300, n_classes=6)
LEVEL = steps.run(first_level(X, 6))


def book() -> BookEngine:
    engine = BookEngine(KMeans(), LogReg(), MarginClusters(), n_clusters=8)
    for _ in engine.open(X):
        pass
    return engine


@pytest.fixture(scope="module", params=["default", "book"])
def engine(request):
    return opened(X, n_clusters=8) if request.param == "default" else book()


@pytest.fixture
def state(engine) -> Snapshot:
    """Four classes answered, so that the first level stays in force."""
    asked = engine.closing_round(snapshot()).representatives[:6]
    return snapshot(asked, np.minimum(Y[asked], 3), percentile=40.0)


# -- dividing


def test_a_cluster_becomes_two_and_all_others_stay_as_they_are():
    representative = int(LEVEL.representatives[2])
    cluster = LEVEL.clustering.clusters[representative]
    found = divide(LEVEL, X, representative)
    members = LEVEL.clustering.clusters == cluster
    assert found.size == LEVEL.size + 1 == len(found.clustering.centers)
    assert set(found.clustering.clusters[members]) == {cluster, LEVEL.size}
    np.testing.assert_array_equal(found.clustering.clusters[~members], LEVEL.clustering.clusters[~members])
    np.testing.assert_array_equal(found.clustering.distances[~members], LEVEL.clustering.distances[~members])
    assert found.parts.tolist() == found.representatives[2:4].tolist()
    gaps = np.linalg.norm(X - found.clustering.centers[found.clustering.clusters], axis=1)
    np.testing.assert_allclose(found.clustering.distances, gaps, rtol=1e-3, atol=1e-3)
    assert found.clustering.inertia == pytest.approx(np.square(gaps).sum(), rel=1e-3)
    assert found.clustering.inertia < LEVEL.clustering.inertia
    for part in found.representatives:
        mine = found.clustering.clusters == found.clustering.clusters[part]
        assert found.clustering.distances[part] == found.clustering.distances[mine].min()


@pytest.mark.slow
def test_parts_can_be_divided_again_and_undo_is_the_list_without_the_last():
    partition = Partition(X)
    splits = [int(LEVEL.representatives[0])]
    once = partition.divided(LEVEL, np.array(splits))
    splits.append(int(once.parts[1]))
    twice = partition.divided(LEVEL, np.array(splits))
    assert twice.size == LEVEL.size + 2
    assert len(twice.parts) == 3  # the part that was divided again is none any more
    back = partition.divided(LEVEL, np.array(splits[:1]))
    np.testing.assert_array_equal(back.clustering.clusters, once.clustering.clusters)
    np.testing.assert_array_equal(back.representatives, once.representatives)
    assert partition.divided(LEVEL, np.empty(0, dtype=np.int64)) is LEVEL


def test_who_represents_no_cluster_of_this_level_divides_nothing():
    other = next(index for index in range(300) if index not in LEVEL.representatives)
    assert divide(LEVEL, X, other) is LEVEL


def test_a_cluster_of_like_instances_cannot_be_divided():
    points = np.repeat(np.eye(3, dtype=np.float32), 10, axis=0)
    level = steps.run(first_level(points, 3))
    assert divide(level, points, int(level.representatives[0])) is level


def test_the_nearest_outside_each_cluster():
    distances = np.linalg.norm(X[:, None] - LEVEL.clustering.centers[None], axis=2)
    distances[np.arange(300), LEVEL.clustering.clusters] = np.inf
    np.testing.assert_array_equal(cluster_neighbors(X, LEVEL.clustering).foreign, distances.argmin(axis=0))
    assert cluster_neighbors(X, steps.run(first_level(X, 1)).clustering).foreign.tolist() == [-1]


# -- reach


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.lists(st.floats(0, 100), min_size=4, max_size=4))
def test_a_percentile_a_cluster_is_that_percentile_in_that_cluster(clusters, percentiles):
    clusters = np.array(clusters, dtype=np.int32)
    distances = np.sqrt(np.arange(len(clusters), dtype=np.float32) % 7)
    reach = within_reach(clusters, distances, np.array(percentiles[: clusters.max() + 1], dtype=np.float32))
    for cluster in np.unique(clusters):
        alone = within_reach(clusters, distances, float(np.float32(percentiles[cluster])))
        np.testing.assert_array_equal(reach[clusters == cluster], alone[clusters == cluster])


def test_the_latest_rule_of_a_cluster_holds_and_goes_with_its_instance():
    clusters = np.array([0, 0, 1, 1, 2], dtype=np.int32)
    own = {"reach_indices": np.array([0, 2, 1]), "reach_percentiles": np.array([10, 60, np.nan], dtype=np.float32)}
    assert percentiles_of(replace(snapshot(percentile=20.0), **own), clusters).tolist() == [20, 60, 20]
    assert percentiles_of(replace(snapshot(), **own), clusters, automatic=100.0).tolist() == [100, 60, 100]
    coarser = np.zeros(5, dtype=np.int32)
    own["reach_percentiles"][2] = 30
    assert percentiles_of(replace(snapshot(), **own), coarser).tolist() == [30]


# -- in the engines


def spread(round_: Round) -> np.ndarray:
    return round_.provenances == Provenance.PROPAGATED


def ruled(state: Snapshot, index: int, percentile: float) -> Snapshot:
    own = {"reach_indices": np.array([index]), "reach_percentiles": np.array([percentile], dtype=np.float32)}
    return replace(state, **own)


def test_a_reach_of_its_own_changes_that_cluster_alone(engine, state):
    common = engine.closing_round(state)
    representative = int(common.representatives[0])
    mine = common.clusters == common.clusters[representative]
    far, near = (engine.closing_round(ruled(state, representative, p)) for p in (100.0, 0.0))
    for found in (far, near):
        np.testing.assert_array_equal(spread(found)[~mine], spread(common)[~mine])
    assert not spread(near)[mine].any()
    assert spread(far)[mine].sum() > spread(common)[mine].sum() > 0
    assert_same(engine.closing_round(ruled(state, representative, np.nan)), common)


def test_a_reach_of_its_own_where_tiers_decide(state):
    engine = opened(X, n_clusters=8)
    automatic = replace(state, percentile=None)
    common = engine.closing_round(automatic)
    representative = int(common.representatives[0])
    mine = common.clusters == common.clusters[representative]
    near = engine.closing_round(ruled(automatic, representative, 0.0))
    assert not spread(near)[mine].any()
    np.testing.assert_array_equal(spread(near)[~mine], spread(common)[~mine])


def test_the_parts_of_a_divided_cluster_are_asked_next(engine, state):
    common = engine.closing_round(state)
    representative = int(common.representatives[1])
    divided = replace(state, splits=np.array([representative]))
    found = engine.closing_round(divided)
    new = [int(index) for index in found.representatives if index not in common.representatives]
    assert len(found.representatives) == len(common.representatives) + 1 == len(found.foreign)
    for queue in (found.queue, engine.rerank(divided)):
        asked = [int(index) for index, rule in zip(queue.indices, queue.rules, strict=True)
                 if queue.rule_names[rule] == "split"]  # fmt: skip
        assert set(new) <= set(queue.indices[: len(asked)].tolist()) == set(asked)


def test_taking_a_division_back_gives_the_closing_round_without_it(engine, state):
    before = engine.closing_round(state)
    divided = replace(state, splits=before.representatives[:2])
    first = engine.closing_round(divided)
    assert len(first.representatives) == len(before.representatives) + 2
    assert_same(engine.closing_round(state), before)
    fresh = opened(X, n_clusters=8) if not isinstance(engine, BookEngine) else book()
    assert_same(fresh.closing_round(divided), first)
    np.testing.assert_array_equal(fresh.closing_round(divided).foreign, first.foreign)


@settings(max_examples=10)
@given(
    st.lists(st.integers(0, 299), max_size=4), st.lists(st.tuples(st.integers(0, 299), st.floats(0, 100)), max_size=4)
)
def test_any_instance_may_be_named(engine, splits, reaches):
    """Clusterings change: what was a representative once may be anybody now."""
    state = replace(
        snapshot([0, 50, 100], [0, 1, 2]),
        splits=np.array(splits, dtype=np.int64),
        reach_indices=np.array([index for index, _ in reaches], dtype=np.int64),
        reach_percentiles=np.array([percentile for _, percentile in reaches], dtype=np.float32),
    )
    found = engine.closing_round(state)
    assert len(found.representatives) == found.clusters.max() + 1 == len(found.foreign)
    assert (found.clusters[found.foreign] != np.arange(len(found.foreign))).all()
    assert found.labels[[0, 50, 100]].tolist() == [0, 1, 2]
