"""Run the program: every error becomes lines and an exit code."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from typing import NoReturn

import click

from labeler.cli.group import main
from labeler.display import display_safe
from labeler.errors import LabelerError


def run(started: float) -> None:
    """Run the program; every :class:`LabelerError` becomes two lines and its exit code, never a traceback."""
    with contextlib.suppress(ValueError):  # outside the main thread
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup means it
                signal.signal(number, _terminated)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what a terminal's encoding cannot say is no crash
    try:
        main(standalone_mode=False, prog_name="labeler", obj=started)
    except LabelerError as error:
        _fail(error.message, error.hint, error.exit_code)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "labeler"
        _fail(error.format_message(), f"see: {command} --help", 2)
    except click.ClickException as error:
        _fail(error.format_message(), "see: labeler --help", 2)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted: answers are saved as they are given, nothing is left half written", "", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whoever read us has gone; say nothing more
        sys.exit(0)
    except MemoryError:
        _fail("there is not enough memory for this", "close other programs, or take a part of the source", 2)
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        _let_go_of_stdout()
        _fail(f"cannot read or write{where}: {error.strerror or error}", "is there room, and the right to write?", 2)


def _terminated(number: int, _: object) -> NoReturn:
    """Asked to end: what is being written is taken away again on the way out."""
    sys.exit(128 + number)


def _let_go_of_stdout() -> None:
    """What could not be written is not tried again at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _fail(message: str, hint: str, code: int) -> None:
    click.echo(f"labeler: {display_safe(message, 1000)}", err=True)
    if hint:
        click.echo(f"  {display_safe(hint, 1000)}", err=True)
    sys.exit(code)
