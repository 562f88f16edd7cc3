"""A backup, a restore and a migration with its backup, killed at random moments."""

from __future__ import annotations

import os
import random
import shutil
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import sqlite_utils  # noqa: F401 -- what a migration needs, once for all children

from labeler.core.errors import LabelerError
from labeler.project import backups
from labeler.store.store import Store
from tests.chaos.evidence import Ack, ack_of, examine, inspect
from tests.chaos.forks import run_and_kill
from tests.chaos.outcome import Outcome
from tests.chaos.writer_kills import make_older
from tests.chaos.writing import a_round, open_session, step

NAME = "chaos.labeler.db"
KINDS = ("a backup", "a backup at the end", "a restore", "a restore over a file with a log", "a migration")


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Kill `count` of them."""
    outcome = Outcome(
        "copy kills",
        count,
        "kills of a copy",
        seed,
        "`labeler backup`, the backup at the end of a session, `labeler restore` over a newer project (at rest, or with"
        " its log) and the backup before a migration, killed at a random moment. The project is as it was, or restored"
        " whole with what it was kept beside it; every file that is called a backup can be restored; the same again"
        " succeeds and leaves no draft.",
    )
    began = time.perf_counter()
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    chance = random.Random(seed)
    made = _Made(folder / "made", chance)
    spans = {kind: made.unkilled(kind, folder / "timed") for kind in KINDS}
    for number in range(count):
        if outcome.is_over(number):
            break
        kind = KINDS[number % len(KINDS)]
        place = made.placed(kind, folder / "killed")
        before = _events(place)
        work = made.work(kind, place)
        ended = run_and_kill(lambda _, work=work: work(), 1.5 * chance.random() * spans[kind])
        outcome.saw(f"{kind}, killed" if ended.was_killed else f"{kind}, done before the kill")
        wrong = [ended.trouble] if ended.trouble else []
        wrong += _judge(place, before, made.older if "restore" in kind else before, outcome)
        again = run_and_kill(lambda _, work=work: work(), None)
        wrong += [f"the same again failed: {again.trouble}"] if again.trouble else []
        wrong += examine(place, made.older if "restore" in kind else before, 0)
        wrong += [f"left behind: {path.name}" for path in (folder / "state").rglob("*.draft")]
        wrong += [f"left behind: {path.name}" for path in place.parent.glob(".*draft*")]
        outcome.failures += [f"kill {number} of {kind}: {one}" for one in wrong]
    outcome.seconds = time.perf_counter() - began
    return outcome


class _Made:
    """A project at an earlier and a later time, each made once and copied for every kill."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder
        folder.mkdir()
        path = folder / NAME
        store, session = open_session(path)
        for _ in range(40):
            step(session, chance)
        session.merge_round(a_round(session, 1))
        self.older = [ack_of(event) for event in store.replay()]
        self.backup = backups.back_up(path, folder / "older.labeler.db").path
        for _ in range(20):
            step(session, chance)
        for suffix in ("", "-wal", "-shm"):
            shutil.copy(folder / f"{NAME}{suffix}", folder / f"logged{suffix}")
        store.close()

    def placed(self, kind: str, folder: Path) -> Path:
        """A fresh copy of the project as `kind` finds it; returns its path."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        path = folder / NAME
        if kind.endswith("log"):
            for suffix in ("", "-wal", "-shm"):
                shutil.copy(self.folder / f"logged{suffix}", folder / f"{NAME}{suffix}")
            return path
        shutil.copy(self.folder / NAME, path)
        if kind == "a migration":
            make_older(path, 2)
        return path

    def work(self, kind: str, path: Path) -> Callable[[], None]:
        """What is done and killed."""
        if "restore" in kind:
            return lambda: void(backups.restore(self.backup, path))
        if kind == "a migration":
            return lambda: Store.open(path, before_migration=backups.before_migration).close()
        if kind == "a backup":
            return lambda: void(backups.back_up(path))

        def leave() -> None:
            with closing(Store.open(path)) as store:
                store.remember(left=time.time())
                backups.at_exit(store)

        return leave

    def unkilled(self, kind: str, folder: Path) -> float:
        """Seconds it takes in a child, as a rule."""
        times = []
        for _ in range(4):
            work = self.work(kind, self.placed(kind, folder))
            began = time.perf_counter()
            if trouble := run_and_kill(lambda _, work=work: work(), None).trouble:
                raise RuntimeError(trouble)
            times.append(time.perf_counter() - began)
        return statistics.median(times[1:])


def void(_: object) -> None:
    """Forget what came back."""


def _events(path: Path) -> list[Ack]:
    """The events of a project, read from a copy so that nothing of it is touched."""
    copied = path.with_name("looked-at")
    copied.mkdir()
    for suffix in ("", "-wal", "-shm"):
        if path.with_name(path.name + suffix).exists():
            shutil.copy(path.with_name(path.name + suffix), copied / f"{NAME}{suffix}")
    with closing(Store.open(copied / NAME, read_only=True)) as store:
        found = [ack_of(event) for event in store.replay()]
    shutil.rmtree(copied)
    return found


def _judge(path: Path, before: list[Ack], after: list[Ack], outcome: Outcome) -> list[str]:
    """What is wrong right after the kill."""
    if not path.exists():
        return ["the project is gone"]
    wrong = []
    try:
        found = _events(path)
    except LabelerError as error:
        return [f"the project does not open: {error.message}"]
    if found == before:
        outcome.saw("the project was as before")
    elif found == after:
        outcome.saw("the project was restored")
        kept = list(path.parent.glob("*before-restore*.labeler.db"))
        if len(kept) != 1 or _events(kept[0]) != before:
            wrong.append("what was replaced is not kept beside it")
    else:
        wrong.append(f"{len(found)} events are there, neither the {len(before)} before nor the {len(after)} after")
    for backup in backups.folder_of(path).glob("*.labeler.db"):
        try:
            backups.verified(backup)
        except LabelerError as error:
            wrong.append(f"a backup is none: {error.message}")
        wrong += inspect(backup) if backup.suffix == ".db" and "migration" not in backup.name else []
    return wrong
