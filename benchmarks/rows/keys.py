"""Rows 3, 4 and 5: from a key to the next painted question, worker busy, beside bare Textual in turns."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rows.pools import Pools
from rows.process import cpu_so_far, peak_of
from rows.profiles import summary
from rows.table import Line, Rows, factor, verdict
from terminal import Terminal, bare, busy_seconds, labeler
from ui_latency import BLOCK, REST, Person, percentiles, press_bare

OPTIONS = ("--classes", "0,1,2,3,4,5,6,7,8,9")
BUSY_KEYS, IDLE_KEYS, PROFILED_KEYS = 300, 120, 200
CALM = 5
"""Looks at a worker at rest, one after the other, until it counts as one that has nothing left to do."""
_STAGE = re.compile("[▖▘▝▗] (.+)")
PATIENCE = 240.0
"""Seconds in which a pool should be open, so that the worker comes to rest at all."""


@dataclass(slots=True)
class Keys:
    """Seconds of keys, of the application and of the bare one; `busy` the share of a core that the worker wanted."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)

    def extend(self, later: Keys) -> None:
        """Add keys that were pressed later."""
        self.ours += later.ours
        self.bare += later.bare
        self.busy += later.busy

    @property
    def ms(self) -> tuple[float, float, float]:
        """p50, p95 and p99 of ours in milliseconds."""
        return percentiles(self.ours)

    @property
    def bare_ms(self) -> tuple[float, float, float]:
        """The same of the bare application."""
        return percentiles(self.bare)

    @property
    def share(self) -> str:
        """The share of the time in which the worker was computing or waited for a core."""
        return f"{sum(self.busy) / max(len(self.busy), 1):.0%}"


def pressed(person: Person, n_keys: int, *, idle: bool = False, until: float = float("inf")) -> Keys:
    """Press `n_keys` in blocks, the bare application's block after each; `until`: the clock's end of it."""
    keys, other = Keys(), person.other
    assert other is not None, "there is no bare application beside"
    while len(keys.ours) < n_keys and time.perf_counter() < until:
        if not idle:
            person.press()  # after the other's block: at work again
        began, used = time.perf_counter(), busy_seconds(person.worker)
        for _ in range(BLOCK):
            if idle:
                person.let_rest()
            keys.ours.append(person.press())
        keys.busy.append((busy_seconds(person.worker) - used) / (time.perf_counter() - began))
        if idle:
            person.let_rest()
        for _ in range(BLOCK):
            keys.bare.append(press_bare(other, person.bare_presses + 1))
            person.bare_presses += 1
    return keys


def settled(person: Person, seconds: float = PATIENCE) -> tuple[float, bool]:
    """Wait until the worker rests, at most `seconds`; how long that took, and whether it does."""
    began, calm = time.perf_counter(), 0
    while calm < CALM and time.perf_counter() - began < seconds:
        before = busy_seconds(person.worker)
        person.terminal.read_until(time.perf_counter() + REST)
        calm = calm + 1 if busy_seconds(person.worker) - before < 0.1 * REST else 0
    return time.perf_counter() - began, calm >= CALM


def measure_many(pools: Pools) -> Rows:
    """Rows 3 and 5: at 70,000 images, the worker busy from the first question on, then at rest before each key."""
    images = pools.images()
    with _labeling(images, pools.folder / "keys.labeler.db") as person:
        busy = pressed(person, BUSY_KEYS)
        took, _ = settled(person)
        idle = pressed(person, IDLE_KEYS, idle=True)
    rows = Rows(
        _many_lines(pools.many, busy, idle),
        [
            (
                3,
                f"{pools.origin}; {len(busy.ours)} keys, {_listed(busy)}; the worker rested {took:.0f} s later.",
            ),
            (5, f"{len(busy.ours)} keys busy, {len(idle.ours)} at rest; idle: {_listed(idle)}."),
        ],
    )
    if not all(line.held == verdict(True) for line in rows.lines):
        rows.notes.append((3, _profiled(images, pools)))
    return rows


