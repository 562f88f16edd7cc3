"""What is said of a check: each damage and what it costs, and the one thing to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labeler.commands.check import Examination
from labeler.commands.check_report import ANEW
from labeler.project.backups import Backup

COPY = Backup(Path("/state/p/1.labeler.db"), None, "exit", 0.0, 12, "")


def text(exam):
    """What a command prints for a person."""
    return "\n".join(exam.report().lines())


@pytest.fixture
def exam():
    return Examination(Path("p.labeler.db"), events=14, labels=10, instances=150)


def test_a_sound_project_names_its_newest_backup(exam):
    assert exam.is_sound
    assert text(exam).splitlines()[-1] == "backups: none yet"
    exam.backup = COPY
    assert "newest backup: " in text(exam)


def test_what_is_made_anew_asks_for_nothing(exam):
    exam.damage("round", "the last round is not whole", ANEW)
    assert "DAMAGED" in text(exam)
    assert text(exam).splitlines()[-1] == f"no answer is damaged: go on with labeler label {exam.path}"


def test_what_is_lost_leads_to_the_backup_and_says_what_it_lacks(exam):
    exam.damage("journal", "event 3 of the journal is not as it was written", "one answer", 1)
    assert text(exam).splitlines()[-1].startswith("there is no backup of it here")
    exam.backup = COPY
    assert "restore: labeler restore /state/p/1.labeler.db" in text(exam)
    assert "3 newer events are not in it" in text(exam)


def test_a_structure_that_is_damaged_is_never_called_harmless(exam):
    exam.damage("structure", "SQLite says: page 3 is never used", "nothing is lost")
    exam.backup = COPY
    assert "restore: " in text(exam)


def test_the_facts_are_json_whatever_the_names_are(exam):
    exam.path = Path("caf\udce9\x1b[2J.labeler.db")
    exam.damage("round", "damaged", ANEW)
    found = json.loads(json.dumps(exam.report().to_json()))
    assert (found["sound"], found["backup"], found["findings"][0]["code"]) == (False, None, "round")
    assert "\x1b" not in text(exam)
