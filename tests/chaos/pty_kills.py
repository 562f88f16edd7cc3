"""The real application in a terminal, keys pressed by chance, ended at a random moment, and opened again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.terminal import ROOT, labeler
from labeler.core.errors import LabelerError
from labeler.project.open import open_project
from tests.chaos.evidence import Ack, acknowledged, examine
from tests.chaos.outcome import Outcome
from tests.chaos.screen import Watched

N = 300
CLASSES = "0,1,2,3,4,5,6,7,8,9"
STARTS_A_PROJECT = 10
SIZES = ((80, 24), (120, 40), (64, 20))
ANSWERS = "0123456789"
OTHERS = (" ", "\x7f", "\x1a", "\x19", "U", "F", "A", "X", "\r", "\x1b[C", "\x1b[D")
ANYTHING = (*OTHERS, *"GMTSRCDIKPV?HLNEZxj.-+/", "\x1b", "\t", "\x1b[A", "\x1b[B", "\x10")
PATIENCE = 60.0
EARLY = "before the first picture"
"""What the application says of a key that came before there was something to answer."""
LEAST_GAP = 0.05
"""Seconds between two keys at least: the same key more often than 25 times a second counts as held down."""
ENDS = {
    "killed while it starts": 4,
    "killed while answering": 8,
    "killed while any key is pressed": 3,
    "killed at rest": 4,
    "killed while quitting": 2,
    "worker killed": 3,
    "SIGTERM": 1,
    "SIGHUP": 1,
    "terminal gone": 1,
}
"""How a run of the application ends, and how often of all of them."""


@dataclass
class Place:
    """One project that is opened again and again."""

    folder: Path
    source: Path
    acks: list[Ack] = field(default_factory=list)
    starts: int = 0
    at_rest: str = ""  # the question that must come again, where the last run ended at rest

    @property
    def path(self) -> Path:
        """The project file."""
        return self.folder / "chaos.labeler.db"

    def command(self, chance: random.Random) -> list[str]:
        """How to open it: by its source, or once it holds answers by its own name."""
        if self.acks and chance.random() < 0.5:
            return labeler("label", self.path)
        return labeler("label", self.source, "-p", self.path, "--classes", CLASSES)

    def expected(self) -> str:
        """The question that is asked when it is opened, as the file has it; "" where it has none yet."""
        if not self.path.exists() or not self.path.stat().st_size:
            return ""
        with open_project(self.path, read_only=True, with_source=False) as project:
            question = project.view().question
            return question.instance_id if question is not None and project.view().round is not None else ""


def run(count: int, seed: int, folder: Path) -> Outcome:
    """End `count` runs of the application."""
    outcome = Outcome(
        "pty kills",
        count,
        "runs of the application",
        seed,
        f"`labeler label` on {N} digits in a pseudo-terminal with its worker, keys pressed by chance, ended at a random"
        " moment, opened again. Every acknowledged event is there, in order and once; integrity_check and every seal"
        " hold; the same question is on the screen; the application goes on without its worker; no process is left;"
        " every opening succeeds; after ten runs the export holds every label.",
    )
    began = time.perf_counter()
    chance = random.Random(seed)
    # as installed: with compiled files, which some environments do not keep
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    source = folder / "digits.npz"
    with np.load(ROOT / "labeler" / "_data" / "digits.npz") as arrays:
        np.savez(source, X=arrays["X"][:N], y=arrays["y"][:N])
    place = Place(folder, source)
    for number in range(count):
        if outcome.is_over(number):
            break
        if number % STARTS_A_PROJECT == 0:
            (folder / str(number)).mkdir()
            place = Place(folder / str(number), source)
        end = chance.choices(list(ENDS), list(ENDS.values()))[0]
        wrong = one_run(place, end, chance, outcome)
        if (number + 1) % STARTS_A_PROJECT == 0 or number == count - 1:
            wrong += at_last(place)
            outcome.saw("projects exported at the end")
        outcome.failures += [f"run {number} ({end}): {one}" for one in wrong]
        outcome.saw(end)
    outcome.saw("acknowledged events", 0)
    outcome.seconds = time.perf_counter() - began
    return outcome


def one_run(place: Place, end: str, chance: random.Random, outcome: Outcome) -> list[str]:
    """Open the application, press keys, end it in the way of `end`; what is wrong then."""
    try:
        expected = place.expected()
    except LabelerError as error:
        return [f"it does not open for reading: {error.message}"]
    wrong = []
    if place.at_rest and expected != place.at_rest:
        wrong.append(f"asked {place.at_rest!r} at rest, the file would ask {expected!r}")
    place.at_rest = ""
    seen = Watched(place.command(chance), chance.choice(SIZES), place.folder / "state")
    place.starts += 1
    try:
        if end == "killed while it starts":
            seen.until(lambda: False, chance.choice((0.3, 1.0, 3.0)) * chance.random())
            wrong += crashed(seen)
        elif not seen.until(lambda: seen.is_asking, PATIENCE):
            wrong.append(f"no question was painted: {last_words(seen)}")
        else:
            if expected and seen.question != expected:
                wrong.append(f"the file asks {expected!r}, the screen {seen.question!r}")
            wrong += _act(seen, place, end, chance, outcome)
        _end(seen, end, chance, wrong)
        left = seen.outlived_by()
        wrong += [f"{len(left)} processes were left behind"] if left else []
    finally:
        seen.put_away()
    new = acknowledged(seen.said)
    outcome.saw("acknowledged events", len(new))
    place.acks += new
    if place.path.exists() and place.path.stat().st_size:
        wrong += examine(place.path, place.acks, place.starts)
    elif place.acks:
        wrong.append("acknowledged events have no file")
    return wrong


def _act(seen: Watched, place: Place, end: str, chance: random.Random, outcome: Outcome) -> list[str]:
    """Press keys in the way of `end`."""
    if end == "worker killed":
        wrong = []
        for _ in range(chance.choice((1, 2))):
            if (worker := seen.worker) is not None:
                os.kill(worker, signal.SIGKILL)
                outcome.saw("workers killed")
            wrong += answer(seen, chance, 3)
        return wrong
    if end == "killed at rest":
        wrong = answer(seen, chance, chance.randint(1, 6))
        if not wrong and not seen.until(lambda: seen.question == place.expected(), 20.0):
            wrong.append(f"the file asks {place.expected()!r}, the screen {seen.question!r}")
        place.at_rest = seen.question
        return wrong
    keys = ANSWERS * 3 + "".join(key for key in OTHERS if len(key) == 1)
    until = time.perf_counter() + 2.5 * chance.random()
    while time.perf_counter() < until and seen.process.poll() is None:
        anything = end == "killed while any key is pressed" and chance.random() < 0.7
        seen.type(chance.choice(ANYTHING if anything else keys))
        seen.read_until(time.perf_counter() + LEAST_GAP + 0.15 * chance.random())
    return crashed(seen)


def answer(seen: Watched, chance: random.Random, count: int) -> list[str]:
    """Give so many answers, each when the one before is acknowledged; what is wrong where one is not."""
    seen.read_until(time.perf_counter() + 0.3)
    told: set[str] = set()
    for _ in range(count):
        before = len(acknowledged(seen.said))
        seen.type(chance.choice(ANSWERS))
        if not seen.until(lambda before=before: len(acknowledged(seen.said)) > before, 20.0):
            if EARLY in seen.painted and before == len(acknowledged(seen.said)) and EARLY not in told:
                told.add(EARLY)  # counted and said, as promised: no answer, and so nothing to acknowledge
                continue
            return [f"an answer was not acknowledged within 20 s:\n{seen.screen.text}"]
        seen.read_until(time.perf_counter() + LEAST_GAP + 0.1 * chance.random())
    return crashed(seen)


def _end(seen: Watched, end: str, chance: random.Random, wrong: list[str]) -> None:
    if end == "killed while quitting" and not wrong:
        seen.type("Q")
        seen.until(lambda: False, 0.6 * chance.random())
        seen.end(signal.SIGKILL)
    elif end in ("SIGTERM", "SIGHUP"):
        number = signal.Signals[end]
        seen.end(number)
        if seen.process.returncode not in (128 + number, -number):
            wrong.append(f"it ended with code {seen.process.returncode} after {end}")
    elif end == "terminal gone":
        seen.hang_up()
        if seen.process.returncode == -signal.SIGKILL:
            wrong.append("it lived on without a terminal")
    else:
        seen.end(signal.SIGKILL)


def crashed(seen: Watched) -> list[str]:
    """Whether the application ended by itself."""
    code = seen.process.poll()
    return [] if code is None else [f"it ended by itself with code {code}: {last_words(seen)}"]


def last_words(seen: Watched) -> str:
    """What was painted last, in short."""
    return repr(" ".join(seen.painted.split())[-600:])


def at_last(place: Place) -> list[str]:
    """After the last run: opened and quit, no draft is left in the cache, and an export holds the labels."""
    wrong = []
    seen = Watched(place.command(random.Random(0)), (80, 24), place.folder / "state")
    try:
        if not seen.until(lambda: seen.is_asking, PATIENCE):
            return [f"no question was painted at last: {last_words(seen)}"]
        wrong += answer(seen, random.Random(0), 1)
        seen.type("Q")
        if not seen.wait_for_end(30.0):
            wrong.append("it did not quit within 30 s")
        elif seen.process.returncode:
            wrong.append(f"it quit with code {seen.process.returncode}: {last_words(seen)}")
    finally:
        seen.put_away()
    place.acks += acknowledged(seen.said)
    cache = place.folder / "chaos.labeler.cache"
    wrong += [f"left behind in the cache: {path.name}" for path in cache.iterdir() if path.name.endswith(".draft")]
    target = place.folder / "labels.jsonl"
    done = subprocess.run(labeler("export", place.path, target, "--human-only"), capture_output=True, text=True)
    if done.returncode:
        return [*wrong, f"the export ended with code {done.returncode}: {done.stderr[-300:]}"]
    with open_project(place.path, read_only=True, with_source=False) as project:
        given = Counter(row.info.name for row in project.view().classes for _ in range(row.human + row.confirmed))
    lines = target.read_text().splitlines()
    if len(lines) != given.total():
        wrong.append(f"the export holds {len(lines)} labels, the project {given.total()}")
    return wrong
