from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeler.core.errors import EngineError
from labeler.core.types import GIVEN, UNLABELED, Provenance, Tier
from labeler.engine.book import BookEngine, representatives
from labeler.engine.reach import within_reach
from labeler.plugins.classifiers.logreg import LogReg
from labeler.plugins.clusterers.kmeans import KMeans
from labeler.plugins.query_strategies.uncertainty import MarginClusters

N = 60
rng = np.random.default_rng(0)
BLOBS = (rng.normal(0, 4, (6, 3))[np.arange(N) % 6] + rng.normal(0, 1, (N, 3))).astype(np.float32)


def opened(X=BLOBS, n_clusters=6):
    engine = BookEngine(KMeans(), LogReg(), MarginClusters(), n_clusters, 0)
    for _ in engine.open(X):
        pass
    return engine


def final(steps):
    *_, last = steps
    return last


def same(first, second):
    """Whether two rounds say the same, bit by bit."""
    for field in dataclasses.fields(first):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if field.name == "queue":
            if not same(one, other):
                return False
        elif isinstance(one, np.ndarray):
            if not np.array_equal(one, other):
                return False
        elif field.name not in ("revision", "round") and one != other:
            return False
    return True


ANSWERS = st.dictionaries(st.integers(0, N - 1), st.integers(0, 3), max_size=25)
ASIDE = st.sets(st.integers(0, N - 1), max_size=6)
ENGINE = opened()


@pytest.mark.slow
@settings(max_examples=40)
@given(ANSWERS, ASIDE, ASIDE, ASIDE, st.sampled_from([0.0, 20.0, 75.0, 100.0]), st.randoms(use_true_random=False))
def test_the_laws_of_a_round(make_snapshot, answers, excluded, held_back, deferred, percentile, random):
    excluded, held_back, deferred = excluded - set(answers), held_back - set(answers), deferred - set(answers)
    provenances = [random.choice(GIVEN) for _ in answers]
    snapshot = make_snapshot(
        answers, percentile, provenances=provenances, excluded=excluded, held_back=held_back, deferred=deferred
    )
    round_ = ENGINE.closing_round(snapshot)
    given_indices = list(answers)
    # given labels stand untouched
    assert round_.labels[given_indices].tolist() == list(answers.values())
    assert round_.provenances[given_indices].tolist() == [int(word) for word in provenances]
    assert (round_.scores[given_indices] == 1).all()
    assert round_.sources[given_indices].tolist() == given_indices
    # what left the pool has no label
    gone = sorted(excluded)
    assert (round_.labels[gone] == UNLABELED).all()
    assert (round_.provenances[gone] == Provenance.NONE).all()
    # spread only inside the reach, never to what is held back, and with the label of an answer of the same cluster
    spread = np.flatnonzero(round_.provenances == Provenance.PROPAGATED)
    reach = within_reach(round_.clusters, round_.distances, percentile)
    assert reach[spread].all()
    assert not set(spread.tolist()) & (held_back | excluded | set(answers))
    for index in spread:
        source = int(round_.sources[index])
        assert answers[source] == round_.labels[index]
        assert round_.clusters[source] == round_.clusters[index]
    assert (round_.tiers[sorted(held_back - excluded)] == (Tier.ASK if answers else Tier.NONE)).all()
    # every label is a class that was answered
    assert set(round_.labels.tolist()) <= {*answers.values(), UNLABELED}
    if answers:
        free = np.setdiff1d(np.arange(N), gone)
        assert (round_.labels[free] != UNLABELED).all()
    # candidates once each, and only those
    queue = round_.queue.indices.tolist()
    taken = set(answers) | excluded | held_back | deferred
    assert len(queue) == len(set(queue))
    assert set(queue) == set(range(N)) - taken
    open_representatives = [int(index) for index in round_.representatives if int(index) not in taken]
    assert queue[: len(open_representatives)] == open_representatives


@pytest.mark.slow
@settings(max_examples=15)
@given(ANSWERS, ANSWERS)
def test_the_closing_round_knows_no_history(make_snapshot, answers, before):
    snapshot = make_snapshot(answers)
    fresh = opened().closing_round(snapshot)
    used = opened()
    for step in (before, dict(list(answers.items())[:3])):
        used.rerank(make_snapshot(step))
        final(used.round(make_snapshot(step)))
    used.predict(make_snapshot(before), BLOBS[:5])
    assert same(used.closing_round(snapshot), fresh)
    assert same(used.closing_round(snapshot), fresh)


def test_undo_after_do_is_identity_for_the_closing_round(make_snapshot):
    engine = opened()
    answers = {0: 0, 1: 1, 2: 2}
    before = engine.closing_round(make_snapshot(answers))
    engine.closing_round(make_snapshot(answers | {3: 0}))
    final(engine.round(make_snapshot(answers | {3: 0}, revision=4)))
    assert same(engine.closing_round(make_snapshot(answers, revision=5)), before)


