"""Signals that ask the application to end: each ends it as `Q` does, with the terminal as it was before."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

ASKING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
_OF_THE_SCREEN = (signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH, signal.SIGTTIN, signal.SIGTTOU)
"""Signals that the driver of the terminal takes for itself, and which are nobody's once it is gone."""


class Ending:
    """Whether the process was asked to end, and by which signal; tells the application once there is one.

    The handlers are plain ones, not those of the event loop: they run as well while the loop waits for a terminal that
    nobody reads, so that whoever waits can give up.
    """

    def __init__(self) -> None:
        self.number = 0  # 0 = nobody asked
        self._since = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._then: Callable[[int], object] | None = None
        self._context: contextvars.Context | None = None  # a signal comes in that of whatever runs just then

    @property
    def waited(self) -> float:
        """Seconds since the process was asked to end; 0 while it was not."""
        return time.monotonic() - self._since if self.number else 0.0

    def ask(self, number: int) -> None:
        """Ask the application to end as by signal `number`; from any thread. The first counts."""
        if self.number:
            return
        # the time first: who sees the number reads the time
        self._since, self.number = time.monotonic(), number
        if self._loop is not None and self._then is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: it ends already
                self._loop.call_soon_threadsafe(self._then, number, context=self._context)

    def tell(self, then: Callable[[int], object]) -> None:
        """Call `then` in the running loop with the signal, once there is one, or at once where there was."""
        self._loop, self._then, self._context = asyncio.get_running_loop(), then, contextvars.copy_context()
        if self.number:
            self._loop.call_soon(then, self.number)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals; afterwards they are whose they were, but for a second hang-up.

        A shell sends SIGHUP on to its jobs after the kernel did: that must not cut off what is done at the end.
        """
        numbers = (*ASKING, *_OF_THE_SCREEN)
        before: dict[int, Any] = {number: signal.getsignal(number) for number in numbers}
        try:
            for number in ASKING:
                if before[number] is not signal.SIG_IGN:  # nohup means it
                    signal.signal(number, lambda number, _: self.ask(number))
        except ValueError:  # not in the main thread: whoever runs us sees to it
            yield
            return
        try:
            yield
        finally:
            if self.number == signal.SIGHUP:
                before[signal.SIGHUP] = signal.SIG_IGN
            for taken, handler in before.items():
                signal.signal(taken, handler if handler is not None else signal.SIG_DFL)
