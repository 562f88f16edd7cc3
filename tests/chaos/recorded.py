"""Sessions that are written down for the model of a disk: ``python -m tests.chaos.recorded WORK FOLDER``, preloaded."""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import sys
from pathlib import Path

import numpy as np

from labeler.core.errors import LabelerError
from labeler.project import backups
from labeler.session.session import Session
from labeler.store import open as opening
from labeler.store import open_file
from labeler.store.store import VARIABLE, Store
from tests.chaos.writing import a_round, open_session, step

NAME = "chaos.labeler.db"
ELSEWHERE = "elsewhere.labeler.db"
COPY = "copy.labeler.db"


def steps(session: Session, count: int, seed: int) -> None:
    """Random commands; where the disk does not take one, it is tried again."""
    chance = random.Random(seed)
    for _ in range(count):
        state = chance.getstate()
        for _ in range(3):
            chance.setstate(state)
            with contextlib.suppress(LabelerError):
                step(session, chance)
                break


def opened(path: Path) -> tuple[Store, Session]:
    """A session; where the disk fails while it is opened, it is opened again."""
    with contextlib.suppress(LabelerError):
        return open_session(path)
    return open_session(path)


def new(folder: Path, seed: int) -> None:
    """A file is made, answered in and closed."""
    store, session = opened(folder / NAME)
    steps(session, 25, seed)
    store.close()


def resume(folder: Path, seed: int) -> None:
    """A file that is there is opened and closed several times."""
    for number in range(3):
        store, session = opened(folder / NAME)
        steps(session, 8, seed + number)
        store.close()


def large(folder: Path, seed: int) -> None:
    """Rounds and half a megabyte of derived arrays between answers, so that the log is folded in as it grows."""
    store, session = opened(folder / NAME)
    draw = np.random.default_rng(seed)
    for number in range(12):
        with contextlib.suppress(LabelerError):
            store.save_round(a_round(session, seed + number))
            store.put_arrays("large", {"noise": draw.integers(0, 255, 600_000).astype(np.uint8)})
        steps(session, 3, seed + number)
    store.close()


def quit_(folder: Path, seed: int) -> None:
    """Hardly anything but opening and quitting, with the backup at the end."""
    for number in range(6):
        store, session = opened(folder / NAME)
        steps(session, number % 3, seed + number)
        with contextlib.suppress(LabelerError):
            backups.at_exit(store)
        store.close()


def backup(folder: Path, seed: int) -> None:
    """Copies while it is answered in."""
    store, session = opened(folder / NAME)
    for number in range(4):
        steps(session, 4, seed + number)
        with contextlib.suppress(LabelerError):
            backups.back_up(folder / NAME, folder / f"{number}-{COPY}")
    store.close()


def restore(folder: Path, seed: int) -> None:
    """A copy comes back in the place of its project."""
    del seed
    with contextlib.suppress(LabelerError):
        backups.restore(folder / COPY, folder / NAME)


def migration(folder: Path, seed: int) -> None:
    """A file of an older schema is brought up to date and answered in."""
    with contextlib.suppress(LabelerError):
        Store.open(folder / NAME, before_migration=backups.before_migration).close()
    store, session = opened(folder / NAME)
    steps(session, 8, seed)
    store.close()


def elsewhere(folder: Path, seed: int) -> None:
    """All goes on in another file."""
    store, session = opened(folder / NAME)
    steps(session, 6, seed)
    with contextlib.suppress(LabelerError):
        other = backups.go_on_at(store, folder / ELSEWHERE, folder)
        session.recorder.go_on_in(other)
        store, before = other, store
        before.close()
    steps(session, 8, seed + 1)
    store.close()


WORKS = {
    "new file": new,
    "resume": resume,
    "large rounds": large,
    "quit": quit_,
    "backup": backup,
    "restore": restore,
    "migration": migration,
    "save elsewhere": elsewhere,
}


def main() -> None:
    """Do one work; what is acknowledged is written to a file of the same record."""
    work, folder, seed, network, failing = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:6])
    os.environ[VARIABLE] = str(os.open(folder / "acks", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    if network:
        opening.is_on_network = lambda path: True  # type: ignore[assignment]
    open_file.LARGEST_LOG = 1 << 20
    if failing:
        shim = ctypes.CDLL(os.environ["LD_PRELOAD"])
        ctypes.c_int.in_dll(shim, "labeler_fail_flush").value = failing
    WORKS[work](folder, seed)


if __name__ == "__main__":
    main()
