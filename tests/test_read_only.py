"""Projects in a folder in which nothing can be written, and projects that another program holds locked."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from labeler.commands.check import check
from labeler.commands.export.export import export
from labeler.core.errors import PROJECT_ERRORS, NotSaved, ProjectBusy
from labeler.project import paths
from labeler.project.open import open_project
from labeler.project.options import Options

DROPPED = "-dac_override,-dac_read_search"
WITHOUT_RIGHTS = ["setpriv", f"--inh-caps={DROPPED}", f"--bounding-set={DROPPED}"]
"""Root may write anywhere: these rights are what lets it."""


@pytest.fixture
def path(digits_path, tmp_path):
    """A project over 40 pictures, three of them answered."""
    folder = tmp_path / "shared"
    (folder / "pool").mkdir(parents=True)
    with np.load(digits_path) as arrays:
        for row, image in enumerate(arrays["X"][:40]):
            scaled = (image.astype(np.uint16) * 255 // arrays["X"].max()).astype(np.uint8)
            Image.fromarray(scaled).save(folder / "pool" / f"{row:02}.png")
    path = folder / "p.labeler.db"
    with open_project(folder / "pool", path, Options(classes=("a", "b"))) as project:
        for row in range(4):
            project.session.label(f"{row:02}.png", row % 2)
    shutil.rmtree(paths.cache_of(path), ignore_errors=True)
    return path


def contents(folder):
    return {path.relative_to(folder): path.is_file() and path.read_bytes() for path in folder.rglob("*")}


@pytest.fixture
def shut(path):
    """The project, its folder closed for writing; returns the command line that is really kept out."""
    prefix = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may write everywhere, and there is no setpriv to give that up")
        prefix = WITHOUT_RIGHTS
    path.chmod(0o444)
    path.parent.chmod(0o555)
    probe = subprocess.run([*prefix, "touch", str(path.parent / "probe")], capture_output=True, check=False)
    if probe.returncode == 0:
        path.parent.chmod(0o755)
        pytest.skip("no folder can be closed for writing here")
    yield prefix
    path.parent.chmod(0o755)
    path.chmod(0o644)


ENGINE = [
    "export {} {out}/x.csv",
    "export {} {out}/set --link copy",
    "export {} {out}/m.npz --format model",
    "export {} -",
    "search {} --like 03.png",
    "outliers {}",
    "predict {} {new}",
    "predict {} {new} -o {out}/p.csv",
    "replay {}",
    "clusters {} --k-range 2:4",
    "clusters {} --clusters 3 --plot {out}/c.png",
    "why {} 30.png",
]
"""Commands that need features, and so a cache."""


QUICK = [ENGINE[0], ENGINE[4], "status {}", "check {}"]
SLOW = [pytest.param(one, marks=pytest.mark.slow) for one in (*ENGINE, "why {} 03.png")]


@pytest.mark.slow
@pytest.mark.parametrize("command", [*QUICK, *(one for one in SLOW if one.values[0] not in QUICK)])
def test_every_command_that_reads_works_where_nothing_can_be_written(path, shut, command, tmp_path, clean_env):
    out = tmp_path / "out"
    out.mkdir()
    before = contents(path.parent)
    words = [word.format(path, out=out, new=path.parent / "pool") for word in command.split()]
    done = subprocess.run(
        [*shut, sys.executable, "-m", "labeler", *words],
        env=clean_env | {name: os.environ[name] for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert contents(path.parent) == before
    notes = [line for line in done.stderr.splitlines() if "nothing can be written beside" in line]
    assert len(notes) == (command in ENGINE)
    assert all(os.environ["XDG_CACHE_HOME"] in line for line in notes)


def refusing(real, folder):
    """A disk that is mounted read-only at `folder`."""

    def call(path, flags, *args, **options):
        if str(path).startswith(str(folder)) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return real(path, flags, *args, **options)

    return call


def test_a_disk_that_is_read_only_although_the_rights_are_there(path, tmp_path, monkeypatch):
    monkeypatch.setattr(paths.os, "open", refusing(os.open, path.parent))
    with open_project(path, read_only=True) as project:
        written = export(project, tmp_path / "x.csv")
        assert sum(written.counts.values())
        assert project.cache() == paths.cache_elsewhere(path)
        assert [line for line in project.notices if "nothing can be written" in line]


def test_a_cache_that_is_there_is_taken_over_and_not_made_anew(path, tmp_path, monkeypatch):
    with open_project(path, read_only=True) as project:
        export(project, tmp_path / "x.csv")
    entries = {entry.name for entry in paths.cache_of(path).iterdir()}
    assert any(name.startswith("features") for name in entries)
    monkeypatch.setattr(paths.os, "open", refusing(os.open, path.parent))
    with open_project(path, read_only=True) as project:
        export(project, tmp_path / "y.csv")
        elsewhere = project.cache()
    assert {entry.name for entry in elsewhere.iterdir()} == entries
    assert all(entry.is_symlink() for entry in elsewhere.iterdir())
    assert (tmp_path / "x.csv").read_bytes() == (tmp_path / "y.csv").read_bytes()


def test_projects_of_one_name_have_caches_of_their_own(path, tmp_path):
    assert paths.cache_elsewhere(path) != paths.cache_elsewhere(tmp_path / path.name)
    assert paths.cache_elsewhere(path) == paths.cache_elsewhere(path.parent / "pool" / ".." / path.name)


def test_where_no_cache_can_be_made_one_line_says_what_to_do(path, tmp_path, monkeypatch):
    monkeypatch.setattr(paths.os, "open", refusing(os.open, path.parent.parent))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    with open_project(path, read_only=True) as project, pytest.raises(PROJECT_ERRORS, match="neither") as caught:
        project.cache()
    assert "XDG_CACHE_HOME" in caught.value.hint
    assert "-p PROJECT" not in caught.value.hint


# -- another program -------------------------------------------------------------------------------------------------


@pytest.fixture
def held(path):
    """The project while another program holds it."""
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('BEGIN EXCLUSIVE'); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        yield path
        other.stdin.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", ["status {}", "check {}", "check {} --json", "export {} -", "backup {}", "label {}", "replay {}"]
)
def test_a_lock_of_another_program_is_called_so(held, command, clean_env):
    before = held.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "labeler", *(word.format(held) for word in command.split())],
        env=clean_env | {"TEXTUAL_DRIVER": "textual.drivers.headless_driver:HeadlessDriver"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "another program holds" in done.stderr
    assert "close it there" in done.stderr
    assert not any(word in done.stderr + done.stdout for word in ("damaged", "DAMAGED", "restore", "Traceback"))
    assert len(done.stderr.strip().splitlines()) == 2
    assert held.read_bytes() == before


def test_a_lock_that_comes_while_it_is_checked_is_no_damage(path, monkeypatch):
    from labeler.store import inspect

    def locked(db, found):
        found.schema = 3
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            db.execute("PRAGMA busy_timeout = 1")
            inspect._structure(db)

    monkeypatch.setattr(inspect, "_look", locked)
    with pytest.raises(ProjectBusy, match="another program"):
        check(path)


def test_an_answer_under_a_lock_is_not_saved_and_says_who_holds_it(path):
    with open_project(path) as project:
        project._store._db.execute("PRAGMA busy_timeout = 1")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(NotSaved, match=r"^NOT saved: another program holds"):
                project.session.label("10.png", 0)
            other.execute("ROLLBACK")
        project.session.label("10.png", 0)
        assert project.session.view().answers == 5
