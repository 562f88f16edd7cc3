"""Commands that measure: simulate."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labeler import commands
from labeler.cli.command import command
from labeler.cli.main import one_of, quiet_option
from labeler.cli.options import engine_options, json_option, options_from, shared
from labeler.cli.output import narrator_of

if TYPE_CHECKING:
    from labeler.commands.simulate import SimulationReport


@command("Measure")
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
@shared(quiet_option())
# asked when it runs, not at import: standard output may be another one by then
@shared(json_option("Print JSON (the default when not on a terminal).", default=lambda: not sys.stdout.isatty()))
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
    **given: Any,
) -> SimulationReport:
    """Run a session with a simulated person and print its curve.

    Example: labeler simulate datasets/digits.zip --truth datasets/digits.csv --clicks 100
    """
    plan = commands.simulate.Simulation(
        source=source,
        truth=truth,
        clicks=clicks,
        options=options_from(given),
        noise=noise,
        grids=grids,
        imbalance=imbalance,
        test=test,
        baseline=baseline,
        project=project,
        # when the program's first line ran: its imports count to the first question
        started=click.get_current_context().obj or 0.0,
    )
    with narrator_of() as narrator:
        return commands.simulate.simulate(plan, narrator.note, narrator.progress)
