"""Project files with flipped bits and lost or swapped pages: found or harmless, never a wrong count in silence."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.terminal import ROOT
from labeler.commands.check import check
from labeler.commands.export.export import ExportOptions, export
from labeler.commands.status import status
from labeler.core.errors import LabelerError
from labeler.project.open import Project, open_project
from labeler.project.options import Options
from labeler.session.final_labels import final_labels
from tests.chaos.forks import run_and_kill
from tests.chaos.outcome import Outcome
from tests.chaos.writing import step

N = 100
PAGE = 4096
EXPORTED = 5
"""Every so many files are exported as well."""


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Damage a project `count` times, in one of its two states: at rest, or as a kill leaves it, with its log."""
    outcome = Outcome(
        "mutated project files",
        count,
        "damaged files",
        seed,
        "Flipped bits, zeroed, swapped, doubled and lost pages, truncations, appended junk, in a project file at rest"
        " and in one with its log as a kill leaves it. Each is checked, opened, counted, labeled in, opened again, and"
        f" every {EXPORTED}th exported: either somebody is told, or every count and label is what it was.",
    )
    began = time.perf_counter()
    at_rest, logged, truth = make(folder)
    chance = random.Random(seed)
    path = folder / "damaged" / at_rest.name
    path.parent.mkdir()
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    for number in range(count):
        if outcome.is_over(number):
            break
        for old in path.parent.iterdir():
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        is_logged = chance.random() < 0.25
        kind = _damage(logged if is_logged else at_rest, path, chance)
        exported = number % EXPORTED == 0
        ended = run_and_kill(lambda side, exported=exported: _look(path, truth, exported, side), None)
        told = next((line for line in ended.said.split(b"\n") if line.startswith(b"{")), b"{}")
        found: dict[str, Any] = json.loads(told)
        where = f"file {number} ({kind}{', with a log' if is_logged else ''})"
        outcome.saw(found.get("verdict", "crashed or hung"))
        if found.get("seen") == "damaged" and found.get("verdict") != "refused":
            outcome.saw("told by the check although it opens")
        for one in (*found.get("wrong", []), *([ended.trouble] if ended.trouble else [])):
            outcome.failures.append(f"{where}: {one}")
            shutil.copytree(path.parent, folder / f"failed-{number}", dirs_exist_ok=True)
    outcome.seconds = time.perf_counter() - began
    return outcome


def make(folder: Path) -> tuple[Path, Path, dict[str, Any]]:
    """A project of some work at rest, the same with answers in its log, and what is true of both."""
    source, kept = folder / "digits.npz", folder / "chaos.labeler.db"
    with np.load(ROOT / "labeler" / "_data" / "digits.npz") as arrays:
        np.savez(source, X=arrays["X"][:N], y=arrays["y"][:N])
        truth = [str(name) for name in arrays["y"][:N]]
    with open_project(source, kept, Options(classes=tuple("0123456789"))) as project:
        session = project.session
        _work(project, truth, 30)
        closing = project.closing_round()
        final = final_labels(session.state, closing)
        session.audit.begin(final, target=0.9, confidence=0.9, seed=0)
        for _ in range(5):
            index = session.audit.next_index()
            assert index is not None
            name = session.pool.ids[index]
            session.audit.answer(name, session.classes.id_for(truth[index]))
        _work(project, truth, 20)
        project.closing_round()
    at_rest = folder / "rest" / kept.name
    at_rest.parent.mkdir()
    shutil.copy(kept, at_rest)
    logged = folder / "logged" / kept.name
    logged.parent.mkdir()
    with open_project(kept) as project:  # the same again, as if it were killed now
        session = project.session
        session.label(session.pool.ids[0], 3)
        session.undo()
        for file in folder.glob(f"{kept.name}*"):
            if not file.name.endswith(".lock"):
                shutil.copy(file, logged.parent / file.name)
    shutil.copytree(folder / "chaos.labeler.cache", folder / "cache")
    return at_rest, logged, {"rest": facts_of(at_rest), "logged": facts_of(logged)}


def _work(project: Project, truth: list[str], count: int) -> None:
    session, chance = project.session, random.Random(count)
    for _ in range(count):
        question = session.question
        if question is not None:
            session.label(question.instance_id, session.classes.id_for(truth[question.index]))
    for _ in range(count):
        step(session, chance)


def facts_of(path: Path) -> dict[str, Any]:
    """Everything that is counted or shown of a project, JSON-able."""
    with open_project(path, read_only=True, with_source=False) as project:
        return _facts(project)


def _facts(project: Project) -> dict[str, Any]:
    session = project.session
    names = {class_id: info.name for class_id, info in session.state.classes.items()}
    labels = [session.label_of(index) for index in range(len(session.pool))]
    counted = {key: value for key, value in status(project).to_json().items() if key not in ("project", "question")}
    return json.loads(  # type: ignore[no-any-return]
        json.dumps(
            counted
            | {
                "labels": [[names.get(class_id, ""), int(provenance)] for class_id, provenance in labels],
                "ids": session.pool.ids,
                "standing": sorted([index, one.kind, one.class_id] for index, one in session.state.answers.items()),
                "flags": sorted(session.state.flagged),
                "options": project.options,
                "history": len(session.machine_labels.history),
            }
        )
    )