def test_the_first_questions_are_the_representatives_the_largest_cluster_first(make_snapshot):
    engine = opened()
    queue = engine.rerank(make_snapshot())
    sizes = np.bincount(engine.clustering.clusters)
    first = queue.indices[: len(engine.representatives)]
    assert first.tolist() == engine.representatives.tolist()
    assert (np.diff(sizes[engine.clustering.clusters[first]]) <= 0).all()
    for index in first:
        mine = engine.clustering.clusters == engine.clustering.clusters[index]
        assert engine.clustering.distances[index] == engine.clustering.distances[mine].min()
    assert [queue.rule_names[rule] for rule in queue.rules[: len(first)]] == ["representative"] * len(first)
    assert len(queue.indices) >= 50


def test_a_rerank_holds_fifty_questions_or_all_there_are_at_every_step(make_snapshot):
    engine, answers = opened(), {}
    for step in range(N):
        queue = engine.rerank(make_snapshot(dict(answers)))
        assert len(queue.indices) >= min(50, N - len(answers)), step
        assert not set(queue.indices.tolist()) & set(answers)
        index = int(queue.indices[0])
        answers[index] = index % 6
    assert len(engine.rerank(make_snapshot(answers)).indices) == 0


def test_percentile_zero_propagates_to_nobody_and_a_hundred_to_whole_clusters(make_snapshot):
    engine = opened()
    answers = {int(index): int(index) % 6 for index in engine.representatives}
    alone = engine.closing_round(make_snapshot(answers, 0.0))
    assert not (alone.provenances == Provenance.PROPAGATED).any()
    whole = engine.closing_round(make_snapshot(answers, 100.0))
    agreed = (whole.provenances == Provenance.PROPAGATED).sum()
    assert agreed > 0.8 * (N - len(answers))


def test_all_in_a_cluster_take_the_label_of_the_nearest_answer_there(make_snapshot):
    X = np.array([[0], [1], [2], [10], [11], [12]], np.float32)
    round_ = opened(X, 1).closing_round(make_snapshot({0: 0, 5: 1}, 100.0))
    assert round_.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert round_.sources.tolist() == [0, 0, 0, 5, 5, 5]


def test_nothing_labeled_gives_no_label_and_asks_everything(make_snapshot):
    round_ = opened().closing_round(make_snapshot())
    assert (round_.labels == UNLABELED).all()
    assert (round_.provenances == Provenance.NONE).all()
    assert len(round_.queue.indices) == N


def test_everything_labeled_asks_nothing_and_changes_nothing(make_snapshot):
    answers = {index: index % 3 for index in range(N)}
    round_ = opened().closing_round(make_snapshot(answers))
    assert round_.labels.tolist() == list(answers.values())
    assert len(round_.queue.indices) == 0


def test_one_class_alone_is_everybodys_label(make_snapshot):
    round_ = opened().closing_round(make_snapshot({0: 4}))
    assert (round_.labels == 4).all()
    assert (round_.runner_ups == UNLABELED).all()


@pytest.mark.parametrize(
    "X", [np.zeros((1, 3), np.float32), np.ones((20, 2), np.float32), np.zeros((5, 1), np.float32)]
)
def test_single_and_identical_instances_work(make_snapshot, X):
    engine = opened(X)
    first = engine.rerank(make_snapshot()).indices
    assert sorted(first.tolist()) == list(range(len(X)))
    round_ = final(engine.round(make_snapshot({int(first[0]): 1}, 100.0)))
    assert (round_.labels == 1).all()
    assert len(round_.queue.indices) == len(X) - 1
    both = engine.closing_round(make_snapshot({int(first[0]): 1, int(first[-1]): 0}, 100.0))
    assert np.isfinite(both.scores).all()


def test_an_empty_pool_has_no_question(make_snapshot):
    engine = opened(np.empty((0, 3), np.float32))
    assert len(engine.rerank(make_snapshot()).indices) == 0
    assert len(engine.closing_round(make_snapshot()).labels) == 0


def test_a_feature_that_is_no_number_is_refused():
    X = BLOBS.copy()
    X[4, 1] = np.nan
    with pytest.raises(EngineError, match="row 4, column 1"):
        opened(X)


def test_predict_agrees_with_the_labels_of_the_pool(make_snapshot):
    engine = opened()
    snapshot = make_snapshot({int(index): int(index) % 6 for index in engine.representatives})
    round_ = engine.closing_round(snapshot)
    predicted, scores = engine.predict(snapshot, BLOBS)
    free = round_.provenances >= Provenance.PROPAGATED
    assert np.array_equal(predicted[free], round_.labels[free])
    order = np.argsort(scores[free], kind="stable")
    assert (np.diff(round_.scores[free][order]) >= 0).all()  # what is shown of the pool: calibrated, in the same order
    assert (round_.scores[free] <= scores[free] + 1e-6).all()
    nobody, nothing = engine.predict(make_snapshot(), BLOBS[:3])
    assert (nobody.tolist(), nothing.tolist()) == ([UNLABELED] * 3, [0.0] * 3)


def test_the_answer_behind_a_label_is_named(make_snapshot):
    engine = opened()
    snapshot = make_snapshot({0: 0, 1: 1})
    round_ = engine.closing_round(snapshot)
    assert engine.shares(snapshot, 0) == [(0, 1.0)]
    for index in range(2, N):
        ((source, share),) = engine.shares(snapshot, index)
        assert share == 1.0
        assert {0: 0, 1: 1}[source] == round_.labels[index]


