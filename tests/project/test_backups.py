"""Copies that can be restored: made at the end of a session and on request, verified, the last ten kept."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from labeler.commands import check
from labeler.core.errors import PROJECT_ERRORS, NotSaved, ProjectBusy, UsageError
from labeler.project import backup_folder, backups
from labeler.project.open import open_project
from labeler.store import copy


@pytest.fixture
def path(few_digits, tmp_path):
    path = tmp_path / "pool.labeler.db"
    with open_project(few_digits, path) as project:
        project.session.classes.id_for("one", setup=True)
        answer(project, 3)
    return path


def answer(project, count):
    start = len(project.session.state.answers)
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

    @pytest.mark.slow
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
            project.session.classes.id_for("two", setup=True)
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
        with pytest.raises(PROJECT_ERRORS, match="there already"):
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

        monkeypatch.setattr(copy.os, "fsync", full)
        with pytest.raises(NotSaved, match="No space left"):
            backups.back_up(path, stick)
        assert os.listdir(stick) == []

    def test_a_damaged_project_is_no_backup(self, path, tmp_path):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE events SET class_id = 5 WHERE seq = 3")
            connection.commit()
        with pytest.raises(PROJECT_ERRORS, match="damaged"):
            backups.back_up(path, tmp_path / "copy.labeler.db")
        assert not list(tmp_path.glob("*copy*"))


class TestRestore:
    def test_keeps_what_is_there_under_a_dated_name(self, path):
        (kept,) = backups.listed(path)
        with open_project(path) as project:
            answer(project, 2)
        done = backups.restore(kept.path, now=0.0)
        assert (done.path, answers(path)) == (path.resolve(), 3)
        assert done.old_file.name == "pool-before-restore-19700101T000000000Z.labeler.db"
        assert answers(done.old_file) == 5
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
        assert (done.old_file is None) == (content is None)
        if done.old_file is not None:
            assert done.old_file.read_bytes() == content

    def test_a_log_is_folded_into_the_file_it_belongs_to(self, path):
        """One file is put aside, and not a pair that a kill could part."""
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
        assert not Path(f"{done.old_file}-wal").exists()
        assert answers(done.old_file) == 5

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
        assert done.old_file is None
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
        with pytest.raises(PROJECT_ERRORS):
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


class TestWhateverTheClockSays:
    """Copies are put in order by what is in them."""

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "clock",
        [
            pytest.param(lambda n: 2e9 - 1e6 * n, id="back"),
            pytest.param(lambda n: 1e9, id="still"),
            pytest.param(lambda n: 1e9 * (n % 2), id="to and fro"),
            pytest.param(lambda n: 253402300800.0 * n, id="beyond the year 9999"),
            pytest.param(lambda n: -1e6 * n, id="before 1970"),
        ],
    )
    def test_the_newest_answers_are_kept_and_come_first(self, path, clock, monkeypatch):
        for n in range(backups.KEPT + 4):
            monkeypatch.setattr(backups.time, "time", lambda n=n: clock(n))
            with open_project(path) as project:
                answer(project, 1)
            everything = events(path)
            copies = list(backups.listed(path))
            assert events(copies[0].path) == everything
            assert backups.newest_sound(path) == copies[0]
            assert check.check(path).backup == copies[0]
            assert [copy.events for copy in copies] == sorted((copy.events for copy in copies), reverse=True)
        assert len(copies) == backups.KEPT
        assert [copy.events for copy in copies] == list(range(len(everything), len(everything) - backups.KEPT, -1))

    @pytest.mark.slow
    def test_one_that_was_just_made_is_never_let_go(self, path, monkeypatch):
        oldest, now = None, 2e9
        for _ in range(backups.KEPT + 2):
            now -= 1e6
            monkeypatch.setattr(backups.time, "time", lambda now=now: now)
            made = backups.back_up(path)  # nothing changed: all of the same content
            assert made.path.exists()
            assert backups.listed(path)[0].path == made.path
            oldest = oldest or made
        assert not oldest.path.exists()
        assert len(backups.listed(path)) == backups.KEPT

    @pytest.mark.slow
    def test_each_line_of_answers_keeps_its_newest(self, path, monkeypatch):
        """An older copy is brought back and gone on from: neither line pushes the other out."""
        old = backups.listed(path)[0]
        with open_project(path) as project:
            answer(project, 40)
        longest = backups.listed(path)[0]
        tips = {longest.path: events(path)}
        for line in range(3):
            backups.restore(old.path)
            for n in range(backups.KEPT + 2):
                monkeypatch.setattr(backups.time, "time", lambda n=n: 1e6 - 1e3 * n)
                with open_project(path) as project:
                    answer(project, 1)
            (newest,) = [copy for copy in backups.listed(path) if events(copy.path) == events(path)]
            tips[newest.path] = events(path)
            report = check.check(path)
            assert report.is_sound
            assert report.backup == newest
            assert sum("another line" in note for note in report.notes) == line + 1
            assert any(str(longest.path) in note for note in report.notes)
        assert all(events(tip) == journal for tip, journal in tips.items())
        assert len(backups.listed(path)) <= len(tips) * backups.KEPT

    @pytest.mark.slow
    def test_lines_that_were_left_long_ago_are_let_go_but_for_the_one_that_holds_most(self, path):
        old = backups.listed(path)[0]
        with open_project(path) as project:
            answer(project, 40)
        longest, tips = backups.listed(path)[0], []
        for _ in range(backup_folder.LINES + backups.KEPT):
            backups.restore(old.path)
            with open_project(path) as project:
                answer(project, 1)
            tips.append(events(path))
        copies = [events(copy.path) for copy in backups.listed(path)]
        assert events(longest.path) in copies
        assert all(tip in copies for tip in tips[-backup_folder.LINES :])
        assert not any(tip in copies for tip in tips[: -backups.KEPT])  # so many are kept in any case

    def test_a_damaged_project_is_sent_to_its_own_line(self, path):
        old = backups.listed(path)[0]
        with open_project(path) as project:
            answer(project, 40)
        backups.restore(old.path)
        with open_project(path) as project:
            answer(project, 2)
        (own,) = [copy for copy in backups.listed(path) if events(copy.path) == events(path)]
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE events SET class_id = 5 WHERE seq = 3")
            connection.commit()
        assert check.check(path).backup == own

    @pytest.mark.slow
    def test_only_backups_are_let_go(self, path):
        folder = backups.folder_of(path)
        (first,) = backups.listed(path)
        (folder / "20200101T000000000Z-notes.txt").write_text("mine")
        for name in ("mine.labeler.db", "20200101T000000000Z-3-mine.labeler.db"):
            (folder / name).write_bytes(first.path.read_bytes())  # named by a person
        (folder / "20200101T000000000Z-3-exit.labeler.db").write_bytes(path.read_bytes())  # no backup at all
        (folder / "20200101T000000000Z-4-exit.labeler.db").write_bytes(b"damaged")
        link = folder / "20200101T000000000Z-5-exit.labeler.db"
        before = {file: file.read_bytes() for file in folder.iterdir() if file != first.path}
        link.symlink_to(path)
        for _ in range(backups.KEPT + 3):
            with open_project(path) as project:
                answer(project, 1)
        assert {file: file.read_bytes() for file in before} == before
        assert link.is_symlink()
        assert not first.path.exists()

    def test_a_copy_at_exit_opens_none_of_another_length(self, path, monkeypatch):
        for _ in range(5):
            with open_project(path) as project:
                answer(project, 1)
        looked_at = []
        monkeypatch.setattr(backup_folder, "about", lambda path: looked_at.append(path) or about(path))
        about = backups.about
        with open_project(path):
            pass
        assert len(looked_at) == 1

    def test_a_file_that_came_meanwhile_is_not_written_over(self, path, tmp_path, monkeypatch):
        target = tmp_path / "copy.labeler.db"
        real = backups.verified

        def late(draft):
            target.write_text("mine")
            return real(draft)

        monkeypatch.setattr(backups, "verified", late)
        with pytest.raises(PROJECT_ERRORS, match="there already"):
            backups.back_up(path, target)
        assert target.read_text() == "mine"
        assert not list(tmp_path.glob(".*draft*"))
