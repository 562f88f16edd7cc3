"""A project whose encoder is a model of the hub, through every door: pinned once, and offline from then on."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys

import click
import numpy as np
import pytest
from PIL import Image

from labeler.cli import main
from labeler.cli.output import open_screen
from labeler.commands.predict import predict
from labeler.core import steps
from labeler.core.errors import HubError
from labeler.core.types import Progress
from labeler.plugins import registry
from labeler.project import paths
from labeler.project.open import Options, open_project
from labeler.worker import children
from labeler.worker import pipeline as pipelines
from labeler.worker.pipeline import Pipeline
from labeler.worker.protocol import Ready
from tests.hostile.test_sockets import GUARD, ROOT
from tests.loopback_hub import files, tones

NAME = "org/tones"
PATIENCE = 60  # seconds: a bound for a machine that does much else, no wait
OPTIONS = Options(encoder=f"hub:{NAME}", classes=("low", "high"))


@pytest.fixture
def photos(tmp_path):
    """Photos wider than high: two tones in the middle, which the model sees, black to the left and right of it."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(24):
        image = np.zeros((72, 144, 3), dtype=np.uint8)
        tone = (160 if number % 2 else 80) + number  # no two of them are the same picture
        image[:, 36:108] = tone, 255 - tone, 90
        Image.fromarray(image).save(folder / f"{number:02d}.png")
    return folder


@pytest.fixture
def opened(photos, tmp_path):
    """Opens the project over the photos, with options or as it was left."""

    def again(options=OPTIONS, folder=tmp_path, **settings):
        return open_project(photos, folder / "p.labeler.db", options, **settings)

    return again


def pin_of(project):
    return registry.parse_spec(project.options["encoder"]).parameters


@pytest.mark.slow
def test_a_project_keeps_what_it_was_fetched_in_and_asks_nobody_again(hub, opened):
    commit = hub.publish(NAME, files())
    with opened() as project:
        assert project.options["encoder"] == f"hub:{NAME}"
        before = np.array(project.open_pipeline().features())
        assert pin_of(project)["revision"] == commit
        assert any("the encoder is hub:org/tones:" in line for line in project.notices)
        kept, cache = project.options["encoder"], project.cache()
    hub.publish(NAME, files(tones(2)))
    hub.stop()
    asked = list(hub.requests)
    for is_cached in (True, False):
        if not is_cached:
            shutil.rmtree(cache)
        with opened() as project:  # the same command resumes
            assert project.options["encoder"] == kept
            assert not [line for line in project.notices if "changed" in line]
            np.testing.assert_array_equal(project.open_pipeline().features(), before)
    assert hub.requests == asked


def test_what_the_model_sees_is_the_middle_not_the_whole_made_square(hub, opened):
    hub.publish(NAME, files())
    with opened() as project:
        features = np.asarray(project.open_pipeline().features()).reshape(24, 3, 16)
    seen = features[1] * 0.2 + np.array([0.5, 0.4, 0.3])[:, None]
    np.testing.assert_allclose(seen, np.repeat(np.array([[161], [94], [90]]) / 255, 16, axis=1), atol=1e-5)


@pytest.mark.slow
def test_children_run_the_pinned_model_without_the_hub(hub, opened, monkeypatch):
    hub.publish(NAME, files())
    with opened() as project, monkeypatch.context() as patch:
        patch.setattr(children, "WORTH", 0.1)
        patch.setattr(children, "cores", lambda: 2)
        patch.setattr(children, "do", None)  # what does in this process what a child could not
        in_children = np.array(project.open_pipeline().features())
    hub.stop()
    shutil.rmtree(paths.cache_of(project.path))
    with opened(None) as project:
        assert project.open_pipeline().features().tobytes() == in_children.tobytes()


def test_new_images_are_predicted_by_the_pinned_model_without_the_hub(hub, opened, photos):
    hub.publish(NAME, files())
    with opened() as project:
        project.open_pipeline()
        for number in range(8):
            project.session.label(f"{number:02d}.png", number % 2)
    hub.stop()
    with opened(None, read_only=True) as project:
        predictions = predict(project, photos)
        assert predictions.labels == ["low", "high"] * 12
        assert predictions.facts["model"]["encoder"] == project.options["encoder"]
        assert "sha256=" in project.options["encoder"]


def test_the_newest_is_taken_when_a_person_asks_for_it(hub, opened):
    first = hub.publish(NAME, files())
    with opened() as project:
        project.open_pipeline()
    second = hub.publish(NAME, files(tones(2)))
    with opened(Options(encoder=f"hub:{NAME}:revision=main")) as project:
        assert any("computed anew: encoder" in line for line in project.notices)
        assert project.open_pipeline().features().shape == (24, 12)
        assert pin_of(project)["revision"] == second != first


