"""Commands that bring labels into a project: demo, label, features, import-labels, merge."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labeler import commands
from labeler import project as projects
from labeler.cli.command import command
from labeler.cli.main import one_of, plugins_of
from labeler.cli.options import engine_options, options_from, reading_options
from labeler.cli.output import check_project, is_quiet, narrator_of, need_terminal, open_screen
from labeler.core.errors import UsageError
from labeler.core.recipe import Reading

if TYPE_CHECKING:
    from labeler.commands.result import Result


@command("Label")
@click.option("--fresh", is_flag=True, help="Start over; the answers so far are kept beside it.")
@click.option("--engine", shell_complete=one_of("default", "book"), metavar="default|book")
@click.option("--keys", shell_complete=one_of("digits", "letters", "azerty"), metavar="digits|letters|azerty")
@click.option(
    "--images", shell_complete=one_of("auto", "half", "kitty", "sixel", "ascii"), metavar="auto|half|kitty|sixel|ascii"
)
def demo(fresh: bool, **given: Any) -> None:
    """Try it on 1,797 digits: nothing to prepare.

    Example: labeler demo
    """
    # before anything is opened or made: what cannot be shown shall leave nothing behind
    need_terminal()
    options = options_from(given)
    open_screen("demo", lambda: projects.open.open_demo(fresh=fresh, options=options))


@command("Label", short_help="Label a SOURCE of images, rows or texts; resume a PROJECT.")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("-p", "--project", type=click.Path(path_type=Path), metavar="PROJECT", help="The project file.")
@engine_options
def label(source: Path, project: Path | None, **given: Any) -> None:
    """Label SOURCE (folder, zip, tar, npz, npy, IDX, CSV, Parquet) or go on with a PROJECT.

    Example: labeler label photos/          later the same command resumes
    """
    # a wrong option is said before a missing terminal: the first can be mended where one is
    options = options_from(given)
    need_terminal()
    open_screen(source.absolute().name, lambda: projects.open.open_project(source, project, options))


@command("Label", short_help="Encode a large SOURCE into OUT on all cores or a cluster.", json=True, plugins=True)
@click.argument("source")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--encoder", shell_complete=plugins_of("encoder"), metavar="NAME[:key=value,...]", default="")
@click.option(
    "--executor",
    shell_complete=one_of("processes", "processes:2", "dask://"),
    metavar="processes[:N]|dask://HOST:PORT",
    default="processes",
    help="Who computes: this machine's cores, or a Dask cluster.",
)
@click.option("--clusters", "n_clusters", type=int, metavar="K", default=50, help="Centroids (50).")
@click.option("--nearest", "n_nearest", type=int, metavar="N", default=10, help="Listed for each centroid (10).")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), metavar="N", default=0, help="Of the sample (0).")
@reading_options
def features(source: str, out: Path, **given: Any) -> Result:
    """Encode SOURCE shard by shard into the folder OUT, and find what is nearest to the centroids.

    SOURCE is what label takes, or an address: https://, s3://, gs:// (an extra). What was interrupted goes on by the
    same command. Then: labeler label SOURCE --features OUT

    Example: labeler features photos/ photos-features/
    """
    reading = Reading.of({name: given.pop(name) for name in ("range", "pages")})
    with narrator_of() as narrator:
        return commands.features.features(
            source, out, reading=reading, progress=narrator.progress, note=narrator.note, **given
        )


@command("Label", "import-labels", short_help="Bring labels or predictions from elsewhere into PROJECT.", project=True)
@click.argument("labels", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="In place of other labels that were imported before; never of yours.")
@click.option("--classes", metavar="A,B", default="", help="Classes although they look like no label: NA,None.")
@click.option(
    "--as",
    "as_what",
    type=click.Choice(["labels", "predictions"]),
    default="labels",
    help="predictions: a model's, never counted as given.",
)
def import_labels(project: Path, labels: Path, replace: bool, classes: str, as_what: str) -> Result:
    """Bring LABELS (CSV, JSONL, class folders, ...) into PROJECT.

    What other programs write is read as well: docs/formats.md. With --as predictions they are what a model elsewhere
    says: guesses to confirm, which leave only with export --include predicted.

    Example: labeler import-labels digits.labeler.db labels.csv
    """
    check_project(project)
    if replace and as_what == "predictions":
        raise UsageError("--replace is about labels", "predictions take the place of those before them by themselves")
    names = [name for name in classes.split(",") if name.strip()]
    with narrator_of() as narrator, projects.open.open_project(project) as opened:
        if as_what == "predictions":
            return commands.import_labels.import_predictions(opened, labels, narrator.progress, classes=names)
        return commands.import_labels.import_labels(
            opened, labels, narrator.progress, replace_imported=replace, classes=names
        )


@command("Label", short_help="Merge two people's files; say how far they agree.", json=True)
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B", type=click.Path(path_type=Path))
@click.option("-o", "--output", "target", required=True, type=click.Path(path_type=Path), metavar="C", help="New file.")
def merge(first: Path, second: Path, target: Path) -> Result:
    """Merge the project files A and B of two people into C; say how far they agree, and ask where they do not.

    Example: labeler merge anna.labeler.db bob.labeler.db -o both.labeler.db
    """
    for project in (first, second):
        check_project(project)
    return replace(commands.merge.merge(first, second, target), is_quiet=is_quiet())
