"""The application stopped, continued, suspended, hung up on and asked to end, in a terminal and behind a shell."""

from __future__ import annotations

import fcntl
import json
import os
import random
import re
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.terminal import ROOT, children, labeler
from tests.chaos.evidence import Ack, acknowledged, examine
from tests.chaos.outcome import Outcome
from tests.chaos.pty_kills import ANSWERS, CLASSES, PATIENCE, SIZES, answer, last_words
from tests.chaos.screen import Screen, Watched

N = 150
ENDS_WITHIN = 30.0
"""Seconds that an end may take on a loaded machine, before it counts as none."""
_MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])|\x1b\[(>)[0-9;]*u|\x1b\[(<)[0-9;]*u")
_ON_AT_FIRST = frozenset({b"25", b"7"})
_OURS = frozenset({b"1049", b"25", b"7", b"1000", b"1003", b"1006", b"1015", b"1016", b"2004", b"1004", b"2048"})


@dataclass
class Run:
    """One run of the application, and what is wrong with it."""

    seen: Watched
    path: Path
    chance: random.Random
    size: tuple[int, int]
    wrong: list[str] = field(default_factory=list)
    modes: list[object] = field(default_factory=list)  # of the terminal, before the application

    @property
    def acks(self) -> list[Ack]:
        """What was acknowledged so far."""
        return acknowledged(self.seen.said)

    @property
    def pid(self) -> int:
        """The application's own."""
        return self.seen.process.pid

    def expect(self, there: Callable[[], object], what: str, seconds: float = PATIENCE) -> bool:
        """Wait for something; its absence is wrong."""
        if self.seen.until(there, seconds):
            return True
        self.wrong.append(f"{what}: {last_words(self.seen)}")
        return False

    def answer(self, count: int) -> None:
        """Give answers, each after the acknowledgement of the last."""
        self.wrong += answer(self.seen, self.chance, count)

    def blank(self) -> None:
        """Forget what is on the screen: what is expected from here on must be painted anew."""
        self.seen.screen = Screen(*self.size)

    def ended(self, code: int) -> None:
        """It must end by itself, with this code, and leave the terminal as it was."""
        if not self.seen.wait_for_end(ENDS_WITHIN):
            self.wrong.append(f"it did not end within {ENDS_WITHIN:.0f} s: {last_words(self.seen)}")
            return
        if self.seen.process.returncode != code:
            self.wrong.append(f"it ended with code {self.seen.process.returncode}, not {code}: {last_words(self.seen)}")
        self.wrong += left_on(self.seen._burst)
        if self.seen._ours >= 0 and termios.tcgetattr(self.seen._ours) != self.modes:
            self.wrong.append("the modes of the terminal are not as they were")
        if "Traceback" in self.seen.painted:
            self.wrong.append(f"a traceback: {last_words(self.seen)}")

    def quit(self) -> None:
        """Press `Q`."""
        self.seen.type("Q")
        self.ended(0)


def left_on(written: bytes) -> list[str]:
    """The modes of a terminal that a program switched and did not switch back."""
    on, pushed = set(_ON_AT_FIRST), 0
    for match in _MODE.finditer(written):
        if match[3] or match[4]:
            pushed = pushed + 1 if match[3] else max(pushed - 1, 0)
        else:
            (on.update if match[2] == b"h" else on.difference_update)(match[1].split(b";"))
    wrong = [f"mode ?{mode.decode()} is not as it was" for mode in sorted((on ^ _ON_AT_FIRST) & _OURS)]
    return wrong + (["the keyboard protocol is left on"] if pushed else [])


# -- without a shell -------------------------------------------------------------------------------------------------


def stopped(run: Run) -> None:
    """SIGSTOP, keys, SIGCONT: each key is an answer, once and in order, as its question is painted."""
    several = [run.pid] + [pid for pid in children(run.pid) if run.chance.random() < 0.5]
    for _ in range(run.chance.choice((1, 1, 3))):
        for pid in several:
            os.kill(pid, signal.SIGSTOP)
        run.expect(lambda: _is_stopped(run.pid), "it does not stop")
        before = len(run.acks)
        keys = _unlike_neighbors(run.chance, run.chance.randint(0, 5))
        run.seen.type(keys)
        run.seen.read_until(time.perf_counter() + 0.3 * run.chance.random())
        run.blank()
        for pid in several:
            os.kill(pid, signal.SIGCONT)
        run.expect(lambda: run.seen.is_asking, "nothing was painted after SIGCONT")
        due = before + len(keys)
        run.expect(lambda due=due: len(run.acks) >= due, f"{len(keys)} keys typed meanwhile are not answers")
        given = [str(ack.class_id) for ack in run.acks[before:]]
        if given != list(keys):
            run.wrong.append(f"typed while stopped: {keys}, answered: {given}")
        run.answer(1)
    run.quit()


def continued(run: Run) -> None:
    """SIGCONT to a process that is not stopped, amid keys."""
    before, keys = len(run.acks), _unlike_neighbors(run.chance, 6)
    for key in keys:
        os.kill(run.pid, signal.SIGCONT)
        run.seen.type(key)
        run.seen.read_until(time.perf_counter() + 0.1 * run.chance.random())
    run.expect(lambda: len(run.acks) >= before + len(keys), "a key was lost")
    if [str(ack.class_id) for ack in run.acks[before:]] != list(keys):
        run.wrong.append(f"typed: {keys}, answered: {run.acks[before:]}")
    run.quit()


def no_shell(run: Run) -> None:
    """SIGTSTP where nobody could continue it, and ctrl+t: it goes on."""
    for _ in range(2):
        run.blank()
        if run.chance.random() < 0.5:
            os.kill(run.pid, signal.SIGTSTP)
        else:
            run.seen.type("\x14")
            run.expect(lambda: "not suspended" in run.seen.screen.text, "it does not say why it goes on")
        run.expect(lambda: run.seen.is_asking, "nothing was painted after SIGTSTP")
        run.answer(2)
    run.quit()


def asked_to_end(run: Run) -> None:
    """SIGHUP, SIGINT, SIGQUIT or SIGTERM, amid keys; now and then twice."""
    number = run.chance.choice((signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM))
    run.seen.type(_unlike_neighbors(run.chance, run.chance.randint(0, 3)))
    os.kill(run.pid, number)
    if number == signal.SIGHUP:
        run.seen.read_until(time.perf_counter() + 0.3 * run.chance.random())
        if run.seen.process.poll() is None:
            os.kill(run.pid, number)
    run.ended(128 + number)


def asked_while_stopped(run: Run) -> None:
    """A stopped process is asked to end: it does once it is continued."""
    number = run.chance.choice((signal.SIGHUP, signal.SIGINT, signal.SIGTERM))
    os.kill(run.pid, signal.SIGSTOP)
    os.kill(run.pid, number)
    run.seen.read_until(time.perf_counter() + 0.2 * run.chance.random())
    os.kill(run.pid, signal.SIGCONT)
    run.ended(128 + number)


def gone_while_stopped(run: Run) -> None:
    """The terminal vanishes from a stopped process: the kernel hangs up and continues it."""
    os.kill(run.pid, signal.SIGSTOP)
    run.expect(lambda: _is_stopped(run.pid), "it does not stop")
    run.seen.hang_up()
    if run.seen.process.returncode != 128 + signal.SIGHUP:
        run.wrong.append(f"it ended with code {run.seen.process.returncode} without a terminal")


def gone(run: Run) -> None:
    """The terminal vanishes amid keys."""
    run.seen.type(_unlike_neighbors(run.chance, 3))
    run.seen.hang_up()
    if run.seen.process.returncode != 128 + signal.SIGHUP:
        run.wrong.append(f"it ended with code {run.seen.process.returncode} without a terminal")


def worker_stopped(run: Run) -> None:
    """The worker reads nothing any more: answers go on, and so does quitting."""
    worker = run.seen.worker
    if worker is None:
        run.wrong.append("there is no worker")
        return
    os.kill(worker, signal.SIGSTOP)
    run.answer(run.chance.choice((3, 25)))
    run.quit()


def stopped_at_the_end(run: Run) -> None:
    """Stopped and continued while it quits: in the last frame, the summary, the backup."""
    run.seen.type("Q")
    for _ in range(3):
        run.seen.read_until(time.perf_counter() + 0.25 * run.chance.random())
        if run.seen.process.poll() is None:
            os.kill(run.pid, signal.SIGSTOP)
            run.seen.type(run.chance.choice(("", "Q", "5")))
            run.seen.read_until(time.perf_counter() + 0.1)
            os.kill(run.pid, signal.SIGCONT)
    run.ended(0)


def asked_at_the_end(run: Run) -> None:
    """Asked to end while it quits: whole or as asked, and what is there is sound."""
    number = run.chance.choice((signal.SIGHUP, signal.SIGINT, signal.SIGTERM))
    run.seen.type("Q")
    run.seen.read_until(time.perf_counter() + 0.5 * run.chance.random())
    if run.seen.process.poll() is None:
        os.kill(run.pid, number)
    if not run.seen.wait_for_end(ENDS_WITHIN):
        run.wrong.append(f"it did not end: {last_words(run.seen)}")
    elif run.seen.process.returncode not in (0, 128 + number, -number):  # the last: when all was done, by the kernel
        run.wrong.append(f"it ended with code {run.seen.process.returncode}: {last_words(run.seen)}")
    run.wrong += left_on(run.seen._burst)


def unread(run: Run) -> None:
    """A terminal that nobody reads (a connection that hangs): asked to end, it does."""
    fill, unread, same = ["?", "\x1b[C"], -1, 0
    while same < 20:  # no more is written although keys come
        run.seen.type(fill[same % 2])
        time.sleep(0.05)
        (now,) = struct.unpack("i", fcntl.ioctl(run.seen._ours, termios.FIONREAD, b"\0" * 4))
        same, unread = (same + 1, now) if now == unread and now else (0, now)
    os.kill(run.pid, signal.SIGTERM)
    end = time.perf_counter() + ENDS_WITHIN
    while run.seen.process.poll() is None and time.perf_counter() < end:
        time.sleep(0.02)
    if run.seen.process.poll() is None:
        run.wrong.append("it does not end where nobody reads its terminal")
        run.seen.process.kill()
    elif run.seen.process.returncode != 128 + signal.SIGTERM:
        run.wrong.append(f"it ended with code {run.seen.process.returncode}")


# -- behind a shell with job control ---------------------------------------------------------------------------------


class Shelled(Run):
    """The application as a job of bash."""

    @property
    def pid(self) -> int:
        """The shell's child."""
        return next(iter(children(self.seen.process.pid)), 0)

    def shell(self, command: str, answer: str) -> None:
        """Type a command and wait for what it says: the prompt is usable."""
        at = len(self.seen._burst)
        self.seen.type(f"{command}\r")
        self.expect(lambda: re.search(answer.encode(), self.seen._burst[at:]), f"the shell does not answer {command!r}")

    def modes_of_commands(self) -> str:
        """What the shell gives a command: the modes of the terminal in short."""
        number = self.chance.randrange(10**6)
        at = len(self.seen._burst)
        self.shell(f'echo "modes"{number}=$(stty -g)=', rf"modes{number}=[0-9a-f:]+=")
        match = re.search(rf"modes{number}=([0-9a-f:]+)=".encode(), self.seen._burst[at:])
        return match[1].decode() if match else "none"

    def suspend(self, how: str) -> None:
        """Suspend it; the shell must be there, on a clean terminal, and the job must not have ended."""
        if how == "ctrl+t":
            self.seen.type("\x14")
        else:
            os.kill(self.pid, signal.Signals[how])
        self.expect(lambda: _is_stopped(self.pid), f"it does not stop by {how}")
        before = len(self.acks)
        self.shell("echo back-$((6*7))", r"back-42")
        if how != "SIGSTOP":  # which nothing can handle
            self.wrong += left_on(self.seen._burst)
        if len(self.acks) != before:
            self.wrong.append("what was typed for the shell is an answer")

    def forward(self) -> None:
        """`fg`: it paints the question again and takes answers."""
        self.blank()
        self.seen.type("fg\r")
        self.expect(lambda: self.seen.is_asking, "nothing was painted after fg")
        self.answer(2)

    def quit(self) -> None:
        """Press `Q`; the shell has the terminal again."""
        self.seen.type("Q")
        self.expect(lambda: not self.pid, "it did not quit", ENDS_WITHIN)
        self.shell("echo code=$?", r"code=0\b")
        self.wrong += left_on(self.seen._burst)


def suspended(run: Shelled) -> None:
    """ctrl+t, SIGTSTP or SIGSTOP, the shell used, `fg`, more answers, several times."""
    for _ in range(run.chance.choice((1, 2, 3))):
        how = run.chance.choice(("ctrl+t", "SIGTSTP", "SIGSTOP"))
        run.suspend(how)
        if run.chance.random() < 0.4:
            run.seen.type("bg\r")  # it has nothing to draw on there: it stops again
            run.shell("sleep 0.3; echo still-$((6*7))", r"still-42")
            run.expect(lambda: _is_stopped(run.pid), "it goes on in the background")
        run.forward()
    before = run.modes
    run.quit()
    if before != [run.modes_of_commands()]:
        run.wrong.append("the modes of the terminal are not as they were")


def undone(run: Shelled) -> None:
    """ctrl+z is undo: it takes the last answer back, and stops nothing."""
    before = len(run.acks)
    run.seen.type("\x1a")
    run.expect(lambda: len(run.acks) > before and run.acks[-1].kind == "undo", "ctrl+z does not undo")
    if _is_stopped(run.pid):
        run.wrong.append("ctrl+z stopped it")
    run.quit()


def ended_while_suspended(run: Shelled) -> None:
    """`kill %1` on the suspended job: it ends in the background and leaves the shell its terminal."""
    run.suspend(run.chance.choice(("ctrl+t", "SIGTSTP", "SIGSTOP")))
    name = run.chance.choice(("HUP", "TERM", "INT"))
    run.seen.type(f"kill -{name} %1; kill -CONT %1\r")
    run.expect(lambda: not run.pid, "it did not end in the background", ENDS_WITHIN)
    run.shell("echo; wait %1; echo code=$?", rf"code={128 + signal.Signals['SIG' + name]}\b")
    run.shell("echo usable-$((6*7))", r"usable-42")
    run.wrong += left_on(run.seen._burst)
    if run.modes != [run.modes_of_commands()]:
        run.wrong.append("the modes of the terminal are not as they were")


def dropped(run: Shelled) -> None:
    """The connection drops: in front, or while the job is suspended."""
    if run.chance.random() < 0.6:
        run.suspend(run.chance.choice(("ctrl+t", "SIGTSTP", "SIGSTOP")))
    run.seen.hang_up()


WAYS: dict[str, tuple[Callable[..., None], int]] = {
    "stopped and continued, keys typed meanwhile": (stopped, 8),
    "continued without a stop": (continued, 2),
    "suspended where there is no shell": (no_shell, 2),
    "asked to end": (asked_to_end, 4),
    "asked to end while stopped": (asked_while_stopped, 3),
    "terminal gone while stopped": (gone_while_stopped, 2),
    "terminal gone": (gone, 2),
    "worker stopped": (worker_stopped, 3),
    "stopped while it quits": (stopped_at_the_end, 4),
    "asked to end while it quits": (asked_at_the_end, 3),
    "a terminal that nobody reads": (unread, 2),
}
BEHIND_A_SHELL: dict[str, tuple[Callable[..., None], int]] = {
    "suspended and brought back by fg": (suspended, 8),
    "ctrl+z": (undone, 1),
    "ended while suspended": (ended_while_suspended, 3),
    "connection dropped": (dropped, 3),
}
COMMANDS = "another command stopped and continued"


def run(count: int, seed: int, folder: Path) -> Outcome:
    """Do it `count` times, each to a new project."""
    outcome = Outcome(
        "signals",
        count,
        "runs",
        seed,
        f"`labeler label` on {N} digits in a pseudo-terminal, alone or as a job of an interactive bash: stopped and"
        " continued with keys typed meanwhile (with and without its worker), suspended (ctrl+t, SIGTSTP, SIGSTOP) with"
        " the shell used, `bg` and `fg`, asked to end (SIGHUP, SIGINT, SIGQUIT, SIGTERM) at work, stopped, suspended"
        " and while it quits, its terminal gone or read by nobody, its worker stopped; `simulate`, `export`, `status`"
        " stopped and continued. It goes on or ends within 30 s with the right code; every acknowledged event is"
        " stored, in order and once, and a key typed while it was stopped is one answer; no process is left; the"
        " terminal is as it was (screen, cursor, mouse, paste, keyboard protocol, modes). Not covered: terminals"
        " themselves (the sequences are read, no emulator is run), tmux and ssh (what they send is sent), other shells"
        " than bash; a stopped process that nobody continues cannot end, and nothing cleans a terminal after SIGSTOP or"
        " SIGKILL.",
    )
    began, chance = time.perf_counter(), random.Random(seed)
    source = folder / "digits.npz"
    with np.load(ROOT / "labeler" / "_data" / "digits.npz") as arrays:
        np.savez(source, X=arrays["X"][:N], y=arrays["y"][:N])
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    weights = {name: weight for name, (_, weight) in (WAYS | BEHIND_A_SHELL).items()} | {COMMANDS: 3}
    for number in range(count):
        if outcome.is_over(number):
            break
        way = chance.choices(list(weights), list(weights.values()))[0]
        own = random.Random(chance.random())  # what one run draws depends on how quick the machine is
        place = folder / str(number)
        place.mkdir()
        if way == COMMANDS:
            wrong = commands(place, source, own)
        else:
            wrong = one_run(way, place, source, own, outcome)
        outcome.failures += [f"run {number} ({way}): {item}" for item in wrong]
        outcome.saw(way)
    outcome.seconds = time.perf_counter() - began
    return outcome


def one_run(way: str, folder: Path, source: Path, chance: random.Random, outcome: Outcome) -> list[str]:
    """Open a new project, answer a little, and do it; what is wrong then."""
    path, size = folder / "chaos.labeler.db", chance.choice(SIZES)
    command = labeler("label", source, "-p", path, "--classes", CLASSES)
    behind = way in BEHIND_A_SHELL
    # a shell of its own: no start-up file of this machine's, a prompt that is not taken for anything else
    shell = ["env", "PS1=$ ", "bash", "--norc", "--noprofile", "-i"]
    seen = Watched(shell if behind else command, size, folder / "state")
    run = (Shelled if behind else Run)(seen, path, chance, size)
    try:
        if isinstance(run, Shelled):
            run.shell("bind 'set enable-bracketed-paste off'; echo ready-$((6*7))", "ready-42")
            run.modes = [run.modes_of_commands()]
            seen.type(" ".join(command) + "\r")
        else:
            run.modes = termios.tcgetattr(seen._ours)
        if run.expect(lambda: seen.is_asking, "no question was painted"):
            run.answer(chance.randint(1, 4))
            if not run.wrong:
                (WAYS | BEHIND_A_SHELL)[way][0](run)
        if behind and seen._ours >= 0:
            seen.type("exit\r")
            seen.wait_for_end(10.0)
        left = seen.outlived_by(ENDS_WITHIN)
        run.wrong += [f"{len(left)} processes were left behind"] if left else []
        seen._listen()
    finally:
        seen.end(signal.SIGKILL)
        seen.outlived_by(0.0)
        seen.put_away()
    outcome.saw("acknowledged events", len(run.acks))
    return run.wrong + examine(path, run.acks, 0)


def commands(folder: Path, source: Path, chance: random.Random) -> list[str]:
    """`simulate`, `status` and `export` say the same, however often they are stopped."""
    path = folder / "simulated.labeler.db"
    simulate = labeler("simulate", source, "--truth", "y", "--clicks", "20", "--seed", "1")
    wrong, saying = [], []
    for name in ("simulated.labeler.db", "again.labeler.db"):
        line = [*simulate, "-p", str(folder / name)]
        said, code = _out(line) if name == path.name else _interrupted(line, chance)
        wrong += [f"simulate ended with code {code}"] if code else []
        saying.append([_timeless(row) for row in json.loads(said)["curve"]] if not code else [])
    status = labeler("status", path, "--json")
    if (report := _out(status)) != _interrupted(status, chance) or report[1]:
        wrong.append(f"status says something else when it is stopped: {report}"[:500])
    calm, stopped = folder / "calm.csv", folder / "stopped.csv"
    code = _out(labeler("export", path, calm))[1] or _interrupted(labeler("export", path, stopped), chance)[1]
    if code or calm.read_bytes() != stopped.read_bytes():
        wrong.append(f"export writes something else when it is stopped, or ended with code {code}")
    return wrong + (["simulate says something else when it is stopped"] if saying[0] != saying[1] else [])


def _timeless(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name != "seconds"}


def _out(line: list[str]) -> tuple[str, int]:
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    return done.stdout, done.returncode


def _interrupted(line: list[str], chance: random.Random) -> tuple[str, int]:
    """Run a command that is stopped and continued as long as it runs."""
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for _ in range(30):
        time.sleep(0.15 * chance.random())
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.05 * chance.random())
        process.send_signal(signal.SIGCONT)
    said, _ = process.communicate(timeout=300)
    return said, process.returncode


def _unlike_neighbors(chance: random.Random, count: int) -> str:
    """Answers of which no two in a row are alike: a key that comes often at once counts as held down."""
    keys = ""
    while len(keys) < count:
        key = chance.choice(ANSWERS)
        keys += key if key != keys[-1:] else ""
    return keys


def _is_stopped(pid: int) -> bool:
    try:
        return "\nState:\tT" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
