"""`labeler audit` without a screen, from the draw to the certificate in the export's manifest."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from labeler.commands.audit import AuditReport, run_audit
from labeler.commands.export.export import ExportOptions, export
from labeler.commands.export.labels import certified, chosen_labels, frozen_labels
from labeler.commands.simulate import Simulation, simulate
from labeler.commands.status import status
from labeler.core.errors import LabelerError
from labeler.core.types import Provenance
from labeler.project.open import Options, open_project

KEYS = ["target", "confidence", "population", "checked", "wrong", "lower_bound", "reached", "set_sha256", "cutoff"]


def text(result):
    """What a command prints for a person."""
    return "\n".join(result.lines())


@pytest.fixture(scope="module")
def made(tmp_path_factory, digits_path):
    """The digits after 30 answers, and their truth."""
    root = tmp_path_factory.mktemp("audit")
    simulate(Simulation(digits_path, "y", 30, Options(), project=root / "made.labeler.db"))
    with open_project(root / "made.labeler.db", read_only=True) as project:
        return root / "made.labeler.db", project.source.truth()


@pytest.fixture
def path(made, tmp_path):
    """A project of one's own."""
    return shutil.copy(made[0], tmp_path / "digits.labeler.db")


@pytest.fixture
def opened(path):
    with open_project(path) as project:
        yield project


@pytest.fixture
def drawn(opened, tmp_path):
    """The ids to check, in order."""
    run_audit(opened, draw=tmp_path / "check.csv")
    with (tmp_path / "check.csv").open() as stream:
        return [row["id"] for row in csv.DictReader(stream)]


@pytest.fixture
def answer(made, opened, tmp_path):
    """Writes answers, `wrong` of them with another class than the truth, and takes them."""

    def answer(ids, wrong=(), **given):
        lines = ["id,label", *(f"{name},{'other' if name in wrong else made[1][name]}" for name in ids)]
        (tmp_path / "answers.csv").write_text("\n".join(lines))
        return run_audit(opened, answers=tmp_path / "answers.csv", **given).certificate

    return answer


def refused(call, *words):
    with pytest.raises(LabelerError) as caught:
        call()
    said = f"{caught.value.message} {caught.value.hint}"
    assert all(word in said for word in words), said
    assert caught.value.hint


class TestDraw:
    @pytest.mark.slow
    def test_writes_what_to_check_in_the_recorded_order(self, opened, drawn, tmp_path):
        session = opened.session
        order = [session.pool.ids[index] for index in session.audit.frozen(session.audit.latest).order]
        assert drawn == order[: len(drawn)]
        assert (tmp_path / "check.csv").read_text().startswith("id,path\n")
        assert 170 < len(drawn) < 400  # enough for 98 %, with an error

    @pytest.mark.slow
    def test_shows_no_label(self, drawn, tmp_path):
        table = pd.read_csv(tmp_path / "check.csv")
        assert table.columns.tolist() == ["id", "path"]

    @pytest.mark.slow
    def test_again_writes_the_same_and_then_what_comes_next(self, opened, drawn, answer, tmp_path):
        before = (tmp_path / "check.csv").read_bytes()
        run_audit(opened, draw=tmp_path / "check.csv")
        assert (tmp_path / "check.csv").read_bytes() == before
        assert opened.session.audit.latest.number == 1
        answer(drawn[:50])
        run_audit(opened, draw=tmp_path / "check.csv")
        assert pd.read_csv(tmp_path / "check.csv")["id"].tolist()[:20] == drawn[50:70]

    @pytest.mark.slow
    def test_the_same_project_draws_the_same(self, path, drawn, tmp_path, made):
        other = shutil.copy(made[0], tmp_path / "other.labeler.db")
        with open_project(other) as project:
            run_audit(project, draw=tmp_path / "other.csv")
        assert pd.read_csv(tmp_path / "other.csv")["id"].tolist() == drawn

    def test_never_replaces_what_is_no_list(self, opened, tmp_path):
        (tmp_path / "mine.csv").write_text("precious")
        refused(lambda: run_audit(opened, draw=tmp_path / "mine.csv"), "exists already")
        assert (tmp_path / "mine.csv").read_text() == "precious"

    def test_no_place_to_write(self, opened, tmp_path):
        refused(lambda: run_audit(opened, draw=tmp_path / "no" / "check.csv"), "cannot write")

    @pytest.mark.mostly_slow
    @pytest.mark.parametrize(
        ("goal", "words"), [({"target": 1.5}, "target"), ({"target": -1.0}, "target"), ({"confidence": 1.0}, "confid")]
    )
    def test_goals_that_cannot_be(self, opened, tmp_path, goal, words):
        refused(lambda: run_audit(opened, draw=tmp_path / "c.csv", **goal), words)
        assert opened.session.audit.latest is None

    @pytest.mark.slow
    def test_confidence_is_fixed_and_another_target_is_not(self, opened, drawn):
        refused(lambda: run_audit(opened, confidence=0.9), "fixed", "--new")
        assert run_audit(opened, target=0.99).certificate.target == 0.99

    def test_without_an_audit(self, opened, answer):
        refused(lambda: run_audit(opened), "no audit", "--draw")
        refused(lambda: answer(["digits/0001.png"]), "no audit", "--draw")


