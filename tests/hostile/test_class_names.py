"""Classes named as paths, formulas, queries and markup: labeled, exported by every exporter and read back."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from labeler.commands.export.export import ExportOptions, export
from labeler.commands.import_labels import import_labels
from labeler.core.class_names import class_name
from labeler.core.errors import LabelerError
from labeler.plugins import registry
from labeler.project.open import Options, open_project
from tests.fuzz.targets import UNSAFE, explained
from tests.hostile.names import CLASSES

EXPORTERS = [name for name in registry.names("exporter") if registry.entry("exporter", name).available]
BACK = {"csv", "jsonl", "imagefolder"}
"""Formats that `import-labels` reads."""


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pool")
    for number in range(len(CLASSES)):
        Image.fromarray(np.random.default_rng(number).integers(0, 255, (8, 8), dtype=np.uint8)).save(
            folder / f"{number:02d}.png"
        )
    return folder


@pytest.fixture(scope="module")
def labeled(photos, tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """A project with one instance of every class, answered as a person answers: opened again since."""
    path, said = tmp_path_factory.mktemp("project") / "p.labeler.db", {}
    with open_project(photos, path, Options(engine="book", n_clusters=4)) as project:
        for instance_id, name in zip(project.session.pool.ids, CLASSES, strict=True):
            class_id = project.session.classes.id_for(name, setup=True)
            said[instance_id] = project.session.state.classes[class_id].name
            project.session.label(instance_id, class_id)
    return path, said


def given(project) -> dict[str, str]:
    classes = project.session.state.classes
    return {
        project.session.pool.ids[index]: classes[standing.class_id].name
        for index, standing in project.session.state.answers.items()
    }


def test_the_journal_gives_them_back_as_they_were(labeled):
    with open_project(labeled[0], read_only=True) as project:
        assert given(project) == labeled[1]
    assert [class_name(name) for name in CLASSES] == list(labeled[1].values())


@pytest.mark.parametrize("name", EXPORTERS)
def test_every_exporter_writes_them_inside_its_target_and_reads_them_back(name, labeled, photos, tmp_path):
    """Counted when it is read back; nothing is written beside the target; what can come back in comes back the same."""
    path, said = labeled
    (tmp_path / "in").mkdir()
    target = tmp_path / "in" / "out"
    with open_project(path, read_only=True) as project:
        try:
            written = export(project, target, name, ExportOptions())
        except LabelerError as error:  # a format may need what this pool has not
            explained(error)
            assert not list((tmp_path / "in").iterdir())
            return
    assert sum(written.counts.values()) == len(said)
    assert set(said.values()) <= set(written.counts)
    assert {entry.name for entry in tmp_path.iterdir()} == {"in"}
    assert {entry.name for entry in (tmp_path / "in").iterdir()} <= {"out", "out.manifest.json"}
    for line in written.warnings:
        assert not UNSAFE.search(line), line
    for parent, folders, files in os.walk(target):
        for entry in (*folders, *files):
            assert not UNSAFE.search(entry)
            assert Path(os.path.realpath(parent)).is_relative_to(target)
    json.loads((written.manifest_path).read_text(encoding="utf-8"))
    if name in BACK:
        labels = target
        if name != "imagefolder":
            labels = target.rename(target.with_name(f"out.{name}"))
        with open_project(photos, tmp_path / "again.labeler.db", Options(engine="book", n_clusters=4)) as project:
            assert import_labels(project, labels).taken == len(said)
            assert given(project) == said
