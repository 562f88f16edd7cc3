"""Commands that look and change nothing: status, why, clusters, search, outliers, hunt, plugins, models."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labeler import commands
from labeler import project as projects
from labeler.cli.command import command
from labeler.cli.main import plugins_of
from labeler.cli.options import options_from, reading_options
from labeler.cli.output import at_work, narrator_of, reading, reading_what_leaves, say_notes
from labeler.core.errors import LabelerError
from labeler.plugins.registry import KINDS

if TYPE_CHECKING:
    from labeler.commands.clusters.colors import Segmentation
    from labeler.commands.clusters.inspect import Plan
    from labeler.commands.clusters.report import ClusterReport
    from labeler.commands.models import ModelList
    from labeler.commands.plugins import PluginList
    from labeler.commands.ranks import Ranking
    from labeler.commands.status import StatusReport
    from labeler.commands.why import Explanation


@command("Inspect", project=True, json=True)
def status(project: Path) -> StatusReport:
    """Say where PROJECT stands and what to do next.

    Example: labeler status digits.labeler.db
    """
    with reading_what_leaves(project) as opened:
        return commands.status.status(opened)


@command("Inspect", project=True, plugins=True)
@click.argument("instance_id", metavar="ID")
def why(project: Path, instance_id: str) -> Explanation:
    """Say what the label of instance ID rests on, back to the key press.

    Example: labeler why digits.labeler.db digits/0007.png
    """

    # called for a machine's label alone: the source and an engine take a while to open
    def shares(index: int) -> list[tuple[int, float]] | None:
        try:
            with reading(project, with_source=True) as opened, narrator_of() as narrator:
                pipeline = opened.open_settled_pipeline(narrator.progress)
                carriers: list[tuple[int, float]] = pipeline.engine.shares(opened.session.snapshot(), index)
                return carriers
        except LabelerError as error:
            say_notes([f"{error.message}: the shares of the answers are not known"])
            return None

    with reading_what_leaves(project, lambda opened: commands.why.index_of(opened, instance_id)) as opened:
        return commands.why.why(opened, instance_id, shares)


@command("Inspect", json=True, plugins=True)
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
    **given: Any,
) -> ClusterReport | Segmentation:
    """Choose how many clusters, and see what each one holds.

    Of a PROJECT its own clusters, unless a clusterer, a number, a range or other features are given. Changes nothing.
    Of one IMAGE the colors, written as -o FILE.png.

    Example: labeler clusters datasets/digits.zip --k-range 5:50:5 --plot clusters.png
    """
    if commands.clusters.colors.is_image(target) and not given.get("pages"):  # pages are a pool
        return commands.clusters.colors.segment_into(output, target, clusterer, n_clusters, seed or 0)
    plan = commands.clusters.inspect.Plan(
        encoder=encoder,
        clusterer=clusterer,
        n_clusters=n_clusters,
        ks=commands.clusters.inspect.parse_range(k_range) if k_range else (),
        features=os.path.realpath(features) if features is not None else "",
        reading=projects.options.reading_of(options_from({"text": text_column or None, **given}), {}),
        seed=seed,
        sample=sample or 0,
    )
    # both places are looked at before minutes of clustering
    if plot is not None:
        commands.clusters.plots.check(plot)
    if output is not None:
        commands.clusters.assignments.check(output)
    report, inputs = _clustered(target, plan, plot)
    if output is not None:
        commands.clusters.assignments.write(report, output, inputs, force=force)
    files = [f"{word} {path}" for path, word in ((plot, "drawn in"), (output, "written to")) if path is not None]
    return replace(report, files=files)


def _clustered(target: Path, plan: Plan, plot: Path | None) -> tuple[ClusterReport, list[Path]]:
    """Cluster a source or inspect a project, draw the plot while its images are at hand; also the files read for it."""
    inspect, plots = commands.clusters.inspect, commands.clusters.plots
    with narrator_of() as narrator:
        if projects.paths.is_project(target):
            with reading(target, with_source=True) as opened:
                report = inspect.of_project(opened, plan, narrator.progress)
                if plot is not None:
                    plots.save(report, inspect.images_of(opened.instances.image, inspect.rows_of(report)), plot)
                return report, opened.inputs()
        report, source = inspect.of_source(target, plan, narrator.progress)
        try:
            # a table or texts have no image to show
            if plot is not None:
                read = source.image if source.content == "images" else None
                plots.save(report, inspect.images_of(read, inspect.rows_of(report)), plot)
        finally:
            source.close()
        return report, [source.path, *([Path(plan.features)] if plan.features else [])]


@command("Inspect", project=True, json=True, plugins=True)
@click.option("--like", required=True, metavar="FILE|ID", help="An image file, or an instance of the pool.")
@click.option("-n", "count", type=click.IntRange(min=1), default=25, metavar="N", help="How many (25).")
def search(project: Path, like: str, count: int) -> Ranking:
    """Find what is most like an image, nearest first.

    Example: labeler search digits.labeler.db --like digits/0007.png
    """
    with at_work(project) as (opened, narrator):
        return commands.search.nearest_to(opened, like, count, narrator.progress)


@command("Inspect", project=True, json=True, plugins=True)
@click.option("--method", metavar="NAME[:key=value,...]", help="See: labeler plugins; by its features alone.")
@click.option("--share", type=float, metavar="SHARE", help="All of the oddest share of the pool, such as 0.04.")
@click.option("--threshold", type=float, metavar="T", help="All that score above T.")
@click.option("-n", "count", type=click.IntRange(min=1), metavar="N", help="How many (25; with a cut all beyond it).")
def outliers(
    project: Path, method: str | None, share: float | None, threshold: float | None, count: int | None
) -> Ranking:
    """Find the oddest instances: broken, rare, of no class.

    Example: labeler outliers digits.labeler.db --share 0.04 --method density
    """
    cut = commands.outliers.Cut(share, threshold)
    with at_work(project) as (opened, narrator):
        return commands.outliers.odd_ones(opened, method, count, narrator.progress, cut)


@command("Inspect", project=True, json=True, plugins=True)
@click.option("--class", "class_name", required=True, metavar="NAME", help="The rare class; one label of it at least.")
@click.option("-n", "count", type=click.IntRange(min=1), default=25, metavar="N", help="How many (25).")
def hunt(project: Path, class_name: str, count: int) -> Ranking:
    """Find what may be of a rare class, likeliest first.

    Nearest to what there is of it, farthest from what was answered otherwise. In the application (H) each answer turns
    the hunt, until misses run on.

    Example: labeler hunt cells.labeler.db --class basophil
    """
    with at_work(project) as (opened, narrator):
        return commands.hunt.likeliest_of(opened, class_name, count, narrator.progress)


@command("Inspect", short_help="List the plug-ins there are, or the parameters of one.", plugins=True)
@click.argument("name", required=False, shell_complete=plugins_of(*KINDS))
def plugins(name: str | None) -> PluginList:
    """List encoders, clusterers, classifiers, strategies, importers and exporters, or one's parameters.

    Example: labeler plugins kmeans
    """
    return commands.plugins.describe(name) if name else commands.plugins.listing()


@command("Inspect", short_help="List pretrained image models that are worth it as an encoder.", json=True)
def models() -> ModelList:
    """List pretrained image models that are worth it as an encoder: size, license, for what.

    Example: labeler models
    """
    return commands.models.listing()
