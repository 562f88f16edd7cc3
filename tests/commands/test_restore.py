"""What is sound of a damaged file comes out whole, and advice never leads to fewer answers than the file holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from labeler.cli import main
from labeler.commands.check import check
from labeler.commands.check_report import Finding
from labeler.commands.restore import rescue
from labeler.core.errors import PROJECT_ERRORS, LabelerError
from labeler.project import backups
from labeler.project.open import open_project
from labeler.store.store import Store


def text(result):
    """What a command prints for a person."""
    return "\n".join(result.lines())


@pytest.fixture
def project(few_digits, tmp_path):
    """A project of 12 answers, with a backup that has 6 of them."""
    path = tmp_path / "pool.labeler.db"
    for count in (6, 12):
        with open_project(few_digits, path) as opened:
            session = opened.session
            class_id = session.classes.id_for("one", setup=True)
            for name in session.pool.ids[count - 6 : count]:
                session.label(name, class_id)
    newest = backups.newest_sound(path)
    newest.path.unlink()
    return path


def damage(path, statement):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    ("statement", "lost"),
    [
        ("UPDATE events SET class_id = 7 WHERE seq = 10", 1),
        ("DELETE FROM events WHERE seq = 10", 1),
        ("UPDATE events SET payload = 'no JSON' WHERE seq IN (4, 5)", 2),
        ("UPDATE pool SET ids = x'61006200'", 0),
        ("UPDATE project SET value = '1' WHERE key = 'options'", 0),
    ],
)
def test_all_that_is_sound_is_brought_out(project, tmp_path, statement, lost):
    damage(project, statement)
    before = project.read_bytes()
    report = check(project)
    backup_events = report.backup.events
    advice = text(report)
    assert f"labeler restore {project} --to" in advice
    assert report.events > backup_events
    target = tmp_path / "out.labeler.db"
    rescued = rescue(project, target)
    assert (rescued.lost, rescued.events) == (lost, report.events)
    assert project.read_bytes() == before
    assert check(target).is_sound
    with open_project(target, read_only=True) as again:
        assert again.session.state.answers.counts["label"] >= 12 - lost
        assert len(again.session.pool) == len(again.source.ids)


def test_where_the_file_opens_the_advice_is_to_go_on_in_it(project):
    lost = Finding("log", "the log beside the file (-wal) is not as it was written", "the answers given last")
    report = replace(check(project), findings=[lost])
    assert text(report).splitlines()[3] == f"go on with what is there: labeler label {project}"


def test_the_command_brings_out_what_a_restore_refuses(project, tmp_path, capsys):
    damage(project, "DELETE FROM events WHERE seq = 10")
    with pytest.raises(LabelerError):
        main(["restore", str(project)], standalone_mode=False)
    target = tmp_path / "out.labeler.db"
    main(["restore", str(project), "--to", str(target)], standalone_mode=False)
    out = capsys.readouterr().out
    assert "1 event is lost" in out
    assert f"labeler label {target}" in out


def test_nothing_is_overwritten_and_nothing_is_made_of_nothing(project, tmp_path):
    target = tmp_path / "out.labeler.db"
    target.write_bytes(b"somebody's")
    with pytest.raises(PROJECT_ERRORS, match="there already"):
        rescue(project, target)
    project.write_bytes(b"SQLite format 3\0" + bytes(5000))
    with pytest.raises(PROJECT_ERRORS, match="nothing can be brought out"):
        rescue(project, tmp_path / "other.labeler.db")
    assert sorted(path.name for path in tmp_path.glob("*.labeler.db*")) == ["out.labeler.db", project.name]


def test_a_vanished_project_names_its_backups(project, capsys):
    project.unlink()
    with pytest.raises(SystemExit):
        main(["check", str(project)], standalone_mode=False)
    assert f"restore: labeler restore {backups.newest_sound(project).path}" in capsys.readouterr().out


def test_the_store_of_a_rescue_is_like_any_other(project, tmp_path):
    damage(project, "DELETE FROM events WHERE seq = 10")
    target = tmp_path / "out.labeler.db"
    rescue(project, target)
    with closing(Store.open(target)) as store:
        assert [event.seq for event in store.replay()] == list(range(1, store.n_events() + 1))
