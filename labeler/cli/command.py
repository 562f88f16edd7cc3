"""One way to add a command: what all commands share stands here, once.

A command is a function that takes what was parsed and returns a :class:`~labeler.commands.result.Result`; it is listed
under a heading of ``labeler --help`` and its result printed for a person or, with ``--json``, for a program.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labeler.cli.main import main, quiet_option
from labeler.cli.options import json_option, plugin_option
from labeler.cli.output import show

if TYPE_CHECKING:
    from labeler.commands.result import Result


def command(
    heading: str,
    name: str | None = None,
    *,
    short_help: str | None = None,
    project: bool = False,
    json: bool = False,
    plugins: bool = False,
) -> Callable[[Callable[..., Result | None]], click.Command]:
    """Make a function a command of the program, with ``--quiet``.

    Parameters
    ----------
    heading
        One of :data:`~labeler.cli.main.HEADINGS`; commands stand below it in the order in which they are added.
    name
        What is typed; by default the function's name.
    short_help
        The line of ``labeler --help``; by default the first line of the docstring.
    project
        Whether the first argument is a PROJECT, a path.
    json, plugins
        Whether there is ``--json``, and ``--plugin FILE.py``.
    """

    def add(function: Callable[..., Result | None]) -> click.Command:
        def run(**arguments: Any) -> None:
            as_json = arguments.pop("as_json", False)
            result = function(**arguments)
            if result is None:  # the application was opened, and said all
                return
            show(result, as_json=as_json)
            if not result.is_success():
                sys.exit(1)

        run.__doc__ = function.__doc__
        run.__name__ = function.__name__
        run.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
        added = main.command(name or function.__name__, short_help=short_help)(run)
        if project:
            # click takes arguments in this order: PROJECT is always the first
            added.params.insert(0, click.Argument(["project"], type=click.Path(path_type=Path)))
        shared = [*([json_option()] if json else []), *([plugin_option()] if plugins else []), quiet_option()]
        # an option that a command placed by itself is not added twice
        present = {parameter.name for parameter in added.params}
        added.params += [option for option in shared if option.name not in present]
        main.headings[heading].append(added.name or "")
        return added

    return add
