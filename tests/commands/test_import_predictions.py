"""`labeler import-labels --as predictions`: from the file to `why`, `status` and the exports, and back."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from labeler.cli import main
from labeler.commands.export.export import ExportOptions, export
from labeler.commands.import_labels import import_labels, import_predictions
from labeler.commands.status import status
from labeler.commands.why import why
from labeler.core.errors import LabelerError
from labeler.project.open import Options, open_project


@pytest.fixture
def place(few_digits, tmp_path):
    """A project over 150 digits with three answers, and what a model elsewhere says of six."""
    with np.load(few_digits) as arrays:
        y = arrays["y"].astype(int)
    with open_project(few_digits, tmp_path / "p.labeler.db", Options(engine="book", n_clusters=10)) as project:
        session = project.session
        ids = session.pool.ids
        for index in (0, 1, 2):
            session.label(ids[index], session.classes.id_for(str(y[index]), setup=True))
        rows = [
            (0, y[0], 0.9),
            (1, (y[1] + 1) % 10, 0.9),
            *((index, 7, 0.5 + index / 1000) for index in range(100, 104)),
        ]
        (tmp_path / "model.csv").write_text(
            "id,label,confidence\n" + "".join(f"{ids[index]},{label},{score}\n" for index, label, score in rows)
        )
        yield project


def test_from_the_file_to_the_export(place, tmp_path):
    before = status(place)
    found = import_predictions(place, tmp_path / "model.csv")
    assert (found.taken, found.given, found.agreeing) == (6, 2, 1)
    assert "6 predictions imported: machine labels, no answers" in "\n".join(found.lines())
    assert "2 have given labels, which stay: 1 of them predicted as given" in "\n".join(found.lines())
    place.closing_round()
    after = status(place)
    assert (after.answers, after.by_provenance["human"]) == (before.answers, 3)
    assert after.by_provenance["imported"] == 0
    ids = place.session.pool.ids
    export(place, tmp_path / "default.csv", options=ExportOptions())
    default = pd.read_csv(tmp_path / "default.csv", dtype=str)
    stood = {index for index in range(100, 104) if place.session.label_of(index)[1].word == "predicted"}
    assert stood
    assert not set(default.path) & {ids[index] for index in stood}
    export(place, tmp_path / "all.csv", options=ExportOptions(predicted=True))
    every = pd.read_csv(tmp_path / "all.csv", dtype=str).set_index("path")
    for index in stood:
        row = every.loc[ids[index]]
        assert (row.label, row.provenance, row.source) == ("7", "predicted", "model.csv")
        assert float(row.confidence) == pytest.approx(0.5 + index / 1000)
    said = "\n".join(why(place, ids[min(stood)]).lines())
    assert "7 · predicted elsewhere, imported from" in said
    assert "model.csv · score 0.6" in said
    assert "rests most on" not in said


def test_the_same_after_a_restart_and_after_an_undo(place, tmp_path):
    import_predictions(place, tmp_path / "model.csv")
    place.closing_round()
    labels = [place.session.label_of(index) for index in range(150)]
    place.close()
    with open_project(tmp_path / "p.labeler.db") as again:
        assert [again.session.label_of(index) for index in range(150)] == labels
        again.session.undo()
        assert again.session.state.predictions == {}
        assert len(again.session.state.answers) == 3


def test_an_exports_machine_labels_come_in_as_predictions_and_never_as_labels(place, tmp_path):
    place.closing_round()
    export(place, tmp_path / "all.csv", options=ExportOptions(predicted=True))
    other = import_labels(place, tmp_path / "all.csv")
    assert (other.taken, len(other.conflicts)) == (0, 0)
    assert "--as predictions" in other.notes[-1]
    found = import_predictions(place, tmp_path / "all.csv")
    assert found.taken == len(pd.read_csv(tmp_path / "all.csv"))


def test_the_command(place, tmp_path):
    place.close()
    arguments = ["import-labels", str(tmp_path / "p.labeler.db"), str(tmp_path / "model.csv")]
    run = CliRunner().invoke(main, [*arguments, "--as", "predictions"], obj=0.0)
    assert run.exit_code == 0, run.output
    assert "6 predictions imported" in run.stdout
    told = json.loads(CliRunner().invoke(main, ["status", arguments[1], "--json"], obj=0.0).stdout)
    assert told["by_provenance"]["imported"] == 0
    refused = CliRunner().invoke(main, [*arguments, "--as", "predictions", "--replace"], obj=0.0)
    assert isinstance(refused.exception, LabelerError)


def test_a_bad_confidence_is_refused_with_its_line_and_nothing_is_recorded(place, tmp_path):
    (tmp_path / "model.csv").write_text(f"id,label,confidence\n{place.session.pool.ids[5]},7,97 %\n")
    revision = place.session.state.revision
    with pytest.raises(LabelerError, match="line 2: confidence '97 %'"):
        import_predictions(place, tmp_path / "model.csv")
    assert place.session.state.revision == revision
