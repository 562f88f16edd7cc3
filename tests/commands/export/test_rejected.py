"""`labeler export --include rejected`: what a person threw out leaves as such, and comes back as no class."""

import json

import numpy as np
import pandas as pd
import pytest

from labeler.commands.audit import run_audit
from labeler.commands.export.export import ExportOptions, export
from labeler.commands.import_labels import import_labels
from labeler.core.errors import ExportError
from labeler.project.open import Options, open_project


@pytest.fixture
def place(few_digits, tmp_path):
    """150 digits, six answers, two thrown out by ada, one of them answered before."""
    with np.load(few_digits) as arrays:
        y = arrays["y"].astype(int)
    options = Options(engine="book", n_clusters=10, annotator="ada")
    with open_project(few_digits, tmp_path / "p.labeler.db", options) as project:
        session = project.session
        for index in range(6):
            session.label(session.pool.ids[index], session.classes.id_for(f"digit {y[index]}", setup=True))
        session.reject(session.pool.ids[5])
        session.reject(session.pool.ids[140])
        yield project


def thrown_out(project):
    return {project.session.pool.ids[5], project.session.pool.ids[140]}


def test_they_leave_only_on_request_and_as_what_they_are(place, tmp_path):
    export(place, tmp_path / "plain.csv")
    assert not set(pd.read_csv(tmp_path / "plain.csv", dtype=str).path) & thrown_out(place)
    export(place, tmp_path / "all.csv", options=ExportOptions(rejected=True))
    rows = pd.read_csv(tmp_path / "all.csv", dtype=str)
    rejected = rows[rows.provenance == "rejected"]
    assert set(rejected.path) == thrown_out(place)
    assert set(rejected.label) == {"rejected"}
    assert set(rejected.annotator) == {"ada"}
    assert (rejected.confidence.astype(float) == 1).all()
    manifest = json.loads((tmp_path / "all.csv.manifest.json").read_text())
    assert manifest["classes"][-1] == "rejected"
    assert manifest["counts"]["provenance"]["rejected"] == 2
    others = rows[rows.provenance != "rejected"]
    assert others.path.tolist() == pd.read_csv(tmp_path / "plain.csv", dtype=str).path.tolist()


def test_a_class_of_that_name_stays_another(place, tmp_path):
    session = place.session
    session.label(session.pool.ids[7], session.classes.id_for("rejected", setup=True))
    export(place, tmp_path / "all.csv", options=ExportOptions(rejected=True, human_only=True))
    rows = pd.read_csv(tmp_path / "all.csv", dtype=str).set_index("path")
    assert rows.loc[session.pool.ids[7]].label == "rejected"
    assert {rows.loc[name].label for name in thrown_out(place)} == {"rejected (2)"}


@pytest.mark.parametrize(
    "format_", ["jsonl", "npz", "imagefolder", "hf", "labelstudio", "prodigy", "sklearn", "fiftyone"]
)
def test_every_format_holds_and_counts_them(place, tmp_path, format_):
    endings = {"jsonl": "x.jsonl", "npz": "x.npz", "prodigy": "x.prodigy.jsonl", "sklearn": "x.sklearn.npz"}
    written = export(
        place, tmp_path / endings.get(format_, "x"), format_, ExportOptions(rejected=True, human_only=True)
    )
    assert written.counts["rejected"] == 2
    assert sum(written.counts.values()) == 7


def test_they_do_not_come_back_as_a_class(place, few_digits, tmp_path):
    export(place, tmp_path / "all.csv", options=ExportOptions(rejected=True, human_only=True))
    with open_project(few_digits, tmp_path / "other.labeler.db") as other:
        imported = import_labels(other, tmp_path / "all.csv")
        assert imported.taken == 5
        assert "rejected" not in {info.name for info in other.session.state.active_classes()}
        assert any("somebody rejected" in note for note in imported.notes)


def test_where_all_was_thrown_out_that_is_what_leaves(few_digits, tmp_path):
    with open_project(few_digits, tmp_path / "q.labeler.db") as project:
        project.session.reject(project.session.pool.ids[0])
        with pytest.raises(ExportError, match="nothing is labeled"):
            export(project, tmp_path / "none.csv")
        assert export(project, tmp_path / "one.csv", options=ExportOptions(rejected=True)).counts == {"rejected": 1}


def test_a_certificate_goes_along_and_speaks_of_the_others(place, tmp_path):
    place.closing_round()
    with_truth = place.session
    run_audit(place, 0.5, 0.9, begin=True)
    order = with_truth.audit.frozen(with_truth.audit.latest).order
    lines = [
        f"{with_truth.pool.ids[int(index)]},{with_truth.state.classes[with_truth.label_of(int(index))[0]].name}\n"
        for index in order
    ]
    (tmp_path / "answers.csv").write_text("id,label\n" + "".join(lines))
    run_audit(place, None, None, answers=tmp_path / "answers.csv")
    export(place, tmp_path / "plain.csv")
    export(place, tmp_path / "all.csv", options=ExportOptions(rejected=True))
    plain, every = (
        json.loads((tmp_path / f"{name}.csv.manifest.json").read_text())["certificate"] for name in ("plain", "all")
    )
    assert plain is not None
    assert every == plain
