"""Files of every released schema, and of other disks: opened, brought up to date, or left as they were."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from labeler.core.errors import PROJECT_ERRORS
from labeler.core.events import Event, Label
from labeler.project import backups
from labeler.project.open import open_project
from labeler.store import mounts
from labeler.store import open as opening
from labeler.store.schema import MIGRATIONS, schema_version
from labeler.store.store import Store

FIXTURES = Path(__file__).parent / "fixtures"
OLD = sorted(FIXTURES.glob("schema_*.labeler.db"))


@pytest.fixture(params=OLD, ids=lambda path: path.name)
def old(request, tmp_path):
    shutil.copy(FIXTURES / "few.npz", tmp_path)
    return Path(shutil.copy(request.param, tmp_path / "old.labeler.db"))


def state_of(project):
    session = project.session
    names = {class_id: info.name for class_id, info in session.state.classes.items()}
    labels = {session.pool.ids[i]: names.get(one.class_id, one.kind) for i, one in session.state.answers.items()}
    return labels, session.state.flagged, session.state.revision


def version_of(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def test_there_is_a_file_of_every_schema_before_this_one():
    assert [path.name for path in OLD] == [f"schema_{number}.labeler.db" for number in range(1, schema_version())]


def test_an_old_file_is_read_as_it_is_and_stays_so(old):
    before = old.read_bytes()
    with open_project(old, read_only=True) as project:
        labels, flagged, _ = state_of(project)
        assert len(labels) in (16, 18)  # 13 answers, a skip, a page of two; two audited
        assert flagged == {3}
        assert project.session.machine_labels.round is not None
    assert old.read_bytes() == before


def test_an_old_file_is_brought_up_to_date_after_a_backup_of_it(old):
    with open_project(old, read_only=True) as project:
        before = state_of(project)
    content, version = old.read_bytes(), version_of(old)
    with open_project(old) as project:
        assert state_of(project)[:2] == before[:2]
        if project.session.audit.latest is not None:
            assert project.session.audit.certificate().checked == 2
        project.session.undo()
    assert version_of(old) == schema_version()
    kept = list(backups.listed(old))
    assert [one.reason for one in kept] == ["exit", "migration"]
    assert version_of(kept[-1].path) == version
    old.write_bytes(content)  # and back again, as a person would who wants the old one
    restored = backups.restore(kept[-1].path)
    assert restored.path == old.resolve()
    with open_project(old, read_only=True) as project:
        assert state_of(project)[:2] == before[:2]


def m099_fails(db):
    db.execute("CREATE TABLE half_done (x)")
    db.execute("UPDATE events SET class_id = 0")
    raise sqlite3.OperationalError("disk I/O error")


def test_a_migration_that_fails_leaves_the_old_file(old, monkeypatch):
    before, version = rows_of(old), version_of(old)
    monkeypatch.setattr("labeler.store.schema.MIGRATIONS", (*MIGRATIONS, m099_fails))
    with pytest.raises(PROJECT_ERRORS):
        Store.open(old)
    monkeypatch.undo()
    assert version_of(old) == version
    assert rows_of(old) == before
    with open_project(old) as project:
        assert project.session.state.answers.counts["label"] >= 15


def rows_of(path):
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name, sql FROM sqlite_master").fetchall()
        return tables, connection.execute("SELECT * FROM events").fetchall()


KILLED = """
import os, sys
from pathlib import Path
from labeler.store import schema
from labeler.store.store import Store
def m099_killed(db):
    db.execute("UPDATE events SET class_id = 0")
    db.execute("CREATE TABLE half_done AS SELECT randomblob(5000000)")  # more than the cache of pages holds
    os.kill(os.getpid(), 9)
schema.MIGRATIONS = (*schema.MIGRATIONS, m099_killed)
Store.open(Path(sys.argv[1]))
"""


@pytest.mark.slow
def test_a_kill_in_a_migration_leaves_the_old_file(old):
    before = rows_of(old)
    done = subprocess.run([sys.executable, "-c", KILLED, old], capture_output=True)
    assert done.returncode == -9, done.stderr
    assert rows_of(old) == before
    with open_project(old) as project:
        assert project.session.state.answers.counts["label"] >= 15


def test_no_backup_no_migration(old, state_folder, monkeypatch):
    """What cannot be kept is not changed."""
    before = old.read_bytes()
    (state_folder / "labeler").write_text("a file where the folder of backups would be")
    with pytest.raises(PROJECT_ERRORS) as caught:
        open_project(old)
    assert "backup" in caught.value.message
    assert "XDG_STATE_HOME" in caught.value.hint
    assert old.read_bytes() == before


class TestNetworkDisks:
    """A write-ahead log needs memory that all its readers share: on a disk of another machine there is none."""

    @pytest.fixture
    def nfs(self, tmp_path, monkeypatch):
        table = tmp_path / "mounts"
        escaped = str(tmp_path.resolve()).replace(" ", "\\040")
        table.write_text(
            f"/dev/sda1 / ext4 rw 0 0\nserver:/home {escaped} nfs4 rw,relatime 0 0\nproc /proc proc rw 0 0\n"
        )
        monkeypatch.setattr(mounts, "MOUNTS", table)

    def test_are_told_by_the_table_of_mounts(self, path, nfs):
        assert mounts.kind_of_disk(path) == "nfs4"
        assert mounts.is_on_network(path)
        assert not mounts.is_on_network(Path("/usr/x.labeler.db"))

    def test_nothing_is_claimed_where_there_is_no_table(self, path, tmp_path, monkeypatch):
        monkeypatch.setattr(mounts, "MOUNTS", tmp_path / "none")
        assert not mounts.is_on_network(path)

    def test_get_a_rollback_journal(self, path, nfs, open_store):
        store = open_store(path, create=True)
        assert store._db.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
        assert store._db.execute("PRAGMA synchronous").fetchone()[0] == 3  # the folder is flushed as well
        store.append(Event("e0", Label("a", 0), 0.0))
        reader = open_store(path, read_only=True)
        assert [one.event_id for one in reader.replay()] == ["e0"]
        reader.close()
        store.close()
        assert {file.name for file in path.parent.iterdir()} == {path.name, "mounts"}

    def test_a_file_that_comes_from_a_killed_writer_elsewhere_is_whole(self, path, tmp_path, open_store, request):
        store = open_store(path, create=True)
        store.append(Event("e0", Label("a", 0), 0.0))
        copy = tmp_path / "copy.labeler.db"
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
        request.getfixturevalue("nfs")
        other = open_store(copy)
        assert other._db.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
        assert [one.event_id for one in other.replay()] == ["e0"]


def test_opening_makes_no_file(tmp_path):
    with pytest.raises(PROJECT_ERRORS):
        opening.connect(tmp_path / "none.labeler.db", "rw").execute("SELECT 1")
    assert os.listdir(tmp_path) == []
