"""What stands where, as text; hostile names; the first frame."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from labeler.core.types import Progress
from tests.ui.support import FakeProject, Received, running, screen_text

HOSTILE = [
    "\x1b]2;pwned\x07.png",
    "\x1b[2J.png",
    "[/x].png",
    "[@click=app.quit]x[/].png",
    "a\u202egnp.exe",
    "line\nbreak.png",
    "$bad {curly} %s.png",
    "caf\udce9.png",
    "x" * 300 + ".png",
    "目" * 60 + ".png",
]

DANGEROUS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]")


def lines(app) -> list[str]:
    return [re.sub("▀+", "▀", line).rstrip() for line in screen_text(app).splitlines()]


class TestQuestionAsText:
    """A person has answered two of ten digits and looks at the third."""

    async def test_80x24(self):
        project = FakeProject(n_classes_known=10)
        async with running(project) as app:
            await app.press_and_see("0", "1")
            shown = lines(app)
        assert shown[0] == " labeler digits            2 answers · 200 of 400 images labeled ████      50 %"
        assert shown[1].split() == ["guesses"]
        assert shown[2].split()[1:] == ["2", "███████████▎", "70", "%", "⏎"]
        assert shown[6].split() == ["▀", "classes"]
        assert shown[7].split() == ["▀", "0", "1", "5", "0"]
        assert shown[8].split() == ["▀", "1", "1", "6", "0"]
        assert shown[14].split() == ["▀", "nearest", "labeled"]
        assert shown[19].split() == ["0", "1"]
        assert shown[20] == " 0002.png · 8×8 · 320 B                                    ✓ saved 1 · 0001.png"
        assert shown[21] == " … > k-means 50 > ▸representatives 2/50 > propagate auto > logreg > uncertain"
        assert shown[22] == " go on answering: the next 20 keys help most"
        assert shown[23] == " ⏎ accept  space skip  ⌫ undo  U unsure  N class  D dashboard  ? help  Q quit"

    async def test_120x40(self):
        project = FakeProject(n_classes_known=10)
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("0", "1")
            shown = lines(app)
        assert shown[0].startswith(" labeler digits ")
        assert shown[0].endswith("2 answers · 200 of 400 images labeled ████████          50 %")
        assert [line.split()[-3:] for line in shown[8:10]] == [["0", "1", "+19"], ["1", "1", "+19"]]
        assert shown[36].startswith(" 0002.png · 8×8 · 320 B ")
        assert shown[37] == " pixels > k-means 50 > ▸representatives 2/50 > propagate auto > logreg > uncertain"
        assert "N class  G pages  T clusters  / search  D dashboard  " in shown[39]
        assert shown[39].endswith("? help  Q quit")

    async def test_nothing_moves_while_answering(self):
        """Titles, legend and lines stay where they are over twenty answers."""
        project = FakeProject(n_classes_known=10)
        async with running(project) as app:
            places = set()
            for key in "01234567890123456789":
                await app.press_and_see(key)
                shown = lines(app)
                places.add(
                    tuple(
                        next(row for row, line in enumerate(shown) if word in line)
                        for word in ("guesses", "classes", "nearest labeled", "✓ saved", "▸", "accept")
                    )
                )
        assert len(places) == 1


class TestSheetAsText:
    """The representatives with two of them labeled."""

    async def test_80x24(self):
        project = FakeProject(n_classes_known=10)
        async with running(project) as app:
            await app.press_and_see("R", "0", "1")
            shown = lines(app)
        assert shown[2] == " ▀  ▀ ▌▀▐ ▀  ▀  ▀  ▀  ▀"
        assert shown[6].split() == ["✓", "0", "✓", "1", "[", "2?", "]", "3?", "4?", "5?", "6?", "7?"]
        assert shown[18].split()[:4] == ["0", "1", "+19", "2"]
        assert shown[20].startswith(" 0002.png · 2 of 50 answered · page 1 of 3 ")

    async def test_120x40(self):
        project = FakeProject(n_classes_known=10)
        async with running(project, size=(120, 40)) as app:
            await app.press_and_see("R", "0", "1")
            shown = lines(app)
        assert sum("4?" in line for line in shown) == 5
        assert shown[36].startswith(" 0002.png · 2 of 50 answered ")


class TestHostileStrings:
    @pytest.mark.parametrize("size", [(80, 24), (60, 16)])
    async def test_file_names(self, size):
        project = FakeProject(n=len(HOSTILE), n_clusters=5, ids=HOSTILE)
        async with running(project, size=size) as app:
            for count in range(len(HOSTILE)):
                assert not DANGEROUS.search(screen_text(app))
                assert not DANGEROUS.search(await app.press_and_see("12"[count % 2]))
            for keys in (["R"], ["2"], ["right"], ["?"]):
                assert not DANGEROUS.search(await app.press_and_see(*keys))
            assert not app._exit
            assert len(project.labels()) == len(HOSTILE) + 1

    async def test_class_names(self):
        names = tuple(name.removesuffix(".png")[:180].strip() for name in HOSTILE)
        project = FakeProject(classes=names, n_classes_known=len(names))
        async with running(project) as app:
            for count in project.view().classes:
                assert not DANGEROUS.search(await app.press_and_see(count.info.key))
            for keys in (["R"], ["1", "2"], ["R", "G"], ["X", "enter"], ["G", "N"], [*"zz", "enter"], ["?"]):
                assert not DANGEROUS.search(await app.press_and_see(*keys))
            assert not app._exit

    async def test_words_of_the_worker(self, project):
        async with running(project) as app:
            project.post(Received(progress=Progress("read\x1b[2J [/x] [@click=app.quit]", 1, 5)))
            project.post(Received(note="\x1b]2;pwned\x07 [/x]", failed=True))
            await app.pilot.pause(0.3)
            assert "\x1b" not in screen_text(app)
            assert "[/x]" in screen_text(app)


async def test_ascii_pictures_hold_no_blocks(project):
    async with running(project, images="ascii") as app:
        assert "▀" not in screen_text(app)
        assert "%%" in screen_text(app) or "@@" in screen_text(app)


@pytest.mark.parametrize("no_color", [True, False])
async def test_no_color_is_respected(project, monkeypatch, no_color):
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    else:
        monkeypatch.delenv("NO_COLOR", raising=False)
    async with running(project) as app:
        assert app.no_color is no_color


def test_the_first_frame_needs_nothing_heavy_started_or_resumed(tmp_path):
    code = (
        "import asyncio, sys\n"
        "from labeler.project.open import open_demo\n"
        "from labeler.ui.app import LabelerApp\n"
        "from tests.ui.support import screen_text\n"
        "async def main():\n"
        "    with open_demo() as project:\n"
        "        project.engine.start = lambda post: None\n"
        "        app = LabelerApp(project)\n"
        "        async with app.run_test(size=(80, 24)) as pilot:\n"
        "            await pilot.pause()\n"
        "            assert 'labeler demo' in screen_text(app)\n"
        "asyncio.run(main())\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "print(sorted(loaded & {'sklearn', 'scipy', 'pandas', 'sqlite_utils', 'PIL', 'faiss'}))\n"
    )
    root = Path(__file__).parents[2]
    environment = os.environ | {"XDG_DATA_HOME": str(tmp_path), "PYTHONPATH": str(root)}
    for _ in ("started", "resumed"):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=root, env=environment
        )
        assert done.stderr == ""
        assert done.stdout.strip() == "[]"


def test_without_a_terminal_it_says_so(project, monkeypatch):
    from labeler.core.errors import UsageError
    from labeler.ui.app import run

    monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(UsageError, match="terminal"):
        run(project)
