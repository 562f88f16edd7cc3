"""Copies that can be restored: made at the end of a session and on request, verified, the last ten kept."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from labeler import backups
from labeler.api import open_project
from labeler.errors import NotSaved, ProjectBusy, ProjectError, UsageError
from labeler.store import copying


@pytest.fixture
def path(few_digits, tmp_path):
    path = tmp_path / "pool.labeler.db"
    with open_project(few_digits, path) as project:
        project.session.class_id_for("one", setup=True)
        answer(project, 3)
    return path


def answer(project, count):
    start = len(project.session.state.standings)
    for index in range(start, start + count):
        project.session.label(project.session.pool.ids[index], 0)


def answers(path):
    with open_project(path, read_only=True, with_source=False) as project:
        return project.session.view().answers


def events(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM events ORDER BY seq").fetchall()


class TestAtTheEndOfASession:
    def test_one_is_made_where_something_changed(self, path, state_folder):
        (first,) = backups.listed(path)
        assert (first.reason, first.of) == ("exit", path.resolve())
        assert first.path.is_relative_to(state_folder / "labeler" / "backups")
        assert events(first.path) == events(path)
        with open_project(path):
            pass
        with open_project(path, read_only=True):
            pass
        assert list(backups.listed(path)) == [first]
        with open_project(path) as project:
            project.session.undo()
        newest, *older = backups.listed(path)
        assert older == [first]
        assert newest.events == first.events + 1

    def test_the_last_ten_are_kept(self, path):
        for _ in range(backups.KEPT + 3):
            with open_project(path) as project:
                answer(project, 1)
        kept = list(backups.listed(path))
        assert len(kept) == backups.KEPT
        assert kept[0].events == len(events(path))
        assert [one.events for one in kept] == sorted((one.events for one in kept), reverse=True)

    def test_where_none_can_be_made_it_is_said_and_nothing_is_lost(self, path, state_folder, monkeypatch):
        blocked = state_folder / "file"
        blocked.touch()
        monkeypatch.setenv("XDG_STATE_HOME", str(blocked))
        with open_project(path) as project:
            answer(project, 1)
        assert any("no backup was made" in notice for notice in project.notices)
        assert answers(path) == 4
        assert [file.name for file in path.parent.glob("pool.labeler.db*")] == [path.name]

    def test_projects_of_the_same_name_have_folders_of_their_own(self, path, few_digits, tmp_path):
        other = tmp_path / "other" / path.name
        other.parent.mkdir()
        with open_project(few_digits, other) as project:
            project.session.class_id_for("two", setup=True)
        assert len(list(backups.listed(path))) == len(list(backups.listed(other))) == 1
        assert backups.folder_of(path) != backups.folder_of(other)


class TestOnRequest:
    def test_to_a_new_file_a_folder_or_beside_the_others(self, path, tmp_path):
        stick = tmp_path / "stick"
        stick.mkdir()
        for target in (None, stick, tmp_path / "copy.labeler.db"):
            made = backups.back_up(path, target)
            assert events(made.path) == events(path)
            assert answers(made.path) == 3
        assert len(os.listdir(stick)) == 1
        with pytest.raises(ProjectError, match="there already"):
            backups.back_up(path, tmp_path / "copy.labeler.db")

    def test_while_the_application_writes(self, path):
        with open_project(path) as project:
            done, made = threading.Event(), []

            def copy():
                while not done.is_set():
                    made.append(backups.back_up(path, path.parent / f"copy{len(made)}.labeler.db"))

            thread = threading.Thread(target=copy)
            thread.start()
            answer(project, 100)
            while len(made) < 2:
                pass
            done.set()
            thread.join()
        whole = events(path)
        for one in made:
            part = events(one.path)
            assert part == whole[: len(part)]

    def test_a_copy_is_a_single_file_that_rests(self, path, tmp_path):
        folder = tmp_path / "new"
        folder.mkdir()
        backups.back_up(path, folder)
        (made,) = folder.iterdir()
        with closing(sqlite3.connect(made)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
            assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"

    def test_a_place_without_room_leaves_nothing(self, path, tmp_path, monkeypatch):
        stick = tmp_path / "stick"
        stick.mkdir()

        def full(descriptor):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(copying.os, "fsync", full)
        with pytest.raises(NotSaved, match="No space left"):
            backups.back_up(path, stick)
        assert os.listdir(stick) == []

    def test_a_damaged_project_is_no_backup(self, path, tmp_path):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE events SET class_id = 5 WHERE seq = 3")
            connection.commit()
        with pytest.raises(ProjectError, match="damaged"):
            backups.back_up(path, tmp_path / "copy.labeler.db")
        assert not list(tmp_path.glob("*copy*"))


class TestRestore:
    def test_keeps_what_is_there_under_a_dated_name(self, path):
        (kept,) = backups.listed(path)
        with open_project(path) as project:
            answer(project, 2)
        done = backups.restore(kept.path, now=0.0)
        assert (done.path, answers(path)) == (path.resolve(), 3)
        assert done.kept.name == "pool-before-restore-19700101T000000000Z.labeler.db"
        assert answers(done.kept) == 5
        assert "backup" not in projects_keys(path)

    @pytest.mark.parametrize("content", [b"", b"junk" * 5000, None])
    def test_over_a_file_that_is_gone_or_no_project_any_more(self, path, content):
        (kept,) = backups.listed(path)
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        done = backups.restore(kept.path)
        assert answers(path) == 3
        assert (done.kept is None) == (content is None)
        if done.kept is not None:
            assert done.kept.read_bytes() == content

    def test_a_log_goes_with_the_file_it_belongs_to(self, path):
        (kept,) = backups.listed(path)
        project = open_project(path)
        answer(project, 2)
        saved = {suffix: Path(f"{path}{suffix}").read_bytes() for suffix in ("", "-wal")}
        project.close()
        for suffix, content in saved.items():  # as a killed session leaves it
            Path(f"{path}{suffix}").write_bytes(content)
        done = backups.restore(kept.path)
        assert answers(path) == 3
        assert not Path(f"{path}-wal").exists()
        assert Path(f"{done.kept}-wal").read_bytes() == saved["-wal"]
        assert answers(done.kept) == 5

    def test_refuses_while_the_project_is_open(self, path):
        (kept,) = backups.listed(path)
        with open_project(path) as project:
            before = project.session.view().answers
            with pytest.raises(ProjectBusy):
                backups.restore(kept.path)
            answer(project, 1)
        assert answers(path) == before + 1
        assert not list(path.parent.glob("*before-restore*"))

    def test_to_another_place_with_the_way_to_the_source(self, path, tmp_path, few_digits):
        (kept,) = backups.listed(path)
        place = tmp_path / "deep" / "er" / "new.labeler.db"
        place.parent.mkdir(parents=True)
        done = backups.restore(kept.path, place)
        assert done.kept is None
        with open_project(place) as project:
            assert project.session.view().answers == 3
            assert Path(os.path.join(place.parent, projects_keys(place)["source"]["relative"])).resolve() == few_digits

    def test_a_copy_that_does_not_say_whose_it_is_asks(self, path, tmp_path):
        copy = tmp_path / "byhand.labeler.db"
        copy.write_bytes(path.read_bytes())
        with pytest.raises(UsageError) as caught:
            backups.restore(copy)
        assert "--to" in caught.value.hint
        assert backups.restore(copy, tmp_path / "back.labeler.db").backup.events == len(events(path))
        with pytest.raises(UsageError, match="itself"):
            backups.restore(path, path)

    def test_a_damaged_copy_changes_nothing(self, path):
        (kept,) = backups.listed(path)
        content = bytearray(kept.path.read_bytes())
        content[len(content) // 2 :] = b"\xa5" * (len(content) - len(content) // 2)
        kept.path.write_bytes(content)
        before = path.read_bytes()
        with pytest.raises(ProjectError):
            backups.restore(kept.path)
        assert path.read_bytes() == before
        assert [file.name for file in path.parent.glob("*.labeler.db*")] == [path.name]


def projects_keys(path):
    with open_project(path, read_only=True, with_source=False) as project:
        return project._store.project()


def test_the_newest_that_is_sound_is_found(path):
    (first,) = backups.listed(path)
    with open_project(path) as project:
        answer(project, 1)
    newest = next(iter(backups.listed(path)))
    assert backups.newest_sound(path) == newest
    with closing(sqlite3.connect(newest.path)) as connection:
        connection.execute("UPDATE events SET class_id = 5 WHERE seq = 3")
        connection.commit()
    assert backups.newest_sound(path) == first
