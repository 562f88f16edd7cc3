"""Whoever reads gets all that was acknowledged, whatever state the last writer left, and changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from labeler.commands.check import check
from labeler.core.events import Event, Flag
from labeler.project import backups
from labeler.project.open import open_project
from labeler.store import open as opening
from labeler.store.store import Store


@pytest.fixture
def hot(few_digits, tmp_path):
    """A project with 5 answers beside a journal that must be rolled back: a program was killed within a transaction."""
    made = tmp_path / "made.labeler.db"
    with open_project(few_digits, made) as project:
        class_id = project.session.classes.id_for("one", setup=True)
        for name in project.session.pool.ids[:5]:
            project.session.label(name, class_id)
    path = tmp_path / "folder" / "pool.labeler.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(made, isolation_level=None)) as writing:
        writing.execute("PRAGMA cache_size = 1")  # pages go to the file before the end
        writing.execute("BEGIN")
        writing.execute("UPDATE events SET class_id = 7, payload = payload || '" + " " * 3000 + "'")
        writing.execute("UPDATE project SET value = value || ' '")
        for suffix in ("", "-journal"):
            shutil.copy(f"{made}{suffix}", f"{path}{suffix}")
        writing.execute("ROLLBACK")
    assert path.read_bytes() != made.read_bytes()
    assert path.with_name(path.name + "-journal").stat().st_size > 4096
    return path


def labeler(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "labeler", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=100,
    )


@pytest.mark.slow
def test_every_reader_rolls_a_hot_journal_back_and_leaves_the_file(hot, tmp_path):
    before = {file.name: file.read_bytes() for file in hot.parent.iterdir()}
    done = labeler("check", hot, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["labels"] == 5
    assert json.loads(labeler("status", hot, "--json").stdout)["by_provenance"]["human"] == 5
    copy = tmp_path / "copy.labeler.db"
    assert labeler("backup", hot, copy).returncode == 0
    assert check(copy).labels == 5
    done = labeler("export", hot, tmp_path / "labels.csv", "--human-only")
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "labels.csv").read_text().splitlines()) == 6
    assert {name: (hot.parent / name).read_bytes() for name in before} == before


def test_a_writer_rolls_it_back_for_good(hot):
    with open_project(hot) as project:
        assert project.session.state.answers.counts["label"] == 5
    assert sorted(file.name for file in hot.parent.glob("*.db*")) == [hot.name]


def test_the_journal_of_a_living_writer_is_left_to_it(path, open_store, monkeypatch):
    monkeypatch.setattr(opening, "is_on_network", lambda place: True)
    store = open_store(path, create=True)
    store.join_instances(["a"], 0.0)
    store.append(Event("e0", Flag("a"), 0.0))
    store._db.execute("PRAGMA cache_size = 1")
    store._db.execute("BEGIN")
    store._db.execute("UPDATE events SET payload = payload || '" + " " * 9000 + "'")
    reading = (
        "import sys; from pathlib import Path; from labeler.store.store import Store\n"
        "print(len(list(Store.open(Path(sys.argv[1]), read_only=True).replay())))"
    )
    done = subprocess.run([sys.executable, "-c", reading, path], capture_output=True, text=True)
    store._db.execute("ROLLBACK")
    assert done.stdout == "1\n" or "locked" in done.stderr
    store.append(Event("e1", Flag("a"), 1.0))
    store.close()
    with closing(Store.open(path, read_only=True)) as again:
        assert len(list(again.replay())) == 2


def test_a_log_without_its_index_is_read_where_none_can_be_made(path, open_store, monkeypatch, tmp_path):
    """As on a disk that is mounted read-only: SQLite cannot make the index, and says that it cannot open the file."""
    store = open_store(path, create=True)
    store.join_instances(["a"], 0.0)
    store.append(Event("e0", Flag("a"), 0.0))
    (tmp_path / "ro").mkdir()
    other = tmp_path / "ro" / path.name
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", f"{other}{suffix}")
    real = opening.connect

    def connect(place, mode):
        if mode == "ro" and place == other:
            error = sqlite3.OperationalError("unable to open database file")
            error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN

            class Refusing:
                conn = None

                def execute(self, *_):
                    raise error

                def close(self):
                    pass

            return Refusing()
        return real(place, mode)

    monkeypatch.setattr(opening, "connect", connect)
    before = sorted(file.name for file in other.parent.iterdir())
    with closing(Store.open(other, read_only=True)) as reader:
        assert [one.event_id for one in reader.replay()] == ["e0"]
        assert backups.folded(reader).flagged == {0}
    assert sorted(file.name for file in other.parent.iterdir()) == before


def test_what_is_read_is_of_one_moment(path, open_store):
    store = open_store(path, create=True)
    store.join_instances(["a"], 0.0)
    reader = open_store(path, read_only=True)
    with reader.at_one_moment():
        assert list(reader.replay()) == []
        store.append(Event("e0", Flag("a"), 0.0))
        assert list(reader.replay()) == []
    assert len(list(reader.replay())) == 1


def test_closing_flushes_the_folder(path, open_store, monkeypatch):
    """The log's name is gone, and a power cut must not bring it back beside a file that has gone on."""
    store = open_store(path, create=True)
    synced = []
    monkeypatch.setattr("labeler.store.open_file.sync", synced.append)
    store.close()
    assert synced == [path.parent]
