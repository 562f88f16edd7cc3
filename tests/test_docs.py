"""README and docs: every command in them is run, every file they name is there.

What needs no terminal must succeed. What opens the application must get as far as asking for a terminal. What
installs or tests is not run here (``.ci/run`` does).
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from labeler import cli
from labeler.core.types import Provenance
from labeler.project.open import open_project

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "docs/using.md")
SHORT_PAGES = ("docs/model.md", "docs/unsupervised.md")
"""Pages on one matter."""
APPLICATION = {"demo", "label"}
LEFT_OUT = ("python3 -m venv", "source ", "pip install", ".venv/bin/pip install", "python benchmarks/", "python docs/")


def commands(page: str) -> list[str]:
    """The lines of the page's shell blocks, without comments and prompts."""
    found = re.findall(r"^```(\w*)\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S)
    blocks = [block for language, block in found if language in ("", "sh", "console")]
    lines = (line.removeprefix("$ ").strip() for block in blocks for line in block.splitlines())
    return [shlex.join(shlex.split(line, comments=True)) if "&&" not in line else line for line in lines if line]


def ours(page: str) -> list[list[str]]:
    """The arguments of the page's calls of labeler."""
    split = (shlex.split(line) for line in commands(page) if not line.startswith(LEFT_OUT))
    return [words[1:] for words in split]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of two kinds in two folders, a project with a few answers, labels from elsewhere."""
    folder = tmp_path_factory.mktemp("docs")
    rng = np.random.default_rng(0)
    for kind, tone in (("cats", 60), ("dogs", 180)):
        (folder / "photos" / kind).mkdir(parents=True)
        for number in range(20):
            pixels = np.clip(rng.normal(tone, 20, (16, 16, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / kind / f"{number}.jpg")
    shutil.copytree(folder / "photos" / "cats", folder / "new")
    (folder / "datasets").symlink_to(ROOT / "datasets")
    (folder / "old.csv").write_text("id,label\ncats/3.jpg,cats\ndogs/4.jpg,dogs\n")
    with open_project(folder / "photos", folder / "photos.labeler.db") as project:
        for name in ("cats", "dogs"):
            project.session.classes.add(name, setup=True)
        project.closing_round()
        while project.view().answers < 8:
            name = project.session.question.instance_id
            project.session.label(name, project.session.classes.named(name.split("/")[0]).class_id)
        standings, cats = project.session.state.answers, project.session.classes.named("cats").class_id
        page = [name for at, name in enumerate(project.session.pool.ids) if name[:4] == "cats" and at not in standings]
        project.session.page([(name, cats, Provenance.CONFIRMED.word) for name in page], screen="grid")
    for name in ("anna", "bob"):
        shutil.copy(folder / "photos.labeler.db", folder / f"{name}.labeler.db")
    return folder


def before(call: list[str], run: Callable[..., int], folder: Path) -> None:
    """What a person does before such a command, where the page says it in words."""
    if call[0] == "audit" and "--answers" in call:
        assert run("audit", call[1], "--draw", "drawn.csv") == 0
        ids = [line.split(",")[0] for line in (folder / "drawn.csv").read_text().splitlines()[1:]]
        answers = "".join(f"{name},{name.split('/')[0]}\n" for name in ids)
        (folder / call[call.index("--answers") + 1]).write_text(f"id,label\n{answers}")


@pytest.mark.mostly_slow
@pytest.mark.parametrize(
    ("page", "line"),
    [
        pytest.param(page, shlex.join(call), marks=[pytest.mark.slow] if "datasets/digits.zip" in call[1:2] else [])
        for page in (*PAGES, *SHORT_PAGES)
        for call in ours(page)
    ],
)
def test_every_command_runs(page: str, line: str, prepared: Path, tmp_path: Path, monkeypatch, capsys):
    if line.endswith(".onnx"):
        pytest.importorskip("onnx", reason="the extra onnx is not installed")
    shutil.copytree(prepared, tmp_path, symlinks=True, dirs_exist_ok=True)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
    monkeypatch.chdir(tmp_path)
    call = shlex.split(line)

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["labeler", *arguments])
        try:
            cli.run(0.0)
        except SystemExit as ended:
            return int(ended.code or 0)
        return 0

    before(call, run, tmp_path)
    code = run(*call)
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    if call[0] in APPLICATION or (call[0] == "audit" and not any(word.startswith("--") for word in call)):
        assert code == 2, err
        assert "needs a terminal" in err
    else:
        assert code in ((0, 1) if call[0] == "audit" else (0,)), err  # 1: the target is not reached with so few


def test_the_commands_that_a_guide_needs_are_there():
    for page in PAGES:
        assert {"label", "status", "why", "export", "simulate"} <= {call[0] for call in ours(page)}


def test_every_command_is_in_the_guide():
    text = (ROOT / "docs/using.md").read_text(encoding="utf-8")
    assert {name for name in cli.main.commands if f"labeler {name}" not in text} == set()


def test_every_shell_line_is_a_call_or_named_here():
    for page in (*PAGES, *SHORT_PAGES):
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
    from labeler.ui.actions import COMMON, key_name
    from labeler.ui.screens import table

    keys = {key_name(key) for action in (*COMMON, *table.own_actions()) for key in action.keys}
    text = (ROOT / "docs/using.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Z?/+*-]|⏎|⌫|↑|↓|space|ctrl\+\w)`", text.split("## Troubleshooting")[0]))
    assert {"⏎", "⌫", "space", "G", "/"} <= named
    assert named <= keys


SHOWN = re.findall(
    r"^```sh\n(labeler [^\n]*)\n```\n+```text\n(.*?)^```",
    (ROOT / "docs/unsupervised.md").read_text(encoding="utf-8"),
    re.M | re.S,
)
"""Commands of the page on unsupervised learning, and lines of what they print."""


def test_the_page_on_unsupervised_learning_shows_what_commands_print():
    assert len(SHOWN) >= 7


@pytest.mark.slow
@pytest.mark.parametrize(("line", "printed"), SHOWN)
def test_what_a_page_shows_is_what_is_printed(line: str, printed: str, tmp_path: Path, monkeypatch, capsys):
    (tmp_path / "datasets").symlink_to(ROOT / "datasets")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", shlex.split(line))
    cli.run(0.0)
    out = iter(capsys.readouterr().out.splitlines())
    for wanted in printed.splitlines():
        assert any(wanted == given for given in out), wanted  # in this order
