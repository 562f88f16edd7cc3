"""A file is whole or not there; what a killed process left is swept up."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

import pytest

from labeler.core import files
from labeler.core.files import Place, recover, scratch, sweep, whole, whole_folder, whole_pair


class TestDrafts:
    def test_a_draft_becomes_the_file_or_goes(self, tmp_path):
        with whole(tmp_path / "a.npy") as draft:
            open(draft, "w").close()
        assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]
        with contextlib.suppress(KeyboardInterrupt), whole(tmp_path / "b.npy") as draft:
            open(draft, "w").close()
            raise KeyboardInterrupt
        with scratch(tmp_path) as folder:
            (folder / "x").touch()
        assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]

    def test_those_of_processes_that_are_gone_are_swept_up(self, tmp_path):
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        (tmp_path / f".images.npy.{gone.pid}.draft").touch()
        (tmp_path / f".early.{gone.pid}.draft").mkdir()
        (tmp_path / f".early.{gone.pid}.draft" / "x").touch()
        (tmp_path / f".images.npy.{os.getpid()}.draft").touch()
        (tmp_path / "images.npy").touch()
        sweep(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == {f".images.npy.{os.getpid()}.draft", "images.npy"}
        sweep(tmp_path / "nowhere")

    def test_without_over_a_file_that_came_meanwhile_stays(self, tmp_path):
        def write() -> None:
            with whole(tmp_path / "a", over=False) as draft:
                draft.write_text("late")
                (tmp_path / "a").write_text("early")

        with pytest.raises(FileExistsError):
            write()
        assert [path.name for path in tmp_path.iterdir()] == ["a"]
        assert (tmp_path / "a").read_text() == "early"

    def test_so_it_is_on_a_disk_without_hard_links(self, tmp_path, monkeypatch):
        def refuse(*_: object) -> None:
            raise PermissionError

        monkeypatch.setattr(os, "link", refuse)
        self.test_without_over_a_file_that_came_meanwhile_stays(tmp_path)
        with whole(tmp_path / "b", over=False) as draft:
            draft.write_text("new")
        assert (tmp_path / "b").read_text() == "new"

    def test_what_is_to_last_is_flushed_before_it_has_its_name_and_makes_no_folder(self, tmp_path, monkeypatch):
        flushed = []
        monkeypatch.setattr(files, "sync", lambda path: flushed.append((path.name, (tmp_path / "a").exists())))
        with whole(tmp_path / "a", durable=True) as draft:
            draft.touch()
        assert flushed == [(draft.name, False), (tmp_path.name, True)]
        with pytest.raises(FileNotFoundError), whole(tmp_path / "no" / "a", durable=True) as draft:
            draft.touch()

    def test_a_draft_of_a_process_that_had_our_number_is_not_written_on(self, tmp_path):
        (tmp_path / f".a.{os.getpid()}.draft").write_text("old")
        with whole(tmp_path / "a") as draft, draft.open("a") as stream:
            stream.write("new")
        assert (tmp_path / "a").read_text() == "new"


class Everything:
    """The contents of a folder that may all go."""

    def is_whole(self, folder):
        return (folder / "last").exists()

    def hand_over(self, old, new):
        for path in old.iterdir():
            path.unlink()
        old.rmdir()


class TestPairsAndFolders:
    def write_pair(self, folder, text):
        with whole_pair(folder / "a", folder / "a.json") as draft:
            draft.path.write_text(text)
            draft.beside.write_text(f"of {text}")
            draft.sync()

    def test_a_pair_is_replaced_together(self, tmp_path):
        for text in ("old", "new"):
            self.write_pair(tmp_path, text)
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "new", "a.json": "of new"}

    def test_a_pair_that_is_not_finished_leaves_the_old_one(self, tmp_path):
        self.write_pair(tmp_path, "old")
        with (
            contextlib.suppress(KeyboardInterrupt),
            whole_pair(tmp_path / "a", tmp_path / "a.json") as draft,
        ):
            draft.path.write_text("new")
            raise KeyboardInterrupt
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old", "a.json": "of old"}

    def test_a_folder_is_replaced_whole(self, tmp_path):
        for text in ("old", "new"):
            with whole_folder(tmp_path / "set", Everything()) as draft:
                draft.path.mkdir()
                (draft.path / text).touch()
                (draft.path / "last").touch()
                draft.sync()
            assert draft.left is None
        assert [path.name for path in tmp_path.iterdir()] == ["set"]
        assert {path.name for path in (tmp_path / "set").iterdir()} == {"new", "last"}

    def test_what_a_kill_left_aside_is_taken_back(self, tmp_path):
        place = Place(tmp_path / "set", contents=Everything())
        place.aside.mkdir()
        (place.aside / "target").mkdir()
        (place.aside / "target" / "last").touch()
        assert recover(place) is None
        assert [path.name for path in tmp_path.iterdir()] == ["set"]
