"""An export says where it cannot look at the pool as the person's program did."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from labeler.commands.export.labels import ExportOptions, _of_missing_views, latest_labels
from labeler.core import steps
from labeler.core.recipe import Recipe
from labeler.plugins.importers.detect import open_source
from labeler.project.open import open_project
from labeler.worker import pipeline as pipeline_module
from labeler.worker.pipeline import Pipeline

VIEW = "net leads, by 20 left-out answers; beside it scattering"


@pytest.mark.parametrize(
    ("before", "closing", "is_said"),
    [({"view": VIEW}, {}, True), ({"view": VIEW}, {"view": VIEW}, False), ({}, {}, False), ({"view": 7}, {}, False)],
)
def test_features_that_are_missing_where_the_labels_leave_are_said(make_round, before, closing, is_said):
    first, last = (replace(make_round(9), facts=facts) for facts in (before, closing))
    notes = _of_missing_views(first, last)
    assert bool(notes) == is_said
    assert not is_said or ("net leads" in notes[0] and "pip install '.[photos]'" in notes[0])
    assert _of_missing_views(None, last) == []
    assert "\x1b" not in "".join(_of_missing_views(replace(first, facts={"view": "\x1b[31mnet"}), last))


@pytest.mark.parametrize(("missing", "is_said"), [("photos", True), ("", False)])
def test_the_extra_is_named_at_an_export_only_where_it_is_missing(tmp_path, monkeypatch, make_round, missing, is_said):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "pool.npz", X=rng.normal(size=(40, 4)).astype(np.float32))
    with open_project(tmp_path / "pool.npz", tmp_path / "pool.labeler.db") as project:
        session = project.session
        for row in range(6):
            session.label(session.pool.ids[row], session.classes.id_for("ab"[row % 2]))
        session.merge_round(replace(make_round(40, session.state.revision), facts={"view": VIEW}))
        pipeline = project.open_pipeline()
        monkeypatch.setattr(pipeline, "missing_extra", lambda: missing)
        notes = steps.run(latest_labels(project, pipeline, ExportOptions())).notes
    assert any("net leads" in note for note in notes) == is_said


def test_no_extra_is_missing_where_the_encoder_was_chosen_or_there_are_no_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline_module, "missing_extra", lambda reason: "photos")
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "table.npz", X=rng.normal(size=(12, 4)).astype(np.float32))
    np.savez(tmp_path / "photos.npz", X=rng.integers(0, 256, (12, 8, 8, 3)).astype(np.uint8))
    for name, encoder, missing in (("table", "", ""), ("photos", "pixels", ""), ("photos", "", "photos")):
        path = tmp_path / f"{name}.npz"
        pipeline = Pipeline(Recipe(str(path), str(tmp_path / "cache"), encoder=encoder), open_source(path))
        steps.run(pipeline.open())
        assert pipeline.missing_extra() == missing
