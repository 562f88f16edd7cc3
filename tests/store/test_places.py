"""One project file under several names, moved, replaced, without its log: one writer, and nothing is saved in vain."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from labeler.cli import main
from labeler.core.errors import PROJECT_ERRORS, NotSaved, ProjectBusy
from labeler.core.events import Event, Flag
from labeler.project import backups
from labeler.project.open import open_project
from labeler.store.lock import holder
from labeler.store.store import Store


def event(number):
    return Event(f"e{number}", Flag("a"), float(number))


def ids_of(path):
    store = Store.open(path, read_only=True)
    try:
        return [one.event_id for one in store.replay()]
    finally:
        store.close()


class TestNames:
    @pytest.fixture(params=["hard link", "hard link elsewhere", "symbolic link"])
    def other(self, request, path, tmp_path, open_store):
        open_store(path, create=True).close()
        (tmp_path / "folder").mkdir()
        name = tmp_path / ("folder" if "elsewhere" in request.param else "") / "other.labeler.db"
        os.link(path, name) if "hard" in request.param else name.symlink_to(path)
        return name

    def test_keep_a_second_writer_out(self, path, other, open_store):
        store = open_store(path)
        assert holder(other).startswith(f"process {os.getpid()}")
        with pytest.raises(ProjectBusy) as caught:
            Store.open(other)
        assert str(os.getpid()) in caught.value.message
        store.close()
        assert holder(other) == ""
        open_store(other).append(event(1))

    @pytest.mark.slow
    def test_keep_it_out_in_another_process_and_without_the_lock_file(self, path, other, open_store):
        open_store(path)
        path.with_name(path.name + ".lock").unlink()
        opening = (
            "import sys; from pathlib import Path; from labeler.store.store import Store; Store.open(Path(sys.argv[1]))"
        )
        for name in (path, other):
            done = subprocess.run([sys.executable, "-c", opening, name], capture_output=True, text=True)
            assert "ProjectBusy" in done.stderr

    def test_show_what_is_in_the_log_of_the_first(self, path, other, open_store):
        open_store(path).append(event(1))
        assert ids_of(other) == ["e1"]

    def test_bring_in_the_log_that_a_killed_writer_left(self, path, other):
        writing = (
            "import os, sys; from pathlib import Path; from labeler.store.store import Store\n"
            "from labeler.core.events import Event, Flag\n"
            "Store.open(Path(sys.argv[1])).append(Event('e1', Flag('a'), 1.0)); os._exit(0)"
        )
        subprocess.run([sys.executable, "-c", writing, path], check=True)
        assert path.with_name(path.name + "-wal").exists()
        store = Store.open(other)
        store.append(event(2))
        store.close()
        assert ids_of(path) == ids_of(other) == ["e1", "e2"]


def test_a_file_that_was_moved_without_its_log_is_not_opened_without_a_word(path, tmp_path):
    writing = (
        "import os, sys; from pathlib import Path; from labeler.store.store import Store\n"
        "from labeler.core.events import Event, Flag\n"
        "Store.open(Path(sys.argv[1]), create=True).append(Event('e1', Flag('a'), 1.0)); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", writing, path], check=True)
    moved = tmp_path / "moved.labeler.db"
    path.rename(moved)
    for read_only in (True, False):
        with pytest.raises(PROJECT_ERRORS) as caught:
            Store.open(moved, read_only=read_only)
        assert f"{path}-wal" in caught.value.message
        assert f"mv {path}-wal {moved}-wal" in caught.value.hint
    os.rename(f"{path}-wal", f"{moved}-wal")
    assert ids_of(moved) == ["e1"]


class TestUnderTheWriter:
    @pytest.fixture
    def store(self, path, open_store):
        store = open_store(path, create=True)
        store.append(event(1))
        store.close()  # what is in the file itself is not in the log any more
        return open_store(path)

    def refused(self, store, *words):
        with pytest.raises(NotSaved) as caught:
            store.append(event(2))
        assert caught.value.is_lost
        assert all(word in caught.value.message for word in words)
        return caught.value

    def test_moved(self, store, path, tmp_path):
        path.rename(tmp_path / "moved.labeler.db")
        self.refused(store, "moved to", str(tmp_path / "moved.labeler.db"))
        (tmp_path / "moved.labeler.db").rename(path)  # and back
        store.append(event(2))
        store.close()
        assert ids_of(path) == ["e1", "e2"]

    def test_moved_and_left_there_it_is_whole_where_it_is(self, store, path, tmp_path):
        store.append(event(2))
        path.rename(tmp_path / "moved.labeler.db")
        with pytest.raises(NotSaved):
            store.append(event(3))
        store.close()
        assert ids_of(tmp_path / "moved.labeler.db") == ["e1", "e2"]
        assert not list(tmp_path.glob(f"{path.name}*"))

    def test_removed(self, store, path):
        path.unlink()
        self.refused(store, "gone")
        store.close()
        assert not path.exists()

    def test_replaced_and_nothing_of_the_other_is_touched(self, store, path, tmp_path, open_store):
        other = open_store(tmp_path / "other.labeler.db", create=True)
        other.append(event(7))
        other.close()
        shutil.copy(other.path, tmp_path / "kept")
        other.path.replace(path)
        path.with_name(path.name + "-wal").write_bytes(b"the log of the other")
        self.refused(store, "another file")
        store.close()
        assert path.read_bytes() == (tmp_path / "kept").read_bytes()
        assert path.with_name(path.name + "-wal").read_bytes() == b"the log of the other"

    def test_overwritten(self, store, path, tmp_path, open_store):
        other = open_store(tmp_path / "other.labeler.db", create=True)
        other.append(event(7))
        other.close()
        path.write_bytes(other.path.read_bytes())
        os.utime(path)
        self.refused(store, "overwritten")

    def test_touched_and_nothing_more(self, store, path):
        os.utime(path, (5, 5))
        store.append(event(2))

    @pytest.mark.parametrize("suffixes", [["-wal"], ["-shm"], ["-wal", "-shm"]])
    def test_a_log_that_lost_its_name_is_folded_in(self, store, path, suffixes):
        for suffix in suffixes:
            path.with_name(path.name + suffix).unlink()
        store.append(event(2))
        assert ids_of(path) == ["e1", "e2"]
        for suffix in suffixes:
            path.with_name(path.name + suffix).unlink()
        store.append(event(3))
        store.close()
        assert ids_of(path) == ["e1", "e2", "e3"]

    def test_a_log_that_lost_its_name_while_somebody_reads_is_not_given_up(self, store, path, open_store):
        reader = open_store(path, read_only=True)
        with reader.at_one_moment():
            list(reader.replay())
            store.append(event(2))
            path.with_name(path.name + "-wal").unlink()
            self.refused(store, "was removed", "another program reads")
        store.append(event(2))
        store.append(event(3))
        reader.close()
        store.close()
        assert ids_of(path) == ["e1", "e2", "e3"]

    def test_the_folder_moved(self, open_store, tmp_path):
        (tmp_path / "here").mkdir()
        store = open_store(tmp_path / "here" / "pool.labeler.db", create=True)
        (tmp_path / "here").rename(tmp_path / "there")
        self.refused(store, "moved to", "there")
        store.close()
        assert ids_of(tmp_path / "there" / "pool.labeler.db") == []


def test_a_lost_project_is_saved_elsewhere_with_every_answer(few_digits, tmp_path):
    path = tmp_path / "pool.labeler.db"
    with open_project(few_digits, path) as project:
        session = project.session
        class_id = session.classes.id_for("one", setup=True)
        session.label(session.pool.ids[0], class_id)
        path.unlink()
        with pytest.raises(NotSaved):
            session.label(session.pool.ids[1], class_id)
        project.save_elsewhere(str(tmp_path / "stick"))
        session.label(session.pool.ids[1], class_id)
        assert session.state.answers.counts["label"] == 2
    with open_project(tmp_path / "stick.labeler.db", read_only=True) as again:
        assert again.session.state.answers.counts["label"] == 2


def test_quitting_a_lost_project_names_it_and_its_backup(few_digits, tmp_path, capsys):
    path = tmp_path / "pool.labeler.db"
    with open_project(few_digits, path) as project:
        class_id = project.session.classes.id_for("one", setup=True)
        project.session.label(project.session.pool.ids[0], class_id)
        path.unlink()
        assert project.is_lost
        summary = project.summary()
    assert f"NOT saved in {path}" in summary
    assert "labeler label" not in summary
    made = backups.newest_sound(path)
    assert f"labeler restore {made.path}" in summary
    main(["restore", str(made.path)], standalone_mode=False)
    with open_project(path, read_only=True) as again:
        assert again.session.state.answers.counts["label"] == 1
