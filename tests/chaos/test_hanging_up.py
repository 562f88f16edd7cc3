"""A signal, or the terminal gone, ends the application as `Q` does: summary said, journal whole, backup made."""

from __future__ import annotations

import random
import signal

import pytest

from benchmarks.terminal import labeler
from labeler.project.open import open_project
from tests.chaos.evidence import acknowledged, examine
from tests.chaos.pty_kills import PATIENCE, answer, last_words
from tests.chaos.screen import Watched

ANSWERS = 3


@pytest.fixture
def seen(few_digits, tmp_path, monkeypatch):
    """The application after a few answers."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    path = tmp_path / "p.labeler.db"
    command = labeler("label", few_digits, "-p", path, "--classes", "0,1,2,3,4,5,6,7,8,9")
    watched = Watched(command, (80, 24), tmp_path / "state")
    try:
        assert watched.until(lambda: watched.is_asking, PATIENCE), last_words(watched)
        assert answer(watched, random.Random(0), ANSWERS) == []
        yield watched
    finally:
        watched.end(signal.SIGKILL)
        watched.put_away()


def end(watched, how):
    """End it in the way of `how`; True where it went by itself."""
    if how == "Q":
        watched.type("Q")
        return watched.wait_for_end(30.0)
    if how == "terminal gone":
        watched.hang_up()
    else:
        watched.end(signal.Signals[how])
    return watched.process.returncode != -signal.SIGKILL


@pytest.mark.mostly_slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("how", "code"),
    [("Q", 0), ("SIGTERM", 128 + signal.SIGTERM), ("SIGHUP", 128 + signal.SIGHUP), ("terminal gone", None)],
)
def test_it_ends_as_with_q(seen, tmp_path, how, code):
    assert end(seen, how), last_words(seen)
    assert seen.outlived_by() == []
    if code is not None:
        assert seen.process.returncode == code
        assert f"this session: {ANSWERS} labels given with " in seen.painted
        assert "\x1b[?1049l" in seen._burst.decode(errors="replace")  # the screen as it was before
        assert "Traceback" not in seen.painted
    path = tmp_path / "p.labeler.db"
    assert examine(path, acknowledged(seen.said), 0) == []
    assert len(list((tmp_path / "state").rglob("*.labeler.db"))) == 1  # the backup of the end
    assert not [file.name for file in (tmp_path / "p.labeler.cache").iterdir() if file.name.endswith(".draft")]
    with open_project(path, read_only=True, with_source=False) as project:
        assert project.view().answers == ANSWERS
        assert project.view().question is not None
