"""A walk notes what is called and from where; the packages are made for it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import threading

import pytest

from tests.imports.rooms import floors_of
from tests.imports.source import Package
from tests.walks.__main__ import figures_of_export, figures_of_keys
from tests.walks.walk import Walk

FILES = {
    "top": "from trodden.middle import pipe, work\nimport trodden.core.base as base\n"
    "def go():\n    base.run(lambda: work())\n    return [base.plain() for _ in range(3)]\n"
    "def steps():\n    return sum(pipe())\n",
    "middle": "from trodden.core import base\nbase.plain()\n"
    "def work():\n    return sorted([2, 1], key=base.key)\n"
    "def pipe():\n    yield base.plain()\n    yield base.plain()\n",
    "core/base": "def run(job):\n    return job()\ndef plain():\n    return 1\ndef key(x):\n    return x\n"
    "def never():\n    raise AssertionError\n",
    "core/__init__": "",
    "__init__": "",
}


@pytest.fixture
def trodden(tmp_path, monkeypatch):
    folder = tmp_path / "trodden"
    for name, text in FILES.items():
        path = (folder / name).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "trodden"]:
        del sys.modules[name]


def test_calls_and_callbacks_are_noted_by_their_callers(trodden):
    with Walk(trodden) as walk:
        importlib.import_module("trodden.top").go()
    assert walk.files == {"top", "middle", "core.base"}
    names = {(module, name) for module, name, _ in walk.functions}
    assert names == {
        *(("top", "go"), ("top", "go.<locals>.<lambda>"), ("middle", "work")),
        *(("core.base", "run"), ("core.base", "plain"), ("core.base", "key")),
    }
    assert walk.calls["core.base", "top"] == 1  # the lambda
    assert walk.calls["middle", "core.base"] == 3  # one while it was imported, two through sorted
    figures = figures_of_export(walk, floors_of(Package(trodden)))
    assert figures["rooms"] == ["middle", "core", "top"]
    assert figures["calls up"] == {"core -> top": ["core.base -> top"]}
    assert figures["ups"] == ["core -> top"]


def test_to_step_a_job_is_no_call(trodden):
    steps = importlib.import_module("trodden.top").steps
    with Walk(trodden) as walk:
        steps()
    assert ("middle", "pipe", 5) in walk.functions
    assert dict(walk.calls) == {("middle", "core.base"): 2}


def test_threads_that_begin_within_it_are_noted_and_nothing_after_it(trodden):
    top = importlib.import_module("trodden.top")
    with Walk(trodden) as walk:
        thread = threading.Thread(target=top.steps)
        thread.start()
        thread.join()
    assert "top" in walk.files
    n_functions = len(walk.functions)
    top.go()
    assert len(walk.functions) == n_functions


def test_keys_are_counted_one_by_one_and_together():
    keys = [{("ui.app", "a", 1), ("core.text", "b", 1)}, {("ui.app", "a", 1), ("ui.app", "c", 9)}]
    figures = figures_of_keys(keys)
    assert (figures["files by key"], figures["functions by key"], figures["functions"]) == ([2, 1], [2, 2], 3)
    assert (figures["always"], figures["rooms"]) == (["ui.app"], ["core", "ui"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["export", "command", "key"])
def test_a_walk_through_the_program_is_counted(name):
    command = [sys.executable, "-m", "tests.walks", name, "--json"]
    figures = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert {"session", "store", "core"} <= set(figures["rooms"])
    assert 20 < len(figures["files"]) < figures["functions"]
    if name == "key":
        assert len(figures["files by key"]) == 15
        assert "ui" in figures["rooms"]


@pytest.mark.slow
def test_a_key_press_enters_few_files():
    """At most 30 by every key: 49 before what did not change was no longer asked each time.

    What a busy machine lets arrive from the worker within a key comes on top of them, with a file or two of its own.
    """
    command = [sys.executable, "-m", "tests.walks", "key", "--json"]
    figures = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert 15 < len(figures["always"]) <= 30


@pytest.mark.slow
def test_an_export_walks_through_few_rooms_and_does_not_climb(tmp_path):
    """At most 12 rooms and 2 climbs, counted either way: 23 rooms, and 3 or 6 climbs, before the rooms were made."""
    command = [sys.executable, "-m", "tests.walks", "export", "--json"]
    figures = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert len(figures["rooms"]) <= 12
    assert len(figures["calls up"]) <= 2
    assert len(figures["ups"]) <= 2
