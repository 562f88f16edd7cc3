"""A part of the fuzzing in every run of the tests; ``python -m tests.fuzz --cases 100000`` is the whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fuzz.__main__ import SINGLE, Result, table
from tests.fuzz.targets import targets

CASES = int(os.environ.get("LABELER_FUZZ", "1000"))
SHARE = -(-CASES // len(targets()))


@pytest.fixture(scope="module")
def fuzz() -> Iterator[Callable[[str], Result]]:
    """Fuzzes a target in a child of its own; they are forked by one process that has loaded the code once."""
    command = [sys.executable, "-m", "tests.fuzz", "--serve", "--cases", str(SHARE)]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | SINGLE, cwd=root, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        questions, results = process.stdin, process.stdout

        def ask(target: str) -> Result:
            questions.write(f"{target}\n")
            questions.flush()
            return Result(**json.loads(results.readline()))

        yield ask
        questions.close()


@pytest.mark.slow
@pytest.mark.timeout(60 + CASES // 20)
@pytest.mark.parametrize("target", list(targets()))
def test_a_bent_file_is_read_or_explained(target: str, fuzz: Callable[[str], Result]):
    """No crash, no hang, no more memory than the file warrants."""
    result = fuzz(target)
    assert not result.failure, result.failure
    assert result.cases >= SHARE
    assert result.taken, "no case was read: the files it starts from are not valid any more"
    assert result.explained


@pytest.mark.slow
def test_a_child_that_ends_otherwise_is_a_failure():
    program = (
        "import os\n"
        "from tests.fuzz import __main__ as fuzz\n"
        "def raising(*given): raise OSError('odd')\n"
        "def killed(*given): os.kill(os.getpid(), 9)\n"
        "for fuzz.child in (raising, killed):\n"
        "    print(fuzz.run(1, only=['class-map'])[0].failure)\n"
    )
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=os.environ | SINGLE, cwd=root, capture_output=True, text=True, check=True)
    assert "OSError: odd" in done.stdout
    assert done.stdout.endswith("\nended with -9\n")


def test_what_is_found_is_said():
    """The counts are of what ran, and a failure stays one."""
    text = table([Result("a", 10, 6, 4, 0.5, 3), Result("b", 5, 5, 0, 2.5, 1, failure="took 2.5 s")])
    assert text.splitlines()[-1] == "| all | 15 | 11 | 4 | 1 | 2.50 | 3 |"
