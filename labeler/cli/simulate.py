"""Commands that measure: simulate."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from labeler.cli.main import main, one_of, quiet_option
from labeler.cli.options import engine_options, options_from
from labeler.cli.output import narrator_of, say


@main.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--truth", required=True, metavar="y|folders|FILE", help="Where the right labels are.")
@click.option("--clicks", required=True, type=int, metavar="N", help="Answers to give.")
@click.option("--noise", type=float, default=0.0, metavar="SHARE", help="Share of wrong answers.")
@click.option("--grids", is_flag=True, help="Confirm class-wise pages as well.")
@click.option("--imbalance", default="", metavar="10:1,4,8", help="Thin classes by a factor.")
@click.option("--test", type=float, default=0.0, metavar="SHARE", help="Hold instances out.")
@click.option(
    "--baseline",
    shell_complete=one_of("book", "random", "all"),
    metavar="book|random|all",
    help="Run this too and report it beside.",
)
@click.option("-p", "--project", type=click.Path(path_type=Path), metavar="PROJECT", help="Keep the project.")
@quiet_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON (the default when not on a terminal).")
@engine_options
def simulate(
    source: Path,
    truth: str,
    clicks: int,
    noise: float,
    grids: bool,
    imbalance: str,
    test: float,
    baseline: str | None,
    project: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Run a session with a simulated person and print its curve.

    Example: labeler simulate datasets/digits.zip --truth datasets/digits.csv --clicks 100
    """
    from labeler.commands.simulate import Simulation, curve_text
    from labeler.commands.simulate import simulate as run_simulation

    started: float = click.get_current_context().obj or 0.0
    plan = Simulation(
        source,
        truth,
        clicks,
        options_from(given),
        noise,
        grids,
        imbalance,
        test,
        baseline,
        project,
        started,
    )
    with narrator_of() as narrator:
        report = run_simulation(plan, narrator.note, narrator.progress)
    say(json.dumps(report) if as_json or not sys.stdout.isatty() else curve_text(report))
