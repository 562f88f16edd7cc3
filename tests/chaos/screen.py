"""The application on a terminal whose screen can be read, with a side pipe for what it has committed."""

from __future__ import annotations

import os
import re
import select
import signal
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.terminal import Terminal, children
from labeler.store.store import VARIABLE

_PIECE = re.compile(
    rb"\x1b\[([0-?]*)[ -/]*([@-~])|\x1b[\]P^_].*?(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]|\r|\n|[^\x1b\r\n]+", re.S
)
_CUT = re.compile(rb"(\x1b(\[[0-?]*[ -/]*)?|[\xc0-\xff][\x80-\xbf]{0,2})$")
"""The beginning of a sequence or character whose rest has not come yet (or a whole character, which may wait)."""
_QUESTION = re.compile(r"(\S+) · \d+×\d+")
_TOKEN = "LABELER_CHAOS"  # noqa: S105


class Screen:
    """The cells of a terminal: what is written where; no colors, no scrolling, every character one cell wide."""

    def __init__(self, columns: int, rows: int) -> None:
        self._cells = [[" "] * columns for _ in range(rows)]
        self._row = self._column = 0
        self._rest = b""

    def feed(self, written: bytes) -> None:
        """Take what a program wrote."""
        written = self._rest + written
        cut = _CUT.search(written)
        written, self._rest = (written[: cut.start()], cut[0]) if cut else (written, b"")
        for found in _PIECE.finditer(written):
            piece = found[0]
            if found[2] == b"H":
                row, _, column = found[1].partition(b";")
                self._row, self._column = int(row or 1) - 1, int(column or 1) - 1
            elif piece == b"\r":
                self._column = 0
            elif piece == b"\n":
                self._row += 1
            elif not piece.startswith(b"\x1b"):
                for character in piece.decode("utf-8", "replace"):
                    if self._row < len(self._cells) and self._column < len(self._cells[0]):
                        self._cells[self._row][self._column] = character
                    self._column += 1

    @property
    def text(self) -> str:
        """The rows, one a line."""
        return "\n".join("".join(row) for row in self._cells)


class Watched(Terminal):
    """A program in a terminal, its screen, and the acknowledgements it has written so far.

    Everything it starts carries a mark in its environment, so that what outlives it is found.
    """

    def __init__(self, command: Sequence[str], size: tuple[int, int], state: Path) -> None:
        self.screen = Screen(*size)
        self.said = b""
        self._side, theirs = os.pipe()
        os.set_blocking(self._side, False)
        self._mark = uuid.uuid4().hex
        kept = {_TOKEN: self._mark, VARIABLE: str(theirs), "XDG_STATE_HOME": str(state)}
        super().__init__(command, size, kept, [theirs])
        os.close(theirs)

    @property
    def question(self) -> str:
        """The name of the instance that is asked about on the screen; "" where there is none."""
        found = _QUESTION.search(self.screen.text)
        return found[1] if found else ""

    @property
    def is_asking(self) -> bool:
        """Whether a question and its picture are on the screen."""
        return bool(self.question) and "▀" in self.screen.text

    @property
    def worker(self) -> int | None:
        """The process id of the worker."""
        return next(iter(children(self.process.pid)), None) if self.process.poll() is None else None

    def until(self, there: Callable[[], object], seconds: float) -> bool:
        """Read until something is so; False where it is not in time or the program ended."""
        end = time.perf_counter() + seconds
        while not there():
            if time.perf_counter() > end or self.process.poll() is not None:
                return bool(there())
            self._take(0.02)
        return True

    def end(self, number: int) -> None:
        """Send a signal, and read until the program is gone."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.wait_for_end(10.0)

    def hang_up(self) -> None:
        """Take the terminal away, as a lost connection does."""
        os.close(self._ours)
        self._ours = -1
        self.wait_for_end(10.0)

    def wait_for_end(self, seconds: float) -> bool:
        """Read until the program is gone, or it is killed; whether it went by itself."""
        end = time.perf_counter() + seconds
        while self.process.poll() is None and time.perf_counter() < end:
            self._take(0.02)
        went = self.process.poll() is not None
        if not went:
            self.process.kill()
        self.process.wait()
        while self._take(0.0):
            pass
        self._listen()
        return went

    def put_away(self) -> None:
        """Close our ends."""
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1
        if self._side >= 0:
            os.close(self._side)
            self._side = -1

    def outlived_by(self, seconds: float = 5.0) -> list[int]:
        """Processes with the mark that are still there after so long."""
        end = time.perf_counter() + seconds
        while (left := self._marked()) and time.perf_counter() < end:
            time.sleep(0.02)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        return left

    def _marked(self) -> list[int]:
        mark, found = f"{_TOKEN}={self._mark}".encode(), []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if mark in (entry / "environ").read_bytes() and "\nState:\tZ" not in (entry / "status").read_text():
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found

    def _take(self, seconds: float) -> bool:
        before = len(self._burst)
        came = super()._take(seconds)
        self.screen.feed(self._burst[before:])
        self._listen()
        return came

    def _listen(self) -> None:
        while self._side >= 0 and select.select([self._side], [], [], 0)[0]:
            piece = os.read(self._side, 1 << 16)
            if not piece:
                os.close(self._side)
                self._side = -1
            self.said += piece
