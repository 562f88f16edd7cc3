"""Classes changed on the way, seen from the engines, the exports and the other commands."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from labeler.commands.export.export import ExportOptions, export
from labeler.commands.import_labels import import_labels
from labeler.commands.status import status
from labeler.commands.why import why
from labeler.core.types import UNLABELED, Provenance, Tier
from labeler.project.open import Options, open_project


@pytest.fixture(params=["default", "book"])
def path(few_digits, tmp_path, request):
    """A project over 150 digits, 60 of them labeled rightly."""
    path = tmp_path / "p.labeler.db"
    options = Options(engine=request.param, n_clusters=12, classes=tuple("0123456789"))
    with open_project(few_digits, path, options) as project:
        truth = project.source.truth()
        for instance_id in project.session.pool.ids[:60]:
            project.session.label(instance_id, project.session.classes.named(truth[instance_id]).class_id)
        project.closing_round()
    return path


def classes_of(session):
    return {info.name: info.class_id for info in session.state.active_classes()}


def exported(project, target, **choice):
    export(project, target, options=ExportOptions(**choice))
    return pd.read_csv(target, dtype=str)


def test_no_engine_gives_a_retired_class_to_anybody(path, tmp_path):
    with open_project(path) as project:
        session = project.session
        seven = classes_of(session)["7"]
        given = session.state.answers.given[seven, Provenance.HUMAN]
        assert (session.machine_labels.round.labels == seven).sum() > given > 0
        session.classes.retire(seven)
        closing = project.closing_round()
        everything = (closing.labels, closing.runner_ups, closing.queue.guesses)
        assert not any((array == seven).any() for array in everything)
        theirs = [index for index in range(60) if session.state.answers[index].class_id == seven]
        assert not set(theirs) & set(closing.queue.indices.tolist())
        assert set(closing.tiers[theirs].tolist()) == {Tier.NONE}
        assert (closing.labels[60:] != UNLABELED).all()
        table = exported(project, tmp_path / "all.csv", predicted=True)
        mine = table[table["label"] == "7"]
        assert set(mine["provenance"]) == {"human"}
        assert len(mine) == given
        facts = status(project)
        row = next(row for row in facts.to_json()["classes"] if row["name"] == "7")
        assert row == {"name": "7", "key": "", "retired": True, "human": given} | dict.fromkeys(
            ("confirmed", "imported", "propagated", "predicted"), 0
        )
        assert facts.by_provenance["human"] == 60
        assert "7 (retired)" in "\n".join(facts.lines())
        assert "7 · human" in "\n".join(why(project, session.pool.ids[theirs[0]], lambda index: None).lines())


def test_merged_labels_are_learned_from_and_exported_as_the_other_class(path, tmp_path):
    with open_project(path) as project:
        session = project.session
        classes = classes_of(session)
        session.classes.merge(classes["7"], classes["1"])
        closing = project.closing_round()
        assert not (closing.labels == classes["7"]).any()
        table = exported(project, tmp_path / "labels.csv")
        assert "7" not in set(table["label"])
        both = np.isin([project.source.truth()[name] for name in session.pool.ids[:60]], ["1", "7"])
        human = table[table["provenance"] == "human"]
        assert (human["label"] == "1").sum() == both.sum()
        manifest = json.loads((tmp_path / "labels.csv.manifest.json").read_text())
        assert "7" not in manifest["classes"]
        assert "7" not in [row.name for row in status(project).classes]
        once_seven = next(name for name in session.pool.ids[:60] if project.source.truth()[name] == "7")
        assert "1 (given as 7) · human" in "\n".join(why(project, once_seven, lambda index: None).lines())


@pytest.mark.slow
def test_undo_brings_the_same_closing_round_back_also_after_a_restart(path):
    with open_project(path) as project:
        before = project.closing_round()
        classes = classes_of(project.session)
        project.session.classes.merge(classes["7"], classes["1"])
        project.session.classes.retire(classes["4"])
        changed = project.closing_round()
        assert not np.array_equal(changed.labels, before.labels)
    with open_project(path) as project:
        again = project.closing_round()
        assert np.array_equal(again.labels, changed.labels)
        assert np.array_equal(again.scores, changed.scores)
        project.session.undo()
        project.session.undo()
        again = project.closing_round()
        for name in ("labels", "provenances", "scores", "tiers", "sources"):
            assert np.array_equal(getattr(again, name), getattr(before, name)), name


def test_a_split_is_learned_from(path):
    with open_project(path) as project:
        session, truth = project.session, project.source.truth()
        one = classes_of(session)["1"]
        session.classes.merge(classes_of(session)["7"], one)
        moved = [name for name in session.pool.ids[:60] if truth[name] == "7"]
        new = session.classes.split(one, "seven", moved)
        closing = project.closing_round()
        sevens = np.array([truth[name] == "7" for name in session.pool.ids])
        assert (closing.labels[sevens] == new).mean() > 0.7


@pytest.mark.slow
def test_a_name_taken_up_again_leaves_once(path, tmp_path):
    """An import brings the name of a retired class back as a new class: one name, one number, one folder."""
    with open_project(path) as project:
        session = project.session
        truth = project.source.truth()
        session.classes.retire(classes_of(session)["7"])
        later = [name for name in session.pool.ids[60:] if truth[name] == "7"]
        rows = pd.DataFrame({"id": [*later, session.pool.ids[0]], "label": "7"})
        rows.to_csv(tmp_path / "in.csv", index=False)
        taken = import_labels(project, tmp_path / "in.csv")
        assert (taken.taken, taken.new_classes) == (len(later), ["7"])
        assert taken.conflicts == [(session.pool.ids[0], "7", truth[session.pool.ids[0]])]
        assert classes_of(session)["7"] == 10
        assert session.classes.named("7").key == "7"
        table = exported(project, tmp_path / "labels.csv", human_only=False)
        given = table[table["provenance"].isin(["human", "imported"])]
        assert (given["label"] == "7").sum() == sum(truth[name] == "7" for name in session.pool.ids[:60]) + len(later)
        export(project, tmp_path / "set.npz")
        with np.load(tmp_path / "set.npz") as arrays:
            assert arrays["classes"].tolist() == [*"012345689", "7"]
            assert arrays["y"].min() >= 0
        project.closing_round()


@pytest.mark.slow
def test_an_import_that_contradicts_a_label_of_a_retired_class_names_it(path, tmp_path):
    with open_project(path) as project:
        session = project.session
        first = session.pool.ids[0]
        name = project.source.truth()[first]
        session.classes.retire(classes_of(session)[name])
        (tmp_path / "in.csv").write_text(f"id,label\n{first},new\n")
        assert import_labels(project, tmp_path / "in.csv").conflicts == [(first, "new", name)]


def test_the_same_command_line_adds_no_class_that_was_renamed_merged_or_retired(few_digits, tmp_path):
    path, options = tmp_path / "p.labeler.db", Options(classes=("cat", "dog", "cow"))
    with open_project(few_digits, path, options) as project:
        session = project.session
        classes = classes_of(session)
        session.classes.rename(classes["cat"], "kitten")
        session.classes.merge(classes["dog"], classes["cat"])
        session.classes.retire(classes["cow"])
    with open_project(few_digits, path, Options(classes=("cat", "dog", "cow", "hen"))) as project:
        assert list(classes_of(project.session)) == ["kitten", "hen"]
        assert any("new classes hen" in notice for notice in project.notices)
