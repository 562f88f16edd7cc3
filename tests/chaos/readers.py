"""Readers beside a writer, in other processes and in its own: nobody dies of it, and nothing is lost."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from labeler.commands.check import check
from labeler.core.errors import LabelerError
from labeler.project import backups
from labeler.project.paths import is_project
from labeler.store.lock import holder
from labeler.store.store import Store
from tests.chaos.evidence import acknowledged, examine
from tests.chaos.forks import run_and_kill
from tests.chaos.outcome import Outcome
from tests.chaos.writing import open_session, step

READERS = 8
ANSWERS = 40
_CRASHED = 70


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Let `count` writers answer, each beside readers."""
    outcome = Outcome(
        "readers",
        count,
        "writers beside readers",
        seed,
        f"A bare Session and Store gives {ANSWERS} answers while {READERS} other processes check, read and back up the"
        " project, and open it with SQLite alone; it looks at its own file in all these ways as well, and opens it a"
        " second time to read. Nobody dies of a signal; no reader is refused or finds anything wrong; every"
        " acknowledged event is there. (That no descriptor of the file, its log or its index is closed while a"
        " connection lives is seen in the record of the power cuts.)",
    )
    began, chance = time.perf_counter(), random.Random(seed)
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    for number in range(count):
        if outcome.is_over(number):
            break
        path = folder / f"{number}.labeler.db"
        open_session(path)[0].close()
        with contextlib.closing(Store.open(path, read_only=True)) as store:
            before = len(list(store.replay()))
        done = path.with_suffix(".done")
        readers = [_start(path, done, chance.randrange(1 << 30)) for _ in range(READERS)]
        ended = run_and_kill(lambda side, path=path, salt=number: _write(path, salt), None)
        done.touch()
        wrong = [ended.trouble] if ended.trouble else []
        for pid in readers:
            _, status = os.waitpid(pid, 0)
            if os.WIFSIGNALED(status):
                wrong.append(f"a reader died of {signal.Signals(os.WTERMSIG(status)).name}")
            elif os.WEXITSTATUS(status) == _CRASHED:
                wrong.append(f"a reader was refused: {path.with_suffix(f'.{pid}').read_text()[:300]}")
            else:
                outcome.saw("looks of readers", os.WEXITSTATUS(status))
        acks = acknowledged(ended.said)
        outcome.saw("acknowledged events", len(acks))
        wrong += examine(path, acks, before)
        outcome.failures += [f"writer {number}: {one}" for one in wrong]
        for left in folder.glob(f"{number}.*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    outcome.seconds = time.perf_counter() - began
    return outcome


def _write(path: Path, salt: int) -> None:
    chance = random.Random(salt)
    store, session = open_session(path)
    for number in range(ANSWERS):
        step(session, chance)
        if number % 4 == 0:
            _look(path, chance)
        time.sleep(0.001)
    store.close()


def _start(path: Path, done: Path, salt: int) -> int:
    """A process that reads until the writer is done; it ends with how often it looked."""
    pid = os.fork()
    if pid:
        return pid
    chance, looks = random.Random(salt), 0
    try:
        while not holder(path) and not done.exists():  # or it would be the writer itself
            time.sleep(0.001)
        while not done.exists():
            _look(path, chance)
            looks += 1
    except BaseException as error:
        path.with_suffix(f".{os.getpid()}").write_text(f"{error!r} {getattr(error, 'hint', '')}")
        os._exit(_CRASHED)
    os._exit(min(looks, _CRASHED - 1))


def _look(path: Path, chance: random.Random) -> None:
    chance.choice(LOOKS)(path)


def _check(path: Path) -> None:
    report = check(path)
    if not report.is_sound:
        raise AssertionError(report.findings[0].what)


def _read(path: Path) -> None:
    with contextlib.closing(Store.open(path, read_only=True)) as store:
        seqs = [event.seq for event in store.replay()]
        if seqs != list(range(1, len(seqs) + 1)) or store.notes:
            raise AssertionError(f"{len(seqs)} events, {store.notes}")


def _back_up(path: Path) -> None:
    target = path.with_name(f"{path.stem}.{os.getpid()}.{time.monotonic_ns()}.labeler.db")
    backups.back_up(path, target)
    target.unlink()


def _by_sqlite(path: Path) -> None:
    """Any other program of SQLite's, which folds the log in and removes it where nobody holds the locks."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True)) as other:
        other.execute("SELECT COUNT(*) FROM events").fetchone()


def _ask_around(path: Path) -> None:
    is_project(path)
    holder(path)
    with contextlib.suppress(LabelerError):  # it is open: refused, and the locks must outlive that
        Store.open(path).close()


LOOKS: tuple[Callable[[Path], None], ...] = (_check, _read, _back_up, _by_sqlite, _ask_around)
