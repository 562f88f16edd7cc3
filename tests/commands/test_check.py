"""`labeler check`: what is damaged, what is lost by it, and which backup to restore."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from labeler.commands import check
from labeler.core.errors import DamagedProject, UsageError
from labeler.project import backups, paths
from labeler.project.open import open_project
from labeler.session.final_labels import final_labels
from labeler.store.schema import schema_version
from labeler.worker.row_log import RowLog


@pytest.fixture
def path(few_digits, tmp_path):
    """A project with answers, a round, an audit and a cache, and one answer that its only backup does not have."""
    path = tmp_path / "pool.labeler.db"
    with open_project(few_digits, path) as project:
        session = project.session
        for name in "0123456789":
            session.classes.id_for(name, setup=True)
        truth = project.source.truth()
        pipeline = project.open_pipeline()
        for name in session.pool.ids[:30]:
            session.label(name, session.classes.id_for(truth[name]))
        closing_round = pipeline.closing_round(session.snapshot())
        session.merge_round(closing_round)
        session.audit.begin(final_labels(session.state, closing_round), target=0.9, confidence=0.9, seed=1)
    with open_project(path) as project:
        project.backed_up = False
        project.session.label(project.session.pool.ids[40], 1)
    return path


def edit(path, *statements):
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def codes(report):
    return [one.code for one in report.findings]


def test_a_sound_project_is_sound(path):
    before = path.read_bytes()
    report = check.check(path)
    assert report.is_sound
    assert (report.instances, report.labels, report.audits, report.schema) == (150, 31, 1, schema_version())
    assert report.events == 10 + 30 + 1 + 1 + 1  # classes, answers, a setting, the audit, the last answer
    assert report.backup.events == report.events - 1
    assert "4 entries" in report.cache
    assert path.read_bytes() == before
    text = "\n".join(report.lines())
    assert "sound" in text
    assert "newest backup: 42 events" in text
    facts = json.loads(json.dumps(report.to_json()))
    assert facts["sound"] is True
    assert facts["findings"] == []


def test_also_while_it_is_open(path):
    with open_project(path) as project:
        project.session.label(project.session.pool.ids[30], 1)
        report = check.check(path)
        assert report.is_sound
        assert report.labels == 32
        assert any("open in process" in note for note in report.notes)


@pytest.mark.mostly_slow
@pytest.mark.parametrize(
    ("statement", "code", "answers"),
    [
        ("UPDATE events SET class_id = class_id + 1 WHERE seq = 15", "journal", 1),
        ("UPDATE events SET instance = instance || 'x' WHERE seq = 15", "journal", 1),
        ("UPDATE events SET payload = '{' WHERE seq = 15", "journal", 1),
        ("DELETE FROM events WHERE seq = 15", "journal", 1),
        ("DELETE FROM events WHERE seq > 41", "journal", 2),
        ("UPDATE events SET seal = x'00' WHERE seq = 15", "seal", 0),
        ("UPDATE pool SET ids = replace(ids, x'30', x'31')", "pool", 0),
        ("UPDATE frozen SET data = zeroblob(length(data)) WHERE name = 'labels'", "audit", 0),
        ("DELETE FROM frozen WHERE name = 'order'", "audit", 0),
        ("UPDATE project SET value = '{\"seed\": 7}' WHERE key = 'options'", "project", 0),
    ],
)
def test_what_cannot_be_made_anew_is_named_and_the_backup_to_restore(path, statement, code, answers):
    edit(path, statement)
    report = check.check(path)
    assert code in codes(report)
    assert sum(one.answers for one in report.findings if one.code == code) == answers
    text = "\n".join(report.lines())
    assert "DAMAGED" in text
    if code != "seal":
        assert f"labeler restore {report.backup.path}" in text
        backups.restore(report.backup.path)
        assert check.check(path).is_sound


def test_a_damaged_seal_of_a_sound_event_keeps_nobody_out(path):
    """The next event's seal proves it; the last event's own seal has none behind it, and is refused."""
    edit(path, "UPDATE events SET seal = x'00' WHERE seq = 15")
    report = check.check(path)
    assert "go on with labeler label" in "\n".join(report.lines())
    assert report.events == 43
    with open_project(path) as project:
        assert project.session.view().answers == 31
        project.session.label(project.session.pool.ids[30], 1)
    with open_project(path) as project:
        assert project.session.view().answers == 32
    assert codes(check.check(path)) == codes(report)
    edit(path, "UPDATE events SET seal = x'00' WHERE seq = (SELECT max(seq) FROM events)")
    with pytest.raises(DamagedProject):
        open_project(path)
    assert "labeler restore" in "\n".join(check.check(path).lines())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE arrays SET data = zeroblob(length(data)) WHERE name = 'labels'",
        "UPDATE rounds SET facts = '{}'",
        "UPDATE question SET value = '{}'",
    ],
)
def test_what_is_made_anew_is_no_loss(path, statement):
    edit(path, statement)
    report = check.check(path)
    assert not report.is_sound
    assert all("nothing is lost" in one.lost for one in report.findings)
    assert "go on with labeler label" in "\n".join(report.lines())
    with open_project(path) as project:
        assert project.session.view().answers == 31


def test_a_question_of_this_version_and_of_older_ones_is_sound(path):
    assert check.check(path).is_sound
    with open_project(path) as project:
        store, (question, revision) = project._store, project._store.load_question()
        old = {"revision": revision, "index": question.index, "rule": question.rule, "utility": 0.0, "margin": 1.0}
        store._put("question", 1, json.dumps(old | {"guesses": []}))
    assert check.check(path).is_sound


@pytest.mark.mostly_slow
@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("question", (1, "[" * 100_000)),
        ("question", (1, '{"revision": 1, "index": "0", "rule": "x"}')),
        ("arrays", ("round", "labels", "|O", "[1]", bytes(8))),
        ("arrays", ("round", "labels", "<i4", "[99999999999]", bytes(8))),
        ("arrays", ("round", "queue.indices", "<i8", "[1]", (10**12).to_bytes(8, "little"))),
        ("arrays", ("round", "labels", "<M8[s]", "[1]", bytes(8))),
        ("arrays", ("pool", "unreadable", "<U2", "[1]", bytes(8))),
    ],
)
def test_a_row_that_is_none_though_its_seal_holds_is_named_and_does_no_harm(path, table, row):
    with open_project(path) as project:
        project.backed_up = False
        project._store._put(table, *row)
    report = check.check(path)
    assert {"question": "question", "project": "project", "arrays": "round"}[table] in codes(report)
    with open_project(path) as project:
        assert project.session.view().answers == 31
        project.session.label(project.session.question.instance_id, 0)


def test_a_round_of_another_journal_is_found_though_its_seals_hold(path):
    edit(path, "DELETE FROM rounds", "DELETE FROM arrays WHERE owner = 'round'")
    with open_project(path) as project:
        project.session.merge_round(project.closing_round(), save=True)
        store, kept = project._store, project._store.load_round()
        import dataclasses

        store.save_round(dataclasses.replace(kept, revision=9999))
    report = check.check(path)
    assert codes(report) == ["round"]
    assert "none of this journal" in report.findings[0].what


def test_a_file_that_cannot_be_opened_at_all(path):
    for content in (b"junk" * 5000, path.read_bytes()[:9000], b"", b"SQLite format 3\0" + b"\xff" * 4000):
        path.write_bytes(content)
        report = check.check(path)
        assert codes(report)
        assert report.backup is not None
        assert "labeler restore" in "\n".join(report.lines())


def test_a_file_that_is_gone(path):
    path.unlink()
    report = check.check(path)
    assert codes(report) == ["missing"]
    assert "labeler restore" in "\n".join(report.lines())


def test_what_is_no_project_is_wrong_use(tmp_path, path):
    with pytest.raises(UsageError, match="no project file"):
        check.check(tmp_path / "none.labeler.db")
    foreign = tmp_path / "photos.labeler.db"
    edit(foreign, "CREATE TABLE photos (id INTEGER)")
    with pytest.raises(UsageError, match="another program"):
        check.check(foreign)
    edit(path, f"PRAGMA user_version = {schema_version() + 1}")
    with pytest.raises(UsageError, match="newer labeler"):
        check.check(path)


@pytest.mark.slow
def test_pages_that_were_overwritten(path):
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for start in range(4096, len(content), 4096):
        found = bytearray(content)
        found[start : start + 4096] = rng.bytes(4096)
        path.write_bytes(found)
        report = check.check(path)
        assert not report.is_sound or report.events == 43  # a page that nothing uses harms nothing
        if report.is_sound:
            assert report.labels == 31


def test_entries_of_the_cache_that_are_not_whole(path):
    cache = paths.cache_of(path)
    (features,) = cache.glob("features-*")
    features.write_bytes(features.read_bytes()[:200])
    (cache / "images.npy-0123456789abcdef01234567").write_bytes(next(cache.glob("images*")).read_bytes())
    report = check.check(path)
    assert codes(report) == ["cache"]
    assert "nothing is lost" in report.findings[0].lost
    assert any("may be deleted" in note for note in report.notes)
    with open_project(path) as project:  # made anew by itself
        assert len(project.closing_round().labels) == 150
    assert check.check(path).is_sound


def test_what_an_older_version_left_in_the_cache_is_no_damage(path):
    """It wrote the reasons alone; an entry for the source as it is now must hold what is read from it."""
    cache = paths.cache_of(path)
    (cache / "unreadable.json-0123456789abcdef01234567").write_text('{"3": "cut short"}')
    report = check.check(path)
    assert report.is_sound
    assert any("may be deleted" in note for note in report.notes)
    (current,) = (entry for entry in cache.glob("unreadable.json-*") if "0123456789abcdef" not in entry.name)
    for content in ("{}", "[]", "{"):
        current.write_text(content)
        assert codes(check.check(path)) == ["cache"]


def test_a_log_of_features_is_of_any_state_of_the_source(path):
    log = paths.cache_of(path) / "rows-0123456789abcdef01234567.log"
    with RowLog(log) as file:
        file.append(np.zeros((1, 32), dtype=np.uint8), np.zeros((1, 4), dtype=np.float32))
    report = check.check(path)
    assert report.is_sound
    assert "5 entries" in report.cache
    log.write_bytes(b"something else")
    assert codes(check.check(path)) == ["cache"]


def test_a_source_that_is_gone_is_no_damage(path, few_digits):
    few_digits.unlink()
    report = check.check(path)
    assert report.is_sound
    assert any("cache was not looked at" in note for note in report.notes)
