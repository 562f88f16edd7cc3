"""The file under a writer is linked, moved, removed, replaced, overwritten, copied; its log or its folder goes."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from labeler.commands.check import check
from labeler.core.errors import LabelerError, NotSaved, ProjectBusy
from labeler.project import backups
from labeler.session.session import Session
from labeler.store.store import Store
from tests.chaos.evidence import Ack, ack_of, acknowledged, compare
from tests.chaos.forks import run_and_kill
from tests.chaos.outcome import Outcome
from tests.chaos.writing import open_session, step

NAME = "chaos.labeler.db"


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Do something to the file under a writer `count` times."""
    outcome = Outcome(
        "places",
        count,
        "files changed under a writer",
        seed,
        "A bare Session and Store whose file gets a second name (hard or symbolic link, in its folder or another), is"
        " moved (and moved back), removed, replaced by another project or overwritten by one, copied, or loses its log,"
        " its index, its lock file or its whole folder while answers are given. By no name does a second writer come"
        " in; each answer is in the file that bears the name, or NOT saved is said and all goes on elsewhere, or into a"
        " backup, with every answer that was acknowledged before; nothing of anybody else's file is touched.",
    )
    began, chance = time.perf_counter(), random.Random(seed)
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    for number in range(count):
        if outcome.is_over(number):
            break
        kind = chance.choice([*KINDS, *KILLED])
        place = folder / str(number)
        (place / "here").mkdir(parents=True)
        (place / "there").mkdir()
        wrong = _killed(place, kind, chance) if kind in KILLED else _one(place, KINDS[kind], chance)
        outcome.saw(kind)
        outcome.failures += [f"{number} ({kind}): {one}" for one in wrong]
        if not wrong:
            shutil.rmtree(place)
    outcome.seconds = time.perf_counter() - began
    return outcome


Change = Callable[[Path, Path, random.Random], None]
"""What is done to a project file: (the file, a folder beside its own, chance)."""


def _hard_link(path: Path, there: Path, chance: random.Random) -> None:
    os.link(path, chance.choice((there, path.parent)) / "second.labeler.db")


def _symbolic_link(path: Path, there: Path, chance: random.Random) -> None:
    (chance.choice((there, path.parent)) / "second.labeler.db").symlink_to(path)


def _link_without_lock(path: Path, there: Path, chance: random.Random) -> None:
    _hard_link(path, there, chance)
    _remove_beside(path, ".lock")


def _move(path: Path, there: Path, chance: random.Random) -> None:
    path.replace(there / chance.choice((NAME, "other.labeler.db")))


def _remove(path: Path, there: Path, chance: random.Random) -> None:
    path.unlink()
    for suffix in ("-wal", "-shm", ".lock"):
        if chance.random() < 0.5:
            _remove_beside(path, suffix)


def _replace(path: Path, there: Path, chance: random.Random) -> None:
    _another(there / "another.labeler.db").replace(path)
    if chance.random() < 0.5:
        for suffix in ("-wal", "-shm"):
            _remove_beside(path, suffix)


def _overwrite(path: Path, there: Path, chance: random.Random) -> None:
    content = _another(there / "another.labeler.db").read_bytes()
    with path.open("r+b") as file:  # the same file, another content
        file.write(content)
        file.truncate()


def _copy(path: Path, there: Path, chance: random.Random) -> None:
    shutil.copy(path, there / NAME)


def _remove_beside(path: Path, suffix: str) -> None:
    path.with_name(path.name + suffix).unlink(missing_ok=True)


def _folder_moved(path: Path, there: Path, chance: random.Random) -> None:
    path.parent.replace(there / "moved")


def _folder_removed(path: Path, there: Path, chance: random.Random) -> None:
    shutil.rmtree(path.parent)


KINDS: dict[str, Change] = {
    "a hard link": _hard_link,
    "a symbolic link": _symbolic_link,
    "a link, and the lock file removed": _link_without_lock,
    "moved": _move,
    "removed": _remove,
    "replaced": _replace,
    "overwritten": _overwrite,
    "copied": _copy,
    "the lock file removed": lambda path, there, chance: _remove_beside(path, ".lock"),
    "the log removed": lambda path, there, chance: _remove_beside(path, "-wal"),
    "the index removed": lambda path, there, chance: _remove_beside(path, "-shm"),
    "the folder moved": _folder_moved,
    "the folder removed": _folder_removed,
}


KILLED = ("killed, then opened by a link", "killed, then moved without its log", "killed, then moved with its log")


