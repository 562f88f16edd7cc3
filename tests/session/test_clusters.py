"""One cluster at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from labeler.core.types import Provenance
from labeler.session.clusters import NOBODY, Clusters, carried_over, stepped

PROPAGATED, PREDICTED = Provenance.PROPAGATED, Provenance.PREDICTED
EVERYBODY = np.ones(40, dtype=bool)


@pytest.fixture
def clustered(make_round):
    """Forty instances: cluster 0 = 0...9, 1 = 10...29, 2 = 30...39, nearest first; 0, 10 and 30 stand for them."""

    def make(labels=None, provenances=None, **others):
        round_ = make_round(40, 0, labels, provenances)
        return replace(
            round_,
            clusters=np.repeat(np.arange(3, dtype=np.int32), (10, 20, 10)),
            representatives=np.array([30, 0, 10]),
            **{"foreign": np.array([10, 9, 29], dtype=np.int32)} | others,
        )

    return make


def test_five_pictures_of_each(clustered):
    clusters = Clusters(clustered(), EVERYBODY)
    assert clusters.pictures(0) == [0, 4, 5, 9, 10]
    assert clusters.pictures(10) == [10, 19, 20, 29, 9]
    assert clusters.members(30).tolist() == list(range(30, 40))
    assert clusters.by_size() == [10, 30, 0]


def test_small_clusters_show_each_instance_once(clustered):
    usable = EVERYBODY.copy()
    for n_members, pictures in (
        (4, [0, 1, 2, 3]),
        (3, [0, 1, NOBODY, 2]),
        (2, [0, NOBODY, NOBODY, 1]),
        (1, [0] + [NOBODY] * 3),
    ):
        usable[n_members:10] = False
        assert Clusters(clustered(), usable).pictures(0)[:4] == pictures


def test_a_round_that_does_not_know_who_is_outside(clustered):
    assert Clusters(clustered(foreign=np.empty(0, dtype=np.int32)), EVERYBODY).pictures(0)[-1] == NOBODY


def test_what_is_inside_and_what_was_said_since(clustered, make_session):
    session = make_session()
    round_ = clustered([0] * 8 + [1] * 32, [PROPAGATED] * 5 + [PREDICTED] * 35)
    clusters = Clusters(round_, EVERYBODY)
    session.label("i0", 1)
    session.label("i9", 1)
    session.reject("i1")
    session.unsure("i2")
    contents = clusters.contents(0, session.state, round_)
    assert (contents.size, contents.n_given, contents.free, contents.propagated) == (9, 2, 7, 3)
    assert contents.classes() == [(0, 0, 6), (1, 2, 1)]
    nothing = clusters.contents(30, session.state, clustered())
    assert (nothing.classes(), nothing.propagated) == ([], 0)


def test_the_most_mixed_first(clustered, make_session):
    session = make_session()
    labels = [0] * 10 + [0] * 15 + [1] * 5 + [0] * 9 + [1]
    clusters = Clusters(clustered(labels), EVERYBODY)
    assert clusters.by_mixture(session.state, clustered(labels)) == [10, 30, 0]
    for index in range(4):
        session.label(f"i{index}", 1)
    assert clusters.by_mixture(session.state, clustered(labels)) == [0, 10, 30]
    assert clusters.by_mixture(session.state, clustered()) == [10, 30, 0]  # four labels that agree


def test_the_reach_of_a_cluster_is_the_latest_word_on_any_of_its_instances(clustered, make_session):
    session = make_session()
    clusters = Clusters(clustered(), EVERYBODY)
    assert clusters.own_reach(0, session.state) is None
    session.clusters.reach("i0", 40.0)
    session.clusters.reach("i7", 60.0)
    assert (clusters.own_reach(0, session.state), clusters.own_reach(10, session.state)) == (60.0, None)
    session.clusters.reach("i0", None)
    assert clusters.own_reach(0, session.state) is None


def test_parts_lie_where_their_cluster_lay(clustered):
    before = Clusters(clustered(), EVERYBODY)
    divided = clustered()
    parted = divided.clusters.copy()
    parted[20:30] = 3
    after = replace(divided, clusters=parted, representatives=np.array([30, 0, 12, 22]))
    now = Clusters(after, EVERYBODY)
    assert carried_over([0, 10, 30], before, now) == [0, 12, 22, 30]
    assert carried_over([30, 12, 22, 0], now, before) == [30, 10, 0]


@pytest.mark.parametrize(
    ("percentile", "direction", "after"),
    [(20, 1, 30), (20, -1, 10), (23.4, 1, 30), (23.4, -1, 20), (0, -1, 0), (95, 1, 100), (100, 1, 100), (4, -1, 0)],
)
def test_steps(percentile, direction, after):
    assert stepped(percentile, direction) == after


def test_how_much_the_members_belong(clustered):
    assert Clusters(clustered(), EVERYBODY).belonging(0) is None
    shares = np.repeat([0.5, 1.0, 0.25], (10, 20, 10)).astype(np.float32)
    clusters = Clusters(clustered(shares=shares), EVERYBODY)
    assert [clusters.belonging(representative) for representative in (0, 10, 30)] == [0.5, 1.0, 0.25]
