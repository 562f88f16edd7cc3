"""An extra is missing only where nobody chose the features of the labels."""

from __future__ import annotations

import numpy as np

from labeler.core import steps
from labeler.core.recipe import Recipe
from labeler.plugins.importers.detect import open_source
from labeler.worker import pipeline as pipeline_module
from labeler.worker.pipeline import Pipeline


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
