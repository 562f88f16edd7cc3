"""Every path that a command takes, given something that is no file: nobody waits, nobody crashes."""

from __future__ import annotations

import os
import socket

import pytest

from labeler.cli import main
from labeler.project.open import Options, open_project

pytestmark = pytest.mark.timeout(60)

HEADLESS = "textual.drivers.headless_driver:HeadlessDriver"
COMMANDS = {
    "label": ("label", "PATH"),
    "simulate": ("simulate", "PATH", "--truth", "y", "--clicks", "3"),
    "truth": ("simulate", "SOURCE", "--truth", "PATH", "--clicks", "3"),
    "classes": ("simulate", "SOURCE", "--truth", "y", "--clicks", "3", "--classes-file", "PATH"),
    "features": ("simulate", "SOURCE", "--truth", "y", "--clicks", "3", "--features", "PATH"),
    "encode": ("features", "PATH", "out"),
    "encode to": ("features", "SOURCE", "PATH"),
    "status": ("status", "PATH"),
    "why": ("why", "PATH", "x"),
    "export": ("export", "PATH", "out.csv"),
    "export to": ("export", "PROJECT", "PATH/out.csv"),
    "audit": ("audit", "PATH", "--json"),
    "answers": ("audit", "PROJECT", "--answers", "PATH"),
    "draw": ("audit", "PROJECT", "--draw", "PATH"),
    "import to": ("import-labels", "PATH", "labels.csv"),
    "import": ("import-labels", "PROJECT", "PATH"),
    "merge": ("merge", "PATH", "PROJECT", "-o", "both.labeler.db"),
    "check": ("check", "PATH"),
    "backup": ("backup", "PATH"),
    "backup to": ("backup", "PROJECT", "PATH"),
    "restore": ("restore", "PATH"),
    "replay": ("replay", "PATH"),
    "clusters": ("clusters", "PATH"),
    "outliers": ("outliers", "PATH"),
    "hunt": ("hunt", "PATH", "--class", "0"),
    "predict by": ("predict", "PATH", "SOURCE"),
    "predict": ("predict", "PROJECT", "PATH"),
    "search in": ("search", "PATH", "--like", "00000"),
    "search": ("search", "PROJECT", "--like", "PATH"),
}
PATHS = (
    "pipe",
    "loop",
    "dangling",
    "socket",
    "/dev/zero",
    "/dev/null",
    "no/such",
    "x" * 300,
    "empty",
    "/proc/self/mem",
)


@pytest.fixture
def place(tmp_path, few_digits):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("gone")
    (tmp_path / "empty").touch()
    listening = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(tmp_path)  # a socket's path is a short one
    listening.bind("socket")
    os.chdir(here)
    with open_project(few_digits, tmp_path / "few.labeler.db", Options(engine="book", classes=("a", "b"))) as project:
        project.closing_round()
        for index in range(6):
            project.session.label(project.session.pool.ids[index], index % 2)
        project.closing_round()
    yield tmp_path
    listening.close()


def test_every_command_that_takes_a_path_is_here():
    assert {words[0] for words in COMMANDS.values()} == set(main.commands) - {"demo", "plugins", "models"}


@pytest.mark.mostly_slow
@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_no_file_is_refused_in_two_lines(command, place, refused, few_digits):
    before = sorted(path.name for path in place.iterdir())
    for path in PATHS:
        if command == "draw" and path == "x" * 300:
            continue  # said when it is written
        words = {
            "PATH": path,
            "SOURCE": str(few_digits),
            "PROJECT": "few.labeler.db",
            "PATH/out.csv": f"{path}/out.csv",
        }
        said = refused("--quiet", *(words.get(word, word) for word in COMMANDS[command]), TEXTUAL_DRIVER=HEADLESS)
        assert len(said) < 1200
    left = sorted(path.name for path in place.iterdir() if not path.name.endswith(".labeler.cache"))
    assert left == [name for name in before if not name.endswith(".labeler.cache")]


def test_an_export_to_standard_output_is_the_file_and_nothing_else(place, labeler, refused):
    assert labeler("export", "few.labeler.db", "out.csv").returncode == 0
    written = (place / "out.csv").read_text()
    done = labeler("export", "few.labeler.db", "-")
    assert done.returncode == 0
    assert done.stdout == written
    lines = labeler("export", "few.labeler.db", "-", "--format", "jsonl").stdout.splitlines()
    assert len(lines) == len(written.splitlines()) - 1
    for format_ in ("npz", "imagefolder", "model"):
        assert "cannot be written to standard output" in refused("export", "few.labeler.db", "-", "--format", format_)
    assert "--draw check.csv" in refused("audit", "few.labeler.db", "--draw", "-")
    assert not (place / "-").exists()
