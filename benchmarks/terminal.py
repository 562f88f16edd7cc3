"""A program in a terminal of our own: keys are written to a pty, what it paints is read back and waited for.

Waiting is for content: until what came since the last key says what is looked for, never until it is quiet.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent
_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]P^_].*?(?:\x07|\x1b\\)|[ -/]*[0-~])", re.S)
_OTHER_SCREEN = b"\x1b[?1049h"
_PATIENCE = 120.0

BARE = """
from textual.app import App
from textual.widgets import Static

class Bare(App):
    presses = 0
    def compose(self):
        yield Static("0 presses")
    def on_key(self, event):
        self.presses += 1
        self.query_one(Static).update(f"{self.presses} presses")

Bare().run()
"""
"""The least a Textual application can be: one Static that changes at each key."""


class Terminal:
    """A running program and the pty it draws on.

    Parameters
    ----------
    command
        What to run, as for ``subprocess``.
    size
        Columns and rows.
    environment
        Added to the present one.
    pass_fds
        Descriptors that the program inherits.
    """

    def __init__(
        self,
        command: Sequence[str],
        size: tuple[int, int] = (80, 24),
        environment: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self._ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        # a size in the environment counts for more than the terminal's own, and pytest-xdist puts one there
        inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        colors = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": paths}
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=inherited | colors | dict(environment or {}),
            start_new_session=True,
            pass_fds=pass_fds,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)
        self._burst = b""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def press(self, keys: str) -> float:
        """Write keys; forget what was painted before. Returns when."""
        self._take(0.0)
        self._burst = b""
        now = time.perf_counter()
        os.write(self._ours, keys.encode())
        return now

    def type(self, keys: str) -> None:
        """Write keys; what was painted before stays known."""
        os.write(self._ours, keys.encode())

    def wait(self, there: Callable[[str], object], what: str = "what is looked for") -> float:
        """Read until `there` says so of the text painted since the last key; when the last piece of it came.

        Raises
        ------
        TimeoutError
            It never came, or the program ended.
        """
        end = time.perf_counter() + _PATIENCE
        came = time.perf_counter()
        while not there(self.painted):
            if not self._take(max(end - time.perf_counter(), 0.0)):
                raise TimeoutError(f"{what} was never painted; the last that was: {self.painted[-400:]!r}")
            came = time.perf_counter()
        return came

    def wait_drawn(self) -> float:
        """Read until a full-screen program has drawn its first visible character; when that came.

        Raises
        ------
        TimeoutError
            It never came, or the program ended.
        """
        return self.wait(lambda _: plain(self._burst.partition(_OTHER_SCREEN)[2]).strip(), "the first frame")

    def read_until(self, moment: float) -> None:
        """Read what comes until ``time.perf_counter()`` says `moment`, as a terminal does all the time."""
        while (left := moment - time.perf_counter()) > 0:
            self._take(left)

    @property
    def painted(self) -> str:
        """What was painted since the last key, without colors and positions."""
        return plain(self._burst)

    def close(self) -> str:
        """Read to the end (the program must be quitting, or is told to); what it said last."""
        end = time.perf_counter() + 20.0
        if self.process.poll() is None and not self._burst:
            self.process.terminate()
        while self._take(0.2) or (self.process.poll() is None and time.perf_counter() < end):
            pass
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        said = self.painted
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1
        return said

    def _take(self, seconds: float) -> bool:
        """Read what is there, waiting up to `seconds` for it; False where nothing came."""
        if self._ours < 0 or not select.select([self._ours], [], [], seconds)[0]:
            return False
        try:
            piece = os.read(self._ours, 1 << 16)
        except OSError:  # its other end was closed
            return False
        self._burst += piece
        return bool(piece)


def _take_terminal() -> None:
    """In the new process: the pty is its controlling terminal, so that it is hung up on when the pty is closed.

    What ignores signals here (a shell's background, nohup) is no business of a program in a terminal of its own.
    """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def plain(written: bytes) -> str:
    """Text without escape sequences; positions become spaces."""
    text = written.decode("utf-8", "replace")
    return _SEQUENCES.sub(lambda found: "\n" if found[0].endswith(("H", "f")) else "", text)


def labeler(*arguments: str | Path) -> list[str]:
    """The application's command line."""
    return [sys.executable, "-m", "labeler", *map(str, arguments)]


def bare() -> list[str]:
    """The bare application's."""
    return [sys.executable, "-c", BARE]


def children(pid: int) -> list[int]:
    """Processes started by `pid`, directly."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far, of all its threads, in steps of the kernel's clock."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busy_seconds(pid: int) -> float:
    """Time a process has computed or waited for a core so far: others may use them too."""
    computed, waited, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
    return (int(computed) + int(waited)) / 1e9
