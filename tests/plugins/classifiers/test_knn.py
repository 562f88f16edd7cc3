"""The nearest labeled ones: scikit-learn's votes, and the source's way from DBSCAN to labels of new instances."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from sklearn.cluster import DBSCAN
from sklearn.neighbors import KNeighborsClassifier

from labeler.commands.predict import UNKNOWN, predict, write
from labeler.commands.simulate import Simulation, simulate
from labeler.core.recipe import Recipe
from labeler.core.types import UNLABELED
from labeler.engine.cluster_cores import taught_by_core
from labeler.plugins.classifiers.knn import Knn
from labeler.plugins.clusterers.density import Dbscan, Hdbscan
from labeler.project.open import open_project
from labeler.project.options import Options
from labeler.worker.pipeline import complete
from tests.plugins.clusterers.chapter import moons

FAR = np.array([[3.5, 3.0], [-3.0, -2.0], [0.5, 2.2]], dtype=np.float32)


def test_votes_are_scikit_learns():
    X, y = moons()
    new, _ = moons(seed=7)
    ours = Knn().fit(X, y).predict_proba(new)
    theirs = KNeighborsClassifier(50).fit(X, y).predict_proba(new)
    np.testing.assert_allclose(ours, theirs, atol=2e-3)  # the nearest counts a thousandth more, for ties


def test_few_labels_do_not_let_the_largest_class_win_everywhere():
    X = np.arange(12, dtype=np.float32)[:, None]
    y = np.array([0] * 9 + [1] * 3, dtype=np.int32)
    assert Knn().fit(X, y).predict_proba(X[-1:])[0].argmax() == 1


@pytest.mark.parametrize("max_distance", [0.2, None])
def test_the_cut_is_on_the_distance_to_the_nearest(max_distance):
    X, y = moons()
    found = Knn(max_distance=max_distance).fit(X, y)
    everywhere = np.random.default_rng(0).uniform(-3, 3, (400, 2)).astype(np.float32)
    apart = np.sqrt(np.square(everywhere[:, None] - X[None]).sum(axis=2)).min(axis=1)
    np.testing.assert_array_equal(found.beyond(everywhere), apart > (max_distance or np.inf))


@pytest.mark.parametrize("offset", [0.0, 1_000.0])
@pytest.mark.parametrize("max_distance", [None, 0.6])
def test_who_follows_dbscan_labels_new_instances_as_the_source_does(offset, max_distance):
    X, _ = moons()
    new = np.concatenate((moons(seed=7)[0], FAR))
    dbscan = DBSCAN(eps=0.2, min_samples=5).fit(X)
    cores = dbscan.labels_[dbscan.core_sample_indices_]
    apart, nearest = KNeighborsClassifier(50).fit(dbscan.components_, cores).kneighbors(new, n_neighbors=1)
    theirs = np.where(apart > (max_distance or 0.2), -1, cores[nearest]).ravel()
    clustering = Dbscan(eps=0.2, max_distance=max_distance).cluster(X + np.float32(offset), 20, 0)
    np.testing.assert_array_equal(np.flatnonzero(clustering.core), dbscan.core_sample_indices_)
    knn = Knn()
    knn.follow(clustering)
    knn.fit(X[clustering.core] + np.float32(offset), cores.astype(np.int32))
    shifted = new + np.float32(offset)
    ours = np.where(knn.beyond(shifted), -1, knn.classes_[knn.predict_proba(shifted).argmax(axis=1)])
    np.testing.assert_array_equal(ours, theirs)


def test_a_small_cluster_is_not_outvoted_by_its_neighbours():
    X = np.concatenate((np.linspace(0, 1, 200), np.linspace(1.5, 1.53, 6))).astype(np.float32)[:, None]
    y = np.repeat([0, 1], [200, 6]).astype(np.int32)
    clustering = Dbscan(eps=0.1).cluster(X, 20, 0)
    knn = Knn()
    knn.follow(clustering)
    proba = knn.fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(proba.argmax(axis=1), y)
    assert proba[-1, 1] < proba[0, 0]  # contested all the same, and so it is asked about


def test_answers_and_labeled_core_instances_are_learned_and_nobody_else():
    core = np.array([True, True, False, False, True])
    spread = np.array([3, UNLABELED, 3, 3, UNLABELED], dtype=np.int32)
    assert taught_by_core(core, spread, np.array([3])).tolist() == [0, 3]


def test_hdbscan_reaches_as_far_as_its_members_are_apart():
    X, _ = moons()
    found = Hdbscan(min_cluster_size=20).cluster(X, 20, 0)
    members = X[found.core]
    apart = np.sqrt(np.square(members[:, None] - members[None]).sum(axis=2))
    np.fill_diagonal(apart, np.inf)
    assert found.cut == pytest.approx(apart.min(axis=1).max(), rel=1e-3)


@pytest.fixture(scope="module")
def worked(tmp_path_factory):
    """Two moons, ten answers, and the report of it: by engine, with dbscan, and no classifier named."""
    folder = tmp_path_factory.mktemp("moons")
    X, y = moons()
    np.savez(folder / "moons.npz", X=X, y=y)
    new, truth = moons(seed=7)
    np.savez(folder / "new.npz", X=np.concatenate((new, FAR)))
    options = Options(engine="book", clusterer="dbscan:eps=0.2")
    plan = Simulation(folder / "moons.npz", "y", 10, options, project=folder / "p.labeler.db")
    return folder, simulate(plan), truth


def test_two_moons_are_labeled_without_an_error(worked):
    _, report, _ = worked
    assert report.classifier == "knn"
    assert report.final["labels_accuracy"] == 1
    assert report.final["propagated_precision"] == 1


def test_new_moons_are_labeled_without_an_error_and_what_is_far_is_unknown(worked, tmp_path):
    folder, _, truth = worked
    with open_project(folder / "p.labeler.db", read_only=True) as project:
        found = predict(project, folder / "new.npz")
        sure = predict(project, folder / "new.npz", min_confidence=0.4)
    assert found.labels == [*map(str, truth), *[UNKNOWN] * len(FAR)]
    assert found.confidence[-len(FAR) :].tolist() == [0] * len(FAR)
    assert sure.labels[-len(FAR) :] == [UNKNOWN] * len(FAR)  # what is unknown is never left out for being unsure
    assert any("3 instances farther from every cluster" in note for note in found.notes)
    write(found, tmp_path / "new.csv")
    with open(tmp_path / "new.csv", newline="") as file:
        assert [row["label"] for row in csv.DictReader(file)][-1] == UNKNOWN


def test_a_named_classifier_goes_before():
    for engine in ("book", "default"):
        for clusterer, named, taken in (
            ("dbscan", "", "knn"),
            ("hdbscan:min_cluster_size=9", "", "knn"),
            ("dbscan", "logreg", "logreg"),
        ):
            recipe = Recipe("", "", engine=engine, clusterer=clusterer, classifier=named)
            assert complete(recipe).classifier == taken
    assert complete(Recipe("", "", engine="book", clusterer="mean-shift")).classifier == "logreg"
