"""The ways in and out of a command: a project to read, the screen, a result on standard output, notes on error."""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labeler import commands
from labeler import project as projects
from labeler.cli.progress import Narrator
from labeler.core.errors import LabelerError, UsageError
from labeler.core.text import display_safe

if TYPE_CHECKING:
    from labeler.commands.result import Result
    from labeler.project.open import Project

PATIENCE = 2.0
"""Seconds that a terminal which nobody reads is waited for."""


def need_terminal() -> None:
    """Refuse to open the application where there is no terminal."""
    # Textual draws on stderr and reads stdin; a browser front end has neither and sets its own driver
    if "TEXTUAL_DRIVER" not in os.environ and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "the application needs a terminal, and this is none",
            "run it in a terminal (over SSH: ssh -t); labeler status, export and simulate work without one",
        )


def open_screen(name: str, open_project: Callable[[], Project], *, audit: bool = False) -> None:
    """Run the application, which opens a project behind its first frame; say its summary, end with its exit code.

    `name` says what is opened until it is.
    """
    from labeler.ui.app import run as run_app  # start-up: textual

    with projects.opener.Opener(name, open_project) as opener:
        code = run_app(opener, audit=audit)
        project = opener.project
        if project is None:  # asked to end before it was open
            sys.exit(code)
        summary = project.summary()
        certificate = project.session.audit.certificate() if audit else None
        if certificate is not None:
            report = commands.audit.AuditReport(certificate)
            summary = "\n".join(report.lines())
            code = code or int(not report.is_success())
        code = code or int(project.is_lost)
        _say_last(lambda: say(summary), code)  # before the backup, which nobody should wait for
    _say_last(lambda: _say_notices(project), code)
    if code:
        sys.exit(code)


def _say_last(speak: Callable[[], object], code: int) -> None:
    """Say something; where the application was asked to end (`code` above 128) there may be nobody to say it to."""
    if code <= 128:
        speak()
        return
    try:
        if select.select([], [sys.stdout], [], PATIENCE)[1]:  # else it is a terminal that nobody reads
            speak()
    except (OSError, ValueError):  # the terminal is gone: nothing is tried again at exit
        for descriptor in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


@contextmanager
def reading_what_leaves(project: Path, first: Callable[[Project], object] = lambda _: None) -> Iterator[Project]:
    """Open a project to read, whose labels are those that an export would ship now: of its closing round.

    Where that was not kept it is computed, which takes a while and is said. Where it cannot be, the last round stands
    in for it, and a note says so. `first` is called before, with the project as it was opened.
    """
    with reading(project) as opened:
        first(opened)
        if projects.closing_round.take(opened):
            yield opened
            return
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(reading(project, with_source=True, quiet=True))
            with narrator_of() as narrator:
                if not projects.closing_round.take(opened):
                    projects.closing_round.compute(opened, narrator.progress)
        except LabelerError as error:
            stack.close()
            opened = stack.enter_context(reading(project, quiet=True))
            what = display_safe(error.message, 1000)
            click.echo(f"note: {what}: the machine's labels are those of the last round, not of an export", err=True)
        yield opened


def reading(project: Path, *, with_source: bool = False, quiet: bool = False) -> Project:
    """Open a project without changing it, also while the application has it open; `quiet`: it was opened before."""
    check_project(project)
    opened = projects.open.open_project(project, read_only=True, with_source=with_source)
    try:
        if with_source:
            opened.cache()  # says where it is, if it is not where one would look for it
    except BaseException:
        opened.close()
        raise
    if not quiet:
        _say_notices(opened)
    return opened


def _say_notices(project: Project) -> None:
    say_notes(project.notices)


def say_notes(notes: Iterable[str]) -> None:
    """Print one line a note on standard error."""
    for note in notes:
        click.echo(f"note: {display_safe(note, 1000)}", err=True)


def check_project(path: Path) -> None:
    """Refuse a path that is no project file."""
    if not path.exists():
        raise UsageError(f"there is no project file {path}", "check the path; start one with: labeler label SOURCE")
    if not projects.paths.is_project(path):
        raise UsageError(f"{path} is not a project file", "give a *.labeler.db file, made by: labeler label SOURCE")


@contextmanager
def at_work(path: Path) -> Iterator[tuple[Project, Narrator]]:
    """Open a project to read with its source; with it comes the narrator of what takes time."""
    with narrator_of() as narrator, reading(path, with_source=True) as opened:
        yield opened, narrator


def narrator_of() -> Narrator:
    """Return what says progress and notes on standard error."""
    return Narrator(quiet=is_quiet())


def is_json() -> bool:
    """Return whether ``--json`` was given."""
    return bool(click.get_current_context().params.get("as_json", False))


def is_quiet() -> bool:
    """Return whether ``--quiet`` was given."""
    return bool(click.get_current_context().meta.get("labeler.quiet", False))


def show(result: Result, *, as_json: bool = False) -> None:
    """Print a result on standard output, its notes on standard error."""
    say_notes(result.warnings())
    if as_json:
        say(json.dumps(result.to_json()))
        return
    text = "\n".join(result.lines())
    if sys.stdout.isatty():  # a table's cells are as they are for a program or file, and safe to show on a terminal
        text = "\n".join(display_safe(line, 100_000) for line in text.split("\n"))
    say(text)


def say(text: str) -> None:
    """Print an answer on standard output."""
    click.echo(text)
