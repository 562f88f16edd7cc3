"""Progress on standard error: one line that moves on a terminal, notes alone elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType

from labeler.core.terminal import own_stderr
from labeler.core.text import display_safe
from labeler.core.types import Progress

TICK = 0.2
_SPINNER = "▖▘▝▗"
_WIDTH = 76


class Narrator:
    """Say what is being done, for as long as a ``with`` lasts; then the line is empty again.

    Between two signs of life the line still moves and counts the seconds, so that a long step does not look dead.

    Parameters
    ----------
    quiet
        Say nothing at all.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._moving = not quiet and sys.stderr.isatty()
        self._what, self._line, self._since, self._tick = "", "", 0.0, 0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._own_stderr = own_stderr()

    def __enter__(self) -> Narrator:
        self._own_stderr.__enter__()
        if self._moving:
            threading.Thread(target=self._run, name="narrator", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        with self._lock:
            self._clear()
        self._own_stderr.__exit__(None, None, None)

    def progress(self, step: Progress) -> None:
        """What is being done, and how far it is."""
        counted = f" {step.done:,} of {step.total:,}" if step.total > 1 else ""
        what = display_safe(step.what, 60)
        with self._lock:
            new = what != self._what
            self._line = f"{what}{counted}"
            if new:  # else the next tick draws it: there may be thousands a second
                self._what, self._since = what, time.monotonic()
                self._draw()

    def note(self, text: str) -> None:
        """One line that stays."""
        if not self._quiet:
            with self._lock:
                self._clear()
                _write(f"{display_safe(text, 1000)}\n")

    def _run(self) -> None:
        while not self._ended.wait(TICK):
            with self._lock:
                if not self._ended.is_set():
                    self._tick += 1
                    self._draw()

    def _draw(self) -> None:
        if self._moving and self._line:
            seconds = int(time.monotonic() - self._since)
            spent = f"  {seconds} s" if seconds else ""
            text = f"{_SPINNER[self._tick % len(_SPINNER)]} {self._line}{spent}"
            _write(f"\r\x1b[K{text[:_WIDTH]}")

    def _clear(self) -> None:
        if self._moving and self._line:
            _write("\r\x1b[K")


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
