"""What is exported comes back in, from every format, with the same labels: the given ones, and only those."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from labeler.commands.export.export import ExportOptions, export
from labeler.commands.import_labels import import_labels
from labeler.core.class_names import class_name
from labeler.core.types import Provenance
from labeler.plugins import registry
from labeler.project.open import open_project

EXPORTERS = registry.names("exporter")
MACHINE = ("propagated", "predicted")
HOSTILE = ["../up", "=1+1", 'q"<&>\u2028z', "escaped:%41", "10", "NA", "a/b", "\x1b[2Jx", "tab\tin", "é", "CON", "cat"]
NAMES = ["x.png", "sub/x.jpg", "other/x.png", "a,b.png", 'q"uote.png', "line\nbreak.png", "100%.png", "a b#?.png",
         "caf\udce9.png", "escaped:x.png", "é目.png", "y.jpeg"]  # fmt: skip


def need(name: str) -> None:
    if not registry.entry("exporter", name).available:
        pytest.skip(f"{name} is not installed: pip install -e '.[formats]'")


@pytest.mark.mostly_slow
@pytest.mark.parametrize("name", EXPORTERS)
def test_every_export_comes_back(
    name: str,
    write: Callable[..., Path],
    labeled: SimpleNamespace,
    expected: dict[str, tuple[str, str]],
    tmp_path: Path,
) -> None:
    need(name)
    target = write(ending_of(name), name)
    given = {i: label for i, (label, provenance) in expected.items() if provenance not in MACHINE}
    assert len(given) == 27
    with open_project(labeled.source, tmp_path / "other.labeler.db") as project:
        imported = import_labels(project, target)
        assert imported.taken == len(given)
        assert imported.conflicts == []
        assert labels_of(project) == given
        machine = len(expected) - len(given)
        assert any(f"{machine} row" in note for note in imported.notes) == bool(machine)


@pytest.mark.mostly_slow
@pytest.mark.parametrize("name", EXPORTERS)
def test_strange_names_come_back(name: str, tmp_path: Path) -> None:
    need(name)
    source = tmp_path / "photos"
    for shade, file in enumerate(NAMES):
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        try:
            Image.fromarray(np.full((6, 5), 20 * shade, np.uint8)).save(tmp_path / f"draft{Path(file).suffix}")
            (tmp_path / f"draft{Path(file).suffix}").rename(source / file)
        except OSError:
            pytest.skip("this file system takes UTF-8 names only")
    with open_project(source, tmp_path / "one.labeler.db") as project:
        for file, label in zip(NAMES, HOSTILE, strict=True):
            project.session.label(file, project.session.classes.id_for(label, setup=True))
        export(
            project, tmp_path / ending_of(name), name, ExportOptions(split=(1, 1) if name in ("hf", "fiftyone") else ())
        )
    with open_project(source, tmp_path / "two.labeler.db") as project:
        import_labels(project, tmp_path / ending_of(name))
        assert labels_of(project) == dict(zip(NAMES, map(class_name, HOSTILE), strict=True))


def test_a_persons_label_outranks_an_imported_one_and_conflicts_are_listed(
    write: Callable[..., Path], labeled: SimpleNamespace, tmp_path: Path
) -> None:
    target = write("set", "labelstudio")
    name = labeled.asked[0]
    with open_project(labeled.source, tmp_path / "mine.labeler.db") as project:
        project.session.label(name, project.session.classes.id_for("mine", setup=True))
        imported = import_labels(project, target)
        assert imported.conflicts == [(name, labeled.truth[name], "mine")]
        assert labels_of(project)[name] == "mine"
        assert project.session.label_of(project.session.pool.index(name))[1] is Provenance.HUMAN


def test_a_file_moved_to_another_class_folder_is_a_persons_label(
    write: Callable[..., Path], labeled: SimpleNamespace, expected: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    """What a machine put there stays a machine's; what somebody moved is theirs."""
    target = write("set", "imagefolder", predicted=True)
    with (target / "labels.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    moved = next(row for row in rows if row["provenance"] in MACHINE and row["label"] == "10")
    (target / moved["file"]).rename(target / "2" / "moved.png")
    with open_project(labeled.source, tmp_path / "other.labeler.db") as project:
        imported = import_labels(project, target)
        given = {i: label for i, (label, provenance) in expected.items() if provenance not in MACHINE}
        assert labels_of(project) == given | {moved["path"]: "2"}
        assert imported.taken == len(given) + 1


@pytest.mark.parametrize("target", ["out.csv", "out"])
def test_a_csv_made_safe_for_spreadsheets_comes_back(
    target: str,
    write: Callable[..., Path],
    labeled: SimpleNamespace,
    expected: dict[str, tuple[str, str]],
    tmp_path: Path,
) -> None:
    path = write(target, predicted=True, format_options={"csv_safe": "yes"})
    given = {i: label for i, (label, provenance) in expected.items() if provenance not in MACHINE}
    assert "=1+1" in given.values()
    with open_project(labeled.source, tmp_path / "other.labeler.db") as project:
        assert import_labels(project, path).taken == len(given)
        assert labels_of(project) == given


def ending_of(name: str) -> str:
    ending = registry.entry("exporter", name).endings
    return f"out{ending[0]}" if ending else "out"


def labels_of(project) -> dict[str, str]:
    """id -> class name of every label that was given."""
    session = project.session
    names = {info.class_id: info.name for info in session.state.active_classes()}
    return {
        session.pool.ids[index]: names[standing.class_id]
        for index, standing in session.state.answers.items()
        if standing.kind == "label"
    }
