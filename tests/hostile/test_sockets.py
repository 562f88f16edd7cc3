"""Nothing opens a socket: no command, not the application, not its worker, no module when it is imported.

One exception is an encoder of the hub whose model is not in the cache yet; that a second use opens none is held by
`tests/plugins/encoders/test_hub_projects.py`. Another there is to be is `labeler serve`, the application in a browser
on this machine. It gets an entry of its own here when it comes; until then a socket anywhere else is a mistake (or
somebody's surprise).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.terminal import Terminal, labeler
from labeler.cli import main

ROOT = Path(__file__).resolve().parents[2]

GUARD = """
import os, sys

def forbid(event, arguments):
    if event == "socket.__new__":
        if arguments[1] == 1:  # AF_UNIX: an event loop wakes itself up with a pair of them, which have no name
            return
    elif not event.startswith("socket.") or event == "socket.gethostname":  # which asks the kernel, nobody else
        return
    with open(os.environ["SEEN"], "a") as seen:
        seen.write(f"{event} {arguments[1:]!r} {sys.argv!r}\\n")
    raise RuntimeError("a socket")

sys.addaudithook(forbid)
"""

IMPORTS = """
import importlib, pkgutil, labeler
for found in pkgutil.walk_packages(labeler.__path__, "labeler."):
    if found.name != "labeler.__main__":
        importlib.import_module(found.name)
from labeler.plugins import registry
for kind in registry.KINDS:
    for name in registry.names(kind):
        if registry.entry(kind, name).available:
            registry.load(kind, name)
"""

RUNS = {
    "simulate": ("SOURCE", "--truth", "y", "--clicks", "40", "-p", "a.labeler.db"),
    "features": ("SOURCE", "features"),
    "status": ("a.labeler.db",),
    "why": ("a.labeler.db", "00000"),
    "export": ("a.labeler.db", "out.csv"),
    "import-labels": ("a.labeler.db", "out.csv"),
    "audit": ("a.labeler.db", "--draw", "check.csv"),
    "merge": ("a.labeler.db", "a.labeler.db", "-o", "both.labeler.db"),
    "plugins": (),
    "models": (),
    "check": ("a.labeler.db",),
    "backup": ("a.labeler.db", "copy.labeler.db"),
    "replay": ("a.labeler.db",),
    "clusters": ("a.labeler.db",),
    "outliers": ("a.labeler.db",),
    "hunt": ("a.labeler.db", "--class", "0"),
    "predict": ("a.labeler.db", "SOURCE"),
    "search": ("a.labeler.db", "--like", "00000"),
    "restore": ("copy.labeler.db", "--to", "again.labeler.db"),
}
ON_A_SCREEN = {"demo", "label"}
MAY_LISTEN: set[str] = set()
"""Commands that are there to open a socket: `serve`, when it comes."""


@pytest.fixture
def guarded(tmp_path) -> dict[str, str]:
    """An environment in which every Python process notes sockets in `seen` and gets none."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    state = {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_DATA_HOME": str(tmp_path / "data")}
    paths = os.pathsep.join((str(tmp_path / "guard"), str(ROOT)))
    return {"PYTHONPATH": paths, "SEEN": str(tmp_path / "seen")} | state


def run(arguments, tmp_path, guarded) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=tmp_path,
        env=os.environ | guarded,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_the_guard_sees_what_it_is_to_see(tmp_path, guarded):
    for attempt in ("socket.socket()", "socket.create_server(('127.0.0.1', 0))", "socket.getaddrinfo('localhost', 80)"):
        assert run(["-c", f"import socket; {attempt}"], tmp_path, guarded).returncode == 1
    assert len((tmp_path / "seen").read_text().splitlines()) == 3
    (tmp_path / "seen").unlink()
    assert run(["-c", "import asyncio; asyncio.run(asyncio.sleep(0))"], tmp_path, guarded).returncode == 0
    assert not (tmp_path / "seen").exists()


def test_every_command_is_run_here():
    assert set(RUNS) | ON_A_SCREEN | MAY_LISTEN == set(main.commands)


@pytest.mark.slow
def test_importing_everything_opens_none(tmp_path, guarded):
    done = run(["-c", IMPORTS], tmp_path, guarded)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "seen").exists()


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_no_command_opens_one(tmp_path, guarded, few_digits):
    for command, arguments in RUNS.items():
        words = [str(few_digits) if word == "SOURCE" else word for word in arguments]
        done = run(["-m", "labeler", command, *words], tmp_path, guarded)
        assert done.returncode == 0, (command, done.stderr)
    assert not (tmp_path / "seen").exists(), (tmp_path / "seen").read_text()


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_the_application_and_its_worker_open_none(tmp_path, guarded, few_digits):
    """From the first frame over an answer, a rerank by the worker and every screen to the end."""
    project = tmp_path / "p.labeler.db"
    with Terminal(labeler("label", few_digits, "-p", project, "--classes", "a,b"), environment=guarded) as terminal:
        # its line may be written before its picture, and a key from before the picture is no answer
        terminal.wait(lambda text: re.search(r"\S+ · \d+×\d+", text) and "▀▀▀" in text, "the first question")
        for key in "abab":
            terminal.press(key)
            terminal.wait(lambda text: "saved" in text, "the answer")
        terminal.press("D")
        terminal.wait(lambda text: "learning curve" in text, "the dashboard")
        terminal.press("Q")
        assert "saved in" in terminal.close()
    assert not (tmp_path / "seen").exists(), (tmp_path / "seen").read_text()
