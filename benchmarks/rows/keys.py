"""Rows 3, 4 and 5: from a key to the next painted question, worker busy, beside bare Textual in turns."""

from __future__ import annotations

import time
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
PATIENCE = 240.0
"""Seconds in which a pool should be open, so that the worker comes to rest at all."""


@dataclass(slots=True)
class Keys:
    """Seconds of keys, of the application and of the bare one; `busy` the share of a core that the worker wanted."""

    ours: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)

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


def pressed(person: Person, other: Terminal, n_keys: int, *, idle: bool = False, until: float = float("inf")) -> Keys:
    """Press `n_keys` in blocks, the bare application's block after each; `until`: the clock's end of it."""
    keys = Keys()
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


def settled(person: Person, seconds: float = PATIENCE) -> float:
    """Wait until the worker rests (at most `seconds`); how long that took."""
    began, calm = time.perf_counter(), 0
    while calm < 5 and time.perf_counter() - began < seconds:
        before = busy_seconds(person.worker)
        person.terminal.read_until(time.perf_counter() + REST)
        calm = calm + 1 if busy_seconds(person.worker) - before < 0.1 * REST else 0
    return time.perf_counter() - began


def measure_many(pools: Pools) -> Rows:
    """Rows 3 and 5: at 70,000 images, the worker busy from the first question on, then at rest before each key."""
    images = pools.images()
    command = labeler("label", images, "-p", pools.folder / "keys.labeler.db", *OPTIONS)
    with Terminal(command) as terminal, Terminal(bare()) as other:
        person = _person(terminal, other)
        busy = pressed(person, other, BUSY_KEYS)
        took = settled(person)
        idle = pressed(person, other, IDLE_KEYS, idle=True)
        terminal.press("Q")
        terminal.close()
        other.process.terminate()
    (p50, p95, p99), bare_p95 = busy.ms, busy.bare_ms[1]
    calm = idle.ms
    what = f"key -> next question painted, {pools.many:,}, worker busy {busy.share} of the time"
    lines = [
        Line(
            *(3, f"{what}: p95, ms", f"{p95:.1f}", f"{bare_p95:.1f} (bare Textual)", factor(p95 / bare_p95)),
            *("<= 50 ms and <= 3 x", verdict(p95 <= 50, p95 <= 3 * bare_p95)),
        ),
        Line(
            *(
                5,
                f"key -> next question painted, {pools.many:,}: p99, ms",
                f"{p99:.1f} (busy)",
                f"{calm[2]:.1f} (idle)",
            ),
            *(factor(p99 / calm[2]), "<= 2 x", verdict(p99 <= 2 * calm[2])),
        ),
        Line(
            *(5, "the same, busy: p99 over p50, ms", f"{p99:.1f} (p99)", f"{p50:.1f} (p50)", factor(p99 / p50)),
            *("<= 2 x on a quiet machine", verdict(p99 <= 2 * p50)),
        ),
    ]
    notes = [
        (
            3,
            f"{pools.origin}; {len(busy.ours)} keys, {_listed(busy)}; the worker rested {took:.0f} s after the last.",
        ),
        (5, f"{len(busy.ours)} keys busy, {len(idle.ours)} at rest; idle: {_listed(idle)}."),
    ]
    if not (p95 <= 50 and p95 <= 3 * bare_p95 and p99 <= 2 * p50):
        notes.append((3, f"screen's process under cProfile, start and 200 keys: {_profiled(images, pools)}"))
    return Rows(lines, notes)


def measure_most(pools: Pools, seconds: float = 300.0) -> Rows:
    """Row 4: at 1,000,000 x 128, keys from the first question on, while the rest is read and laid out.

    Ends `seconds` after the first question at the latest: the row says how far the worker had come.
    """
    vectors = pools.groups(pools.most)
    many = _beside(pools)
    command = labeler("label", vectors, "-p", pools.folder / "most.labeler.db", *OPTIONS)
    with Terminal(command) as terminal, Terminal(bare()) as other:
        person = _person(terminal, other)
        first, first_cpu = time.perf_counter() - terminal.started, cpu_so_far(terminal.process.pid)
        keys = pressed(person, other, BUSY_KEYS, until=time.perf_counter() + seconds)
        settling = settled(person, max(0.0, terminal.started + first + seconds - time.perf_counter()))
        later = pressed(person, other, 60, until=time.perf_counter() + 60.0)
        is_calm = settling < seconds * 0.9
        peaks = peak_of(terminal.process.pid), peak_of(person.worker)
        terminal.press("Q")
        quitting = time.perf_counter()
        terminal.close()
        quitting = time.perf_counter() - quitting
        other.process.terminate()
    keys = Keys(keys.ours + later.ours, keys.bare + later.bare, keys.busy + later.busy)
    p95 = keys.ms[1]
    what = f"key -> next question painted, {pools.most:,} x 128, worker busy {keys.share} of the time: p95, ms"
    line = Line(
        *(4, what, f"{p95:.1f}", f"{many:.1f} ({pools.many:,}, same run)", factor(p95 / many)),
        *("<= 100 ms and <= 2 x row 3", verdict(p95 <= 100, p95 <= 2 * many)),
    )
    state = "open and at rest" if is_calm else f"not yet laid out {seconds:.0f} s after the first question"
    notes = [
        (4, f"gaussian mixture of 50 groups; first question after {first:.1f} s, {first_cpu:.1f} s of CPU; "
            f"{_listed(keys)}; the pool was {state} when the last keys were pressed; "
            f"peak of the screen {peaks[0]:,.0f} MB, of the worker {peaks[1]:,.0f} MB; Q: {quitting:.1f} s."),
    ]  # fmt: skip
    if not (p95 <= 100 and p95 <= 2 * many):
        notes.append((4, f"screen's process under cProfile, start and 200 keys: {_profiled(vectors, pools)}"))
    return Rows([line], notes)


def _beside(pools: Pools) -> float:
    """The p95 (ms) at `many` rows of the same kind, for row 4's comparison in the same run."""
    command = labeler("label", pools.groups(pools.many), "-p", pools.folder / "beside.labeler.db", *OPTIONS)
    with Terminal(command) as terminal, Terminal(bare()) as other:
        keys = pressed(_person(terminal, other), other, BUSY_KEYS // 2)
        terminal.press("Q")
        terminal.close()
        other.process.terminate()
    return keys.ms[1]


def _person(terminal: Terminal, other: Terminal) -> Person:
    other.wait(lambda text: "0 presses" in text)
    return Person(terminal)


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
    return summary(path, packages=5, functions=6)