class TestAnswers:
    @pytest.mark.slow
    def test_a_clean_audit_certifies(self, drawn, answer):
        found = answer(drawn)
        assert (found.checked, found.wrong, found.reached) == (len(drawn), 0, True)
        assert 0.98 <= found.lower_bound < 1.0
        assert list(AuditReport(found).to_json()) == KEYS
        assert json.loads(json.dumps(AuditReport(found).to_json()))["cutoff"] is None
        assert "the target of 98 % is reached" in text(AuditReport(found))

    @pytest.mark.slow
    def test_errors_keep_it_from_its_target(self, drawn, answer):
        found = answer(drawn[:200], wrong=drawn[:200:10])
        assert (found.wrong, found.reached, found.more) == (20, False, None)
        assert found.lower_bound < 0.9
        assert "98 % is out of reach for this set: label on" in text(AuditReport(found))

    @pytest.mark.slow
    def test_what_was_overlooked_is_not_blamed_on_the_set(self, drawn, answer):
        found = replace(answer(drawn[:40]), more=None, n=40, in_pages=40, planted=9, planted_seen=2)
        assert "too early to say when 98 % is reached: planted errors were overlooked" in text(AuditReport(found))
        found = replace(found, n=400)
        assert "98 % is out of reach: too many planted errors were overlooked" in text(
            AuditReport(replace(found, most_wrong=1700))
        )
        assert "corrected" not in text(AuditReport(replace(found, most_wrong=0)))
        assert "corrected" in text(AuditReport(replace(found, most_wrong=0, wrong=1)))

    @pytest.mark.slow
    def test_in_any_order_of_lines_and_again(self, opened, drawn, answer):
        answer(list(reversed(drawn[:40])))
        before = len(list(opened._store.replay()))
        assert answer(drawn[:40]).checked == 40
        assert len(list(opened._store.replay())) == before
        assert answer(drawn[:60]).checked == 60

    @pytest.mark.slow
    def test_a_gap_would_bias(self, opened, drawn, answer):
        refused(lambda: answer(drawn[:5] + drawn[6:9]), "1 answer is missing", drawn[5])
        refused(lambda: answer(drawn[20:40]), "20 answers are missing", drawn[0], "15 more")
        assert opened.session.audit.certificate().checked == 0

    @pytest.mark.slow
    def test_what_is_no_answer_to_it(self, opened, drawn, answer, tmp_path):
        human = next(
            name
            for index, name in enumerate(opened.session.pool.ids)
            if opened.session.label_of(index)[1] is Provenance.HUMAN
        )
        (tmp_path / "answers.csv").write_text("id,label\nnobody,3\n")
        refused(lambda: run_audit(opened, answers=tmp_path / "answers.csv"), "nobody", "nothing was recorded")
        (tmp_path / "answers.csv").write_text(f"id,label\n{human},3\n")
        refused(lambda: run_audit(opened, answers=tmp_path / "answers.csv"), human, "not drawn")
        refused(lambda: answer([drawn[0], drawn[0]]), drawn[0], "twice")
        answer(drawn[:2])
        refused(lambda: answer(drawn[:2], wrong=drawn[:1]), drawn[0], "otherwise")
        (tmp_path / "answers.csv").write_text("nothing\n")
        refused(lambda: run_audit(opened, answers=tmp_path / "answers.csv"), "column")
        refused(lambda: run_audit(opened, answers=tmp_path / "gone.csv"), "gone.csv")
        assert opened.session.audit.certificate().checked == 2

    @pytest.mark.slow
    def test_what_was_found_wrong_is_a_persons_label_now(self, opened, drawn, answer):
        answer(drawn[:10], wrong=drawn[:1])
        class_id, provenance = opened.session.label_of(opened.session.pool.index(drawn[0]))
        assert opened.session.state.classes[class_id].name == "other"
        assert provenance is Provenance.HUMAN

    @pytest.mark.slow
    def test_the_end_draws_the_statement_as_it_stands(self, opened, drawn, answer, tmp_path):
        refused(lambda: run_audit(opened, end=True), "nothing was checked")
        answer(drawn[:20])
        assert not run_audit(opened, end=True).is_success()
        refused(lambda: answer(drawn[20:30]), "ended", "--new")
        run_audit(opened, draw=tmp_path / "check.csv")
        assert opened.session.audit.latest.number == 2

    @pytest.mark.slow
    def test_another_audit_takes_its_share(self, opened, drawn, answer, tmp_path):
        answer(drawn[:20])
        run_audit(opened, draw=tmp_path / "check.csv", new=True)
        found = opened.session.audit.certificate()
        assert (found.number, found.checked) == (2, 0)
        assert found.alpha == pytest.approx(0.05 * 0.8 * 0.2)
        assert found.population < 1797 - 20

    @pytest.mark.slow
    def test_after_its_target_and_more_labels_a_new_one_begins(self, opened, drawn, answer, tmp_path):
        answer(drawn)
        run_audit(opened, draw=tmp_path / "check.csv")
        assert opened.session.audit.latest.number == 1
        opened.session.label(opened.session.question.instance_id, 0)
        run_audit(opened, draw=tmp_path / "check.csv")
        assert opened.session.audit.latest.number == 2

    @pytest.mark.slow
    def test_unreached_it_goes_on_and_says_what_changed(self, opened, drawn, answer, tmp_path):
        answer(drawn[:20])
        opened.session.label(opened.session.question.instance_id, 0)
        said = []
        run_audit(opened, draw=tmp_path / "check.csv", say=said.append)
        assert opened.session.audit.latest.number == 1
        assert any("1 answer was given since" in line and "--new" in line for line in said)


