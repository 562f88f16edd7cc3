"""`labeler import-labels`: what is there already stays, and everything that was not taken is said."""

from __future__ import annotations

import csv
import json

import pytest
from click.testing import CliRunner

from labeler.cli import main
from labeler.commands.export.export import ExportOptions, export
from labeler.commands.import_labels import import_labels
from labeler.commands.merge import merge
from labeler.core.errors import LabelerError
from labeler.project.open import Options, open_project
from tests.plugins.importers.test_zip_archive import png

NAMES = [f"{number}.png" for number in range(4)]


@pytest.fixture
def photos(tmp_path):
    for name in NAMES:
        (tmp_path / "pool").mkdir(exist_ok=True)
        (tmp_path / "pool" / name).write_bytes(png())
    return tmp_path / "pool"


@pytest.fixture
def project(photos, tmp_path):
    with open_project(photos, tmp_path / "p.labeler.db") as opened:
        yield opened


def table(tmp_path, *labels, name="l.csv"):
    lines = [f"{instance},{label}\n" for instance, label in zip(NAMES, labels, strict=False)]
    (tmp_path / name).write_text("path,label\n" + "".join(lines))
    return tmp_path / name


def labels_of(project):
    """id -> class name of every label that was given."""
    state = project.session.state
    return {
        project.session.pool.ids[index]: state.classes[standing.class_id].name
        for index, standing in state.answers.items()
        if standing.kind == "label"
    }


def test_a_later_import_changes_nothing_and_lists_what_it_would(project, tmp_path):
    import_labels(project, table(tmp_path, "a", "b"))
    second = import_labels(project, table(tmp_path, "b", "b", "a"))
    assert labels_of(project) == {"0.png": "a", "1.png": "b", "2.png": "a"}
    assert (second.taken, second.conflicts, second.earlier) == (1, [], [("0.png", "b", "a")])
    assert "0.png: import says b, before it was a" in "\n".join(second.lines())
    third = import_labels(project, table(tmp_path, "b"), replace_imported=True)
    assert (third.taken, third.earlier) == (1, [])
    assert labels_of(project)["0.png"] == "b"
    project.session.undo()
    assert labels_of(project)["0.png"] == "a"


def test_a_persons_label_is_never_replaced(project, tmp_path):
    session = project.session
    session.label("0.png", session.classes.id_for("mine"))
    import_labels(project, table(tmp_path, "a", "a"))
    for replace in (False, True):
        found = import_labels(project, table(tmp_path, "b", "b"), replace_imported=replace)
        assert found.conflicts == [("0.png", "b", "mine")]
        assert bool(found.earlier) != replace
    assert labels_of(project) == {"0.png": "mine", "1.png": "b"}


def test_a_class_called_as_nothing_is_taken_where_it_is_named(photos, tmp_path):
    runner, path = CliRunner(), str(tmp_path / "c.labeler.db")
    open_project(photos, tmp_path / "c.labeler.db").close()
    labels = str(table(tmp_path, "NA", "nan", "x"))
    first = runner.invoke(main, ["import-labels", path, labels])
    assert first.exit_code == 0, first.output
    assert "2 rows have no label (NA 1, nan 1)" in first.output
    second = runner.invoke(main, ["import-labels", path, labels, "--classes", "NA"])
    assert "1 label imported" in second.output
    with open_project(photos, tmp_path / "d.labeler.db", Options(classes=("nan", "NA"))) as project:
        assert import_labels(project, tmp_path / "l.csv").taken == 3


@pytest.mark.parametrize("door", ["class_id_for", "add_class", "rename", "import", "options"])
def test_every_door_spells_a_name_alike(photos, tmp_path, door):
    """NFC and NFD, odd spaces: one class however it comes in, and a second one of that name is none."""
    twins = ["café au lait", "cafe\u0301 au lait", " café\u00a0au  lait\u200b", "café\tau\nlait"]
    path = tmp_path / "n.labeler.db"
    for number, name in enumerate(twins):
        options = Options(classes=(name,)) if door == "options" else Options()
        with open_project(photos, path, options) as project:
            session = project.session
            if door == "class_id_for":
                session.classes.id_for(name)
            elif door == "import":
                (tmp_path / "l.jsonl").write_text(json.dumps({"path": f"{number}.png", "label": name}))
                import_labels(project, tmp_path / "l.jsonl")
            elif door == "rename":
                class_id = session.classes.id_for("other" if number == 0 else twins[0])
                session.classes.rename(class_id, name)
            elif door == "add_class" and number == 0:
                session.classes.add(name)
            elif door == "add_class":
                with pytest.raises(LabelerError, match="already"):
                    session.classes.add(name)
            assert [info.name for info in session.state.active_classes()] == ["café au lait"]


def test_twins_named_at_once_are_refused(photos, tmp_path):
    with pytest.raises(LabelerError, match="named twice"):
        open_project(photos, tmp_path / "n.labeler.db", Options(classes=("café", "cafe\u0301")))


def test_twins_of_two_people_are_one_class_when_merged(photos, tmp_path, monkeypatch):
    """As files of an older version have them: names that were not spelled alike when they were stored."""
    for person, name, instance in (("a", "café", "0.png"), ("b", "cafe\u0301", "1.png")):
        with open_project(photos, tmp_path / f"{person}.labeler.db") as project, monkeypatch.context() as old:
            old.setattr("labeler.session.parts.classes.class_name", str.strip)
            project.session.label(instance, project.session.classes.id_for(name))
    merge(tmp_path / "a.labeler.db", tmp_path / "b.labeler.db", tmp_path / "c.labeler.db")
    with open_project(tmp_path / "c.labeler.db", read_only=True) as project:
        assert len(project.session.state.active_classes()) == 1
        assert len(labels_of(project)) == 2


def test_splits_that_the_source_came_with_stay_a_column(tmp_path):
    for name in ("train/circle/0.png", "train/square/1.png", "Validation/circle/2.png", "test/3.png"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(png())
    with open_project(tmp_path / "set", tmp_path / "s.labeler.db") as project:
        assert project.instances.folder_classes() == ["circle", "square"]
        imported = import_labels(project, tmp_path / "set")
        assert "set: 1 image lies in the folder of a split, in none of a class" in imported.notes
        assert labels_of(project) == {
            "train/circle/0.png": "circle", "train/square/1.png": "square", "Validation/circle/2.png": "circle"
        }  # fmt: skip
        written = export(project, tmp_path / "out.csv", "csv", ExportOptions())
        export(project, tmp_path / "cut.csv", "csv", ExportOptions(split=(1, 1)))
    with (tmp_path / "out.csv").open(newline="") as stream:
        split_of = {row["path"]: row["split"] for row in csv.DictReader(stream)}
    assert split_of | {"test/3.png": "test"} == {  # whose label may have spread to it
        "train/circle/0.png": "train",
        "train/square/1.png": "train",
        "Validation/circle/2.png": "val",
        "test/3.png": "test",
    }
    with (tmp_path / "cut.csv").open(newline="") as stream:
        assert {row["split"] for row in csv.DictReader(stream)} <= {"train", "test"}  # divided anew: no val
    manifest = json.loads((tmp_path / "out.csv.manifest.json").read_text())
    assert "as in the folders of the source" in manifest["card"]
    assert any("--split divides anew" in line for line in written.warnings)