def test_representatives_are_one_a_cluster():
    engine = opened()
    found = representatives(engine.clustering)
    assert len(found) == len(engine.clustering.centers) == len(set(engine.clustering.clusters[found].tolist()))


@pytest.mark.parametrize("factor", [1e-6, 1e6, 1e14])
def test_the_unit_of_the_features_does_not_matter(make_snapshot, factor):
    answers = {0: 0, 1: 1, 2: 2, 3: 0}
    plain = opened().closing_round(make_snapshot(answers))
    scaled = opened(BLOBS / np.abs(BLOBS).max() * np.float32(factor)).closing_round(make_snapshot(answers))
    assert (plain.labels == scaled.labels).mean() > 0.9
    assert np.isfinite(scaled.distances).all()


class Told:
    """A clusterer that says what it is told to."""

    def __init__(self, clustering):
        self.clustering = clustering

    def cluster(self, X, n_clusters, random_state):
        return self.clustering


def opened_with(clustering):
    engine = BookEngine(Told(clustering), LogReg(), MarginClusters(), 6, 0)
    for _ in engine.open(BLOBS):
        pass
    return engine


def test_the_clusterers_exemplars_are_asked_and_no_label_spreads_to_its_outliers(make_snapshot):
    plain = opened().clustering
    exemplars = np.array([np.flatnonzero(plain.clusters == cluster)[-1] for cluster in range(6)])
    outliers = np.zeros(N, dtype=np.bool_)
    outliers[[index for index in range(N) if index not in exemplars][::7]] = True
    engine = opened_with(dataclasses.replace(plain, exemplars=exemplars, outliers=outliers))
    asked = engine.rerank(make_snapshot({})).indices[:6]
    assert set(asked.tolist()) == set(exemplars.tolist())
    round_ = engine.closing_round(make_snapshot({int(index): int(index) % 6 for index in asked}, percentile=100.0))
    assert (round_.provenances[outliers] == Provenance.PREDICTED).all()
    assert (round_.provenances[~outliers] == Provenance.PROPAGATED).sum() > N / 2
    np.testing.assert_array_equal(round_.outliers.astype(bool), outliers)


def test_where_clusters_are_few_it_is_said_and_margin_asks_on(make_snapshot):
    engine = opened(n_clusters=3)
    answers = {int(index): int(index) % 6 for index in engine.rerank(make_snapshot({})).indices[:3]}
    queue = engine.rerank(make_snapshot(answers))
    assert {queue.rule_names[rule] for rule in queue.rules} == {"uncertain"}
    assert queue.margins.max() < 1  # by a fit, not by their places
    few = engine.closing_round(make_snapshot(answers)).advice
    assert (few.code, few.text[:26]) == ("answer", "only 3 clusters for 3 clas")
    assert "only" not in opened(n_clusters=6).closing_round(make_snapshot(answers)).advice.text


def test_a_round_holds_soft_scores_and_what_the_clusterer_knows(make_snapshot):
    clustering = dataclasses.replace(opened().clustering, facts={"converged": True})
    round_ = opened_with(clustering).closing_round(make_snapshot({0: 1, 5: 2}))
    assert len(round_.shares) == len(round_.seconds) == N
    assert ((round_.shares > 0) & (round_.shares <= 1)).all()
    assert (round_.seconds != round_.clusters).all()
    assert round_.facts["clustering"] == {"converged": True}


def test_noise_is_not_shown_as_sure_though_the_classifier_has_learned_it(make_snapshot):
    noise = np.random.default_rng(1)
    X, y = noise.normal(size=(400, 30)).astype(np.float32), noise.integers(5, size=400)
    engine = opened(X, n_clusters=40)
    indices = engine.representatives[:40]
    result = engine.closing_round(make_snapshot(dict(zip(indices.tolist(), y[indices].tolist(), strict=True)), 100.0))
    rest = np.setdiff1d(np.arange(400), indices)
    assert result.scores[rest].max() < 0.5
    assert abs(result.scores[rest].mean() - (result.labels == y)[rest].mean()) < 0.1


def test_groups_are_shown_as_sure_once_left_out_answers_say_so_and_the_questions_stay(make_snapshot):
    engine = opened(np.repeat(BLOBS, 5, axis=0) + np.random.default_rng(2).normal(0, 0.3, (300, 3)).astype(np.float32))
    y = np.repeat(np.arange(N) % 6, 5)
    few = make_snapshot({int(index): int(y[index]) for index in engine.representatives[:3]}, 100.0)
    early = engine.closing_round(few).scores
    assert early[early < 1].max() <= 0.9
    indices = np.arange(0, 300, 5)
    result = engine.closing_round(make_snapshot(dict(zip(indices.tolist(), y[indices].tolist(), strict=True)), 100.0))
    rest = np.setdiff1d(np.arange(300), indices)
    assert result.scores[rest].mean() > 0.75
    assert (np.diff(result.queue.guess_scores, axis=1) <= 0).all()
    assert result.queue.margins.max() <= 1.0
