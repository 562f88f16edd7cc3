"""An export over an older one, killed at random moments: the old is there whole, or the new."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import time
from pathlib import Path

import numpy as np

from benchmarks.terminal import ROOT
from labeler.commands.export.export import export
from labeler.core.files import WORKING, Place
from labeler.core.types import Progress
from labeler.plugins.exporters.write import MANIFEST
from labeler.project.open import open_project
from labeler.project.options import Options
from tests.chaos.forks import run_and_kill
from tests.chaos.outcome import Outcome

N = 150
TARGETS = ("labels.csv", "labels.jsonl", "labels.npz", "folders")
WRITING = b"step:writing\n"

MINE = {"notes.txt": b"mine", "mine/p.labeler.db": b"a project of mine", "7/why.md": b"in a folder of a class"}
"""What a person has put into the folder of the older export."""

Tree = dict[str, str]
"""Every file below a place by its path, with the hash of its content."""


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Kill `count` exports."""
    outcome = Outcome(
        "export kills",
        count,
        "kills of an export",
        seed,
        f"An export of {N} digits (csv, jsonl, npz, folders of images) over an older one, killed at a random moment,"
        " half of them while it writes. What is there is the old one whole or the new one whole, a manifest describes"
        " what it stands beside; the next export succeeds, is the new one to the byte, and leaves nothing else in the"
        " folder: it sweeps up what the killed one left. What a person put into the folder of the older one (notes, a"
        " project) is there all the time, to the byte: in it, or set aside with it until the next export.",
    )
    began = time.perf_counter()
    chance = random.Random(seed)
    projects = _projects(folder)
    old, new, spans = {}, {}, {}
    for target in TARGETS:
        for name, trees in (("old", old), ("new", new)):
            place = folder / name / target
            place.parent.mkdir(exist_ok=True)
            spans[target] = _export(projects[name], place)
            trees[target] = tree(place.parent, target)
    for number in range(count):
        if outcome.is_over(number):
            break
        target = chance.choice(TARGETS)
        place = folder / "killed" / target
        shutil.rmtree(place.parent, ignore_errors=True)
        shutil.copytree(folder / "old", place.parent)
        if target == "folders":
            _put_mine(place)
        others = {name: tree(place.parent, name) for name in TARGETS if name != target}
        before_writing, writing = spans[target]
        work = lambda side, place=place: _export(projects["new"], place, side)  # noqa: E731
        if chance.random() < 0.5:
            ended = run_and_kill(work, chance.random() * writing, WRITING)
        else:
            ended = run_and_kill(work, chance.random() * 0.9 * (before_writing + writing))
        outcome.saw("killed" if ended.was_killed else "done before the kill")
        outcome.saw("killed while writing", int(ended.was_killed and WRITING in ended.said))
        wrong = [ended.trouble] if ended.trouble else []
        wrong += _judge(place, old[target], new[target], outcome)
        wrong += _lost(place, Place(place).aside / "target")
        outcome.saw("left something to sweep up", int(any(place.parent.glob(f"{WORKING}*"))))
        again = run_and_kill(work, None)
        wrong += [f"the next export failed: {again.trouble}"] if again.trouble else []
        wrong += _lost(place)
        if tree(place.parent, target) != new[target]:
            wrong.append("the next export is not the new one")
        wrong += [f"left behind: {path.name}" for path in place.parent.glob(f"{WORKING}*")]
        if {name: tree(place.parent, name) for name in TARGETS if name != target} != others:
            wrong.append("another export beside it changed")
        outcome.failures += [f"kill {number} ({target}): {one}" for one in wrong]
    outcome.seconds = time.perf_counter() - began
    return outcome


def _projects(folder: Path) -> dict[str, Path]:
    """A project at an earlier and at a later time."""
    source = folder / "digits.npz"
    with np.load(ROOT / "labeler" / "_data" / "digits.npz") as arrays:
        np.savez(source, X=arrays["X"][:N], y=arrays["y"][:N])
        truth = [str(name) for name in arrays["y"][:N]]
    path = folder / "chaos.labeler.db"
    found = {}
    for name, answers in (("old", 30), ("new", 45)):
        with open_project(source, path, Options(classes=tuple("0123456789"))) as project:
            session = project.session
            while session.state.answers.n_single < answers:
                index = session.state.answers.n_single * 3
                session.label(session.pool.ids[index], session.classes.id_for(truth[index]))
        found[name] = folder / f"{name}.labeler.db"
        shutil.copy(path, found[name])
    return found


def _export(project: Path, target: Path, side: int | None = None) -> tuple[float, float]:
    """Export over what is there; seconds until it wrote, and of writing."""
    moments = [time.perf_counter()]

    def say(step: Progress) -> None:
        if step.what == "writing":
            moments.append(time.perf_counter())
            if side is not None:
                os.write(side, WRITING)

    with open_project(project, read_only=True) as opened:
        export(opened, target, force=True, progress=say)
    return moments[1] - moments[0], time.perf_counter() - moments[1]


def _put_mine(place: Path) -> None:
    for name, content in MINE.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(content)


def _lost(place: Path, *asides: Path) -> list[str]:
    """What of a person's is neither in a folder nor where it was set aside."""
    if place.suffix:
        return []
    return [
        f"{name} is gone"
        for name, content in MINE.items()
        if not any((at / name).is_file() and (at / name).read_bytes() == content for at in (place, *asides))
    ]


def tree(folder: Path, target: str) -> Tree:
    """The files of an export: of the target, or below it, and its manifest; without what a person put there."""
    place = folder / target
    files = [path for path in place.rglob("*") if path.is_file()] if place.is_dir() else [place]
    files.append(folder / f"{target}.{MANIFEST}")
    mine = {place / name for name in MINE}
    return {str(path.relative_to(folder)): _hash(path) for path in files if path.is_file() and path not in mine}


def _judge(place: Path, old: Tree, new: Tree, outcome: Outcome) -> list[str]:
    """What is wrong with what a killed export left; without a manifest a pair is not complete yet."""
    found = tree(place.parent, place.name)
    if found in (old, new):
        outcome.saw("the old one was there" if found == old else "the new one was there")
        return []
    aside = Place(place).aside / "target"
    if not place.exists() and tree(aside.parent, aside.name) == {
        f"target/{k.split('/', 1)[1]}": v for k, v in old.items()
    }:
        outcome.saw("the old folder was set aside")
        return []
    manifest = f"{place.name}.{MANIFEST}"
    if manifest not in found and any(found == {k: v for k, v in one.items() if k != manifest} for one in (old, new)):
        outcome.saw("the data were there, the manifest not yet")
        return [] if place.is_file() or not found else ["a folder is not whole"]
    if manifest in found:
        said = json.loads((place.parent / manifest).read_text())["files"]
        if said != {place.name: found.get(place.name)}:
            return ["the manifest describes something else"]
    return [f"neither the old nor the new one: {sorted(found)[:5]}"]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
