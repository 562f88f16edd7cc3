"""The first frame: there before the project is, and before what the project needs; keys from before wait in line."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import asynccontextmanager

import pytest
from textual import events

from benchmarks.terminal import Terminal
from labeler.core.errors import ProjectBusy
from labeler.core.types import Progress
from labeler.project.opener import Opener
from labeler.ui.app import LabelerApp
from labeler.ui.widgets import first_frame
from tests.chaos.signals import left_on
from tests.ui.support import FakeProject, arrived, screen_text, settle

AT_THE_FIRST_FRAME = """
import os, sys
from textual.drivers.headless_driver import HeadlessDriver

class Driver(HeadlessDriver):
    is_headless = False

    def write(self, data):
        if "opening" in data:
            print(*sys.modules, file=sys.__stdout__, flush=True)
            os._exit(0)

import labeler.ui.app
labeler.ui.app.LabelerApp.get_driver_class = lambda app: Driver
os.environ["TEXTUAL_DRIVER"] = "as in a browser"
sys.argv = ["labeler", "label", "few.npz", "--classes", "odd,even", "--seed", "3"]
from labeler.__main__ import main
main()
"""
ENDLESS = """
import sys, time
import labeler.project.open as module

def endless(*arguments, **options):
    while True:
        time.sleep(0.001)

module.open_project = endless
sys.argv = ["labeler", "label", "somewhere"]
from labeler.__main__ import main
main()
"""


class Held:
    """Opens a project once it may."""

    def __init__(self, project: FakeProject) -> None:
        self.project, self.may = project, threading.Event()

    def __call__(self) -> FakeProject:
        assert self.may.wait(60)
        return self.project


@asynccontextmanager
async def being_opened(open_project, size=(80, 24)):
    with Opener("few.npz", open_project) as opener:
        app = LabelerApp(opener)
        async with app.run_test(size=size) as pilot:
            app.pilot, app.opener = pilot, opener
            await pilot.pause(0.05)
            yield app


def press(app, *keys):
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


async def until(app, condition):
    while not condition():  # the test's own time limit ends it
        await app.pilot.pause(0.01)


async def opened(app):
    app.opener._open.may.set()
    await until(app, lambda: app._is_open and app.line.paints)
    await settle(app, app.pilot)


class TestKeys:
    async def test_they_wait_in_line_and_answer_nothing_that_was_not_painted(self):
        project = FakeProject()
        async with being_opened(Held(project)) as app:
            press(app, "3", "4")
            await arrived(app)
            assert "opening few.npz" in screen_text(app)
            await opened(app)
            assert "2 keys pressed before the first picture was there: ignored" in screen_text(app)
            assert project.labels() == []
            press(app, "5")
            await settle(app, app.pilot)
            assert project.labels() == [(0, "5")]

    async def test_a_command_is_done_once_it_can_be(self):
        async with being_opened(Held(FakeProject())) as app:
            press(app, "?")
            await arrived(app)
            app.opener._open.may.set()
            await until(app, lambda: type(app.screen).__name__ == "Help")

    async def test_quitting_waits_as_well(self):
        project = FakeProject()
        async with being_opened(Held(project)) as app:
            press(app, "Q")
            await arrived(app)
            assert not app._exit
            app.opener._open.may.set()
            await until(app, lambda: app._exit)
        assert not app.is_interrupted
        assert project.times_closed == 1

    async def test_they_are_no_name_of_a_class(self):
        project = FakeProject(classes=())
        async with being_opened(Held(project)) as app:
            press(app, "c", "a", "t")
            app.opener._open.may.set()
            await until(app, lambda: app._is_open and type(app.screen).__name__ == "ClassSetup" and app.line.idle)
            press(app, "d", "o", "g", "enter")
            await until(app, lambda: app.line.idle and project.view().classes)
            assert [count.info.name for count in project.view().classes] == ["dog"]

    async def test_ctrl_c_leaves_at_once(self):
        project = FakeProject()
        held = Held(project)
        async with being_opened(held) as app:
            press(app, "ctrl+c")
            await until(app, lambda: app._exit)
            held.may.set()
        assert app.is_interrupted
        assert app.opener.project is None


class TestMeanwhile:
    async def test_the_loop_goes_on(self):
        async with being_opened(Held(FakeProject())) as app:
            for size in ((60, 16), (120, 40), (20, 4), (3, 1)):
                await app.pilot.resize_terminal(*size)
                await app.pilot.pause(0.02)
                assert app.size == size
            await app.pilot.resize_terminal(120, 40)
            await opened(app)
            assert "0 answers" in screen_text(app)

    async def test_what_takes_long_is_said(self, monkeypatch):
        monkeypatch.setattr(first_frame, "A_WHILE", 0.0)
        project = FakeProject()
        project.fetched = [Progress("fetching \x1b[2J a model", 3, 12)]
        async with being_opened(lambda: project) as app:
            await until(app, lambda: "3 of 12" in screen_text(app))
            assert "opening few.npz · " in screen_text(app)
            assert "\x1b" not in screen_text(app)
            project.may_go_on.set()
            await until(app, lambda: app._is_open)

    async def test_it_is_the_applications_from_then_on(self):
        project = FakeProject()
        project.options = {"keys": "azerty", "images": "ascii"}
        async with being_opened(Held(project)) as app:
            await opened(app)
            assert project.adopted_by is threading.current_thread()
            assert app.layout == "azerty"
            assert "▀" not in screen_text(app)
        assert project.times_closed == 1

    async def test_one_that_cannot_be_opened_ends_it(self):
        def busy():
            raise ProjectBusy("open in process 12", "close it there first")

        async with being_opened(busy) as app:
            await until(app, lambda: app._exit)
        with pytest.raises(ProjectBusy, match="process 12"):
            app.opener.take()


def test_nothing_heavy_is_loaded_before_it(few_digits, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", AT_THE_FIRST_FRAME], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    modules = set(done.stdout.split())
    assert "labeler.ui.app" in modules, done.stderr
    assert not {name.partition(".")[0] for name in modules} & {"numpy", "sqlite3", "PIL", "scipy", "sklearn", "faiss"}
    assert not {"labeler.project.open", "labeler.store", "labeler.ui.screens.base"} & modules


@pytest.mark.slow
class TestInATerminal:
    def test_ctrl_c_while_it_is_opened(self, tmp_path):
        with Terminal([sys.executable, "-c", ENDLESS]) as terminal:
            terminal.wait(lambda text: "opening somewhere" in text)
            terminal.type("3\x03")
            terminal.wait(lambda text: "interrupted" in text)
            terminal.close()
            assert terminal.process.returncode == 130
            assert left_on(terminal._burst) == []
            assert "Traceback" not in terminal.painted

    @pytest.mark.parametrize("what", ["text", "locked"])
    def test_an_error_leaves_the_terminal_as_it_was(self, few_digits, tmp_path, what):
        from labeler.project.open import open_project

        path = tmp_path / "p.labeler.db"
        path.write_text("no database") if what == "text" else None
        holder = open_project(few_digits, path) if what == "locked" else None
        try:
            with Terminal([sys.executable, "-m", "labeler", "label", str(path)]) as terminal:
                terminal.wait(lambda text: "labeler: " in text)
                terminal.close()
                assert terminal.process.returncode == 2
                assert left_on(terminal._burst) == []
                last = terminal.painted.split("labeler: ")[-1]
                said = f"is open in process {os.getpid()}" if what == "locked" else "is not a labeler project"
                assert said in last
                assert "Traceback" not in terminal.painted
        finally:
            if holder is not None:
                holder.close()