def _killed(place: Path, kind: str, chance: random.Random) -> list[str]:
    """The answers of a killed writer are in a log that is called as the file was."""
    path, other = place / "here" / NAME, place / "there" / "second.labeler.db"
    if "link" in kind:
        open_session(path)[0].close()
        os.link(path, other)
    with_acks = run_and_kill(lambda side: _answer_for_good(path, chance.randrange(1 << 30)), None)
    acks = acknowledged(with_acks.said)
    if "moved" in kind:
        path.replace(other)
    if "with its log" in kind:
        path.with_name(f"{NAME}-wal").replace(other.with_name(f"{other.name}-wal"))
    try:
        store = Store.open(other, read_only=chance.random() < 0.5)
    except LabelerError as error:
        return [] if "without" in kind and f"{NAME}-wal" in error.message else [error.message]
    with contextlib.closing(store):
        wrong = compare(list(store.replay()), acks, 4)
    return [*wrong, "opened without a word"] if "without" in kind and len(acks) else wrong


def _answer_for_good(path: Path, salt: int) -> None:
    _, session = open_session(path)
    chance = random.Random(salt)
    for _ in range(12):
        step(session, chance)
    os._exit(0)  # as a kill: nothing is closed


def _another(path: Path) -> Path:
    """Another project of the same instances, which nobody may touch."""
    store, session = open_session(path)
    for number in range(30):
        with contextlib.suppress(LabelerError):
            step(session, random.Random(number))
    store.close()
    return path


def _one(place: Path, change: Change, chance: random.Random) -> list[str]:
    path, there = place / "here" / NAME, place / "there"
    store, session = open_session(path)
    wrong: list[str] = []
    acks = [ack_of(event) for event in store.replay()]
    wrong += _answer(session, store, acks, chance, chance.randint(0, 12))
    change(path, there, chance)
    wrong += _nobody_else(path, there)
    before = {file: file.read_bytes() for file in place.rglob("*.labeler.db") if not _is_ours(file, store)}
    went_on = _answer(session, store, acks, chance, chance.randint(1, 6))
    wrong += [one for one in went_on if one is not NOT_SAVED]
    if NOT_SAVED in went_on and chance.random() < 0.5:
        target = place / "elsewhere.labeler.db"
        wrong += _go_on(session, store, target, acks, chance)
        wrong += _holds(target, acks) if target.exists() else []
    elif store.is_lost:
        made = backups.keep(store, "lost")
        store.close()
        wrong += _holds(made.path, acks)
    else:
        store.close()
        wrong += _holds(path, acks) if change is not _overwrite else []
        for name in place.rglob("second.labeler.db"):
            wrong += _holds(name, acks)
    touched = [file for file, content in before.items() if file.exists() and file.read_bytes() != content]
    return wrong + [f"{file} was touched" for file in touched]


NOT_SAVED = "NOT saved"


def _is_ours(file: Path, store: Store) -> bool:
    lock = store._file.lock
    status = file.stat()
    return lock is not None and (status.st_dev, status.st_ino) == lock.identity


def _answer(session: Session, store: Store, acks: list[Ack], chance: random.Random, count: int) -> list[str]:
    """Give answers; each that is acknowledged must be in the file that bears the project's name."""
    wrong = []
    for _ in range(count):
        before = session.state.revision
        try:
            step(session, chance)
        except NotSaved:
            return [*wrong, NOT_SAVED]
        new = list(store.replay())[len(acks) :] if session.state.revision != before else []
        acks += [ack_of(event) for event in new]
        if new and store.is_lost:
            wrong.append("acknowledged although the file is gone")
    return wrong


def _nobody_else(path: Path, there: Path) -> list[str]:
    wrong = []
    for name in (path, path.with_name("second.labeler.db"), there / "second.labeler.db", there / "other.labeler.db"):
        if not name.exists() or not name.samefile(path if path.exists() else name):
            continue
        try:
            Store.open(name).close()
        except ProjectBusy:
            continue
        except LabelerError:
            continue
        if name == path or "second" in name.name:
            wrong.append(f"a second writer came in by the name {name.name}")
    return wrong


def _go_on(session: Session, store: Store, target: Path, acks: list[Ack], chance: random.Random) -> list[str]:
    try:
        other = backups.go_on_at(store, target, target.parent)
    except LabelerError as error:  # what was overwritten cannot be read any more, and is not called saved
        store.close()
        return (
            [] if "overwritten" in str(error) or "damaged" in str(error) or "malformed" in str(error) else [str(error)]
        )
    session.recorder.go_on_in(other)
    store.close()
    wrong = _answer(session, other, acks, chance, 3)
    other.close()
    return wrong


def _holds(path: Path, acks: list[Ack]) -> list[str]:
    try:
        report = check(path)
        wrong = [f"{path.name}: {finding.what}" for finding in report.findings]
        with contextlib.closing(Store.open(path, read_only=True)) as store:
            return wrong + compare(list(store.replay()), acks, 1)
    except LabelerError as error:
        return [f"{path.name} does not open: {error.message}"]
