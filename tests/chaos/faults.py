"""Every write and flush of a project file fails once, or from there on: with a full, a broken, a read-only disk."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

from labeler.core.errors import LabelerError, NotSaved
from labeler.session.session import Session
from labeler.store.store import Store
from tests.chaos.evidence import acknowledged, examine
from tests.chaos.forks import run_and_kill
from tests.chaos.outcome import ROOT, Outcome
from tests.chaos.writing import a_round, open_session, step

ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS)
_PRELOADED = "LABELER_CHAOS_FAULTS"
_SKIPPED = (
    "not run: there is no C compiler (cc), and the calls of SQLite can be made to fail by a preloaded library only"
)

Case = tuple[int, int, bool, bool, bool, int]
"""(errno, calls that fail or 0 = all from there on, half of a write is done, killed after it, new file, the call)."""


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Sweep through the calls until none fails any more, at most `count` cases."""
    outcome = Outcome(
        "faults",
        0,
        "failing calls",
        seed,
        "A bare Session and Store on a C library in which the n-th write, flush or truncation of the project's files"
        " fails (ENOSPC, EIO, EROFS; once or from there on; a write not at all or by half), for every n there is. Each"
        " command succeeds or says NOT saved; once the disk works again the same command succeeds in the same process;"
        " what is stored is exactly what was acknowledged, and the session shows it; where a flush failed, and only"
        " there, it says that the answer is perhaps not saved, and it may be stored.",
    )
    library = folder / "faults.so"
    compiler = shutil.which("cc")
    if compiler is None:
        outcome.seen["skipped"] = _SKIPPED
        return outcome
    if _PRELOADED not in os.environ:
        source = Path(__file__).with_name("faults.c")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        done = subprocess.run(
            [sys.executable, "-m", "tests.chaos", "faults", "--json", "--count", str(count), "--seed", str(seed)],
            env=os.environ | {"LD_PRELOAD": str(library), _PRELOADED: str(library)},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=False,
        )
        return Outcome(**json.loads(done.stdout))
    _sweep(count, folder, outcome)
    return outcome


def _sweep(count: int, folder: Path, outcome: Outcome) -> None:
    began = time.perf_counter()
    made = folder / "made"
    made.mkdir()
    store, session = open_session(made / "chaos.labeler.db")
    chance = random.Random(1)
    for _ in range(10):
        step(session, chance)
    store.close()
    events = [json.dumps([e.seq, e.event_id, e.kind, e.instance_id, e.class_id]) for e in _replayed(made)]
    place = folder / "faulty"
    for case in _cases():
        if outcome.count == count or outcome.is_over(outcome.count):
            outcome.seen["stopped"] = "before every call had failed"
            break
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(made, place)
        is_new = case[4]
        path = place / "chaos.labeler.db"
        if is_new:
            path.unlink()
        ended = run_and_kill(lambda side, case=case, path=path: _work(path, case, side), None)
        told = [json.loads(line) for line in ended.said.split(b"\n") if line.startswith(b"{")]
        report: dict[str, Any] = told[-1] if told else {}
        wrong = [*report.get("wrong", []), *([ended.trouble] if ended.trouble else [])]
        n_calls = report.get("calls", 1 << 30)
        acks = acknowledged(("" if is_new else "\n".join(events) + "\n").encode() + ended.said)
        if path.exists() and path.stat().st_size:
            wrong += examine(path, acks, report.get("perhaps", 0))
        elif acks:
            wrong.append("acknowledged events have no file")
        outcome.count += 1
        for name, number in report.get("saw", {}).items():
            outcome.saw(name, number)
        outcome.failures += [f"{_named(case)}: {one}" for one in wrong]
        if n_calls < case[5]:
            _last_call.add(case[:5])
    outcome.seconds = time.perf_counter() - began


_last_call: set[tuple[Any, ...]] = set()
"""The sorts of case in which a whole run came through: there is no later call to fail."""


def _cases() -> Iterator[Case]:
    for new, once, half, code, is_killed in product((False, True), (1, 0), (False, True), ERRORS, (False, True)):
        sort = (code, once, half, is_killed, new)
        number = 0
        while sort not in _last_call and (once or not is_killed):  # killed after the first: what is later never comes
            number += 1
            yield (*sort, number)


def _work(path: Path, case: Case, side: int) -> None:
    """A person who tries again once the disk works; tells what was wrong."""
    shim = ctypes.CDLL(os.environ[_PRELOADED])
    knobs = {
        name: ctypes.c_int.in_dll(shim, f"labeler_{name}") for name in ("fail_at", "fail_with", "fail_for", "short")
    }
    calls = ctypes.c_int.in_dll(shim, "labeler_calls")
    code, knobs["fail_for"].value, half, is_killed, _, at = case[0], case[1], case[2], case[3], case[4], case[5]
    knobs["fail_with"].value, knobs["short"].value, knobs["fail_at"].value = code, int(half), at
    saw: dict[str, int] = {}
    wrong: list[str] = []
    perhaps: list[bool] = []

    def trying(what: Callable[[], Any], name: str) -> Any:
        try:
            return what()
        except LabelerError as error:
            saw[f"{name} failed, and said so"] = 1
            if name == "a command" and not isinstance(error, NotSaved):
                wrong.append(f"a command failed without saying NOT saved: {error.message}")
            # a session that goes on tries the same event again, and then it is there once
            perhaps.append(isinstance(error, NotSaved) and error.is_uncertain and (is_killed or name == "opening"))
            if is_killed:
                _tell(side, wrong, saw, calls.value, sum(perhaps))
                os._exit(0)
        knobs["fail_at"].value = 0  # the person has freed some space
        return what()

    store, session = trying(lambda: open_session(path), "opening")
    chance = random.Random(2)
    for number in range(12):
        state = chance.getstate()
        if number % 6 == 5:
            session.merge_round(a_round(session, number))  # derived: whether it is kept is nobody's business

        def again(state: Any = state) -> None:
            chance.setstate(state)
            step(session, chance)

        trying(again, "a command")
    wrong += _compare(session, store)
    store.close()
    _tell(side, wrong, saw, calls.value, sum(perhaps))


def _compare(session: Session, store: Store) -> list[str]:
    fresh = Session(session.pool, store, clock=lambda: 0.0, new_id=lambda: "never")
    same = fresh.state.answers == session.state.answers and fresh.state.classes == session.state.classes
    return [] if same and fresh.state.flagged == session.state.flagged else ["the session shows what is not stored"]


def _tell(side: int, wrong: list[str], saw: dict[str, int], calls: int, perhaps: int) -> None:
    report = {"wrong": wrong, "saw": saw, "calls": calls, "perhaps": perhaps}
    os.write(side, b"\n" + json.dumps(report).encode() + b"\n")


def _replayed(folder: Path) -> list[Any]:
    store = Store.open(folder / "chaos.labeler.db", read_only=True)
    try:
        return list(store.replay())
    finally:
        store.close()


def _named(case: Case) -> str:
    code, once, half, is_killed, is_new, at = case
    parts = [errno.errorcode[code], "once" if once else "from there on", *(["half written"] if half else [])]
    parts += [*(["killed then"] if is_killed else []), *(["new file"] if is_new else [])]
    return f"call {at} ({', '.join(parts)})"
