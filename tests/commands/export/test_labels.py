"""Labels leave by the features somebody chose, and without them where only people's do."""

from __future__ import annotations

import json

import numpy as np
import pytest

from labeler.commands.export.export import ExportOptions, export
from labeler.core import steps
from labeler.core.errors import MissingExtra
from labeler.core.recipe import Recipe
from labeler.plugins import registry
from labeler.plugins.builtin import Plugin
from labeler.plugins.importers.detect import open_source
from labeler.project import closing_round
from labeler.project.open import Options, open_project
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


@pytest.mark.slow
def test_what_people_said_leaves_without_the_extra_of_the_encoder_that_was_chosen(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "photos.npz", X=rng.integers(0, 256, (12, 8, 8, 3)).astype(np.uint8))
    path = tmp_path / "p.labeler.db"
    with open_project(tmp_path / "photos.npz", path, Options(encoder="palette")) as project:
        for row in range(6):
            project.session.label(project.session.pool.ids[row], project.session.classes.id_for("ab"[row % 2]))
        export(project, tmp_path / "with.csv", options=ExportOptions(human_only=True))
        closing_round.compute(project)
        line = Plugin("encoder", "palette", "", "", "photos", ("no_such_module_of_labeler",))
        monkeypatch.setitem(registry._TABLE["encoder"], "palette", line)
        written = export(project, tmp_path / "without.csv", options=ExportOptions(human_only=True))
        assert "people's labels are as they were" in "".join(written.warnings)
        manifest = json.loads(written.manifest_path.read_text())
        assert "people's labels are as they were" in manifest["notes"][-1]
        assert manifest["configuration"]["facts"]["encoder"] == "pixels"
        for name, options in (("all.csv", {}), ("split.csv", {"human_only": True, "split": (0.5, 0.5)})):
            with pytest.raises(MissingExtra):
                export(project, tmp_path / name, options=ExportOptions(**options))
        with pytest.raises(MissingExtra):
            export(project, tmp_path / "out.sklearn.npz", options=ExportOptions(human_only=True))
    before, after = ((tmp_path / f"{name}.csv").read_text().splitlines() for name in ("with", "without"))
    assert [row.split(",")[:3] for row in before] == [row.split(",")[:3] for row in after]
    with open_project(path, read_only=True) as project:  # pixels' round is nobody else's
        assert not closing_round.take(project)
