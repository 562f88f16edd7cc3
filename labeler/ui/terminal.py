"""The terminal: entered and left whole, whatever stops, continues or ends the program meanwhile.

Textual's driver enters its mode anew at every SIGCONT. After a SIGSTOP, which nothing can handle, that makes a second
thread that reads keys (of two one hangs in its read, and so does quitting), takes the modes that it set itself for
those of the shell, and raises where no loop runs any more. This driver knows whether it is in its mode.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import termios
import time
from collections.abc import Callable
from typing import Any, Protocol, cast

from textual import constants
from textual.drivers.linux_driver import (
    KITTY_DISAMBIGUATE_ESCAPE_CODES,
    KITTY_REPORT_ALL_KEYS,
    KITTY_REPORT_ASSOCIATED_TEXT,
    LinuxDriver,
)

from labeler.ui.signals import Ending

PATIENCE = 2.0
"""Seconds that a terminal which nobody reads is waited for once the program was asked to end."""
# bytes: a frame goes out in a few writes
_BLOCK = 8192
# places in what `tcgetattr` returns
_LFLAG, _IFLAG, _CC = 3, 0, 6
_KITTY_KEYS = KITTY_DISAMBIGUATE_ESCAPE_CODES | KITTY_REPORT_ALL_KEYS | KITTY_REPORT_ASSOCIATED_TEXT


class Output:
    """A terminal as the text file that a driver writes to: nothing raises, and nothing waits for ever.

    What a terminal that is gone should have shown is dropped, and so is what nobody reads when `gives_up` says so.
    """

    def __init__(self, descriptor: int, encoding: str, gives_up: Callable[[], bool]) -> None:
        self._descriptor, self._encoding, self._gives_up = _unblocked(descriptor), encoding, gives_up
        self._pending = bytearray()

    def write(self, text: str) -> int:
        """Keep text until it is flushed, or is much."""
        self._pending += text.encode(self._encoding, "replace")
        if len(self._pending) >= _BLOCK:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Hand over what is kept."""
        left = memoryview(bytes(self._pending))
        self._pending.clear()
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:
                # not for ever: whether to give up may change meanwhile
                while not select.select([], [self._descriptor], [], 0.1)[1]:
                    if self._gives_up():
                        return
            except OSError:  # the terminal is gone
                return

    def fileno(self) -> int:
        """The descriptor that is written to."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self._descriptor)


def _unblocked(descriptor: int) -> int:
    """A descriptor of the same terminal whose writes do not wait; the one given where there can be none.

    It is opened anew: the flag belongs to what the shell's own descriptor shares with ours.
    """
    try:
        return os.open(os.ttyname(descriptor), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return descriptor


class _Ends(Protocol):
    """An application that knows whether it was asked to end."""

    ending: Ending


class TerminalDriver(LinuxDriver):
    """Textual's driver, with a memory of whether the terminal is in its hands."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._ending = cast("_Ends", self._app).ending
        real = self._file
        assert real is not None  # noqa: S101 - where there is none the application is refused
        self._file = cast(Any, Output(real.fileno(), real.encoding, lambda: self._ending.waited > PATIENCE))
        self._in_use = False
        self._leaving = False  # what was switched on is being switched off
        self._modes: list[Any] | None = None  # of the terminal, as we set them
        self._staying_away = False
        self._continued = False

    # -- in and out ----------------------------------------------------------------------------------------------

    def start_application_mode(self) -> None:
        """Take the terminal; nothing where it is taken already."""
        if self._in_use:
            return
        self._in_use, self._leaving = True, False
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._in_use = self._writer_thread is not None and self._writer_thread.is_alive()
        if not self._in_use:  # there was no terminal to take
            self._check_terminal()
            return
        self._mind_other_jobs(signal.SIG_IGN)
        with contextlib.suppress(termios.error):
            modes = termios.tcgetattr(self.fileno)
            modes[_CC][termios.VMIN] = modes[_CC][termios.VTIME] = 0  # what select announced may be another's by now
            termios.tcsetattr(self.fileno, termios.TCSANOW, modes)
            self._modes = modes

    def stop_application_mode(self) -> None:
        """Give the terminal back; nothing where it is given back already."""
        if not self._in_use:
            return
        self._leaving = True
        if self._is_elsewhere():
            self.attrs_before = None  # the modes are the shell's own by now
        super().stop_application_mode()
        # reports of the mouse in pixels, which Textual switches on and never off
        self.write("\x1b[?1016l")
        self._in_use = False
        self._mind_other_jobs(signal.SIG_DFL)

    def disable_input(self) -> None:
        """Read no more keys."""
        if self._in_use:
            self._leaving = True
            super().disable_input()

    def write(self, data: str) -> None:
        """Write where the terminal is ours."""
        if self._in_use and self._writer_thread is not None:
            self._writer_thread.write(data)

    def run_input_thread(self) -> None:
        """Read keys until told to end, or until the terminal is gone; one that is another job's is waited for."""
        while True:
            try:
                super().run_input_thread()
            except OSError:
                self._check_terminal()
            # a pause: reading a terminal that is another job's fails at once, again and again
            if self._ending.number or self.exit_event.wait(0.05):
                return

    # -- stopped and continued -----------------------------------------------------------------------------------

    def suspend(self, *, with_group: bool) -> bool:
        """Leave the terminal as it was, stop, and come back when continued; False where nobody could continue us.

        The kernel decides: it stops no process whose group no shell watches over.
        """
        used = self._in_use and not self._leaving
        if used:
            self.suspend_application_mode()
        self._continued = False
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        try:
            if with_group:
                os.killpg(os.getpgrp(), signal.SIGTSTP)
            else:
                os.kill(os.getpid(), signal.SIGTSTP)
            self._stay_away()
        finally:
            signal.signal(signal.SIGTSTP, self._sigtstp_application)
        if used and not self._ending.number:
            with contextlib.suppress(termios.error):
                termios.tcflush(self.fileno, termios.TCIFLUSH)  # typed for somebody else, and without a picture
            self.resume_application_mode()
            self._repaint()
        return self._continued

    # a handler runs amid anything, also while a lock of the writer is held: it stops the process, and leaves the rest
    # to the loop

    def _sigtstp_application(self, *_: object) -> None:
        if self._in_use and not self._leaving:
            self._loop.call_soon_threadsafe(lambda: self.suspend(with_group=False))
        else:
            self.suspend(with_group=False)

    def _sigcont_application(self, *_: object) -> None:
        self._continued = True
        if self._in_use and self._auto_restart and not self._leaving and not self._staying_away:
            self._stay_away()
            self._loop.call_soon_threadsafe(self._come_back)

    def _come_back(self) -> None:
        """Take up the terminal as it is after a SIGSTOP: perhaps untouched, perhaps with a shell's modes."""
        if not self._in_use or self._leaving or self._is_elsewhere():
            return
        try:
            now = termios.tcgetattr(self.fileno)
            if self._modes is not None and (now[_LFLAG], now[_IFLAG]) != (self._modes[_LFLAG], self._modes[_IFLAG]):
                termios.tcsetattr(self.fileno, termios.TCSAFLUSH, self._modes)  # what a shell left is not for us
        except termios.error:
            self._check_terminal()
            return
        # the alternate screen, no cursor, reports of focus: what Textual sets at its start
        self.write("\x1b[?1049h\x1b[?25l\x1b[?1004h")
        if not constants.DISABLE_KITTY_KEY:
            # one off the stack before one on it: a terminal that was left untouched still has ours
            self.write(f"\x1b[<u\x1b[>{_KITTY_KEYS}u")
        self._enable_mouse_support()
        self._enable_bracketed_paste()
        self._disable_line_wrap()
        if self._in_band_window_resize:
            self._enable_in_band_window_resize()
        self._repaint()
        os.kill(os.getpid(), signal.SIGWINCH)  # the size may be another, and was told to whoever was in front

    def _stay_away(self) -> None:
        """Continued in the background (`bg`) there is nothing to draw on: stop again, unless asked to end.

        Who ends a stopped job sends a signal and continues it: that signal may be looked at after this.
        """
        self._staying_away = True
        try:
            while self._is_elsewhere():
                for _ in range(10):
                    if self._ending.number:
                        return
                    time.sleep(0.02)
                if self._is_elsewhere():
                    os.kill(os.getpid(), signal.SIGSTOP)
        finally:
            self._staying_away = False

    @staticmethod
    def _mind_other_jobs(how: signal.Handlers) -> None:
        """Set what the kernel does where we read or switch a terminal that is another job's: stop us, or say no."""
        signal.signal(signal.SIGTTIN, how)
        signal.signal(signal.SIGTTOU, how)

    def _repaint(self) -> None:
        self._loop.call_soon_threadsafe(lambda: self._app.refresh(layout=True))

    def _is_elsewhere(self) -> bool:
        """Whether the terminal belongs to another job by now."""
        try:
            return os.tcgetpgrp(self.fileno) != os.getpgrp()
        except OSError:  # it is gone, or not the one that controls us
            return False

    def _check_terminal(self) -> None:
        """A terminal that is gone ends the application, also where SIGHUP is ignored."""
        try:
            termios.tcgetattr(self.fileno)
        except termios.error:
            self._ending.ask(signal.SIGHUP)

    def look(self) -> None:
        """Notice a terminal that is gone; to be called now and then."""
        if self._in_use:
            self._check_terminal()
