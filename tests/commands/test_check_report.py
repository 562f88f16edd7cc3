"""What is said of a check: each damage and what it costs, and the one thing to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labeler.commands.check_report import ANEW, Report, facts, text
from labeler.project.backups import Backup

COPY = Backup(Path("/state/p/1.labeler.db"), None, "exit", 0.0, 12, "")


@pytest.fixture
def report():
    return Report(Path("p.labeler.db"), events=14, labels=10, instances=150)


def test_a_sound_project_names_its_newest_backup(report):
    assert report.sound
    assert text(report).splitlines()[-1] == "backups: none yet"
    report.backup = COPY
    assert "newest backup: " in text(report)


def test_what_is_made_anew_asks_for_nothing(report):
    report.damage("round", "the last round is not whole", ANEW)
    assert "DAMAGED" in text(report)
    assert text(report).splitlines()[-1] == f"no answer is damaged: go on with labeler label {report.path}"


def test_what_is_lost_leads_to_the_backup_and_says_what_it_lacks(report):
    report.damage("journal", "event 3 of the journal is not as it was written", "one answer", 1)
    assert text(report).splitlines()[-1].startswith("there is no backup of it here")
    report.backup = COPY
    assert "restore: labeler restore /state/p/1.labeler.db" in text(report)
    assert "3 newer events are not in it" in text(report)


def test_a_structure_that_is_damaged_is_never_called_harmless(report):
    report.damage("structure", "SQLite says: page 3 is never used", "nothing is lost")
    report.backup = COPY
    assert "restore: " in text(report)


def test_the_facts_are_json_whatever_the_names_are(report):
    report.path = Path("caf\udce9\x1b[2J.labeler.db")
    report.damage("round", "damaged", ANEW)
    found = json.loads(json.dumps(facts(report)))
    assert (found["sound"], found["backup"], found["findings"][0]["code"]) == (False, None, "round")
    assert "\x1b" not in text(report)