def _many_lines(n: int, busy: Keys, idle: Keys) -> list[Line]:
    (p50, p95, p99), beside, calm = busy.ms, busy.bare_ms[1], idle.ms[2]
    key = f"key -> next question painted, {n:,}"
    return [
        Line(
            *(3, f"{key}, worker busy {busy.share} of the time: p95, ms", f"{p95:.1f}", f"{beside:.1f} (bare Textual)"),
            *(factor(p95 / beside), "<= 50 ms and <= 3 x", verdict(p95 <= 50, p95 <= 3 * beside)),
        ),
        Line(
            *(5, f"{key}: p99, ms", f"{p99:.1f} (busy)", f"{calm:.1f} (idle)", factor(p99 / calm)),
            *("<= 2 x", verdict(p99 <= 2 * calm)),
        ),
        Line(
            *(5, f"{key}, busy: p99 over p50, ms", f"{p99:.1f} (p99)", f"{p50:.1f} (p50)", factor(p99 / p50)),
            *("<= 2 x on a quiet machine", verdict(p99 <= 2 * p50)),
        ),
    ]


def measure_most(pools: Pools, seconds: float = 270.0) -> Rows:
    """Row 4: at 1,000,000 x 128, keys from the first question on, while the rest is read and laid out.

    Half of the keys come at once, the others when the pool is open or `seconds` after the first question.
    """
    vectors = pools.groups(pools.most)
    with _labeling(pools.groups(pools.many), pools.folder / "beside.labeler.db") as person:
        many = pressed(person, BUSY_KEYS // 2).ms[1]
    with _labeling(vectors, pools.folder / "most.labeler.db") as person:
        pid, began = person.terminal.process.pid, time.perf_counter()
        first = f"first question after {began - person.terminal.started:.1f} s, {cpu_so_far(pid):.1f} s of CPU"
        keys = pressed(person, BUSY_KEYS, until=began + seconds)
        took, is_calm = settled(person, max(0.0, began + seconds - time.perf_counter()))
        stage = _STAGE.findall(person.terminal.painted)[-1:] or ["at work"]
        keys.extend(pressed(person, BUSY_KEYS // 3, until=time.perf_counter() + 60.0))
        peaks = f"peak of the screen {peak_of(pid):,.0f} MB, of the worker {peak_of(person.worker):,.0f} MB"
    p95 = keys.ms[1]
    state = f"open after {took:.0f} s more" if is_calm else f"{stage[0].strip()} after {seconds:.0f} s"
    line = Line(
        *(4, f"key -> next question painted, {pools.most:,} x 128, worker busy {keys.share} of the time: p95, ms"),
        *(f"{p95:.1f}", f"{many:.1f} ({pools.many:,} x 128, same run)", factor(p95 / many)),
        *("<= 100 ms and <= 2 x row 3", verdict(p95 <= 100, p95 <= 2 * many)),
    )
    notes = [(4, f"gaussian mixture of 50 groups; {first}; {_listed(keys)}; the worker: {state}; {peaks}.")]
    if line.held != verdict(True):
        notes.append((4, _profiled(vectors, pools)))
    return Rows([line], notes)


@contextmanager
def _labeling(source: Path, project: Path) -> Iterator[Person]:
    """A person at the first question of a new project, the bare application beside; both quit at the end."""
    with Terminal(labeler("label", source, "-p", project, *OPTIONS)) as terminal, Terminal(bare()) as other:
        other.wait(lambda text: "0 presses" in text)
        person = Person(terminal)
        person.other = other
        yield person
        terminal.press("Q")
        terminal.close()
        other.process.terminate()  # it knows no key to quit by


def _listed(keys: Keys) -> str:
    ours, beside = (", ".join(f"{value:.1f}" for value in figures) for figures in (keys.ms, keys.bare_ms))
    return f"p50, p95, p99 {ours} ms, bare {beside} ms"


def _profiled(source: Path, pools: Pools) -> str:
    path = pools.folder / f"keys-{source.stem}.prof"
    command = labeler("label", source, "-p", pools.folder / f"profiled-{source.stem}.labeler.db", *OPTIONS)
    with Terminal([command[0], "-m", "cProfile", "-o", str(path), *command[1:]]) as terminal:
        person = Person(terminal)
        for _ in range(PROFILED_KEYS):
            person.press()
        terminal.press("Q")
        terminal.close()
    text = summary(path, packages=5, functions=6)
    return f"screen's process under cProfile, start and {PROFILED_KEYS} keys: {text}"
