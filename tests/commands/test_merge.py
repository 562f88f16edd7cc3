"""`labeler merge` on files: what comes out, what is refused, and that the source need not be there."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from labeler.commands.check import check
from labeler.commands.export.export import export
from labeler.commands.merge import merge
from labeler.commands.replay import replay
from labeler.commands.status import status
from labeler.core.errors import PROJECT_ERRORS
from labeler.core.types import Provenance
from labeler.project.open import Options, open_project
from labeler.session.final_labels import final_labels
from labeler.session.merge.audits import AUDIT_ANEW
from labeler.session.merge.merge import is_same_journal
from labeler.store.store import Store

NAMES = ("odd", "even")
FIXTURES = Path(__file__).parents[1] / "store" / "fixtures"


def answer(source, path, answers, annotator=None, **options):
    with open_project(source, path, Options(annotator=annotator, classes=NAMES, **options)) as opened:
        for index, name in answers.items():
            opened.session.label(opened.session.pool.ids[index], opened.session.classes.id_for(name))
    return path


def events(path):
    store = Store.open(path, read_only=True)
    try:
        return list(store.replay())
    finally:
        store.close()


@pytest.fixture
def two(few_digits, tmp_path):
    first = {index: NAMES[index % 2] for index in range(30)}
    second = {index: NAMES[index % 2] for index in range(10, 40)} | {10: "odd", 11: "even"}
    second[10], second[11] = NAMES[1], NAMES[0]
    return (
        answer(few_digits, tmp_path / "anna.labeler.db", first, "anna"),
        answer(few_digits, tmp_path / "bob.labeler.db", second),
    )


def test_two_files_become_one_that_knows_who_said_what(two, tmp_path):
    joined = merge(*two, tmp_path / "both.labeler.db")
    found = joined.to_json()
    assert (found["labels"], found["both_answered"], found["agreed"]) == (40, 20, 18)
    assert found["kappa"] == pytest.approx(0.8)
    assert found["low"] < 0.8 < found["high"] < 1.0
    assert found["people"] == ["anna", "bob"]
    assert [row["id"] for row in found["conflicts"]] == ["00010", "00011"]
    assert found["conflicts"][0]["answers"] == [
        {"annotator": "anna", "label": "odd"},
        {"annotator": "bob", "label": "even"},
    ]
    assert "18 of 20 answered by both; Cohen's kappa 0.80" in "\n".join(joined.lines())
    assert "2 conflicts are asked first" in "\n".join(joined.lines())
    with open_project(tmp_path / "both.labeler.db") as opened:
        session = opened.session
        assert (session.question.instance_id, session.question.rule) == ("00010", "conflict")
        assert session.state.answers[10].annotator == "bob"  # the later stands until somebody settles it
        assert (session.view().open_questions, session.view().conflicts) == (150 - 40 + 2, 2)
        assert "2 instances with two people's different answers" in "\n".join(status(opened).lines())
        session.label("00010", session.classes.id_for("odd"))
        assert session.question.instance_id == "00011"


@pytest.fixture
def audited(two):
    """Anna's file with an audit that reached its target; Bob's with one under way."""
    for path, target, looks in zip(two, (0.9, 0.98), (60, 5), strict=True):
        with open_project(path) as opened:
            session, pool = opened.session, opened.session.pool
            round_ = opened.closing_round()
            final = final_labels(session.state, round_)
            # what even and odd places are called spreads by nothing that is seen
            session.audit.begin(final, target=target, confidence=0.95, seed=3, predicted=True)
            for _ in range(looks):
                index = session.audit.next_index()
                session.audit.answer(pool.ids[index], int(final.labels[index]))
            if looks == 60:
                session.audit.end()
    return two


@pytest.mark.slow
def test_the_audits_of_both_stay_behind_and_what_was_answered_in_them_stays_answered(audited, tmp_path):
    anna, bob = audited
    labels = {}
    for path in (anna, bob):
        with open_project(path, read_only=True) as opened:
            state = opened.session.state
            labels |= {index: state.classes[one.class_id].name for index, one in state.answers.items() if one.audit}
    assert len(labels) > 60  # each took its own, and some the same
    joined = merge(anna, bob, tmp_path / "both.labeler.db")
    assert joined.notes == [f"audited by anna and bob before it was merged: {AUDIT_ANEW}"]
    assert is_same_journal(events(joined.path), events(merge(bob, anna, tmp_path / "other.labeler.db").path))
    with open_project(joined.path) as opened:
        state = opened.session.state
        assert (opened.session.audit.latest, list(state.audits), state.audits.carried) == (None, [], [])
        for index, name in labels.items():
            assert state.classes[state.answers[index].class_id].name == name
        figures = status(opened)
        assert figures.audits_carried == [{"by": name, "statement": AUDIT_ANEW} for name in ("anna", "bob")]
        assert f"audited by anna and bob before it was merged: {AUDIT_ANEW}" in "\n".join(figures.lines())
        manifest = json.loads(export(opened, tmp_path / "x.csv").manifest_path.read_text())
        assert manifest["certificate"] is None
        assert manifest["audits_carried"] == figures.audits_carried
        final = final_labels(state, opened.session.machine_labels.round)
        opened.session.audit.begin(final, target=0.9, confidence=0.95, seed=1)
        assert (opened.session.audit.latest.number, opened.session.audit.latest.before) == (1, 0)


@pytest.mark.slow
def test_where_one_knows_all_the_other_does_its_audit_is_its_own(audited, tmp_path):
    anna, _ = audited
    joined = merge(anna, anna, tmp_path / "alone.labeler.db")
    assert joined.notes == []
    assert is_same_journal(events(joined.path), events(anna))
    with open_project(anna, read_only=True) as opened, open_project(joined.path, read_only=True) as other:
        assert other.session.audit.certificate() == opened.session.audit.certificate()
        assert status(other).audits_carried == []


@pytest.mark.slow
def test_a_page_of_an_audit_stays_labeled_and_the_laws_hold_with_it(two, tmp_path):
    anna, bob = two
    with open_project(anna) as opened:
        session = opened.session
        final = final_labels(session.state, opened.closing_round())
        session.audit.begin(final, target=0.9, confidence=0.95, seed=3)
        looked = {}

        def confirm():
            page = session.audit.pages.lay_out(12).page
            session.audit.pages.answer({cell.index: int(final.labels[cell.index]) for cell in page if cell.planted})
            looked.update({session.pool.ids[cell.index]: cell.class_id for cell in page if not cell.planted})

        confirm()
        session.undo()
        session.redo()
        while not session.audit.latest.in_pages:
            confirm()
        names = {class_id: info.name for class_id, info in session.state.classes.items()}
    joined = merge(anna, bob, tmp_path / "both.labeler.db")
    assert joined.notes == [f"audited by anna before it was merged: {AUDIT_ANEW}"]
    other = merge(bob, anna, tmp_path / "other.labeler.db")
    assert is_same_journal(events(joined.path), events(other.path))
    for again in (anna, bob, joined.path):  # what is known already changes nothing
        path = merge(joined.path, again, tmp_path / f"again-{again.name}").path
        assert is_same_journal(events(path), events(joined.path))
    assert is_same_journal(events(merge(anna, anna, tmp_path / "alone.labeler.db").path), events(anna))
    with open_project(joined.path) as opened, open_project(tmp_path / "other.labeler.db") as other:
        session = opened.session
        assert session.state.audits == []
        for name, class_id in looked.items():
            given, provenance = session.label_of(session.pool.index(name))
            assert session.state.classes[given].name == names[class_id] or provenance is Provenance.HUMAN
        assert other.session.state.answers == session.state.answers


@pytest.fixture
def old_merged(tmp_path):
    """A file merged by a version that took audits along, with an audit of its own since, and its source beside it."""
    for name in ("few.npz", "merged_with_audits.labeler.db"):
        shutil.copy(FIXTURES / name, tmp_path)
    return tmp_path / "merged_with_audits.labeler.db"


def test_a_file_that_an_older_version_merged_with_its_audits_is_read_and_says_so_in_one_line(old_merged):
    assert [event.kind for event in events(old_merged)].count("audit_carried") == 2
    with open_project(old_merged) as opened:
        text = "\n".join(status(opened).lines())
        assert [line for line in text.splitlines() if "audited by" in line] == [
            f"audited by Ada and Ben before it was merged: {AUDIT_ANEW}"
        ]
        certificate = opened.session.audit.certificate()
        assert (certificate.checked, certificate.alpha) == (4, pytest.approx(0.4 * 0.8 * 0.2**2))
        opened.session.label("00029", opened.session.classes.id_for("9"))
        assert opened.session.state.answers[29].kind == "label"
    report = check(old_merged)
    assert report.is_sound
    assert report.findings == []


@pytest.mark.slow
def test_a_file_with_audits_that_travelled_is_replayed_exported_and_merged_again_without_them(old_merged, tmp_path):
    with open_project(tmp_path / "few.npz", old_merged):
        pass  # where its source is now
    assert replay(old_merged).differences == []
    other = answer(tmp_path / "few.npz", tmp_path / "cy.labeler.db", dict.fromkeys(range(4), "odd"), "Cy")
    alone = merge(old_merged, old_merged, tmp_path / "alone.labeler.db")
    whole = merge(old_merged, other, tmp_path / "again.labeler.db")
    for joined in (alone, whole):
        assert joined.notes[-1] == f"audited by Ada and Ben before it was merged: {AUDIT_ANEW}"
        assert "audit_carried" not in {event.kind for event in events(joined.path)}
        assert joined.state.answers.counts["label"] >= 22
        back = merge(joined.path, old_merged, tmp_path / f"back-{joined.path.name}")
        assert is_same_journal(events(back.path), events(joined.path))  # what was left behind does not come back
        assert check(joined.path).findings == []
    with open_project(old_merged) as opened:
        manifest = json.loads(export(opened, tmp_path / "x.csv").manifest_path.read_text())
        assert manifest["certificate"]["checked"] == 4
        assert manifest["audits_carried"] == [{"by": name, "statement": AUDIT_ANEW} for name in ("Ada", "Ben")]
    with open_project(alone.path, read_only=True) as opened:
        assert opened.session.audit.certificate().checked == 4  # its own audit is its own


def test_either_order_gives_the_same_journal_and_the_files_stay_as_they_are(two, tmp_path):
    before = [path.read_bytes() for path in two]
    one = merge(*two, tmp_path / "one.labeler.db").path
    other = merge(*two[::-1], tmp_path / "other.labeler.db").path
    assert is_same_journal(events(one), events(other))
    assert [path.read_bytes() for path in two] == before
    again = merge(one, two[0], tmp_path / "again.labeler.db").path
    assert is_same_journal(events(again), events(one))
    alone = merge(two[0], two[0], tmp_path / "alone.labeler.db").path
    assert is_same_journal(events(alone), events(two[0]))
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_the_source_need_not_be_there_and_options_that_differ_are_said(few_digits, tmp_path):
    first = answer(few_digits, tmp_path / "a.labeler.db", {0: "odd"}, seed=1)
    second = answer(few_digits, tmp_path / "b.labeler.db", {1: "even"}, seed=2)
    few_digits.rename(tmp_path / "away.npz")
    joined = merge(first, second, tmp_path / "c.labeler.db")
    assert joined.notes == ["the two had different options; of a.labeler.db: seed = 1"]
    (tmp_path / "away.npz").rename(few_digits)
    with open_project(tmp_path / "c.labeler.db") as opened:
        assert opened.options["seed"] == 1
        assert opened.session.state.answers.counts["label"] == 2


def test_a_source_that_moved_along_with_its_projects_is_found(few_digits, tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    few_digits.rename(before / "few.npz")
    for name, index in (("a", 0), ("b", 1)):
        answer(before / "few.npz", before / f"{name}.labeler.db", {index: "odd"})
    before.rename(after)
    paths = [after / f"{name}.labeler.db" for name in "ab"]
    for target in (after / "c.labeler.db", tmp_path / "d.labeler.db"):  # beside them, or elsewhere
        merge(*paths, target)
        store = Store.open(target, read_only=True)
        assert store.project()["source"]["path"] == str(after / "few.npz")
        store.close()
        with open_project(target) as opened:
            assert opened.source_path == after / "few.npz"
            assert opened.session.state.answers.counts["label"] == 2


def test_what_was_left_out_stays_out_in_a_later_merge(few_digits, tmp_path):
    first = answer(few_digits, tmp_path / "a.labeler.db", {0: "odd", 1: "even"})
    copy = shutil.copy(first, tmp_path / "copy.labeler.db")
    with open_project(first) as opened:
        opened.session.undo()
    second = answer(few_digits, tmp_path / "b.labeler.db", {5: "odd"})
    both = merge(first, second, tmp_path / "both.labeler.db")
    assert sorted(both.state.answers) == [0, 5]
    again = merge(both.path, copy, tmp_path / "again.labeler.db")
    assert sorted(again.state.answers) == [0, 5]


def test_files_of_other_sources_are_refused_by_their_content(few_digits, digits_path, tmp_path):
    with np.load(digits_path) as arrays:
        np.savez(tmp_path / "others.npz", X=arrays["X"][200:350])
    paths = []
    for name, source in (("a", few_digits), ("b", tmp_path / "others.npz")):
        path = tmp_path / f"{name}.labeler.db"
        with open_project(source, path, Options(engine="book", n_clusters=5)) as opened:
            opened.open_pipeline()  # the content is known from here on
        paths.append(path)
    with pytest.raises(PROJECT_ERRORS, match=r"different sources, .*few\.npz and .*others\.npz"):
        merge(*paths, tmp_path / "c.labeler.db")
    assert not (tmp_path / "c.labeler.db").exists()


def test_instances_of_one_file_only_are_kept_and_said(few_digits, digits_path, tmp_path):
    with np.load(digits_path) as arrays:
        np.savez(tmp_path / "more.npz", X=arrays["X"][:160])
    first = answer(few_digits, tmp_path / "a.labeler.db", {0: "odd"})
    second = answer(tmp_path / "more.npz", tmp_path / "b.labeler.db", {155: "even"})
    joined = merge(first, second, tmp_path / "c.labeler.db")
    assert joined.notes == ["10 instances are in one of the two projects only; all are kept"]
    assert sorted(joined.state.answers) == [0, 155]


@pytest.mark.slow
def test_the_command_says_what_is_wrong_in_one_line(two, tmp_path, clean_env):
    def run(*arguments):
        command = [sys.executable, "-m", "labeler", "merge", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=clean_env, cwd=tmp_path, timeout=100)

    done = run(*two, "-o", "c.labeler.db", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["agreed"] == 18
    for arguments, said in (
        ((*two, "-o", "c.labeler.db"), "c.labeler.db is there already"),
        ((*two, "-o", two[0]), "is there already"),
        ((*two, "-o", "c.csv"), "c.csv is no name of a project file"),
        ((two[0], "nothing.labeler.db", "-o", "d.labeler.db"), "there is no project file nothing.labeler.db"),
        ((two[0], "nothing.db", "-o", "d.labeler.db"), "there is no project file nothing.db"),
        ((two[0], "few.npz", "-o", "d.labeler.db"), "few.npz is not a project file"),
        ((*two, "-o", "nowhere/d.labeler.db"), "nowhere"),
    ):
        done = run(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr.splitlines()[0]
        assert len(done.stderr.splitlines()) == 2
    assert not (tmp_path / "d.labeler.db").exists()


def test_hostile_names_are_safe_to_show(few_digits, tmp_path):
    first = answer(few_digits, tmp_path / "a.labeler.db", {0: "odd"}, "\x1b]2;x\x07")
    second = answer(few_digits, tmp_path / "b.labeler.db", {0: "\x1b[2J"})
    joined = merge(first, second, tmp_path / "c.labeler.db")
    text = json.dumps(joined.to_json()) + "\n".join(joined.lines()) + "".join(joined.notes)
    assert "\x1b" not in text


def test_a_file_of_a_newer_labeler_is_refused(two, tmp_path):
    db = sqlite3.connect(two[1])
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(PROJECT_ERRORS, match="newer labeler"):
        merge(*two, tmp_path / "c.labeler.db")
