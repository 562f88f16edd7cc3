"""k-means before logistic regression: the number of centers is searched by predictions of what was left out."""

from __future__ import annotations

import numpy as np
import pytest

from labeler.commands.simulate import Simulation, simulate
from labeler.core.errors import UsageError
from labeler.plugins import registry
from labeler.plugins.classifiers.kmeans_logreg import SEARCHED, KMeansLogReg
from labeler.plugins.classifiers.logreg import LogReg
from labeler.project.options import Options
from tests.plugins.clusterers.chapter import moons
from tests.plugins.clusterers.digits import X, Y

FEW = np.random.default_rng(0).permutation(len(X))[:400]
REST = np.setdiff1d(np.arange(len(X)), FEW)


def right(model):
    return float((model.classes_[model.predict_proba(X[REST]).argmax(axis=1)] == Y[REST]).mean())


@pytest.mark.slow
def test_many_centers_are_chosen_for_digits_and_beat_few():
    y = Y[FEW].astype(np.int32)
    searched = KMeansLogReg().fit(X[FEW], y)
    assert searched.chosen_k >= 50
    assert right(searched) > 0.9
    assert right(searched) > right(KMeansLogReg(k=5).fit(X[FEW], y)) + 0.1


@pytest.mark.slow
def test_a_ring_needs_centers_where_a_plain_line_fails():
    rng = np.random.default_rng(0)
    angles, radii = rng.uniform(0, 6.3, 400), np.repeat([1.0, 3.0], 200) + rng.normal(0, 0.1, 400)
    ring = np.column_stack((radii * np.cos(angles), radii * np.sin(angles))).astype(np.float32)
    y = np.repeat([0, 1], 200).astype(np.int32)
    for model, least, most in ((KMeansLogReg(), 0.99, 1.0), (LogReg(), 0.3, 0.7)):
        fitted = model.fit(ring, y)
        assert least <= (fitted.predict_proba(ring).argmax(axis=1) == y).mean() <= most


def test_a_given_number_is_taken_and_few_rows_are_searched_less():
    y = Y[FEW].astype(np.int32)
    assert KMeansLogReg(k=7).fit(X[FEW], y).chosen_k == 7
    assert KMeansLogReg().fit(X[FEW[:12]], y[:12]).chosen_k == SEARCHED[0]


def test_scores_of_the_search_are_those_of_every_number_tried_and_the_best_is_taken():
    y = Y[FEW[:120]].astype(np.int32)
    found = registry.create("classifier", "kmeans-logreg:search=2-20-6").fit(X[FEW[:120]], y)
    assert list(found.scores) == [2, 8, 14, 20]
    assert found.scores[found.chosen_k] == max(found.scores.values())
    assert found.facts()["k"] == found.chosen_k
    rows, part, right = X[FEW[:120]], np.empty(120, dtype=np.int64), 0
    part[np.argsort(y, kind="stable")] = np.arange(120) % 3
    for fold in range(3):
        model = KMeansLogReg(k=8).fit(rows[part != fold], y[part != fold])
        predicted = model.classes_[model.predict_proba(rows[part == fold]).argmax(axis=1)]
        right += (predicted == y[part == fold]).sum()
    assert found.scores[8] == pytest.approx(right / 120)
    assert KMeansLogReg(search="2-99").searched == tuple(range(2, 100))  # the source's
    assert KMeansLogReg(k=7).fit(X[FEW], Y[FEW]).scores == {}  # nothing was searched


@pytest.mark.parametrize("search", ["2", "9-2", "a-b", "0-5", "2-9-0", "2-3-4-5", "-2-3"])
def test_a_search_that_is_no_range_is_refused(search):
    with pytest.raises(UsageError, match="search is"):
        registry.create("classifier", f"kmeans-logreg:search={search}")


@pytest.mark.parametrize("spec", ["kmeans-logreg:folds=1", "kmeans-logreg:k=0", "kmeans-logreg:random_state=-1"])
def test_what_cannot_be_is_refused(spec):
    with pytest.raises(UsageError, match=r"at least|whole number"):
        registry.create("classifier", spec)


def test_a_simulation_reports_the_scores_and_the_number_that_was_taken(tmp_path):
    points, y = moons(200)
    np.savez(tmp_path / "moons.npz", X=points, y=y)
    options = Options(engine="book", classifier="kmeans-logreg:search=2-8-3", n_clusters=12, percentile=100.0)
    report = simulate(Simulation(tmp_path / "moons.npz", "y", 12, options))
    assert list(report.search["scores"]) == ["2", "5", "8"]
    assert report.search["scores"][str(report.search["k"])] == max(report.search["scores"].values())
    plain = Options(engine="book", n_clusters=12)
    assert "search" not in simulate(Simulation(tmp_path / "moons.npz", "y", 3, plain)).to_json()