@pytest.mark.slow
def test_a_moved_project_downloads_what_was_pinned_and_nothing_else(hub, opened, tmp_path, monkeypatch):
    hub.publish(NAME, files())
    with opened() as project:
        project.open_pipeline()
        commit = pin_of(project)["revision"]
    hub.publish(NAME, files(tones(2)))
    for place, content in (("there", None), ("elsewhere", files(tones(8)))):
        (tmp_path / place).mkdir()
        shutil.copy(tmp_path / "p.labeler.db", tmp_path / place)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / place / "hub"))
        if content is not None:  # a hub that gives something else under the same commit
            hub.repositories[NAME].commits[commit] = content
        with opened(None, tmp_path / place) as project:
            if content is None:
                assert project.open_pipeline().features().shape == (24, 48)
                continue
            with pytest.raises(HubError, match="is not what was pinned"):
                project.open_pipeline()
            project.session.label("00.png", 0)  # nothing is lost by it
    with opened(None, tmp_path / "elsewhere", read_only=True) as project:
        assert project.session.state.answers.counts["label"] == 1
        assert pin_of(project)["revision"] == commit


@pytest.mark.slow
def test_a_model_that_cannot_be_had_is_said_and_nothing_is_lost(hub, opened):
    with opened(Options(classes=("low", "high"))) as project:
        project.session.label("00.png", 0)
    with opened(Options(encoder="hub:org/nothing")) as project, pytest.raises(HubError, match="no model org/nothing"):
        project.open_pipeline()
    with opened(Options(encoder="pixels")) as project:
        assert project.open_pipeline().features().shape[0] == 24
        assert project.session.state.answers.counts["label"] == 1


def test_reading_a_project_pins_nothing(hub, opened):
    hub.publish(NAME, files())
    with opened():
        pass
    with opened(None, read_only=True) as project:
        assert project.open_pipeline().recipe.encoder.startswith(f"hub:{NAME}:file=onnx/")
        assert project.options["encoder"] == f"hub:{NAME}"


@pytest.mark.slow
def test_the_screen_opens_once_the_model_is_here(hub, opened, monkeypatch):
    hub.publish(NAME, files())
    seen = []
    monkeypatch.setattr("labeler.ui.app.run", lambda opener, **_: seen.append(opener.run().options["encoder"]) or 0)
    with click.Context(main):
        open_screen("images", opened)
        assert seen[0].startswith(f"hub:{NAME}:file=onnx/")
        with pytest.raises(HubError, match="no model org/nothing"):
            open_screen("images", lambda: opened(Options(encoder="hub:org/nothing")))
    assert len(seen) == 1


def test_the_sample_and_the_pool_are_of_one_commit(hub, opened, monkeypatch):
    hub.publish(NAME, files())
    monkeypatch.setattr(pipelines, "EARLY_FROM", 10)
    monkeypatch.setattr(pipelines, "EARLY_SAMPLE", 12)
    with opened() as project:
        pipeline = Pipeline(project.recipe(), project.source)
        assert steps.run(pipeline.early()) is not None
        hub.publish(NAME, files(tones(2)))
        steps.run(pipeline.open())
        assert pipeline.features().shape == (24, 48)
    assert len([path for _, path in hub.requests if path.startswith("/api/models/")]) == 1


@pytest.mark.slow
def test_the_worker_downloads_with_progress_and_its_successor_keeps_the_pin(hub, opened):
    hub.publish(NAME, files())
    inbox: queue.Queue = queue.Queue()
    with opened() as project:
        project.engine.start(inbox.put)
        said = []
        while not isinstance(message := inbox.get(timeout=PATIENCE), Ready):
            assert isinstance(message, Progress), message
            said.append(message.what)
        assert f"downloading {NAME}" in said
        project.engine.receive(message)
        assert project.options["encoder"] == message.encoder
        assert "sha256=" in message.encoder
        hub.publish(NAME, files(tones(2)))
        hub.stop()
        client = project.engine._client
        os.kill(client.pid, 9)
        while not isinstance(message := inbox.get(timeout=PATIENCE), Ready):
            pass
        assert message.encoder == project.options["encoder"]


@pytest.mark.slow
def test_an_export_in_another_process_opens_no_socket(hub, opened, tmp_path):
    hub.publish(NAME, files())
    with opened() as project:
        cache = project.cache()
        project.open_pipeline()
        for number in range(8):
            project.session.label(f"{number:02d}.png", number % 2)
    shutil.rmtree(cache)  # so that the model is run once more
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    paths = os.pathsep.join((str(tmp_path / "guard"), str(ROOT)))
    done = subprocess.run(
        [sys.executable, "-m", "labeler", "export", "p.labeler.db", "labels.csv"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": paths, "SEEN": str(tmp_path / "seen")},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "seen").exists(), (tmp_path / "seen").read_text()
    manifest = json.loads((tmp_path / "labels.csv.manifest.json").read_text())
    assert "sha256=" in json.dumps(manifest)
