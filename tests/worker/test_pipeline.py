"""First questions from a sample of a big pool."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from labeler.core import steps
from labeler.core.advice import choose_other_features
from labeler.core.recipe import LEFT_OUT, Recipe
from labeler.core.types import Progress
from labeler.plugins.encoders.automatic import GROUPS
from labeler.plugins.importers.detect import open_source
from labeler.worker import pipeline as pipeline_module
from labeler.worker.pipeline import Pipeline

DIGITS = Path(__file__).parents[2] / "labeler" / "_data" / "digits.npz"


def early(tmp_path, **options):
    source = open_source(DIGITS)
    pipeline = Pipeline(Recipe(str(DIGITS), str(tmp_path / "cache"), **options), source)
    return source, steps.run(pipeline.early())


@pytest.mark.slow
def test_a_big_pool_gets_its_first_questions_from_a_sample(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline_module, "EARLY_FROM", 1_000)
    monkeypatch.setattr(pipeline_module, "EARLY_SAMPLE", 600)
    source, queue = early(tmp_path)
    assert len(np.unique(queue.indices)) == len(queue.indices) >= 20
    assert queue.indices.max() < len(source.ids)
    assert {queue.rule_names[rule] for rule in queue.rules[:20]} == {"representative"}
    truth = source.truth()
    assert len({truth[source.ids[index]] for index in queue.indices[:20]}) >= 9
    assert list((tmp_path / "cache").iterdir()) == []
    assert np.array_equal(early(tmp_path)[1].indices, queue.indices)


@pytest.mark.slow
def test_photos_are_sampled_much_sooner(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline_module, "EARLY_PHOTOS_FROM", 100)
    monkeypatch.setattr(pipeline_module, "EARLY_PHOTOS_SAMPLE", 60)
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "photos.npz", X=rng.integers(0, 255, (120, 48, 48, 3)).astype(np.uint8))
    np.savez(tmp_path / "icons.npz", X=rng.integers(0, 255, (120, 16, 16, 3)).astype(np.uint8))
    photos, icons = (
        Pipeline(Recipe(str(path), str(tmp_path / "cache")), open_source(path))
        for path in (tmp_path / "photos.npz", tmp_path / "icons.npz")
    )
    assert len(steps.run(photos.early()).indices) >= 10
    assert steps.run(icons.early()) is None


@pytest.mark.parametrize("options", [{}, {"engine": "book"}, {"features": "x.npy"}], ids=["small", "book", "vectors"])
def test_others_wait_for_the_whole(tmp_path, monkeypatch, options):
    if options:
        monkeypatch.setattr(pipeline_module, "EARLY_FROM", 1_000)
        monkeypatch.setattr(pipeline_module, "EARLY_SAMPLE", 600)
    assert early(tmp_path, **options)[1] is None


@pytest.fixture
def photos(tmp_path):
    """Two kinds of colour images, 60 of each."""
    rng = np.random.default_rng(0)
    X = rng.integers(60, 200, (120, 12, 12, 3)).astype(np.uint8)
    X[:60, 3:9, 3:9, 0] = 250
    X[60:, :, 4:8, 1] = 5
    np.savez(tmp_path / "photos.npz", X=X)
    return tmp_path / "photos.npz"


def opened(path, **options):
    pipeline = Pipeline(Recipe(str(path), str(path.parent / "cache"), **options), open_source(path))
    ready = steps.run(pipeline.open())
    return pipeline, ready


def answers(make_snapshot):
    return make_snapshot({row: int(row >= 60) for row in range(0, 120, 6)})


@pytest.mark.slow
def test_photos_are_looked_at_a_second_way_once(photos, make_snapshot, monkeypatch):
    monkeypatch.setattr(pipeline_module, "further_views", lambda encoder, reason: [("hog", False)])  # without extras
    pipeline, ready = opened(photos)
    assert ready.encoder == "scattering"
    assert steps.run(pipeline.join_companion())
    assert not steps.run(pipeline.join_companion())
    closing = pipeline.closing_round(answers(make_snapshot))
    assert len(closing.facts["weights"]) == 4


@pytest.mark.slow
def test_a_round_names_the_view_that_leads_and_those_beside_it(photos, make_snapshot, monkeypatch):
    monkeypatch.setattr(pipeline_module, "further_views", lambda encoder, reason: [("hog", True)])
    pipeline, _ = opened(photos)
    state = answers(make_snapshot)
    facts, leading = pipeline.closing_round(state).facts, pipeline.leading(state).encoder
    assert facts["encoder"] == leading
    assert facts["view"].startswith(f"{leading} leads, by ")
    beside = {"hog", "scattering"} - {leading}
    assert facts["view"].endswith(f"; beside it {beside.pop()}")


@pytest.mark.slow
@pytest.mark.parametrize("views", [[], [("hog", False)], [("hog", True)]])
def test_another_encoder_is_offered_only_where_no_further_view_joins(photos, make_snapshot, monkeypatch, views):
    monkeypatch.setattr(pipeline_module, "further_views", lambda encoder, reason: views)

    def hits(raw, rows, y, specs, seed):
        """Every other encoder is always right, the one that was chosen never."""
        yield Progress("comparing encoders")
        return {spec: np.full(len(rows), spec != specs[0]) for spec in specs}

    monkeypatch.setattr(pipeline_module, "left_out_hits", hits)
    pipeline, ready = opened(photos)
    offer = steps.run(pipeline.other_encoder(answers(make_snapshot)))
    assert (offer is None) == bool(views)
    assert offer is None or ("--encoder" in offer.text and ready.encoder == "scattering")


def test_a_view_that_does_not_work_is_left_out_of_the_closing_round_and_named(photos, make_snapshot, monkeypatch):
    monkeypatch.setattr(pipeline_module, "further_views", lambda *_: [("onnx:model=gone.onnx", True)])
    pipeline, ready = opened(photos)
    closing = pipeline.closing_round(answers(make_snapshot))
    (note,) = closing.facts[LEFT_OUT]
    assert "onnx:model=gone.onnx is left out" in note
    assert closing.facts["view"] == f"{ready.encoder}; without onnx:model=gone.onnx"
    assert closing.facts["encoder"] == ready.encoder
    alone = Pipeline(replace(pipeline.recipe, encoder=ready.encoder), pipeline.source)
    steps.run(alone.open())
    assert np.array_equal(closing.labels, alone.closing_round(answers(make_snapshot)).labels)


@pytest.mark.parametrize(("missing", "options"), [("photos", {}), ("", {}), ("photos", {"encoder": "hog"})])
def test_photos_without_their_extra_are_told_of_it_and_nobody_who_chose(photos, monkeypatch, missing, options):
    monkeypatch.setattr(pipeline_module, "missing_extra", lambda reason: missing)
    monkeypatch.setattr(pipeline_module, "further_views", lambda encoder, reason: [])
    pipeline, _ = opened(photos, **options)
    offer = pipeline.offer_of_extra()
    if missing and not options:
        assert "pip install '.[photos]'" in offer.text
        assert "quit (Q)" in offer.text
    else:
        assert offer is None


def test_of_grey_pictures_less_is_promised(photos, monkeypatch):
    monkeypatch.setattr(pipeline_module, "missing_extra", lambda reason: "photos")
    monkeypatch.setattr(pipeline_module, "further_views", lambda encoder, reason: [])
    pipeline, _ = opened(photos)
    assert "a network tells them apart better" in pipeline.offer_of_extra().text
    pipeline.prepared = replace(pipeline.prepared, reason=f"{GROUPS} (0.5 on 120 images)")
    assert "a network may tell these pictures apart better" in pipeline.offer_of_extra().text


@pytest.mark.parametrize("missing", ["photos", ""])
def test_where_labels_do_not_spread_the_extra_is_named_first(photos, monkeypatch, make_snapshot, missing):
    monkeypatch.setattr(pipeline_module, "missing_extra", lambda reason: missing)
    pipeline, _ = opened(photos)
    closing = pipeline.engine.closing_round(answers(make_snapshot))
    advised = pipeline._named(replace(closing, advice=choose_other_features(20))).advice
    assert ("pip install '.[photos]'" in advised.text) == bool(missing)
    assert "by 20 answers" in advised.text
    assert pipeline._named(closing).advice == closing.advice


@pytest.mark.slow
def test_what_leaves_does_not_depend_on_when_the_second_way_was_joined(photos, make_snapshot):
    state = answers(make_snapshot)
    early_pipeline, late = opened(photos)[0], opened(photos)[0]
    steps.run(early_pipeline.join_companion())
    for _ in late.round(state):
        pass
    first, second = early_pipeline.closing_round(state), late.closing_round(state)
    assert np.array_equal(first.labels, second.labels)
    assert np.array_equal(first.scores, second.scores)


@pytest.mark.parametrize("options", [{"encoder": "scattering"}, {"engine": "book"}])
def test_a_chosen_encoder_stays_the_only_one(photos, options):
    assert not steps.run(opened(photos, **options)[0].join_companion())


@pytest.mark.parametrize("clusterer", ["kmeans", "minibatch-kmeans"])
def test_a_clusterer_begins_at_the_means_of_imported_labels(photos, clusterer):
    source = open_source(photos)
    imported = np.array([[0, 7], [1, 7], [60, 2], [61, 2]], dtype=np.int64)
    recipe = Recipe(str(photos), str(photos.parent / "cache"), engine="book", n_clusters=2, clusterer=clusterer)
    pipeline = Pipeline(recipe, source, None, imported)
    steps.run(pipeline.open())
    features = pipeline.features()
    means = pipeline_module.class_means(features, imported)
    np.testing.assert_allclose(means, [features[60:62].mean(axis=0), features[:2].mean(axis=0)], rtol=1e-5)
    clusters = pipeline.engine.clustering.clusters
    assert (clusters[:60] == 1).all()
    assert (clusters[60:] == 0).all()  # in the order of the classes
