"""From answers to a training set, in all four formats, read back by other programs."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from labeler.commands.audit import run_audit
from labeler.commands.export.export import ExportOptions, ExportReport, export
from labeler.commands.export.model import export_model
from labeler.commands.import_labels import import_labels
from labeler.core.errors import ExportError, LabelerError
from labeler.core.types import Provenance
from labeler.plugins.exporters.write import write_single
from labeler.project.open import Options, open_project


@pytest.fixture(scope="module")
def labeled(tmp_path_factory, digits_path):
    """A project over a zip of 120 digits: 24 answers, a page, an import, a rejected, an unsure and a flagged one."""
    root = tmp_path_factory.mktemp("export")
    with np.load(digits_path) as arrays:
        X, y = arrays["X"][:120], arrays["y"][:120]
    with zipfile.ZipFile(root / "digits.zip", "w") as archive:
        for row, image in enumerate(X):
            out = io.BytesIO()
            Image.fromarray((image.astype(np.uint16) * 255 // X.max()).astype(np.uint8)).save(out, "PNG")
            archive.writestr(f"d/{row:03d}.png", out.getvalue())
    path = root / "digits.labeler.db"
    names = [f"digit {name}" for name in "0123456789"]
    with open_project(root / "digits.zip", path, Options(engine="book", n_clusters=24, annotator="ada")) as project:
        session = project.session
        classes = [session.classes.id_for(name, setup=True) for name in names]
        of = {f"d/{row:03d}.png": classes[int(name)] for row, name in enumerate(y)}
        round_ = project.closing_round()
        asked = [session.pool.ids[int(index)] for index in round_.queue.indices]
        for name in asked[:24]:
            session.label(name, of[name])
        session.page([(name, of[name], "confirmed") for name in asked[24:30]])
        session.imports.labels([(name, of[name]) for name in asked[30:34]], "before")
        session.reject(asked[34])
        session.unsure(asked[35])
        session.flag(asked[0])
        project.closing_round()
        truth = {name: names[class_id] for name, class_id in of.items()}
    return {"path": path, "root": root, "asked": asked, "truth": truth, "names": names}


@pytest.fixture
def write(labeled, tmp_path):
    """Export into a fresh folder and return (where, what was written)."""

    def write(name, folder="out", **choice):
        (tmp_path / folder).mkdir(exist_ok=True)
        target = tmp_path / folder / name
        format_ = "imagefolder" if "." not in name else None
        with open_project(labeled["path"], read_only=True) as project:
            return target, export(project, target, format_, ExportOptions(**choice))

    return write


def expected_counts(labeled):
    """Provenance -> instances, counted from the project alone."""
    with open_project(labeled["path"], read_only=True) as project:
        round_ = project.closing_round()
        words = Counter(project.session.label_of(index)[1] for index in range(120))
        assert words == Counter(int(p) for p in round_.provenances)
    return words


@pytest.mark.slow
def test_csv_holds_what_a_person_gave_and_what_was_propagated_from_it(labeled, write):
    target, written = write("labels.csv")
    table = pd.read_csv(target)
    counts = expected_counts(labeled)
    exported = (Provenance.HUMAN, Provenance.CONFIRMED, Provenance.IMPORTED, Provenance.PROPAGATED)
    assert table["provenance"].value_counts().to_dict() == {word.word: counts[word] for word in exported}
    assert (counts[Provenance.HUMAN], counts[Provenance.CONFIRMED], counts[Provenance.IMPORTED]) == (24, 6, 4)
    assert counts[Provenance.PROPAGATED] > 0
    assert sum(written.counts.values()) == len(table)
    given = table[table["provenance"] != "propagated"]
    assert (given["label"] == given["path"].map(labeled["truth"])).all()
    assert (given["confidence"] == 1).all()
    assert set(given["annotator"]) == {"ada"}
    assert labeled["asked"][34] not in set(table["path"])
    assert labeled["asked"][35] not in set(table["path"])
    held_back = counts[Provenance.PREDICTED]
    assert any(f"{held_back} predicted" in warning for warning in written.warnings)
    assert str(len(table)) in "\n".join(ExportReport(written).lines())


def test_predicted_labels_come_on_request_and_human_only_leaves_the_rest(labeled, write):
    everything = pd.read_csv(write("all.csv", predicted=True)[0])
    assert len(everything) == 119  # all but the rejected one
    mine = pd.read_csv(write("mine.csv", human_only=True)[0])
    assert Counter(mine["provenance"]) == {"human": 24, "confirmed": 6}
    sure = pd.read_csv(write("sure.csv", predicted=True, min_confidence=0.9)[0])
    assert 30 <= len(sure) < 119
    assert (sure["confidence"] >= 0.9).all()


def test_jsonl_says_the_same_as_csv(write):
    table = pd.read_csv(write("labels.csv")[0])
    rows = [json.loads(line) for line in write("labels.jsonl")[0].read_text(encoding="utf-8").splitlines()]
    assert [row["path"] for row in rows] == table["path"].tolist()
    assert [row["label"] for row in rows] == table["label"].tolist()
    assert [row["provenance"] for row in rows] == table["provenance"].tolist()


def test_npz_is_a_training_set_for_numpy(labeled, write):
    target, _ = write("set.npz")
    table = pd.read_csv(write("labels.csv")[0])
    with np.load(target, allow_pickle=False) as arrays:
        classes = arrays["classes"].tolist()
        assert arrays["X"].shape == (len(table), 8, 8)
        assert [classes[number] for number in arrays["y"]] == table["label"].tolist()
        assert arrays["ids"].tolist() == table["path"].tolist()
        with zipfile.ZipFile(labeled["root"] / "digits.zip") as archive:
            first = np.asarray(Image.open(io.BytesIO(archive.read(table["path"][0]))))
        assert np.array_equal(arrays["X"][0], first)


def test_an_image_folder_holds_one_folder_a_class(labeled, write):
    target, _ = write("folder")
    table = pd.read_csv(write("labels.csv")[0])
    files = [path for path in target.rglob("*.png") if path.is_file()]
    assert len(files) == len(table)
    per_class = Counter(path.parent.name for path in files)
    assert per_class == Counter(table["label"])
    for path in files[:5]:
        assert Image.open(path).size == (8, 8)


def test_a_split_is_complete_and_keeps_classes_in_proportion(write):
    table = pd.read_csv(write("labels.csv", predicted=True, split=(80, 20))[0])
    shares = table["split"].value_counts(normalize=True)
    assert set(shares.index) == {"train", "test"}
    assert shares["train"] == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize("name", ["labels.csv", "labels.jsonl", "set.npz", "folder"])
def test_two_exports_of_the_same_answers_are_identical_byte_by_byte(write, name):
    first, again = write(name, "one")[0], write(name, "two")[0]
    if first.is_file():
        assert first.read_bytes() == again.read_bytes()
    else:
        images = [{p.relative_to(root): p.read_bytes() for p in root.rglob("*.png")} for root in (first, again)]
        assert images[0] == images[1]
        assert images[0]


def test_the_manifest_tells_how_it_was_made(labeled, write):
    _, written = write("labels.csv")
    manifest = json.loads(written.manifest_path.read_text())
    assert manifest["recipe"]["engine"] == "book"
    assert manifest["seed"] == 0
    assert manifest["n_instances"] == 120
    assert manifest["configuration"]["percentile"] == 20.0
    assert manifest["certificate"] is None


def test_undo_and_the_same_answer_again_export_the_same(labeled, tmp_path):
    import shutil

    copy = labeled["path"].with_name("copy.labeler.db")
    shutil.copy(labeled["path"], copy)
    try:
        with open_project(copy) as project:
            export(project, tmp_path / "before.csv")
            for _ in range(4):
                project.session.undo()
            export(project, tmp_path / "between.csv")
            for _ in range(4):
                project.session.redo()
            export(project, tmp_path / "after.csv")
    finally:
        copy.unlink()
    assert (tmp_path / "before.csv").read_bytes() == (tmp_path / "after.csv").read_bytes()
    assert (tmp_path / "before.csv").read_bytes() != (tmp_path / "between.csv").read_bytes()


def test_a_choice_that_leaves_nothing_writes_nothing(labeled, tmp_path):
    with open_project(labeled["path"], read_only=True) as project:
        for strict in (float("nan"), 1.5):
            with pytest.raises(ExportError, match="no label is left") as caught:
                export(project, tmp_path / "none.csv", options=ExportOptions(min_confidence=strict))
            assert caught.value.hint
    assert not list(tmp_path.iterdir())


def test_an_image_folder_of_a_source_without_images_is_refused_with_what_to_do(tmp_path):
    np.save(tmp_path / "features.npy", np.random.default_rng(0).normal(size=(12, 3)))
    with open_project(tmp_path / "features.npy", tmp_path / "p.labeler.db") as project:
        project.session.label(project.session.pool.ids[0], project.session.classes.id_for("a", setup=True))
        with pytest.raises(ExportError, match="holds no images") as caught:
            export(project, tmp_path / "out", "imagefolder")
        assert caught.value.hint
        export(project, tmp_path / "out.npz")
    assert not (tmp_path / "out").exists()


def test_an_export_comes_back_as_an_import(labeled, write, tmp_path):
    target, _ = write("labels.csv")
    with open_project(labeled["root"] / "digits.zip", tmp_path / "other.labeler.db", Options(engine="book")) as other:
        imported = import_labels(other, target)
        table = pd.read_csv(target)
        given = table[table["provenance"].isin(["human", "confirmed", "imported"])]
        assert 0 < len(given) < len(table)
        assert imported.taken == len(given) == other.session.view().given
        assert sorted(imported.new_classes) == sorted(set(given["label"]))
        assert any(f"{len(table) - len(given)} rows hold propagated" in note for note in imported.notes)
        assert import_labels(other, target).taken == 0


@pytest.mark.parametrize("name", ["labels.csv", "labels.jsonl", "images"])
def test_ids_that_are_not_utf8_and_odd_class_names_come_back_as_they_were(name, tmp_path):
    folder = tmp_path / "pool"
    folder.mkdir()
    ids = [os.fsdecode(b"caf\xe9.png"), "escaped:caf%E9.png", "50 %.png", "plain.png"]
    for shade, instance_id in enumerate(ids):
        try:
            Image.new("L", (8, 8), 60 * shade).save(folder / "draft.png")
            (folder / "draft.png").rename(folder / instance_id)
        except OSError:
            pytest.skip("this file system takes UTF-8 names only")
    classes = ["escaped:a", "=1+1", "b/ c", "\x1b[2Jd"]
    with open_project(folder, tmp_path / "one.labeler.db") as project:
        for instance_id, label in zip(ids, classes, strict=True):
            project.session.label(instance_id, project.session.classes.id_for(label, setup=True))
        export(project, tmp_path / name, "imagefolder" if name == "images" else None)
    with open_project(folder, tmp_path / "two.labeler.db") as project:
        assert import_labels(project, tmp_path / name).taken == len(ids)
        names = {info.class_id: info.name for info in project.session.state.active_classes()}
        labels = {i: names[project.session.label_of(project.session.pool.index(i))[0]] for i in ids}
    assert labels == dict(zip(ids, classes, strict=True))


def test_an_import_that_contradicts_a_person_is_listed_and_changes_nothing(labeled, tmp_path):
    name = labeled["asked"][0]
    (tmp_path / "wrong.csv").write_text(f"id,label\n{name},not this\n")
    import shutil

    copy = labeled["path"].with_name("conflict.labeler.db")
    shutil.copy(labeled["path"], copy)
    try:
        with open_project(copy) as project:
            imported = import_labels(project, tmp_path / "wrong.csv")
            assert imported.taken == 0
            assert imported.conflicts == [(name, "not this", labeled["truth"][name])]
            assert project.session.label_of(project.session.pool.index(name))[1] is Provenance.HUMAN
    finally:
        copy.unlink()


def test_what_cannot_be_exported_is_said_and_nothing_is_written(labeled, tmp_path, few_digits):
    with open_project(labeled["path"], read_only=True) as project:
        before = labeled["path"].read_bytes()
        for target, format_ in (
            (labeled["path"], "csv"),
            (tmp_path / "labels.unknown", None),
            (tmp_path / "labels.csv", "parquetish"),
            (tmp_path / "no" / "such" / "folder" / "labels.csv", None),
        ):
            with pytest.raises(LabelerError) as caught:
                export(project, target, format_, force=True)
            assert caught.value.hint
        assert labeled["path"].read_bytes() == before
        target = tmp_path / "mine.csv"
        target.write_text("mine")
        with pytest.raises(ExportError):
            export(project, target)
        assert target.read_text() == "mine"
    with open_project(few_digits, tmp_path / "new.labeler.db") as project, pytest.raises(ExportError, match="labeled"):
        export(project, tmp_path / "none.csv")
    assert not (tmp_path / "none.csv").exists()


def test_no_split_separates_an_instance_from_its_near_duplicates(tmp_path, digits):
    X, y = digits
    near = X[:100] * np.float32(1.00001)
    order = np.random.default_rng(0).permutation(200)
    np.savez(tmp_path / "pairs.npz", X=np.concatenate([X[:100], near])[order])
    truth, pair = np.concatenate([y[:100]] * 2)[order], np.concatenate([np.arange(100)] * 2)[order]
    with open_project(tmp_path / "pairs.npz", tmp_path / "pairs.labeler.db") as project:
        session = project.session
        for row in range(0, 200, 4):
            session.label(session.pool.ids[row], session.classes.id_for(str(truth[row])))
        export(project, tmp_path / "labels.csv", options=ExportOptions(predicted=True, split=(60, 40)))
    table = pd.read_csv(tmp_path / "labels.csv", dtype={"path": str})
    table["pair"] = [pair[int(name)] for name in table["path"]]
    assert set(table["split"]) == {"train", "test"}
    assert (table.groupby("pair")["split"].nunique() == 1).all()
    assert len(table) > table["pair"].nunique()


def test_nothing_is_written_over_a_source_or_a_project(labeled, tmp_path):
    """Also with --force, in each command that takes a name to write to."""
    with open_project(labeled["path"], read_only=True) as project:
        inputs = {path: path.read_bytes() for path in project.inputs()}
        assert len(inputs) == 2
        other = tmp_path / "other.labeler.db"
        shutil.copy(labeled["path"], other)
        for path in (*inputs, other):
            before = path.read_bytes()
            writers = (
                lambda path=path: export(project, path, "csv", force=True),
                lambda path=path: export_model(project, path, "model", force=True),
                lambda path=path: run_audit(project, draw=path),
                lambda path=path: write_single(path, {}, lambda new: new.touch(), True, project.inputs()),
            )
            for write in writers:
                with pytest.raises(ExportError) as caught:
                    write()
                assert "\n" not in caught.value.message
            assert path.read_bytes() == before


@pytest.mark.slow
def test_an_export_over_a_folder_in_which_somebody_labels_is_refused(labeled, tmp_path):
    with open_project(labeled["path"], read_only=True) as project:
        export(project, tmp_path / "set", "imagefolder")
        inner = tmp_path / "set" / "deep" / "other.labeler.db"
        inner.parent.mkdir()
        shutil.copy(labeled["path"], inner)
        code = f"import sys; from pathlib import Path; from labeler.store.store import Store; \
store = Store.open(Path({str(inner)!r})); print('open', flush=True); sys.stdin.read(); store.close()"
        with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout.readline() == b"open\n"
            with pytest.raises(ExportError, match=r"other\.labeler\.db is open in process"):
                export(project, tmp_path / "set", "imagefolder", force=True)
            child.stdin.close()
        before = inner.read_bytes()
        export(project, tmp_path / "set", "imagefolder", force=True)
        assert inner.read_bytes() == before


@pytest.mark.slow
def test_the_project_itself_stays_in_the_folder_of_its_exports(few_digits, tmp_path):
    """Opened for writing, as a script does; what was answered after the export is in the file all the same."""
    folder = tmp_path / "set"
    with open_project(few_digits, tmp_path / "p.labeler.db", Options(classes=("a", "b"))) as project:
        project.session.label(project.session.pool.ids[0], 0)
        export(project, folder, "imagefolder")
    path = folder / "p.labeler.db"
    (tmp_path / "p.labeler.db").rename(path)
    for writing in (False, True):
        with open_project(path, read_only=not writing) as project:
            before = list(project._store.replay())
            export(project, folder, "imagefolder", force=True)
            if writing:
                project.session.label(project.session.pool.ids[1], 1)
        with open_project(path, read_only=True) as project:
            after = list(project._store.replay())
        assert after[: len(before)] == before
        assert len(after) == len(before) + int(writing)
    assert not [name for name in os.listdir(tmp_path) if "labeler-" in name]
