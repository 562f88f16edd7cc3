"""`labeler merge` on files: what comes out, what is refused, and that the source need not be there."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys

import numpy as np
import pytest

from labeler.commands.export.export import export
from labeler.commands.merge import facts, merge, report
from labeler.commands.status import status
from labeler.core.errors import ProjectError
from labeler.core.types import Event, Provenance
from labeler.project.open import Options, open_project
from labeler.session.final_labels import final_labels
from labeler.session.merge.merge import same_events
from labeler.store.store import Store

NAMES = ("odd", "even")


def answer(source, path, answers, annotator=None, **options):
    with open_project(source, path, Options(annotator=annotator, classes=NAMES, **options)) as opened:
        for index, name in answers.items():
            opened.session.label(opened.session.pool.ids[index], opened.session.class_id_for(name))
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
    found = facts(joined)
    assert (found["labels"], found["both_answered"], found["agreed"]) == (40, 20, 18)
    assert found["kappa"] == pytest.approx(0.8)
    assert found["low"] < 0.8 < found["high"] < 1.0
    assert found["people"] == ["anna", "bob"]
    assert [row["id"] for row in found["conflicts"]] == ["00010", "00011"]
    assert found["conflicts"][0]["answers"] == [
        {"annotator": "anna", "label": "odd"},
        {"annotator": "bob", "label": "even"},
    ]
    assert "18 of 20 answered by both; Cohen's kappa 0.80" in report(joined)
    assert "2 conflicts are asked first" in report(joined)
    with open_project(tmp_path / "both.labeler.db") as opened:
        session = opened.session
        assert (session.question.instance_id, session.question.rule) == ("00010", "conflict")
        assert session.state.standings[10].annotator == "bob"  # the later stands until somebody settles it
        assert (session.view().open_questions, session.view().conflicts) == (150 - 40 + 2, 2)
        assert "2 instances with two people's different answers" in "\n".join(status(opened).lines())
        session.label("00010", session.class_id_for("odd"))
        assert session.question.instance_id == "00011"


@pytest.fixture
def audited(two):
    """Anna's file with an audit that reached its target and what it said; Bob's with one under way."""
    said = []
    for path, target, looks in zip(two, (0.9, 0.98), (60, 5), strict=True):
        with open_project(path) as opened:
            session, pool = opened.session, opened.session.pool
            round_ = opened.closing_round()
            final = final_labels(session.state, round_)
            session.begin_audit(final, target=target, confidence=0.95, seed=3)
            for _ in range(looks):
                index = session.audit_next()
                session.answer_audit(pool.ids[index], int(final.labels[index]))
            if looks == 60:
                session.end_audit()
            said.append(session.certificate())
    return two, said


@pytest.mark.slow
def test_the_audits_of_both_go_along_and_say_what_they_said(audited, tmp_path):
    (anna, bob), said = audited
    joined = merge(anna, bob, tmp_path / "both.labeler.db")
    assert sum("goes along as it was" in note for note in joined.notes) == 2
    with open_project(joined.path) as opened:
        carried = opened.session.carried_audits()
        found = {one.by: (one.certificate, one.audit.drawn) for one in carried}
        assert found == {"anna": (said[0], True), "bob": (said[1], False)}
        assert opened.session.audit is None  # what is exported are the merged labels: no certificate speaks of them
        facts_of = status(opened)
        assert {row["set_sha256"] for row in facts_of.audits_carried} == {one.set_sha256 for one in said}
        assert facts_of.estimate is None
        assert "audit 1 of anna" in "\n".join(facts_of.lines())
        written = export(opened, tmp_path / "x.csv")
        manifest = json.loads(written.manifest_path.read_text())
        assert manifest["certificate"] is None
        assert {row["by"] for row in manifest["audits_carried"]} == {"anna", "bob"}
        assert "as they were frozen there, not of these" in manifest["card"]
        final = final_labels(opened.session.state, opened.session.derived.round)
        opened.session.begin_audit(final, target=0.9, confidence=0.95, seed=1)
        assert opened.session.audit.before == 2  # the shares of alpha go on where the others ended


@pytest.mark.slow
def test_an_audit_in_pages_goes_along_with_what_was_planted(two, tmp_path):
    anna, bob = two
    with open_project(anna) as opened:
        session = opened.session
        final = final_labels(session.state, opened.closing_round())
        session.begin_audit(final, target=0.9, confidence=0.95, seed=3)
        looked, overlooked = {}, set()

        def confirm():
            page = session.lay_out_audit(12).page
            planted = [cell.index for cell in page if cell.planted]
            overlooked.update(planted[:1] if not overlooked else ())  # the first there is, on whichever page
            session.answer_audit_page({i: int(final.labels[i]) for i in planted if i not in overlooked})
            looked.update({session.pool.ids[c.index]: c.class_id for c in page if not c.planted})

        confirm()
        session.undo()
        session.redo()
        while not session.audit.in_pages:
            confirm()
        said = session.certificate()
        assert said.in_pages > 20
        assert 0 < said.planted_seen < said.planted
        names = {class_id: info.name for class_id, info in session.state.classes.items()}
    joined = merge(anna, bob, tmp_path / "both.labeler.db")
    other = merge(bob, anna, tmp_path / "other.labeler.db")
    assert same_events(events(joined.path), events(other.path))
    for again in (anna, bob, joined.path):  # what is known already changes nothing
        path = merge(joined.path, again, tmp_path / f"again-{again.name}").path
        assert same_events(events(path), events(joined.path))
        with open_project(path, read_only=True) as opened:
            assert [one.certificate for one in opened.session.carried_audits()] == [said]
    assert same_events(events(merge(anna, anna, tmp_path / "alone.labeler.db").path), events(anna))
    with open_project(joined.path) as opened, open_project(tmp_path / "other.labeler.db") as other:
        session = opened.session
        assert [one.certificate for one in session.carried_audits()] == [said]
        assert session.state.audits == []
        for name, class_id in looked.items():  # what was looked at stays labeled
            given, provenance = session.label_of(session.pool.index(name))
            assert session.state.classes[given].name == names[class_id] or provenance is Provenance.HUMAN
        assert other.session.state.standings == session.state.standings


@pytest.mark.slow
def test_audits_go_along_a_second_time_and_into_a_pool_in_another_order(audited, tmp_path):
    (anna, bob), said = audited
    both = merge(bob, anna, tmp_path / "both.labeler.db").path
    assert same_events(events(both), events(merge(anna, bob, tmp_path / "other.labeler.db").path))
    store = Store.open(anna, read_only=True)
    project, ids = store.project(), store.instance_ids()
    store.close()
    store = Store.open(tmp_path / "carl.labeler.db", create=True)
    store.join_instances(ids[::-1], 0.0)
    store.remember(**project | {"created": 0.0})  # the older file: its order holds
    store.append(Event("c0", "class_add", 1.0, "carl", None, 0, None, {"name": "odd", "key": "1"}))
    store.append(Event("c1", "label", 2.0, "carl", ids[5], 0))
    store.close()
    for name, pair in (("one", (both, store.path)), ("two", (store.path, both))):
        joined = merge(*pair, tmp_path / f"{name}.labeler.db")
        with open_project(joined.path, read_only=True) as opened:
            assert opened.session.pool.ids == ids[::-1]
            found = {one.by: one.certificate for one in opened.session.carried_audits()}
            assert found == {"anna": said[0], "bob": said[1]}
    again = merge(tmp_path / "one.labeler.db", anna, tmp_path / "again.labeler.db").path
    assert same_events(events(again), events(tmp_path / "one.labeler.db"))
    assert same_events(events(again), events(tmp_path / "two.labeler.db"))


@pytest.mark.slow
def test_frozen_labels_that_were_changed_prove_nothing(audited, tmp_path):
    (anna, bob), _ = audited
    path = merge(anna, bob, tmp_path / "both.labeler.db").path
    with open_project(path) as opened:
        record = opened.session.state.carried[0]
        number = next(iter(record.payload["kept_under"].values()))
        arrays = opened.session._journal.frozen(number)
        arrays["labels"] = arrays["labels"].copy()
        arrays["labels"][0] += 1
        opened.session._journal.freeze(number, arrays)
        one = opened.session.carried_audits()[0]
        assert one.certificate is None
        assert "nothing of it can be proven" in one.statement
        assert "lower_bound" not in one.facts


def test_either_order_gives_the_same_journal_and_the_files_stay_as_they_are(two, tmp_path):
    before = [path.read_bytes() for path in two]
    one = merge(*two, tmp_path / "one.labeler.db").path
    other = merge(*two[::-1], tmp_path / "other.labeler.db").path
    assert same_events(events(one), events(other))
    assert [path.read_bytes() for path in two] == before
    again = merge(one, two[0], tmp_path / "again.labeler.db").path
    assert same_events(events(again), events(one))
    alone = merge(two[0], two[0], tmp_path / "alone.labeler.db").path
    assert same_events(events(alone), events(two[0]))
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
        assert opened.session.state.counts["label"] == 2


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
            assert opened.session.state.counts["label"] == 2


def test_what_was_left_out_stays_out_in_a_later_merge(few_digits, tmp_path):
    first = answer(few_digits, tmp_path / "a.labeler.db", {0: "odd", 1: "even"})
    copy = shutil.copy(first, tmp_path / "copy.labeler.db")
    with open_project(first) as opened:
        opened.session.undo()
    second = answer(few_digits, tmp_path / "b.labeler.db", {5: "odd"})
    both = merge(first, second, tmp_path / "both.labeler.db")
    assert sorted(both.state.standings) == [0, 5]
    again = merge(both.path, copy, tmp_path / "again.labeler.db")
    assert sorted(again.state.standings) == [0, 5]


def test_files_of_other_sources_are_refused_by_their_content(few_digits, digits_path, tmp_path):
    with np.load(digits_path) as arrays:
        np.savez(tmp_path / "others.npz", X=arrays["X"][200:350])
    paths = []
    for name, source in (("a", few_digits), ("b", tmp_path / "others.npz")):
        path = tmp_path / f"{name}.labeler.db"
        with open_project(source, path, Options(engine="book", n_clusters=5)) as opened:
            opened.open_bench()  # the content is known from here on
        paths.append(path)
    with pytest.raises(ProjectError, match=r"different sources, .*few\.npz and .*others\.npz"):
        merge(*paths, tmp_path / "c.labeler.db")
    assert not (tmp_path / "c.labeler.db").exists()


def test_instances_of_one_file_only_are_kept_and_said(few_digits, digits_path, tmp_path):
    with np.load(digits_path) as arrays:
        np.savez(tmp_path / "more.npz", X=arrays["X"][:160])
    first = answer(few_digits, tmp_path / "a.labeler.db", {0: "odd"})
    second = answer(tmp_path / "more.npz", tmp_path / "b.labeler.db", {155: "even"})
    joined = merge(first, second, tmp_path / "c.labeler.db")
    assert joined.notes == ["10 instances are in one of the two projects only; all are kept"]
    assert sorted(joined.state.standings) == [0, 155]


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
    text = json.dumps(facts(joined)) + report(joined) + "".join(joined.notes)
    assert "\x1b" not in text


def test_a_file_of_a_newer_labeler_is_refused(two, tmp_path):
    db = sqlite3.connect(two[1])
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(ProjectError, match="newer labeler"):
        merge(*two, tmp_path / "c.labeler.db")
