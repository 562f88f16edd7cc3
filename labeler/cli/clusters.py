"""The command that looks at clusters: clusters."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from labeler.cli.main import main, quiet_option
from labeler.cli.options import options_from, plugin_option, reading_options
from labeler.cli.output import narrator_of, reading, say
from labeler.core.text import display_safe


@main.command()
@click.argument("target", metavar="SOURCE|PROJECT|IMAGE", type=click.Path(path_type=Path))
@click.option("--clusterer", default="", metavar="NAME[:key=value,...]", help="Else kmeans, or the project's own.")
@click.option("--clusters", "n_clusters", type=click.IntRange(1), metavar="K", help="How many (else the elbow, or 20).")
@click.option("--k-range", metavar="FIRST:LAST[:STEP]", help="Compare numbers of clusters: 5:100:5.")
@click.option("--encoder", default="", metavar="NAME[:key=value,...]", help="Else what suits the images.")
@click.option("--features", type=click.Path(path_type=Path), metavar="FILE", help="Vectors from elsewhere.")
@click.option("--text", "text_column", default="", metavar="COLUMN", help="Texts: the column of a CSV.")
@reading_options
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Random state (0, or the project's own).")
@click.option(
    "--plot", type=click.Path(path_type=Path), metavar="FILE.png", help="Curves, silhouettes, mean images; or the tree."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Who is in which (.csv, .jsonl), by share."
)
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Draw N rows from a mixture.")
@click.option("--force", is_flag=True, help="Replace an existing FILE.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@plugin_option
@quiet_option
def clusters(
    target: Path,
    clusterer: str,
    n_clusters: int | None,
    k_range: str | None,
    encoder: str,
    features: Path | None,
    text_column: str,
    seed: int | None,
    plot: Path | None,
    output: Path | None,
    sample: int | None,
    force: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Choose how many clusters, and see what each one holds.

    Of a PROJECT its own clusters, unless a clusterer, a number or a range is given. Changes nothing. Of one IMAGE the
    colors, written as -o FILE.png.

    Example: labeler clusters datasets/digits.zip --k-range 5:50:5 --plot clusters.png
    """
    from labeler.commands.clusters import assignments, colors, inspect, plots
    from labeler.commands.clusters.report import facts, text
    from labeler.project.options import reading_of
    from labeler.project.paths import is_project

    if colors.is_image(target) and not given.get("pages"):  # pages are a pool
        drawn = colors.check(output)
        segmented = colors.segment(target, clusterer, n_clusters, seed or 0)
        plots.save_image(segmented.image, drawn)
        say(json.dumps(colors.facts(segmented)) if as_json else colors.text(segmented))
        click.echo(f"note: written to {drawn}", err=True)
        return
    ks = inspect.parse_range(k_range) if k_range else ()
    elsewhere = os.path.realpath(features) if features is not None else ""
    reading_by = reading_of(options_from({"text": text_column or None, **given}), {})
    plan = inspect.Plan(encoder, clusterer, n_clusters, ks, elsewhere, reading_by, seed, sample or 0)
    if plot is not None:
        plots.check(plot)
    if output is not None:
        assignments.check(output)
    with narrator_of() as narrator:
        if is_project(target):
            with reading(target, with_source=True) as opened:
                found = inspect.of_project(opened, plan, narrator.progress)
                inputs = opened.inputs()
                if plot is not None:
                    plots.save(found, inspect.images_of(opened.instances.image, inspect.rows_of(found)), plot)
        else:
            found, source = inspect.of_source(target, plan, narrator.progress)
            inputs = [source.path, *([Path(elsewhere)] if elsewhere else [])]
            if plot is not None:
                read = source.image if source.content == "images" else None
                plots.save(found, inspect.images_of(read, inspect.rows_of(found)), plot)
            source.close()
    if output is not None:
        assignments.write(found, output, inputs, force=force)
    say(json.dumps(facts(found)) if as_json else text(found))
    for note in found.notes:
        click.echo(f"note: {display_safe(note, 1000)}", err=True)
    for path, word in ((plot, "drawn in"), (output, "written to")):
        if path is not None:
            click.echo(f"note: {word} {path}", err=True)
