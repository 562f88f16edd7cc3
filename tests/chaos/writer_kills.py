"""A session and its store, killed at random microseconds: while opening, migrating, committing, closing."""

from __future__ import annotations

import random
import sqlite3
import time
from pathlib import Path

from labeler.store import schema
from tests.chaos.evidence import acknowledged, examine
from tests.chaos.forks import run_and_kill
from tests.chaos.outcome import Outcome
from tests.chaos.writing import open_session, step

KILLS_A_FILE = 40
ACK = b"\n"
ACKS = (1, 2, 4, 8, 16)
"""Half of the kills are timed from one of so many acknowledgements on: however busy the machine is, they hit a writer
at work, and so many events are acknowledged."""
LONGEST = 0.08
"""Seconds that a writer lives at most; opening takes about 5 ms, a command about 1."""


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Kill `count` writers."""
    outcome = Outcome(
        "writer kills",
        count,
        "kills",
        seed,
        "A bare Session and Store killed (SIGKILL) at random microseconds, while opening, migrating an older file,"
        " answering, saving rounds, closing. Every acknowledged event is there, in order and once; integrity_check and"
        " every seal hold; the journal folds; one file is left.",
    )
    began = time.perf_counter()
    chance = random.Random(seed)
    acks, kills, path = [], 0, Path()
    for number in range(count):
        if outcome.is_over(number):
            break
        if number % KILLS_A_FILE == 0:
            path, acks, kills = folder / f"{number}.labeler.db", [], 0
        commands, salt = chance.choice((5, 30, 10_000)), chance.randrange(1 << 30)
        if acks and chance.random() < 0.15:
            make_older(path, chance.choice((1, 2)))
            outcome.saw("older files being migrated")
        after, times = (ACK if chance.random() < 0.5 else b""), chance.choice(ACKS)
        work = lambda _, path=path, n=commands, salt=salt: _write(path, n, salt)  # noqa: E731
        ended = run_and_kill(work, _when(chance), after, times=times)
        kills += 1
        outcome.saw("killed" if ended.was_killed else "closed before the kill")
        acks += acknowledged(ended.said)
        outcome.saw("acknowledged events", len(acknowledged(ended.said)))
        if not path.exists() or not path.stat().st_size:
            wrong = ["acknowledged events have no file"] if acks else []
        else:
            wrong = examine(path, acks, kills)
        if ended.trouble:
            wrong.append(ended.trouble)
        outcome.failures += [f"kill {number}: {one}" for one in wrong]
    outcome.seconds = time.perf_counter() - began
    return outcome


def _when(chance: random.Random) -> float:
    return chance.choice((0.004, 0.02, LONGEST)) * chance.random()


def _write(path: Path, commands: int, salt: int) -> None:
    store, session = open_session(path)
    chance = random.Random(salt)
    for _ in range(commands):
        step(session, chance)
    store.close()


def make_older(path: Path, n_migrations: int) -> None:
    """Turn a closed project file into what the version with the first so many migrations would have written."""
    old = path.with_name("older")
    old.unlink(missing_ok=True)
    made, new = sqlite3.connect(old, isolation_level=None), schema.MIGRATIONS
    try:
        schema.MIGRATIONS = new[:n_migrations]
        made.execute("BEGIN")
        schema.bring_up_to_date(made)
        made.execute("COMMIT")
    finally:
        schema.MIGRATIONS = new
    made.execute("ATTACH ? AS newer", [str(path)])
    for (table,) in made.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
        if table.startswith(("sqlite_", "_sqlite_")):
            continue
        columns = ", ".join(row[1] for row in made.execute(f"PRAGMA main.table_info({table})"))
        made.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}")
    made.close()
    old.replace(path)
