"""Hostile names of project, source, files, classes and annotators through every command: shown, never obeyed.

The fixture `labeler` looks at each line of both streams for anything that a terminal acts on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from labeler.cli import output
from labeler.project.open import Options, open_project
from tests.hostile.names import CLASSES

pytestmark = pytest.mark.timeout(200)

EVIL = "\x1b]2;owned\x07\u202e"
FILES = (
    f"{EVIL}a.png",
    "\x1b[2Jb.png",
    "[@click=app.quit]c.png",
    "line\nbreak.png",
    "caf\udce9.png",
    "\x9b2Je.png",
    "=1+1.png",
)


@pytest.fixture
def hostile(tmp_path):
    """(project, source, ids): a project in whose every place stands an order to the terminal."""
    source = tmp_path / f"pool{EVIL}"
    source.mkdir()
    for shade, name in enumerate((*FILES, *(f"{number}{EVIL}.png" for number in range(20)))):
        pixels = np.random.default_rng(shade).integers(0, 255, (8, 8), dtype=np.uint8)
        try:
            Image.fromarray(pixels).save(tmp_path / "draft.png")
            os.rename(tmp_path / "draft.png", source / name)
        except OSError:
            pytest.skip("this file system takes plain names only")
    (source / f"broken{EVIL}.png").write_bytes(b"no image")
    (source / f"empty{EVIL}.png").touch()
    (source / f"note{EVIL}.txt{EVIL}").touch()
    project = tmp_path / f"p{EVIL}.labeler.db"
    with open_project(source, project, Options(engine="book", n_clusters=4, annotator=f"me{EVIL}")) as opened:
        opened.closing_round()
        for index, name in zip(range(12), (f"{name[:150]}{EVIL}x" for name in CLASSES[-28:]), strict=False):
            opened.session.label(opened.session.pool.ids[index], opened.session.classes.id_for(name, setup=True))
        opened.session.flag(opened.session.pool.ids[3])
        opened.closing_round()
        ids = list(opened.session.pool.ids)
    return project, source, ids


@pytest.mark.slow
def test_every_command_says_them_safely(labeler, hostile, tmp_path):
    project, source, ids = hostile
    assert labeler("status", project).returncode == 0
    json.loads(labeler("status", project, "--json").stdout)
    for name in (ids[0], ids[-1]):
        assert labeler("why", project, name).returncode == 0
    assert labeler("why", project, f"no{EVIL}").returncode == 2
    assert labeler("export", project, f"out{EVIL}.csv").returncode == 0
    assert labeler("export", project, f"out{EVIL}.csv").returncode == 2
    assert labeler("export", project, f"out{EVIL}").returncode == 0
    assert labeler("export", project, f"out{EVIL}.doc{EVIL}").returncode == 2
    assert labeler("export", project, "x.csv", "--format", f"csv{EVIL}").returncode == 2
    assert labeler("export", project, "x.csv", "--split", f"80/{EVIL}").returncode == 2
    assert labeler("import-labels", project, f"out{EVIL}.csv").returncode == 0
    (tmp_path / "other.csv").write_text(f"path,label\n{ids[1]},other{EVIL}\nnobody{EVIL},x\n", errors="surrogateescape")
    assert labeler("import-labels", project, "other.csv").returncode == 0
    (tmp_path / "bad.csv").write_text(f"{EVIL},b\n")
    assert labeler("import-labels", project, "bad.csv").returncode == 2
    assert labeler("audit", project, "--draw", f"check{EVIL}.csv").returncode in (0, 2)
    assert labeler("check", project).returncode == 0
    assert labeler("replay", project).returncode in (0, 1)
    assert labeler("backup", project, f"copy{EVIL}.labeler.db").returncode == 0
    assert labeler("restore", f"copy{EVIL}.labeler.db", "--to", f"again{EVIL}.labeler.db").returncode == 0
    assert labeler("merge", project, f"again{EVIL}.labeler.db", "-o", f"both{EVIL}.labeler.db").returncode in (0, 2)
    assert labeler("search", project, "--like", ids[0]).returncode == 0
    assert labeler("search", project, "--like", f"no{EVIL}").returncode == 2
    assert labeler("outliers", project).returncode == 0
    assert labeler("clusters", project).returncode == 0
    assert labeler("predict", project, source, data=True).returncode == 0
    raw = labeler("export", project, "-", data=True)
    assert EVIL in raw.stdout
    assert labeler("predict", project, source, "--json").returncode == 0
    done = labeler("simulate", source, "--truth", f"out{EVIL}.csv", "--clicks", "5", "-p", f"s{EVIL}.labeler.db")
    assert done.returncode == 0
    assert labeler("plugins", EVIL).returncode == 2
    assert labeler(EVIL).returncode == 2
    assert labeler("label", source, f"--{EVIL}").returncode == 2


@pytest.mark.parametrize("option", ["engine", "encoder", "clusterer", "keys", "images", "percentile", "classes-file"])
def test_values_of_options_are_said_safely(option, labeler, few_digits):
    done = labeler("simulate", few_digits, "--truth", "y", "--clicks", "2", f"--{option}", f"{EVIL}:{EVIL}={EVIL}")
    assert done.returncode == 2


def test_a_table_is_as_it_is_for_a_program_and_safe_on_a_terminal(labeler, hostile, monkeypatch):
    project, source, _ = hostile
    monkeypatch.setattr(output.sys.stdout.__class__, "isatty", lambda self: True, raising=False)
    for words in (("export", project, "-"), ("predict", project, source)):
        done = labeler("--quiet", *words)
        assert done.returncode == 0
        assert "\\x1b]2;owned" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_a_terminal_cannot_say_is_no_crash(hostile, clean_env, tmp_path, encoding):
    project, _, ids = hostile
    for words in (("status", project), ("why", project, ids[0])):
        done = subprocess.run(
            [sys.executable, "-m", "labeler", *map(os.fspath, words)],
            env=clean_env | {"PYTHONIOENCODING": encoding, "LC_ALL": "C"},
            capture_output=True,
            cwd=tmp_path,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert b"Traceback" not in done.stderr
