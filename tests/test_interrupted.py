"""What is left when somebody ends a command in the middle: an exit code, one line, and nothing else."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from labeler.cli.progress import Narrator
from labeler.cli.progress_bar import Amount
from labeler.commands.export.export import export
from labeler.core.types import Progress
from labeler.project import paths
from labeler.project.open import open_project
from labeler.worker.features import encode_again


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_an_interrupted_simulation_leaves_one_line_and_no_folder(few_digits, tmp_path, clean_env, number, code):
    folder = tmp_path / "scratch"
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "labeler", "simulate", str(few_digits), "--truth", "y", "--clicks", "100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_env | {"TMPDIR": str(folder)},
        cwd=tmp_path,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # tests that run behind a shell ignore some
    )
    until = time.monotonic() + 60
    while not list(folder.glob("labeler-*/*.db")) and time.monotonic() < until:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.005)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert out == ""
    assert len(err.split("\n")[:-1]) <= 2
    assert len(err.strip().splitlines()) == (1 if number == signal.SIGINT else 0)
    assert "Traceback" not in err
    assert list(folder.glob("labeler-*")) == []
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".db")] == []


@pytest.mark.mostly_slow
@pytest.mark.parametrize("target", ["out.csv", "out.npz", "out.jsonl", "folders"])
@pytest.mark.parametrize("at", ["reading", "encoding", "computing", "writing"])
def test_an_interrupted_export_writes_nothing(few_digits, tmp_path, target, at):
    with open_project(few_digits, tmp_path / "p.labeler.db") as project:
        session = project.session
        for name in session.pool.ids[:3]:
            session.label(name, session.classes.id_for("a"))
        seen = set()

        def interrupt(step: Progress) -> None:
            seen.add(step.what.split()[0])
            if step.what.startswith(at):
                raise KeyboardInterrupt

        format_ = "imagefolder" if target == "folders" else None
        with pytest.raises(KeyboardInterrupt):
            export(project, tmp_path / target, format_, progress=interrupt)
        assert at in seen
    left = {path.name for path in tmp_path.iterdir()}
    assert left <= {few_digits.name, "p.labeler.db", "p.labeler.cache"}
    assert not list((tmp_path / "p.labeler.cache").glob(".*.draft"))


class TestNarrator:
    def test_where_nobody_looks_it_says_notes_alone(self, capsys):
        with Narrator() as narrator:
            narrator.progress(Progress("reading", 3, 10))
            narrator.note("cannot be read: \x1b[2J.png")
        assert capsys.readouterr().err == "cannot be read: \\x1b[2J.png\n"

    def test_quiet_says_nothing(self, capsys):
        with Narrator(quiet=True) as narrator:
            narrator.note("something")
        assert capsys.readouterr().err == ""

    @pytest.fixture
    def terminal(self, capsys):
        """What a terminal on standard error gets, so far."""
        seen = []

        def read(until=""):
            end = time.monotonic() + 60
            seen.append(capsys.readouterr().err)
            while until not in "".join(seen) and time.monotonic() < end:
                time.sleep(0.01)
                seen.append(capsys.readouterr().err)
            return "".join(seen)

        return read

    def test_on_a_terminal_one_line_moves_and_is_gone_at_the_end(self, terminal, monkeypatch):
        monkeypatch.setattr("sys.stderr.isatty", lambda: True)
        monkeypatch.setenv("TERM", "xterm")
        with Narrator() as narrator:
            narrator.progress(Progress("reading\x1b[2J", 3, 10))
            assert "reading\\x1b[2J 3 of 10" in terminal("3 of 10")
            narrator.progress(Progress("reading\x1b[2J", 4, 10))
            first = terminal("4 of 10")
            narrator.note("a [bold]note")
            narrator.progress(Progress("writing"))
            terminal("writing")
        shown = terminal("\x1b[2K")
        assert "\r\x1b[2Ka [bold]note\n" in shown  # a line of its own, and no markup of ours
        assert "\n" not in first
        assert shown.endswith("\x1b[2K")
        assert "\x1b[?25l" not in shown  # the cursor is left as it is: a program that is killed cannot bring it back

    def test_a_terminal_that_cannot_clear_a_line_gets_notes_alone(self, terminal, monkeypatch):
        monkeypatch.setattr("sys.stderr.isatty", lambda: True)
        monkeypatch.setenv("TERM", "dumb")
        with Narrator() as narrator:
            narrator.progress(Progress("reading", 3, 10))
            narrator.note("a note")
        assert terminal("note") == "a note\n"


@pytest.mark.parametrize(
    ("total", "elapsed", "remaining", "line"),
    [
        (10, 0.2, None, "3 of 10"),
        (10, 2.5, 6.0, "3 of 10  2 s"),  # too early to tell how long it still takes
        (10, 4.5, 9.6, "3 of 10  4 s  about 10 s left"),
        (12_000, 60, 0.0, "3 of 12,000  60 s"),
        (None, 7.1, None, " 7 s"),
    ],
)
def test_the_line_says_how_far_a_step_is_since_when_and_for_how_long_still(total, elapsed, remaining, line):
    task = SimpleNamespace(completed=3, total=total, elapsed=elapsed, time_remaining=remaining)
    assert Amount().render(task).plain == line


def test_a_cache_that_is_deleted_while_the_project_is_open_is_made_again(few_digits, tmp_path):
    with open_project(few_digits, tmp_path / "p.labeler.db") as project:
        session = project.session
        pipeline = project.open_pipeline()
        cache = paths.cache_of(project.path)
        shutil.rmtree(cache)
        for row, name in enumerate(session.pool.ids[:4]):
            session.label(name, session.classes.id_for("ab"[row % 2]))
        assert len(pipeline.closing_round(session.snapshot()).labels) == 150  # what is mapped stays mapped
        source = project.source
        for _ in encode_again(source, source.ids, cache, pipeline.prepared, "pca"):
            pass
        assert list(cache.glob("features-*"))
    with open_project(tmp_path / "p.labeler.db") as project:
        assert len(project.closing_round().labels) == 150
