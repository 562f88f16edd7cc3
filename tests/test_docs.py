"""README and docs: every command in them is run, every file they name is there.

What needs no terminal must succeed. What opens the application must get as far as asking for a terminal. What
installs or tests is not run here (``.ci/run`` does).
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from labeler.api import open_project

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/using.md")
APPLICATION = {"demo", "label"}
LEFT_OUT = ("python3 -m venv", "source ", "pip install", "python benchmarks/", "python docs/")


def commands(page: str) -> list[str]:
    """The lines of the page's shell blocks, without comments and prompts."""
    blocks = re.findall(r"^```(?:sh|console)?\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S)
    lines = (line.removeprefix("$ ").strip() for block in blocks for line in block.splitlines())
    return [shlex.join(shlex.split(line, comments=True)) if "&&" not in line else line for line in lines if line]


def ours(page: str) -> list[list[str]]:
    """The arguments of the page's calls of labeler."""
    split = (shlex.split(line) for line in commands(page) if not line.startswith(LEFT_OUT))
    return [words[1:] for words in split]


@pytest.fixture
def folder(tmp_path: Path, clean_env) -> Path:
    """Photos of two kinds in two folders, a project with a few answers, labels from elsewhere."""
    rng = np.random.default_rng(0)
    for kind, tone in (("cats", 60), ("dogs", 180)):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for number in range(20):
            pixels = np.clip(rng.normal(tone, 20, (16, 16, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / kind / f"{number}.jpg")
    (tmp_path / "datasets").symlink_to(ROOT / "datasets")
    (tmp_path / "old.csv").write_text("id,label\ncats/3.jpg,cats\ndogs/4.jpg,dogs\n")
    with open_project(tmp_path / "photos", tmp_path / "photos.labeler.db") as project:
        for name in ("cats", "dogs"):
            project.session.add_class(name, setup=True)
        project.closing_round()
        while project.view().answers < 8:
            name = project.session.question.instance_id
            project.session.label(name, project.session.class_named(name.split("/")[0]).class_id)
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
def test_every_command_runs(page: str, folder: Path, clean_env):
    calls = ours(page)
    assert {"status", "why", "export", "simulate"} <= {call[0] for call in calls}
    for call in calls:
        done = subprocess.run(
            [sys.executable, "-m", "labeler", *call],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=folder, env=clean_env, timeout=100,
        )  # fmt: skip
        said = f"labeler {shlex.join(call)}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in said
        if call[0] in APPLICATION:
            assert done.returncode == 2, said
            assert "needs a terminal" in done.stderr, said
        else:
            assert done.returncode == 0, said
    shutil.rmtree(folder / "photos")


def test_every_shell_line_is_a_call_or_named_here():
    for page in PAGES:
        for line in commands(page):
            assert line.startswith((*LEFT_OUT, "labeler ", ".venv/bin/labeler ")), line


@pytest.mark.parametrize("page", sorted(path.relative_to(ROOT).as_posix() for path in [
    *ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"),
]))  # fmt: skip
def test_every_file_that_a_page_names_is_there(page: str):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert ((ROOT / page).parent / target).exists(), target


def test_every_key_the_guide_names_is_in_the_table():
    from labeler.ui.actions import ACTIONS, key_name

    keys = {key_name(key) for action in ACTIONS for key in action.keys}
    text = (ROOT / "docs/using.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Z?/+*-]|⏎|⌫|↑|↓|space|ctrl\+\w)`", text.split("## Troubleshooting")[0]))
    assert {"⏎", "⌫", "space", "G", "/"} <= named
    assert named <= keys
