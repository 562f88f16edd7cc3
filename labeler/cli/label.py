"""Commands that bring labels into a project: demo, label, import-labels, merge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from labeler.cli.main import main, one_of, quiet_option
from labeler.cli.options import engine_options, options_from
from labeler.cli.output import check_project, is_quiet, narrator_of, need_terminal, open_screen, say
from labeler.core.errors import UsageError
from labeler.core.text import display_safe


@main.command()
@click.option("--fresh", is_flag=True, help="Start over; the answers so far are kept beside it.")
@click.option("--engine", shell_complete=one_of("default", "book"), metavar="default|book")
@click.option("--keys", shell_complete=one_of("digits", "letters", "azerty"), metavar="digits|letters|azerty")
@click.option(
    "--images", shell_complete=one_of("auto", "half", "kitty", "sixel", "ascii"), metavar="auto|half|kitty|sixel|ascii"
)
@quiet_option
def demo(fresh: bool, **given: Any) -> None:
    """Try it on 1,797 digits: nothing to prepare.

    Example: labeler demo
    """
    from labeler.project.open import open_demo

    need_terminal()
    open_screen(open_demo(fresh=fresh, options=options_from(given)))


@main.command(short_help="Label a SOURCE of images, rows or texts; resume a PROJECT.")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("-p", "--project", type=click.Path(path_type=Path), metavar="PROJECT", help="The project file.")
@engine_options
@quiet_option
def label(source: Path, project: Path | None, **given: Any) -> None:
    """Label SOURCE (folder, zip, tar, npz, npy, IDX, CSV, Parquet) or go on with a PROJECT.

    Example: labeler label photos/          later the same command resumes
    """
    from labeler.project.open import open_project

    options = options_from(given)
    need_terminal()
    open_screen(open_project(source, project, options))


@main.command("import-labels", short_help="Bring labels or predictions from elsewhere into PROJECT.")
@click.argument("project", type=click.Path(path_type=Path))
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
@quiet_option
def import_labels(project: Path, labels: Path, replace: bool, classes: str, as_what: str) -> None:
    """Bring LABELS (CSV, JSONL, class folders, ...) into PROJECT.

    What other programs write is read as well: docs/formats.md. With --as predictions they are what a model elsewhere
    says: guesses to confirm, which leave only with export --include predicted.

    Example: labeler import-labels digits.labeler.db labels.csv
    """
    from labeler.commands.import_labels import import_labels as bring_in
    from labeler.commands.import_labels import import_predictions, report, report_predictions
    from labeler.project.open import open_project

    check_project(project)
    if replace and as_what == "predictions":
        raise UsageError("--replace is about labels", "predictions take the place of those before them by themselves")
    with narrator_of() as narrator, open_project(project) as opened:
        names = [name for name in classes.split(",") if name.strip()]
        if as_what == "predictions":
            say(report_predictions(import_predictions(opened, labels, narrator.progress, classes=names)))
            return
        imported = bring_in(opened, labels, narrator.progress, replace_imported=replace, classes=names)
    say(report(imported))


@main.command(short_help="Merge two people's files; say how far they agree.")
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B", type=click.Path(path_type=Path))
@click.option("-o", "--output", "target", required=True, type=click.Path(path_type=Path), metavar="C", help="New file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@quiet_option
def merge(first: Path, second: Path, target: Path, as_json: bool) -> None:
    """Merge the project files A and B of two people into C; say how far they agree, and ask where they do not.

    Example: labeler merge anna.labeler.db bob.labeler.db -o both.labeler.db
    """
    from labeler.commands.merge import facts, report
    from labeler.commands.merge import merge as join

    for project in (first, second):
        check_project(project)
    joined = join(first, second, target)
    if not is_quiet():
        for note in joined.notes:
            click.echo(f"note: {display_safe(note, 1000)}", err=True)
    say(json.dumps(facts(joined)) if as_json else report(joined))
