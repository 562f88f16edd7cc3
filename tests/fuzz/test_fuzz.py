"""A part of the fuzzing in every run of the tests; ``python -m tests.fuzz --cases 100000`` is the whole."""

from __future__ import annotations

import os

import pytest

from tests.fuzz.__main__ import Result, run, table
from tests.fuzz.targets import targets

CASES = int(os.environ.get("LABELER_FUZZ", "1000"))


@pytest.mark.slow
@pytest.mark.timeout(60 + CASES // 20)
@pytest.mark.parametrize("target", list(targets()))
def test_a_bent_file_is_read_or_explained(target: str):
    """No crash, no hang, no more memory than the file warrants."""
    (result,) = run(-(-CASES // len(targets())), only=[target])
    assert not result.failure, result.failure
    assert result.cases >= CASES // len(targets())
    assert result.taken, "no case was read: the files it starts from are not valid any more"
    assert result.explained


def test_what_is_found_is_said():
    """The counts are of what ran, and a failure stays one."""
    text = table([Result("a", 10, 6, 4, 0.5, 3), Result("b", 5, 5, 0, 2.5, 1, failure="took 2.5 s")])
    assert text.splitlines()[-1] == "| all | 15 | 11 | 4 | 1 | 2.50 | 3 |"
