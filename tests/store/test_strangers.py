"""What lies beside a project file and is not its own, or is its own and was changed: nothing is taken for granted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from labeler.commands.check import check
from labeler.core.errors import PROJECT_ERRORS, NotSaved, ProjectBusy
from labeler.project import backups
from labeler.project.open import open_demo
from labeler.store import open as opening
from labeler.store import renewal
from labeler.store.store import Store
from tests.store.test_places import event, ids_of


def write(path, *numbers, kill=False, create=True):
    """Answer in a process of its own; with `kill` it ends as by a kill."""
    script = (
        "import os, sys; from pathlib import Path; from labeler.store.store import Store\n"
        "from labeler.core.events import Event, Flag\n"
        "store = Store.open(Path(sys.argv[1]), create=True)\n"
        "store.instance_ids() or store.join_instances(['a'], 0.0)\n"
        "for n in sys.argv[3:]: store.append(Event(f'e{n}', Flag('a'), float(n)))\n"
        "os._exit(0) if sys.argv[2] == 'kill' else store.close()"
    )
    arguments = [sys.executable, "-c", script, path, "kill" if kill else "close", *map(str, numbers)]
    subprocess.run(arguments, check=True)
    return path


def beside(path, suffix):
    return path.with_name(path.name + suffix)


class TestAFreshCopy:
    def test_of_junk_is_refused_and_the_project_stays(self, path):
        write(path, 1, 2)
        before = path.read_bytes()
        beside(path, ".fresh").write_bytes(b"junk" * 5000)
        assert ids_of(path) == ["e1", "e2"]
        with pytest.raises(PROJECT_ERRORS, match="is no copy of all that is in"):
            Store.open(path)
        assert path.read_bytes() == before
        assert not beside(path, ".lock").exists()

    @pytest.mark.slow
    def test_that_holds_less_is_refused_and_the_log_stays(self, path):
        write(path, 1)
        shutil.copy(path, beside(path, ".fresh"))
        write_more = write(path.with_name("other.labeler.db"), 1)
        write_more.unlink()
        os.rename(beside(path, ".fresh"), path.with_name("aside"))
        write(path, 2, 3, kill=True)
        os.rename(path.with_name("aside"), beside(path, ".fresh"))
        assert ids_of(path) == ["e1", "e2", "e3"]
        with pytest.raises(PROJECT_ERRORS):
            Store.open(path)
        assert beside(path, "-wal").stat().st_size

    @pytest.mark.slow
    def test_is_put_in_place_before_a_restore(self, path):
        write(path, 1, 2)
        copy = backups.back_up(path).path
        write(path, 3)
        with closing(Store.open(path, read_only=True)) as store:
            renewal.write_fresh(path, path, store._db)
        backups.restore(copy)
        assert ids_of(path) == ["e1", "e2"]


class TestALogWithoutItsFile:
    @pytest.fixture
    def orphan(self, path, tmp_path):
        write(path, 1, 2, kill=True)
        path.rename(tmp_path / "moved.labeler.db")
        return beside(path, "-wal")

    def test_is_not_thrown_away_by_a_new_file(self, path, orphan):
        before = orphan.read_bytes()
        with pytest.raises(PROJECT_ERRORS, match="the log of a project"):
            Store.open(path, create=True)
        assert orphan.read_bytes() == before
        assert not path.exists()

    @pytest.mark.slow
    def test_is_not_played_over_a_copy(self, path, orphan, tmp_path):
        other = write(tmp_path / "other.labeler.db", 7, 8)
        for copying in (
            lambda: backups.back_up(other, path),
            lambda: backups.restore(backups.back_up(other).path, path),
        ):
            try:
                copying()
            except PROJECT_ERRORS:
                assert not path.exists()
            else:
                assert ids_of(path) == ["e7", "e8"]
                path.unlink()

    def test_is_missed_where_the_file_went(self, path, orphan, tmp_path):
        with pytest.raises(PROJECT_ERRORS, match="without its log"):
            Store.open(tmp_path / "moved.labeler.db")

    def test_is_missed_behind_a_link_at_its_old_name(self, path, orphan, tmp_path):
        path.symlink_to(tmp_path / "moved.labeler.db")
        for name in (path, tmp_path / "moved.labeler.db"):
            with pytest.raises(PROJECT_ERRORS, match="without its log"):
                Store.open(name, read_only=True)

    @pytest.mark.slow
    def test_is_no_matter_of_another_file_that_got_its_inode(self, path, tmp_path):
        write(path, 1, 2, kill=True)
        other = write(tmp_path / "other.labeler.db", 7)
        path.unlink()
        for number in range(20):  # one of them is given the inode that is free
            copy = tmp_path / f"{number}.labeler.db"
            shutil.copy(other, copy)
            assert ids_of(copy) == ["e7"]


@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_the_first_session_of_a_new_project_is_not_called_sound_when_its_log_is_damaged(path, damage):
    write(path, 1, 2, 3, kill=True)
    log = beside(path, "-wal")
    content = bytearray(log.read_bytes())
    content[100] ^= 1
    {"flip": lambda: log.write_bytes(content), "cut": lambda: os.truncate(log, 40), "gone": log.unlink}[damage]()
    (path.parent / "copy").mkdir()
    for file in path.parent.glob(f"{path.name}*"):  # whoever looks first changes the index
        shutil.copy2(file, path.parent / "copy")
    report = check(path.parent / "copy" / path.name)
    assert [finding.code for finding in report.findings] == ["log"]
    with closing(Store.open(path)) as store:
        assert any("answers given last may be missing" in note for note in store.notes)


class TestOverwritten:
    def test_by_an_older_copy_where_the_log_is_a_journal(self, path, open_store, monkeypatch):
        monkeypatch.setattr(opening, "is_on_network", lambda place: True)
        store = open_store(path, create=True)
        store.join_instances(["a"], 0.0)
        store.append(event(1))
        older = path.read_bytes()
        store.append(event(2))
        path.write_bytes(older)
        with pytest.raises(NotSaved, match="overwritten"):
            store.append(event(3))

    @pytest.mark.slow
    @pytest.mark.parametrize("how", ["cut", "older"])
    def test_the_log(self, path, open_store, how):
        write(path, 1)
        store = open_store(path)
        store.append(event(2))
        older = beside(path, "-wal").read_bytes()
        store.append(event(3))
        if how == "cut":
            os.truncate(beside(path, "-wal"), 0)
        else:
            beside(path, "-wal").write_bytes(older)
        with pytest.raises(NotSaved):
            store.append(event(4))


class TestOtherProcessesAndThreads:
    def test_a_child_takes_nothing_from_its_parent(self, path, open_store):
        store = open_store(path, create=True)
        store.join_instances(["a"], 0.0)
        pid = os.fork()
        if pid == 0:
            try:
                store.append(event(9))
            except PROJECT_ERRORS:
                store.close()
                os._exit(0)
            os._exit(1)
        assert os.waitpid(pid, 0)[1] == 0
        assert beside(path, ".lock").exists()
        with pytest.raises(ProjectBusy):
            Store.open(path)
        store.append(event(1))
        assert ids_of(path) == ["e1"]

    def test_another_thread_is_told_and_nothing_is_half_closed(self, path, open_store):
        store = open_store(path, create=True)
        store.join_instances(["a"], 0.0)
        errors = []

        def use():
            for what in (lambda: store.append(event(1)), store.close):
                try:
                    what()
                except PROJECT_ERRORS as error:
                    errors.append(error.message)

        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
        assert len(errors) == 2
        assert all("another thread" in error for error in errors)
        store.append(event(1))
        store.close()
        Store.open(path).close()

    def test_a_thread_may_hand_it_on(self, path, open_store):
        stores = []
        thread = threading.Thread(target=lambda: stores.append(open_store(path, create=True)))
        thread.start()
        thread.join()
        (store,) = stores
        for what in (lambda: store.append(event(1)), store.instance_ids, store.close):
            with pytest.raises(PROJECT_ERRORS, match="another thread"):
                what()
        store.adopt()
        store.join_instances(["a"], 0.0)
        store.append(event(1))
        store.close()
        assert ids_of(path) == ["e1"]


def test_a_demo_that_starts_over_never_takes_the_place_of_one_put_aside(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("labeler.project.open.time.strftime", lambda *_: "20260101-000000")
    for _ in range(3):
        open_demo(fresh=True).close()
    assert len(list((tmp_path / "labeler").glob("demo-*.labeler.db"))) == 2
