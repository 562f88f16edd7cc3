"""Commands that look at a project and change nothing: status, why, clusters, search, outliers, hunt, plugins."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from labeler.cli.main import main, plugins_of, quiet_option
from labeler.cli.options import options_from, plugin_option, reading_options
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


@main.command()
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--like", required=True, metavar="FILE|ID", help="An image file, or an instance of the pool.")
@click.option("-n", "count", type=click.IntRange(min=1), default=25, metavar="N", help="How many (25).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@plugin_option
@quiet_option
def search(project: Path, like: str, count: int, as_json: bool) -> None:
    """Find what is most like an image, nearest first.

    Example: labeler search digits.labeler.db --like digits/0007.png
    """
    from labeler.commands.search import facts, nearest_to, text

    with narrator_of() as narrator, reading(project, with_source=True) as opened:
        instances = nearest_to(opened, like, count, narrator.progress)
        answer = json.dumps(facts(opened, instances)) if as_json else text(opened, instances)
    say(answer)


@main.command()
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--method", metavar="NAME[:key=value,...]", help="See: labeler plugins; by its features alone.")
@click.option("--share", type=float, metavar="SHARE", help="All of the oddest share of the pool, such as 0.04.")
@click.option("--threshold", type=float, metavar="T", help="All that score above T.")
@click.option("-n", "count", type=click.IntRange(min=1), metavar="N", help="How many (25; with a cut all beyond it).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@plugin_option
@quiet_option
def outliers(
    project: Path, method: str | None, share: float | None, threshold: float | None, count: int | None, as_json: bool
) -> None:
    """Find the oddest instances: broken, rare, of no class.

    Example: labeler outliers digits.labeler.db --share 0.04 --method density
    """
    from labeler.commands.search import Cut, facts, odd_ones, text

    cut = Cut(share, threshold)
    with narrator_of() as narrator, reading(project, with_source=True) as opened:
        instances = odd_ones(opened, method, count, narrator.progress, cut)
        answer = json.dumps(facts(opened, instances)) if as_json else text(opened, instances)
    say(answer)


@main.command()
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--class", "class_name", required=True, metavar="NAME", help="The rare class; one label of it at least.")
@click.option("-n", "count", type=click.IntRange(min=1), default=25, metavar="N", help="How many (25).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@plugin_option
@quiet_option
def hunt(project: Path, class_name: str, count: int, as_json: bool) -> None:
    """Find what may be of a rare class, likeliest first.

    Nearest to what there is of it, farthest from what was answered otherwise. In the application (H) each answer turns
    the hunt, until misses run on.

    Example: labeler hunt cells.labeler.db --class basophil
    """
    from labeler.commands.search import facts, likeliest_of, text

    with narrator_of() as narrator, reading(project, with_source=True) as opened:
        instances = likeliest_of(opened, class_name, count, narrator.progress)
        answer = json.dumps(facts(opened, instances)) if as_json else text(opened, instances)
    say(answer)


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
