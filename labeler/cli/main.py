"""The program: its groups of commands, what stands before every one of them, and how an error becomes lines."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from labeler import __version__
from labeler.core.errors import LabelerError
from labeler.core.text import display_safe
from labeler.plugins import registry

Completer = Callable[[click.Context, click.Parameter, str], list[str]]

HEADINGS = ("Label", "Inspect", "Export", "Maintain", "Measure")
"""The groups of commands, in the order a person meets them."""
HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Grouped(click.Group):
    """A group that lists its commands under headings, each in the order in which they were added."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.headings: dict[str, list[str]] = {heading: [] for heading in HEADINGS}

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section a heading."""
        for heading, names in self.headings.items():
            rows = [(name, self.commands[name].get_short_help_str(70)) for name in names]
            with formatter.section(heading):
                formatter.write_dl(rows)


def quiet_option() -> click.Option:
    """Return ``--quiet``, which stands before or after the command's name."""

    def note(ctx: click.Context, _: click.Parameter, given: bool) -> None:
        if given:
            # at the root: it may stand before the command or after it, and counts in either place
            ctx.find_root().meta["labeler.quiet"] = True

    return click.Option(
        ["-q", "--quiet"], is_flag=True, expose_value=False, callback=note, help="No progress on standard error."
    )


def one_of(*words: str) -> Completer:
    """Complete an option's value by these words."""
    return lambda context, parameter, begun: [word for word in words if word.startswith(begun)]


def plugins_of(*kinds: str) -> Completer:
    """Complete a value by the names of the plug-ins of these kinds."""

    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
        return [name for kind in kinds for name in registry.names(kind) if name.startswith(begun)]

    return complete


@click.group(cls=Grouped, invoke_without_command=True, context_settings=HELP)
@click.version_option(__version__, prog_name="labeler")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Label an image set with a few key presses, in the terminal.

    Bare `labeler` opens the demo; `labeler label FOLDER` opens your images and resumes them later.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(main.commands["demo"])


main.params.append(quiet_option())


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
        # else click would print errors in its own way and exit by itself
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
    # `labeler plugins | head` is no failure
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
    """End as asked: what is being written is taken away again on the way out."""
    sys.exit(128 + number)


def _let_go_of_stdout() -> None:
    """Drop what could not be written, so that it is not tried again at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _fail(message: str, hint: str, code: int) -> None:
    click.echo(f"labeler: {display_safe(message, 1000)}", err=True)
    if hint:
        click.echo(f"  {display_safe(hint, 1000)}", err=True)
    sys.exit(code)
