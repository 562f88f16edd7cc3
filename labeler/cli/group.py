"""The program's name, its groups of commands and what stands before every one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from labeler import __version__

Command = TypeVar("Command", bound=Callable[..., Any])
Completer = Callable[[click.Context, click.Parameter, str], list[str]]

GROUPS = {
    "Label": ("demo", "label", "import-labels", "merge"),
    "Look": ("status", "why", "clusters", "search", "outliers", "hunt", "plugins"),
    "Take away": ("audit", "export", "predict"),
    "Keep": ("check", "replay", "backup", "restore"),
    "Measure": ("simulate",),
}
HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Grouped(click.Group):
    """Lists the commands under headings, in the order a person meets them."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section a heading."""
        for heading, commands in GROUPS.items():
            found = [(name, self.get_command(ctx, name)) for name in commands]
            rows = [(name, command.get_short_help_str(70)) for name, command in found if command is not None]
            with formatter.section(heading):
                formatter.write_dl(rows)


def quiet_option(command: Command) -> Command:
    """``--quiet``, before or after the command's name."""

    def note(ctx: click.Context, _: click.Parameter, given: bool) -> None:
        if given:
            ctx.find_root().meta["labeler.quiet"] = True

    return click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=note, help="No progress on standard error."
    )(command)


def one_of(*words: str) -> Completer:
    """Completion of an option's value by these words."""
    return lambda context, parameter, begun: [word for word in words if word.startswith(begun)]


def plugins_of(*kinds: str) -> Completer:
    """Completion by the names of the plug-ins of these kinds."""

    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
        from labeler import registry

        return [name for kind in kinds for name in registry.names(kind) if name.startswith(begun)]

    return complete


@click.group(cls=Grouped, invoke_without_command=True, context_settings=HELP)
@click.version_option(__version__, prog_name="labeler")
@quiet_option
@click.pass_context
def main(ctx: click.Context) -> None:
    """Label an image set with a few key presses, in the terminal.

    Bare `labeler` opens the demo; `labeler label FOLDER` opens your images and resumes them later.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(main.commands["demo"])
