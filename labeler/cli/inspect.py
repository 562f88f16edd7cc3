"""Commands that look and change nothing: status, why, plugins."""

from __future__ import annotations

import json
from pathlib import Path

import click

from labeler.cli.main import main, plugins_of, quiet_option
from labeler.cli.options import plugin_option
from labeler.cli.output import narrator_of, reading, reading_what_leaves, say
from labeler.core.errors import SourceError
from labeler.core.text import display_safe
from labeler.plugins.registry import KINDS


@main.command()
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@quiet_option
def status(project: Path, as_json: bool) -> None:
    """Say where PROJECT stands and what to do next.

    Example: labeler status digits.labeler.db
    """
    from labeler.commands.status import status as facts_of
    from labeler.commands.status import status_text

    with reading_what_leaves(project) as opened:
        facts = facts_of(opened)
    say(json.dumps(facts) if as_json else status_text(facts))


@main.command()
@click.argument("project", type=click.Path(path_type=Path))
@click.argument("instance_id", metavar="ID")
@plugin_option
@quiet_option
def why(project: Path, instance_id: str) -> None:
    """Say what the label of instance ID rests on, back to the key press.

    Example: labeler why digits.labeler.db digits/0007.png
    """
    from labeler.commands.status import index_of
    from labeler.commands.status import why as reasons

    def shares(index: int) -> list[tuple[int, float]] | None:
        try:
            with reading(project, with_source=True) as opened, narrator_of() as narrator:
                pipeline = opened.open_pipeline(narrator.progress)
                found: list[tuple[int, float]] = pipeline.engine.shares(opened.session.snapshot(), index)
                return found
        except SourceError as error:
            click.echo(f"note: {display_safe(error.message, 1000)}: the shares of the answers are not known", err=True)
            return None

    with reading_what_leaves(project, lambda opened: index_of(opened, instance_id)) as opened:
        say(reasons(opened, instance_id, shares))


@main.command(short_help="List the plug-ins there are, or the parameters of one.")
@click.argument("name", required=False, shell_complete=plugins_of(*KINDS))
@plugin_option
@quiet_option
def plugins(name: str | None) -> None:
    """List encoders, clusterers, classifiers, strategies, importers and exporters, or one's parameters.

    Example: labeler plugins kmeans
    """
    from labeler.commands.plugins import describe, listing

    say(describe(name) if name else listing())
