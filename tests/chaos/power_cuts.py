"""Real sessions on a model of a disk whose power is cut: at any moment, any of what was not flushed lost or torn."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner

from labeler.cli import main as labeler_command
from labeler.commands.check import check
from labeler.core.errors import LabelerError
from labeler.project import backups
from labeler.store.open import MAGIC
from labeler.store.store import Store
from labeler.store.wal import CUT_SHORT
from tests.chaos.disk import Disk, Op, recorded
from tests.chaos.evidence import Ack, ack_of, acknowledged, compare, left_beside
from tests.chaos.outcome import ROOT, Outcome
from tests.chaos.recorded import COPY, ELSEWHERE, NAME, WORKS, steps
from tests.chaos.writer_kills import make_older
from tests.chaos.writing import open_session

NETWORK_SHARE = 0.2
"""Of all states, those of a file on a network disk, which has a rollback journal."""
STATES_A_RECORD = 50
COMMANDS = 10
"""Every so many states are given to the commands as well."""
NO_COMPILER = (
    "not run: there is no C compiler (cc), and what SQLite does can be written down by a preloaded library only"
)


@dataclass
class Record:
    """One session that was written down: in which folder, what was there before it, what it did."""

    root: Path
    before: dict[str, bytes]
    ops: list[Op]
    acks: list[Ack] = field(default_factory=list)  # of what was there before
    others: list[Ack] = field(default_factory=list)  # of a copy that may take its place


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Look at `count` states that a cut may leave."""
    outcome = Outcome(
        "power cuts",
        0,
        "states of a disk",
        seed,
        "A bare Session and Store (new file, resume, large rounds, quit, backup, restore, migration, save elsewhere;"
        " one state in five with the rollback journal of network disks), every write, flush, rename and unlink of it"
        " written down; then the power is cut anywhere: what was not flushed is lost, torn in blocks of 512 or 4,096"
        " bytes, or out of order, names that were not flushed are old or new. Every acknowledged event is there, in"
        " order and once; the check finds nothing; it opens for reading and for writing; every backup can be restored;"
        " nothing is left beside it. A model, not a disk: a drive that lies about its flushes is not in it, nor is"
        " SQLite's index of the log, which is memory.",
    )
    library = compiled(folder)
    if library is None:
        outcome.seen["skipped"] = NO_COMPILER
        return outcome
    sweep(count, seed, folder, outcome, lambda chance: 0)
    return outcome


def sweep(count: int, seed: int, folder: Path, outcome: Outcome, failing: Callable[[random.Random], int]) -> None:
    """Write sessions down and look at the states of each, until there were `count`."""
    began, chance = time.perf_counter(), random.Random(seed)
    os.environ["XDG_STATE_HOME"] = str(folder / "disk" / "state")
    number = 0
    while outcome.count < count and not outcome.is_over(outcome.count):
        work = list(WORKS)[number % len(WORKS)]
        is_network = chance.random() < NETWORK_SHARE
        record = write_down(work, folder, chance.randrange(1 << 20), is_network, failing(chance))
        n_states = min(STATES_A_RECORD, count - outcome.count)
        for at, state, acks in states(record, n_states, chance):
            wrong = look_at(record, state, acks, with_commands=outcome.count % COMMANDS == 0)
            kind = f"{work}{', rollback journal' if is_network else ''}"
            failed = [
                f", flush of {Path(op.name).name} failed at {step}"
                for step, op in enumerate(record.ops)
                if op.kind == "F"
            ]
            where = f"{kind}, cut at step {at} of {len(record.ops)}{''.join(failed)}"
            outcome.failures += [f"{where}: {one}" for one in wrong]
            if wrong:
                shutil.rmtree(folder / f"failed-{outcome.count}", ignore_errors=True)
                put_down(record.root, state, folder / f"failed-{outcome.count}")
            outcome.saw(f"{kind}: states")
            outcome.saw("acknowledged events before the cuts", len(acks))
            outcome.count += 1
        outcome.saw("failed flushes", sum(op.kind == "F" for op in record.ops))
        closed = {op.name for op in record.ops if op.kind == "C"}
        outcome.failures += [f"{work}: a descriptor of {name} was closed beside a connection" for name in closed]
        number += 1
    outcome.seconds = time.perf_counter() - began