class TestExport:
    def write(self, project, tmp_path, name="out.csv", **choice):
        written = export(project, tmp_path / name, None, ExportOptions(**choice))
        manifest = json.loads(written.manifest_path.read_text())
        return pd.read_csv(tmp_path / name, dtype=str), manifest["certificate"], written.warnings

    @pytest.mark.slow
    def test_ships_the_frozen_set_with_its_certificate(self, opened, drawn, answer, tmp_path):
        before, none, _ = self.write(opened, tmp_path, "before.csv", latest=True)
        assert none is None
        answer(drawn, wrong=drawn[:1])
        opened.session.label(opened.session.question.instance_id, 0)
        table, certificate, warnings = self.write(opened, tmp_path)
        assert table.equals(before)
        assert {name: certificate[name] for name in KEYS} == AuditReport(opened.session.audit.certificate()).to_json()
        assert certificate["population"] == (table["provenance"] != "human").sum()
        assert certificate["reached"]
        assert "before any that was found wrong was corrected" in certificate["about"]
        assert any("--latest" in line for line in warnings)
        assert any("1 answer was given since" in line for line in warnings)

    @pytest.mark.slow
    def test_latest_holds_what_was_corrected(self, opened, drawn, answer, tmp_path):
        answer(drawn, wrong=drawn[:1])
        _, _, warnings = self.write(opened, tmp_path, "frozen.csv")
        assert any("certificate, 1 label found wrong among them; --latest" in line for line in warnings)
        table, certificate, _ = self.write(opened, tmp_path, latest=True)
        assert certificate is None
        row = table[table["path"] == drawn[0]].iloc[0]
        assert (row["label"], row["provenance"]) == ("other", "human")

    @pytest.mark.slow
    def test_an_open_audit_is_no_certificate(self, opened, drawn, answer, tmp_path):
        answer(drawn[:20])
        _, certificate, warnings = self.write(opened, tmp_path)
        assert certificate is None
        assert any("under way" in line for line in warnings)
        assert status(opened).estimate is None
        opened.session.audit.end()
        _, certificate, _ = self.write(opened, tmp_path, "ended.csv")
        assert not certificate["reached"]
        assert 0 < certificate["lower_bound"] < 0.98

    @pytest.mark.mostly_slow
    @pytest.mark.parametrize("choice", [{"predicted": True}, {"human_only": True}, {"min_confidence": 0.99}])
    def test_another_set_goes_without(self, opened, drawn, answer, tmp_path, choice):
        answer(drawn)
        _, certificate, warnings = self.write(opened, tmp_path, **choice)
        assert certificate is None
        assert any("goes without" in line for line in warnings)

    @pytest.mark.slow
    def test_what_is_left_above_the_cut_off_has_one(self, opened, drawn, answer, tmp_path, made):
        session = opened.session
        scores = session.audit.frozen(session.audit.latest).final.scores
        low = np.median(scores[session.audit.frozen(session.audit.latest).order])
        run_audit(opened, draw=tmp_path / "check.csv", target=0.9)
        ids = [session.pool.ids[i] for i in session.audit.frozen(session.audit.latest).order[:900]]
        wrong = [name for name in ids if scores[session.pool.index(name)] < low][::2]
        found = answer(ids, wrong=wrong)
        assert not found.reached
        assert found.cutoff is not None
        session.audit.end()
        table, certificate, _ = self.write(opened, tmp_path, min_confidence=found.cutoff)
        assert certificate["scope"] == "cutoff"
        assert certificate["cutoff_population"] == (table["provenance"] != "human").sum()
        assert (table["confidence"].astype(float) >= found.cutoff).all()
        assert "98.00 %" in certificate["statement"]
        assert str(found.cutoff_population) in text(AuditReport(found)).replace(",", "")

    @pytest.mark.slow
    def test_instances_that_joined_since_are_not_in_it(self, opened, drawn, answer, tmp_path):
        answer(drawn)
        _, certificate, _ = self.write(opened, tmp_path, "one.csv")
        opened.session.pool.ids.append("new.png")
        opened.session.pool.missing = np.append(opened.session.pool.missing, False)
        opened.session.pool.unreadable = np.append(opened.session.pool.unreadable, False)
        labels = frozen_labels(opened)
        assert len(labels.table) == 1798
        assert labels.table.class_indices[-1] == -1
        assert certified(labels, np.flatnonzero(chosen_labels(labels, ExportOptions())[0])) == certificate

    @pytest.mark.slow
    def test_what_nobody_could_look_at_is_left_out(self, opened, tmp_path, made, answer):
        """An imported label of a missing file: not drawn, and not shipped as if it were certified."""
        session = opened.session
        gone = next(i for i in range(1797) if session.label_of(i)[1] is not Provenance.HUMAN)
        session.imports.labels([(session.pool.ids[gone], 0)], "before")
        session.pool.unreadable[gone] = True
        session.merge_round(opened.open_pipeline().closing_round(session.snapshot()))
        session.pool.unreadable[gone] = True
        from labeler.session.final_labels import final_labels

        final = final_labels(session.state, session.machine_labels.round)
        session.audit.begin(final, target=0.9, confidence=0.95, seed=0)
        session.audit.answer(session.pool.ids[session.audit.next_index()], 0)
        session.audit.end()
        labels = frozen_labels(opened)
        assert not chosen_labels(labels, ExportOptions())[0][gone]
        assert any("1 label left out" in note for note in labels.notes)


class TestStatus:
    @pytest.mark.slow
    def test_says_nothing_before_and_the_statement_after(self, opened, drawn, answer):
        assert status(opened).estimate is None
        found = answer(drawn, wrong=drawn[3:4])
        said = status(opened).estimate
        assert (said["n"], said["low"], said["confidence"]) == (found.checked, found.lower_bound, 0.95)
        assert said["low"] <= said["accuracy"] == 1 - 1 / found.checked <= said["high"] == 1 - 1 / found.population
        assert f"certificate: {found.statement}" in "\n".join(status(opened).lines())
