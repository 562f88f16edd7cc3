"""The parts of the chaos suite with the counts that every change has to pass; `python -m tests.chaos` runs the whole.

Each runs in a process of its own: children are made by fork, which a process with threads must not do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.chaos.outcome import ROOT

pytestmark = pytest.mark.slow  # minutes of kills and cuts: the quick tests of the same promises are in tests/store


def outcome_of(part: str, count: int, environment: dict[str, str], seed: int = 0) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", part, "--count", str(count), "--seed", str(seed), "--json"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.fixture
def environment(tmp_path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("TEXTUAL", "LABELER"))}
    return kept | {"TMPDIR": str(tmp_path)}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("part", "count", "at_least"),
    [
        ("writer-kills", 150, 250),
        ("export-kills", 8, 0),
        ("clocks", 6, 0),
        ("mutations", 60, 0),
        ("faults", 130, 0),
        ("power-cuts", 240, 0),
        ("flushes", 120, 0),
        ("places", 64, 0),
        ("readers", 3, 30),
        ("walk", 3000, 0),
        ("soak", 30, 1),  # half a minute of use: how much that is depends on the machine
    ],
)
def test_nothing_fails(part, count, at_least, environment):
    found = outcome_of(part, count, environment)
    assert found["failures"] == []
    if "skipped" in found["seen"]:
        pytest.skip(found["seen"]["skipped"])
    assert found["count"] == count
    assert found["seen"].get("acknowledged events", 0) >= at_least


@pytest.mark.timeout(300)
def test_five_ends_of_the_application(environment):
    found = outcome_of("pty-kills", 5, environment, seed=1)
    assert found["failures"] == []
    # what is typed within a time depends on the machine; an answer at rest is waited for
    assert found["seen"]["acknowledged events"] >= found["seen"].get("killed at rest", 0)
    assert found["seen"]["acknowledged events"] > 0


@pytest.mark.timeout(300)
def test_six_signals(environment):
    found = outcome_of("signals", 6, environment, seed=2868)
    assert found["failures"] == []
    assert found["seen"]["acknowledged events"] > 30