def compiled(folder: Path) -> Path | None:
    """The recorder as a library; None where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    library = folder / "recorder.so"
    source = Path(__file__).with_name("recorder.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


def write_down(work: str, folder: Path, seed: int, is_network: bool, failing: int) -> Record:
    """Do one work in a process of its own and read what it did."""
    root, log = folder / "disk", folder / "record"
    shutil.rmtree(root, ignore_errors=True)
    log.unlink(missing_ok=True)
    root.mkdir()
    acks, others = _prepare(work, root, seed)
    before = {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.recorded", work, root, str(seed), str(int(is_network)), str(failing)],
        env=os.environ
        | {
            "LD_PRELOAD": str(folder / "recorder.so"),
            "LABELER_RECORD_LOG": str(log),
            "LABELER_RECORD_ROOT": str(root),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{work} did not come to its end: {done.stderr[-2000:]}")
    return Record(root, before, list(recorded(log)), acks, others)


def _prepare(work: str, root: Path, seed: int) -> tuple[list[Ack], list[Ack]]:
    """What is there before: nothing for a new file, else a project that was answered in; the events of it."""
    if work == "new file":
        return [], []
    path = root / NAME
    store, session = open_session(path)
    steps(session, 15, seed + 7)
    if work == "restore":
        backups.back_up(path, root / COPY)
        others = [ack_of(event) for event in store.replay()]
        steps(session, 10, seed + 8)
    else:
        others = []
    acks = [ack_of(event) for event in store.replay()]
    store.close()
    if work == "migration":
        make_older(path, 1 + seed % 2)
    return acks, others


def states(record: Record, count: int, chance: random.Random) -> list[tuple[int, dict[str, bytes], list[Ack]]]:
    """`count` states, each at a step of its own: (step, the files, what was acknowledged by then)."""
    disk = Disk(record.root, record.before)
    cuts = sorted(chance.randint(1, len(record.ops)) for _ in range(count))
    made, acks, done = [], b"", 0
    for at in cuts:
        for op in record.ops[done:at]:
            if op.name.endswith("/acks") and op.kind == "W":
                acks += op.data
            disk.do(op)
        done = at
        made.append((at, disk.cut(chance), record.acks + acknowledged(acks)))
    return made


def put_down(root: Path, state: dict[str, bytes], place: Path) -> None:
    """Write the files of a state to a folder."""
    for name, content in state.items():
        path = place / Path(name).relative_to(root)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def look_at(record: Record, state: dict[str, bytes], acks: list[Ack], *, with_commands: bool) -> list[str]:
    """What is wrong with a state."""
    shutil.rmtree(record.root, ignore_errors=True)
    record.root.mkdir()
    put_down(record.root, state, record.root)
    project, other = record.root / NAME, record.root / ELSEWHERE
    if not acks and not state.get(str(project), b"").startswith(MAGIC):
        return []  # it was being made, and nothing was promised
    wrong = _examine(project, acks, with_commands=with_commands)
    if wrong and record.others:
        wrong = _examine(project, record.others, with_commands=with_commands)
    if wrong and other.exists():
        wrong = _examine(other, acks, with_commands=with_commands)
    for path in (record.root / "state").rglob("2*.labeler.db"):
        try:
            backups.verified(path)
        except LabelerError as error:
            wrong.append(f"a backup cannot be restored: {error.message}")
    return wrong


def _examine(project: Path, acks: list[Ack], *, with_commands: bool) -> list[str]:
    """As :func:`tests.chaos.evidence.examine`; first by a reader, that must say the same and change nothing."""
    wrong = []
    try:
        report = check(project)
        wrong += [f"a false alarm: {finding.what}" for finding in report.findings]
        if with_commands:
            wrong += _commands(project)
        for read_only in (True, False):
            store = Store.open(project, read_only=read_only)
            try:
                wrong += compare(list(store.replay()), acks, 1)
                wrong += [note for note in store.notes if note == CUT_SHORT]
            finally:
                store.close()
    except LabelerError as error:
        return [*wrong, f"it does not open: {error.message}"]
    return wrong + left_beside(project)


def _commands(project: Path) -> list[str]:
    wrong = []
    for command in (["check", str(project), "--json"], ["backup", str(project)], ["status", str(project)]):
        done = CliRunner().invoke(labeler_command, command)
        is_without_source = "never opened with a source" in str(done.exception)
        if done.exit_code and not is_without_source:
            wrong.append(f"labeler {command[0]} fails: {done.output[-300:]} {done.exception}")
        elif command[0] == "check" and not json.loads(done.stdout)["sound"]:
            wrong.append("labeler check does not call it sound")
    return wrong
