"""Options that several commands share, and the :class:`labeler.project.options.Options` made of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from labeler import project as projects
from labeler.cli.main import one_of, plugins_of
from labeler.cli.output import say_notes

if TYPE_CHECKING:
    from labeler.project.options import Options

Command = TypeVar("Command", bound=Callable[..., Any])

_READING = (
    click.option("--range", shell_complete=one_of("auto"), metavar="LOW:HIGH|auto", help="Values: black to white."),
    click.option("--pages/--no-pages", default=None, help="Every page of a TIFF is an image."),
)


def engine_options(command: Command) -> Command:
    """Add the options that label and simulate share, with ``--plugin`` before them: it brings what they name."""
    for option in reversed(
        (
            click.option(
                "--engine",
                shell_complete=one_of("default", "book"),
                metavar="default|book",
                help="The loop: ours, or the chain of the source.",
            ),
            click.option(
                "--encoder",
                shell_complete=plugins_of("encoder"),
                metavar="NAME[:key=value,...]",
                help="Image -> features.",
            ),
            click.option(
                "--clusterer",
                shell_complete=plugins_of("clusterer"),
                metavar="NAME[:...]",
                help="Features -> clusters.",
            ),
            click.option(
                "--classifier",
                shell_complete=plugins_of("classifier"),
                metavar="NAME[:...]",
                help="Trained on human and propagated labels.",
            ),
            click.option(
                "--strategy", shell_complete=plugins_of("strategy"), metavar="NAME[:...]", help="What is asked next."
            ),
            click.option("--clusters", "n_clusters", type=int, metavar="K", help="How many clusters."),
            click.option(
                "--percentile",
                shell_complete=one_of("auto"),
                metavar="P|auto",
                help="Reach: closest P % of each cluster.",
            ),
            click.option("--classes", metavar="A,B,C", help="Class names, separated by commas."),
            click.option("--classes-file", type=click.Path(path_type=Path), metavar="F", help="One name a line."),
            click.option(
                "--features",
                type=click.Path(path_type=Path),
                metavar="FILE|FOLDER",
                help="Vectors from elsewhere, or what labeler features wrote.",
            ),
            click.option("--text", metavar="COLUMN", help="Label the texts in this column of a CSV."),
            *_READING,
            click.option("--seed", type=int, metavar="N", help="Random state; the same gives the same."),
            click.option("--control", type=float, metavar="SHARE", help="Share of questions drawn at random (0.1)."),
            click.option("--repeats", type=float, metavar="SHARE", help="Share asked twice, unsaid (0.02)."),
            click.option("--blind", type=float, metavar="SHARE", help="Share of questions without guesses (0.1)."),
            click.option("--annotator", metavar="NAME", help="Written beside every answer."),
            click.option(
                "--keys",
                shell_complete=one_of("digits", "letters", "azerty"),
                metavar="digits|letters|azerty",
                help="Which keys answer.",
            ),
            click.option(
                "--images",
                shell_complete=one_of("auto", "half", "kitty", "sixel", "ascii"),
                metavar="auto|half|kitty|sixel|ascii",
                help="How images are drawn.",
            ),
        )
    ):
        # click puts each before those it has: from the last to the first, they stand in --help as they stand here
        command = option(command)
    return shared(plugin_option())(command)


def reading_options(command: Command) -> Command:
    """Add the options that say how images are read."""
    for option in reversed(_READING):
        command = option(command)
    return command


def shared(option: click.Option) -> Callable[[Command], Command]:
    """Put an option that commands share at a place of its own; else the command adds it last."""

    def add(function: Command) -> Command:
        function.__dict__.setdefault("__click_params__", []).append(option)
        return function

    return add


def json_option(help_: str = "Print one JSON object.", **settings: Any) -> click.Option:
    """Return ``--json``: print for a program."""
    return click.Option(["--json", "as_json"], is_flag=True, help=help_, **settings)


def plugin_option() -> click.Option:
    """Return ``--plugin FILE.py``: run a person's own plug-ins before anything else."""

    def run(ctx: click.Context, _: click.Parameter, files: tuple[Path, ...]) -> None:
        if files:
            from labeler.plugins import custom  # start-up: numpy

            for file in files:
                custom.load(file)

    return click.Option(
        ["--plugin"],
        type=click.Path(path_type=Path),
        multiple=True,
        expose_value=False,
        callback=run,
        # before the other options are looked at: their values may name what the file brings
        is_eager=True,
        metavar="FILE.py",
        help="Run FILE.py, which brings plug-ins of your own.",
    )


def options_from(given: dict[str, Any]) -> Options:
    """Make options of what click parsed."""
    classes = given.pop("classes", None)
    file = given.pop("classes_file", None)
    names = [name.strip() for name in (classes or "").split(",")]
    if file is not None:
        from labeler.plugins.importers.label_tables import read_names  # start-up: numpy

        notes: list[str] = []
        names += read_names(file, notes)
        say_notes(notes)
    # made absolute without links: the project remembers it, and is opened from other folders later
    features = given.pop("features", None)
    # what was not given stays out: the project's stored option holds then
    chosen = {key: value for key, value in given.items() if value is not None}
    return projects.options.check(
        projects.options.Options(
            classes=tuple(name.strip() for name in names if name.strip()),
            features=os.path.realpath(features) if features is not None else None,
            **chosen,
        )
    )