def _look(path: Path, truths: dict[str, Any], exported: bool, side: int) -> None:
    """In a process of its own: open the damaged file in every way, and say what came of it."""
    log = path.with_name(path.name + "-wal")
    truth = truths["logged" if log.exists() else "rest"]
    wrong: list[str] = []
    is_checked_first = (
        len(path.read_bytes()) % 2 == 0
    )  # whoever looks first at a damaged log is told; so both are tried
    seen = _check(path, wrong) if is_checked_first else None
    try:
        with open_project(path, read_only=True, with_source=False) as project:
            said = list(project.notices)
            found = _facts(project)
        verdict = "noted" if said or seen == "damaged" else "harmless"
        if verdict == "harmless" and found != truth:
            wrong.append(f"in silence: {_difference(found, truth)}")
        if not wrong:
            wrong += _go_on(path)
            if exported:
                wrong += _export(path)
    except LabelerError as error:
        verdict = "refused"
        if "\n" in error.message or not error.hint:
            wrong.append(f"not one line and a hint: {error.message!r} {error.hint!r}")
        if (seen or _check(path, wrong)) == "sound":
            wrong.append(f"the check finds nothing in a file that is refused: {error.message}")
    if path.with_name(path.name + ".lock").exists():
        wrong.append("the lock is left")
    told = {"verdict": verdict, "wrong": wrong, "seen": seen}
    os.write(side, b"\n" + json.dumps(told).encode() + b"\n")


def _check(path: Path, wrong: list[str]) -> str:
    """What `labeler check` says, which changes nothing: "sound", "damaged" or "refused"."""
    before = {file.name: file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith("-shm")}
    try:
        verdict = "sound" if check(path).is_sound else "damaged"
    except LabelerError:
        verdict = "refused"
    after = {file.name: file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith("-shm")}
    if after != before:
        wrong.append(
            f"the check changed {sorted(name for name in after | before if after.get(name) != before.get(name))}"
        )
    return verdict


def _go_on(path: Path) -> list[str]:
    """Labels given in a file that opened are there afterwards, or somebody is told."""
    try:
        with open_project(path, with_source=False) as project:
            session = project.session
            free = [name for name in session.pool.ids if session.pool.index(name) not in session.state.answers][:3]
            class_id = session.state.active_classes()[0].class_id
            for name in free:
                session.label(name, class_id)
            expected = dict(session.state.answers)
        with open_project(path, read_only=True, with_source=False) as project:
            if dict(project.session.state.answers) != expected:
                return ["labels given in it are gone"]
    except LabelerError:
        return []
    return []


def _export(path: Path) -> list[str]:
    """The labels that people gave leave as they were given, or nothing leaves."""
    target = path.with_name("labels.csv")
    try:
        shutil.copytree(path.parent.parent / "cache", path.with_name("chaos.labeler.cache"))
        with open_project(path, read_only=True) as project:
            export(project, target, None, ExportOptions(human_only=True, latest=True))
            given = project.session.state.answers.counts["label"] - sum(
                count for (_, word), count in project.session.state.answers.given.items() if word == 3
            )
        if len(target.read_text().splitlines()) != given + 1:
            return ["the export holds another number of labels"]
    except LabelerError:
        return []
    return []


def _difference(found: dict[str, Any], truth: dict[str, Any]) -> str:
    return "; ".join(
        f"{key}: {str(found[key])[:150]}, not {str(truth[key])[:150]}" for key in truth if found[key] != truth[key]
    )


# -- damage ------------------------------------------------------------------------------------------------------


def _damage(sound: Path, path: Path, chance: random.Random) -> str:
    """Copy a project and damage one of its files; what was done."""
    for file in sound.parent.iterdir():
        shutil.copy(file, path.parent / file.name)
    files = sorted(path.parent.iterdir())
    file = chance.choice(files)
    content = bytearray(file.read_bytes())
    kind = chance.choice(list(KINDS))
    KINDS[kind](content, chance)
    file.write_bytes(content)
    return f"{kind} in {file.name}"


def _flip(content: bytearray, chance: random.Random, count: int = 1) -> None:
    for _ in range(count):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def _zero(content: bytearray, chance: random.Random, size: int) -> None:
    start = chance.randrange(max(len(content) // size, 1)) * size
    content[start : start + size] = bytes(len(content[start : start + size]))


def _swap(content: bytearray, chance: random.Random) -> None:
    one, other = (chance.randrange(max(len(content) // PAGE, 1)) * PAGE for _ in range(2))
    kept = content[one : one + PAGE]
    content[one : one + PAGE] = content[other : other + PAGE]
    content[other : other + PAGE] = kept


def _double(content: bytearray, chance: random.Random) -> None:
    one, other = (chance.randrange(max(len(content) // PAGE, 1)) * PAGE for _ in range(2))
    content[one : one + PAGE] = content[other : other + PAGE]


def _noise(content: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(content))
    size = chance.choice((4, 64, 512))
    content[start : start + size] = chance.randbytes(len(content[start : start + size]))


def _cut(content: bytearray, chance: random.Random, size: int = 1) -> None:
    del content[chance.randrange(len(content)) // size * size :]


KINDS: dict[str, Callable[[bytearray, random.Random], None]] = {
    "a flipped bit": _flip,
    "eight flipped bits": lambda content, chance: _flip(content, chance, 8),
    "noise": _noise,
    "a zeroed sector": lambda content, chance: _zero(content, chance, 512),
    "a zeroed page": lambda content, chance: _zero(content, chance, PAGE),
    "swapped pages": _swap,
    "a doubled page": _double,
    "cut anywhere": _cut,
    "cut between pages": lambda content, chance: _cut(content, chance, PAGE),
    "junk behind it": lambda content, chance: content.extend(chance.randbytes(chance.randrange(1, 20_000))),
}
