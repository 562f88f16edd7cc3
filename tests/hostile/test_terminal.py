"""In a real tmux: names of files, classes and people that are orders to a terminal neither retitle nor redraw it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from labeler.project.open import Options, open_project
from tests.fuzz.targets import UNSAFE
from tests.hostile.files import bad_tiff

pytestmark = [
    pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux here to be attacked"),
    pytest.mark.timeout(200),
]

ROOT = Path(__file__).resolve().parents[2]
TITLE = "the title before"
FILES = ("\x1b]2;owned\x07.png", "\x1b]0;owned\x1b\\.png", "\x1b[2J\x1b[H.png", "\x9b2J.png", "\x1bcreset.png",
         "\u202egnp.png",
         "[@click=app.quit]x.png", "\x1bP+q\x1b\\.png", "\x1b[?1049l.png", "\x1b[8m.png")  # fmt: skip
CLASSES = ("\x1b]2;owned\x07", "[/x]", "[@click=app.quit]go[/]", "\x1b[2J", "a\u202eb")


class Pane:
    """A tmux server of its own with one window that runs a shell."""

    def __init__(self, folder: Path, size: tuple[int, int] = (80, 24)) -> None:
        self._name = f"labeler-test-{os.getpid()}"
        shell = f"printf '\\033]2;{TITLE}\\033\\\\'; exec sh"
        self.run(
            "-f", os.devnull, "new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), "-c", str(folder), shell
        )

    def run(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._name, *words], capture_output=True, text=True, timeout=20, check=True
        )
        return done.stdout

    def type(self, text: str) -> None:
        self.run("send-keys", "-l", text)

    def press(self, key: str) -> None:
        self.run("send-keys", key)

    def screen(self) -> str:
        return self.run("capture-pane", "-p")

    def title(self) -> str:
        return self.run("display-message", "-p", "#{pane_title}").strip()

    def until(self, there: Callable[[str], bool], what: str) -> str:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if there(shown := self.screen()):
                return shown
            time.sleep(0.1)
        raise AssertionError(f"{what} was never on the screen:\n{self.screen()}")

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self._name, "kill-server"], capture_output=True, check=False, timeout=20)


@pytest.fixture
def pane(tmp_path: Path) -> Iterator[Pane]:
    opened = Pane(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pool").mkdir()
    for shade, name in enumerate((*FILES, *(f"{number}.png" for number in range(20)))):
        pixels = np.random.default_rng(shade).integers(0, 255, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "draft.png")
        try:
            os.rename(tmp_path / "draft.png", tmp_path / "pool" / name)
        except OSError:
            pytest.skip("this file system takes plain names only")
    (tmp_path / "pool" / "hole\x1b]2;owned\x07.tif").write_bytes(bad_tiff())
    path = tmp_path / "p.labeler.db"
    options = Options(engine="book", n_clusters=4, classes=CLASSES, annotator="\x1b]2;owned\x07")
    with open_project(tmp_path / "pool", path, options) as opened:
        opened.closing_round()
    return path


@pytest.mark.slow
def test_title_and_screen_stay_what_they_are(pane: Pane, project: Path):
    """Over the question with each of the files, every screen that lists them, the summary and three commands."""
    pane.until(lambda shown: bool(shown.strip()), "the shell")
    assert pane.title() == TITLE
    labeler = f"PYTHONPATH={shlex.quote(str(ROOT))} {shlex.quote(sys.executable)} -m labeler"
    pane.type(f"{labeler} label {project.name}\n")
    pane.until(lambda shown: "labeler p " in shown and "8×8" in shown, "the first question")
    title = pane.title()
    assert "owned" not in title
    for key in "12345123":
        pane.type(key)
    pane.until(lambda shown: "8 answers" in shown, "the eighth answer")
    for screen in "RTDCI?":
        pane.type(screen)
        time.sleep(0.7)
        shown = pane.screen()
        looked = shown.splitlines()
        assert "owned" not in pane.title()
        assert not UNSAFE.search(shown.replace("\n", ""))
        assert "TIFF" not in shown
        assert "ZIPDecode" not in shown
        assert sum(bool(line.strip()) for line in looked) > 3, shown  # not erased
        pane.press("Escape")
        pane.until(lambda shown: "8 answers" in shown, "the question again")
    pane.type("Q")
    said = pane.until(lambda shown: "saved in" in shown, "the summary")
    assert "owned" not in pane.title()
    pane.type(f"clear; {labeler} status p.labeler.db; echo DO''NE\n")
    said = pane.until(lambda shown: "DONE" in shown, "status")
    assert "\\x1b]2;owned\\x07" in said
    pane.type(f"clear; {labeler} export p.labeler.db - ; echo DO''NE\n")
    pane.until(lambda shown: "DONE" in shown, "the export")
    assert "owned" not in pane.title()
