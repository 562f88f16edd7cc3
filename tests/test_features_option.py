"""`--features`: refused before anything is read where rows are missing; neighbors are shown with it all the same."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from labeler.commands.merge import merge
from labeler.core.errors import SourceError
from labeler.core.terminal import own_size, own_stderr
from labeler.core.types import Progress
from labeler.project.open import Options, open_project
from labeler.worker.protocol import Ready

N = 150


def written(folder: Path, kind: str, rows: int, ids=None) -> Path:
    """A features file of 150 instances, or of some of them; on a line, so that i - 1 and i + 1 are nearest to i."""
    X = np.stack([np.arange(rows, dtype=np.float32), np.zeros(rows, np.float32)], axis=1)
    path = folder / f"features.{kind.partition('-')[0]}"
    if kind == "npy":
        np.save(path, X)
    elif kind == "npz":
        np.savez(path, X=X)
    elif kind == "npz-ids":
        np.savez(path, X=X[::-1], ids=np.array(list(ids)[:rows][::-1]))
    else:
        path.write_text("id,a,b\n" + "".join(f"{name},{x},0\n" for name, (x, _) in zip(ids, X, strict=False)))
    return path


@pytest.fixture
def ids(few_digits, tmp_path):
    with open_project(few_digits, tmp_path / "ids.labeler.db") as project:
        return list(project.session.pool.ids)


@pytest.mark.parametrize("kind", ["npy", "npz", "npz-ids", "csv"])
class TestRows:
    def test_too_few_are_refused_before_the_pool_is_read(self, few_digits, tmp_path, ids, kind):
        file = written(tmp_path, kind, 100, ids)
        steps = []
        with open_project(few_digits, tmp_path / "p.labeler.db", Options(features=str(file))) as project:
            with pytest.raises(SourceError) as refused:
                project.open_pipeline(steps.append)
            if kind != "csv":  # what is quickly told is told before a screen opens
                with pytest.raises(SourceError) as at_once:
                    project.check_features()
                assert at_once.value.message == refused.value.message
        assert not any(step.what == "reading" for step in steps if isinstance(step, Progress))
        assert "100 rows" in refused.value.message
        assert "150 instances" in refused.value.message
        assert "\n" not in refused.value.message

    def test_neighbors_are_there(self, few_digits, tmp_path, ids, kind):
        file = written(tmp_path, kind, N, ids)
        with open_project(few_digits, tmp_path / "p.labeler.db", Options(features=str(file))) as project:
            project.check_features()
            class_id = project.session.classes.add("a")
            for index in (3, 50, 52, 140):
                project.session.label(project.session.pool.ids[index], class_id)
            project.open_pipeline()
            assert [index for index, _ in project.instances.neighbors(51, 3)] in ([50, 52, 3], [52, 50, 3])
            kept = list(project.cache().glob("vectors-*.npy"))
            assert len(kept) == (kind != "npy")  # an array file is its own copy

    def test_neighbors_are_there_in_a_merged_project(self, few_digits, tmp_path, ids, kind):
        file = written(tmp_path, kind, N, ids)
        pair = []
        for who, answers in (("anna", (3, 50)), ("bob", (52, 140))):
            pair.append(tmp_path / f"{who}.labeler.db")
            options = Options(annotator=who, features=str(file), classes=("a", "b"))
            with open_project(few_digits, pair[-1], options) as project:
                for index in answers:
                    project.session.label(project.session.pool.ids[index], 0)
        both = merge(*pair, tmp_path / "both.labeler.db").path
        with open_project(both) as project:
            project.open_pipeline()
            assert sorted(index for index, _ in project.instances.neighbors(51, 2)) == [50, 52]


def test_another_file_takes_the_place_of_the_copy(few_digits, tmp_path, ids):
    for shift in (0, 1):
        file = written(tmp_path, "csv", N, ids[shift:] + ids[:shift])
        with open_project(few_digits, tmp_path / "p.labeler.db", Options(features=str(file))) as project:
            project.open_pipeline()
            assert len(list(project.cache().glob("vectors-*.npy"))) == 1
            assert project.instances._features[shift, 0] == 0.0


def test_the_first_line_is_for_people(few_digits, tmp_path):
    with open_project(few_digits, tmp_path / "p.labeler.db") as project:
        none = np.empty((0, 32), dtype=np.uint8)
        received = project.engine.receive(Ready("deskew-hog", "ink on a plain ground", {}, none, ""))
        assert received.note == "ready: 150 images read and compared"


class TestTheTerminalsOwnSize:
    def test_the_environment_says_nothing_of_it_meanwhile(self, monkeypatch):
        monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
        monkeypatch.setenv("COLUMNS", "120")
        monkeypatch.delenv("LINES", raising=False)
        with own_size():
            assert "COLUMNS" not in os.environ
        assert os.environ["COLUMNS"] == "120"
        assert "LINES" not in os.environ

    def test_a_front_end_that_draws_itself_says_its_size_there(self, monkeypatch):
        monkeypatch.setenv("TEXTUAL_DRIVER", "front.end:Driver")
        monkeypatch.setenv("COLUMNS", "120")
        with own_size():
            assert os.environ["COLUMNS"] == "120"

    @pytest.mark.parametrize("redirected", [False, True])
    def test_it_is_asked_of_the_terminal_that_is_drawn_on(self, tmp_path, redirected):
        """As the application asks, in a terminal of 70 x 20 with another size exported, also behind a redirection."""
        program = (
            "import shutil, sys\n"
            "from labeler.core.terminal import own_size, own_stderr\n"
            "from rich.console import Console\n"
            "with own_stderr(), own_size():\n"
            "    sizes = tuple(shutil.get_terminal_size()), tuple(Console(stderr=True).size)\n"
            f"open({str(tmp_path / 'said')!r}, 'w').write(repr(sizes))\n"
        )
        ours, theirs = pty.openpty()
        import fcntl
        import struct
        import termios

        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 70, 0, 0))
        environment = {**os.environ, "COLUMNS": "120", "LINES": "40", "TERM": "xterm"}
        environment.pop("TEXTUAL_DRIVER", None)
        output = subprocess.DEVNULL if redirected else theirs
        try:
            subprocess.run(
                [sys.executable, "-c", program], stdin=theirs, stdout=output, stderr=theirs, env=environment, check=True
            )
        finally:
            os.close(ours)
            os.close(theirs)
        assert (tmp_path / "said").read_text() == "((70, 20), (70, 20))"
        assert own_stderr
