"""Commands that find instances and label new ones: search by image, outliers, predict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from labeler.cli.main import main, quiet_option
from labeler.cli.options import options_from, plugin_option, reading_options
from labeler.cli.output import narrator_of, reading, say, say_data
from labeler.core.text import display_safe


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


@main.command()
@click.argument("project", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), metavar="F", help="A .csv or .jsonl file.")
@click.option("--novelty", metavar="METHOD", help="What this outlier method finds outside is 'unknown'.")
@click.option("--novelty-share", type=float, metavar="SHARE", help="Known ones it may call so (0.02).")
@click.option("--min-confidence", type=click.FloatRange(0, 1), default=0.0, help="Leave out what is below.")
@click.option("--force", is_flag=True, help="Replace an existing FILE.")
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@plugin_option
@quiet_option
def predict(
    project: Path,
    new: Path,
    target: Path | None,
    novelty: str | None,
    novelty_share: float | None,
    min_confidence: float,
    force: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Label NEW images with the model of PROJECT.

    NEW is any source, or one image file; the table says id,label,confidence.

    Example: labeler predict digits.labeler.db new/ -o new.csv --novelty local-outlier-factor
    """
    from labeler.commands.predict import SHARE, as_object, as_text, ending_of, report, write
    from labeler.commands.predict import predict as label_new

    if target is not None:
        ending_of(target)
    share = SHARE if novelty_share is None else novelty_share
    with narrator_of() as narrator, reading(project, with_source=True) as opened:
        found = label_new(
            opened,
            new,
            novelty=novelty,
            share=share,
            min_confidence=min_confidence,
            options=options_from(given),
            progress=narrator.progress,
        )
    for note in found.notes:
        click.echo(f"note: {display_safe(note, 1000)}", err=True)
    if target is not None:
        write(found, target, force=force)
    if as_json:
        say(json.dumps(as_object(found)))
    elif target is not None:
        say(report(found, target))
    else:
        say_data(as_text(found).removesuffix("\n").split("\n"))
