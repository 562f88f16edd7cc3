"""The moving line of a terminal: what is done, how far, since when and for how long still. Drawn by rich.progress."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

TICKS = 5
"""Times a second that the line is drawn: it moves, and costs a slow connection little."""
WARM_UP = 3
"""Seconds before an end is told: rates of the first steps say little of the others."""


class Amount(ProgressColumn):
    """The numbers of a step: ``3 of 10``, the seconds since it began, and those it still takes."""

    def render(self, task: Task) -> Text:
        """Return the numbers of a task; none that is not known."""
        parts = [f"{task.completed:,.0f} of {task.total:,.0f}"] if task.total is not None else []
        seconds = int(task.elapsed or 0)
        if seconds:
            parts.append(f" {seconds} s")
        # none before rich has seen two steps
        remaining = task.time_remaining
        if remaining and seconds >= WARM_UP:
            parts.append(f" about {remaining:,.0f} s left")
        return Text(" ".join(parts))


class _Terminal(Console):
    """A console that leaves the cursor as it is: a program that is stopped or killed cannot bring it back."""

    def show_cursor(self, show: bool = True) -> bool:
        """Leave the cursor."""
        return False


def moving_line(stream: TextIO) -> Progress:
    """Return a line that moves on a terminal until it is stopped; then it is empty again."""
    what = Column(no_wrap=True, overflow="ellipsis")  # one line, however narrow the terminal is
    return Progress(
        SpinnerColumn("dots", style=""),
        TextColumn("{task.description}", markup=False, style="", table_column=what),
        Amount(table_column=Column(no_wrap=True)),
        console=_Terminal(file=stream, force_terminal=True, force_interactive=None, color_system=None),
        refresh_per_second=TICKS,
        transient=True,
        redirect_stdout=False,  # answers go to standard output untouched
        redirect_stderr=False,
    )
