"""Sessions, copies and copies brought back, while the clock is set back, forward, or stands still."""

from __future__ import annotations

import os
import random
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

from labeler.commands.check import check
from labeler.project import backup_folder, backups
from labeler.project.backups import Backup
from labeler.store.store import Store
from tests.chaos.outcome import Outcome
from tests.chaos.writer_kills import make_older
from tests.chaos.writing import open_session, step

NAME = "chaos.labeler.db"
STEPS = 14
KEPT = 3
"""Backups a line keeps here: few, so that there is something to let go of after a few steps."""
YEAR = 365.25 * 86400
ACTS = {"a session": 8, "a copy asked for": 2, "a copy brought back": 2, "a migration": 1, "nothing": 1}

Journal = tuple[str, ...]
"""The ids of a project's events in their order."""


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Walk `count` times."""
    outcome = Outcome(
        "clocks",
        count,
        "walks of the clock",
        seed,
        f"{STEPS} sessions with a backup at their end, backups asked for, migrations with theirs and restores of any"
        " backup, while before each the clock is set back (up to 30 years), forward, beyond the year 9999, or stands"
        " still. After each the backup that was made is there; the newest of every line of answers there ever was is"
        " there, to the event; the list is in the order of events; `labeler check` names the one with all that is in"
        " the file and says where other lines are; a file of a person's in the folder is as it was.",
    )
    began = time.perf_counter()
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    chance, whole = random.Random(seed), backup_folder.KEPT
    backup_folder.KEPT, lines = KEPT, backup_folder.LINES
    backup_folder.LINES = count  # whether a line is let go for its age is no matter of clocks
    try:
        for number in range(count):
            if outcome.is_over(number):
                break
            place = folder / str(number)
            place.mkdir()
            wrong = _Walk(place / NAME, chance, outcome).wrong()
            outcome.failures += [f"walk {number}: {one}" for one in wrong]
    finally:
        backups.time, backup_folder.KEPT, backup_folder.LINES = time, whole, lines  # type: ignore[assignment]
    outcome.seconds = time.perf_counter() - began
    return outcome


class _Walk:
    """One project, every line of answers it ever had, and a clock that is not to be trusted."""

    def __init__(self, path: Path, chance: random.Random, outcome: Outcome) -> None:
        self.path, self.chance, self.outcome = path, chance, outcome
        self.now = 1.7e9
        self.copied: set[Journal] = set()
        self.notes = backups.folder_of(path) / "20990101T000000000Z-9-mine.labeler.db"

    def wrong(self) -> list[str]:
        """What is wrong after the first step after which something is."""
        for number in range(STEPS):
            self._set_clock()
            act = self.chance.choices(list(ACTS), list(ACTS.values()))[0] if number else "a session"
            backup = self._do(act)
            self.outcome.saw(act)
            faults = self._judge(backup)
            if faults:
                return [f"step {number} ({act}): {one}" for one in faults]
            if not number:
                self.notes.write_bytes(b"a person's")
        return []

    def _set_clock(self) -> None:
        match self.chance.randrange(5):
            case 0:
                self.now -= self.chance.random() * 30 * YEAR
                self.outcome.saw("clock set back")
            case 1:
                self.now += self.chance.random() * 30 * YEAR
                self.outcome.saw("clock set forward")
            case 2:
                self.now = self.chance.choice([0.0, -1.0, 3e11, 1e17, 1.7e9])
                self.outcome.saw("clock set to an odd time")
            case 3:
                self.outcome.saw("clock stood still")
            case _:
                self.now += self.chance.random() * 86400
        backups.time = SimpleNamespace(  # type: ignore[assignment]
            time=lambda: self.now, strftime=time.strftime, gmtime=time.gmtime
        )

    def _do(self, act: str) -> Backup | None:
        """One act; the backup it made, if it did."""
        if act == "a session":
            return self._session()
        if act == "a copy asked for":
            self.copied.add(journal_of(self.path))
            return backups.back_up(self.path)
        if act == "a copy brought back":
            backups.restore(self.chance.choice(list(backups.listed(self.path))).path)
        elif act == "a migration":
            make_older(self.path, 2)
            self.copied.add(journal_of(self.path))
            Store.open(self.path, before_migration=backups.before_migration).close()
        return None

    def _session(self) -> Backup | None:
        store, session = open_session(self.path)
        with closing(store):
            for _ in range(self.chance.choice([0, 1, 1, 3, 10])):
                step(session, self.chance)
            backup = backups.at_exit(store)
        self.copied.add(journal_of(self.path))
        return backup

    def _judge(self, backup: Backup | None) -> list[str]:
        copies = {copy: journal_of(copy.path) for copy in backups.listed(self.path)}
        wrong = []
        if backup is not None and backup not in copies:
            wrong.append(f"what was just made is not there: {backup.path.name}")
        tips = [one for one in self.copied if not any(one != other and follows(other, one) for other in self.copied)]
        self.outcome.seen["most lines of answers"] = max(len(tips), self.outcome.seen.get("most lines of answers", 0))
        wrong += [f"the newest of a line is gone: {len(one)} events" for one in tips if one not in copies.values()]
        lengths = [len(journal) for journal in copies.values()]
        if lengths != sorted(lengths, reverse=True):
            wrong.append(f"the list is out of order: {lengths}")
        if len(copies) > KEPT * len(tips) + 1:
            wrong.append(f"{len(copies)} backups of {len(tips)} lines")
        if self.notes.exists() and self.notes.read_bytes() != b"a person's":
            wrong.append("a person's file changed")
        return wrong + self._judge_check(copies)

    def _judge_check(self, copies: dict[Backup, Journal]) -> list[str]:
        now, report = journal_of(self.path), check(self.path)
        if not report.is_sound:
            return [f"check finds damage: {report.findings[0].what}"]
        own = [journal for journal in copies.values() if follows(journal, now) or follows(now, journal)]
        named = copies[report.backup] if report.backup is not None else ()
        if len(named) < len(max(own, key=len, default=())) or (own and named not in own):
            return [f"check names a backup with {len(named)} events, not {len(max(own, key=len))}"]
        others = [journal for journal in copies.values() if journal not in own]
        if bool(others) != any("another line" in note for note in report.notes):
            return ["check does not say that there is another line, or says so where there is none"]
        return []


def journal_of(path: Path) -> Journal:
    """The journal of a project file."""
    with closing(Store.open(path, read_only=True)) as store:
        return tuple(event.event_id for event in store.replay())


def follows(later: Journal, earlier: Journal) -> bool:
    """Whether a journal begins with another one."""
    return later[: len(earlier)] == earlier
