"""Progress on standard error: one line that moves on a terminal, notes alone elsewhere."""

from __future__ import annotations

import os
import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from labeler.core.terminal import own_stderr
from labeler.core.text import display_safe

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from labeler.core.types import Progress

NEVER_MOVING = ("dumb", "unknown")
"""Terminals by name that cannot clear a line."""


class Narrator:
    """Show what is being done, for as long as a ``with`` lasts; then the line is empty again.

    Between two signs of life the line still moves and counts the seconds, so that a long step does not look dead.

    Parameters
    ----------
    quiet
        Say nothing at all.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._what = ""
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._lock = threading.Lock()  # steps may come from several threads
        self._own_stderr = own_stderr()

    def __enter__(self) -> Narrator:
        # notes alone where a line cannot move: a log would hold thousands of half lines
        can_move = sys.stderr.isatty() and os.environ.get("TERM") not in NEVER_MOVING
        self._own_stderr.__enter__()
        if can_move and not self._quiet:
            from labeler.cli.progress_bar import moving_line  # start-up: rich, which nobody needs without a terminal

            self._bar = moving_line(sys.stderr)
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._own_stderr.__exit__(None, None, None)

    def progress(self, step: Progress) -> None:
        """Show what is being done, and how far it is."""
        if self._bar is None:
            return
        total = step.total if step.total > 1 else None
        with self._lock:
            if step.what != self._what or self._task is None:  # a new step counts its seconds anew
                if self._task is not None:
                    self._bar.remove_task(self._task)
                self._what = step.what
                self._task = self._bar.add_task(display_safe(step.what, 60), total=total, completed=step.done)
            else:  # drawn with the next tick: there may be thousands a second
                self._bar.update(self._task, total=total, completed=step.done)

    def note(self, text: str) -> None:
        """Print one line that stays."""
        if self._quiet:
            return
        line = display_safe(text, 1000)
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()
