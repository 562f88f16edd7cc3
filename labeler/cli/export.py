"""Commands that export what was labeled or learned, and say how far it can be trusted: audit, export, predict."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labeler import commands
from labeler import project as projects
from labeler.cli.command import command
from labeler.cli.main import plugins_of
from labeler.cli.options import options_from, reading_options
from labeler.cli.output import at_work, check_project, is_json, narrator_of, need_terminal, open_screen
from labeler.core.errors import UsageError

if TYPE_CHECKING:
    from labeler.commands.audit import AuditReport
    from labeler.commands.predict import Predictions
    from labeler.commands.result import Result

STREAMED = ("csv", "jsonl")
"""Formats that make sense on standard output."""


@command(
    "Export",
    short_help="Certify how many labels are right: look at some, blind.",
    project=True,
    json=True,
    plugins=True,
)
@click.option("--target", type=float, metavar="SHARE", help="Share right to certify (0.98).")
@click.option("--confidence", type=float, metavar="SHARE", help="Fixed when the audit begins (0.95).")
@click.option("--draw", type=click.Path(path_type=Path), metavar="FILE", help="Write what to check next: id,path.")
@click.option("--answers", type=click.Path(path_type=Path), metavar="FILE", help="Take the answers: id,label.")
@click.option("--new", is_flag=True, help="Begin another one, of the labels as they are now.")
@click.option("--end", is_flag=True, help="Draw the statement as it stands, its target reached or not.")
@click.option("--begin", is_flag=True, hidden=True)
@click.option("--include", type=click.Choice(["predicted"]), multiple=True, help="For an export that holds them.")
def audit(
    project: Path,
    target: float | None,
    confidence: float | None,
    draw: Path | None,
    answers: Path | None,
    new: bool,
    end: bool,
    begin: bool,
    include: tuple[str, ...],
) -> AuditReport | None:
    """Certify how many labels of PROJECT are right: look at some drawn at random, blind.

    Without --draw, --answers, --end or --json in the application. Exit code 1 where the target is not reached (yet).

    Example: labeler audit digits.labeler.db --draw check.csv      then --answers checked.csv
    """
    check_project(project)
    predicted = "predicted" in include
    if not (draw or answers or is_json() or end or begin):
        need_terminal()
        # the screen opens on an audit that has begun: its frozen labels take numeric libraries to make
        code = commands.audit.begin_apart(project, target, confidence, new=new, predicted=predicted)
        if code:
            sys.exit(code)
        open_screen(project.name, lambda: projects.open.open_project(project), audit=True)
        return None
    # --json alone only looks, and may do so while the application has the project open
    is_read_only = not (draw or answers or end or begin)
    with narrator_of() as narrator, projects.open.open_project(project, read_only=is_read_only) as opened:
        return commands.audit.run_audit(
            opened,
            target,
            confidence,
            draw=draw,
            answers=answers,
            begin=begin,
            new=new,
            end=end,
            predicted=predicted,
            say=narrator.note,
            progress=narrator.progress,
        )


@command("Export", project=True, plugins=True)
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_",
    shell_complete=plugins_of("exporter"),
    metavar="NAME",
    help="See labeler plugins; model, onnx; else by ending.",
)
@click.option("--latest", is_flag=True, help="The current labels, without a certificate.")
@click.option("--include", type=click.Choice(["predicted", "rejected"]), multiple=True, help="Take these in as well.")
@click.option("--human-only", is_flag=True, help="Only what a person gave or confirmed.")
@click.option("--min-confidence", type=click.FloatRange(0, 1), default=0.0, help="Leave out what is below.")
@click.option("--weights", default="confidence", metavar="confidence|equal|balanced", help="What a label counts.")
@click.option("--split", metavar="80/10/10", help="Train / (val /) test, stratified, duplicates together.")
@click.option("--link", type=click.Choice(["hard", "sym", "copy"]), help="How an image folder gets its files.")
@click.option("--csv-safe", is_flag=True, help="Prefix cells a spreadsheet would run.")
@click.option("--force", is_flag=True, help="Replace an older export; what else is there stays.")
def export(
    project: Path,
    target: Path,
    format_: str | None,
    latest: bool,
    include: tuple[str, ...],
    human_only: bool,
    min_confidence: float,
    weights: str,
    split: str | None,
    link: str | None,
    csv_safe: bool,
    force: bool,
) -> Result:
    """Write the labels of PROJECT to TARGET, or its model.

    Labels come with where each is from. As model (npz weights) or onnx, what was learned from them leaves instead.
    A TARGET of - is standard output, as CSV or with --format jsonl, without a manifest.

    Example: labeler export digits.labeler.db labels.csv       or model.npz --format model, or model.onnx
    """
    to_stdout = str(target) == "-"
    if to_stdout:
        format_ = _streamed(format_)
    model = commands.export.model.format_of_model(target, format_)
    if model is not None:
        # refused, not ignored: who asks for a split would believe to have one
        if include or human_only or min_confidence or split or link or csv_safe or weights != "confidence":
            raise UsageError("these options choose labels, and a model holds none", "leave them out")
        return _export_model(project, target, model, force=force)
    from labeler.plugins.exporters.splits import parse_split  # start-up: numpy

    of_format = ({"link": link} if link else {}) | ({"csv_safe": "yes"} if csv_safe else {})
    options = commands.export.labels.ExportOptions(
        predicted="predicted" in include,
        rejected="rejected" in include,
        human_only=human_only,
        min_confidence=min_confidence,
        split=parse_split(split) if split else (),
        format_options=of_format,
        latest=latest,
        weights=weights,
    )
    with contextlib.ExitStack() as stack:
        if to_stdout:
            # written and read back as any export, then printed: a stream cannot be taken back when it fails
            target = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "labels"
        opened, narrator = stack.enter_context(at_work(project))
        written = commands.export.export.export(
            opened, target, format_, options, force=force, progress=narrator.progress
        )
        if to_stdout:
            return commands.result.Message(_lines_of(target), written.warnings)
        return commands.export.export.ExportReport(written)


def _export_model(project: Path, target: Path, format_: str, *, force: bool) -> Result:
    """Write the model; return where it is and what it takes."""
    with at_work(project) as (opened, narrator):
        exported = commands.export.model.export_model(opened, target, format_, force=force, progress=narrator.progress)
    return commands.export.model.ModelReport(exported, target)


def _lines_of(table: Path) -> list[str]:
    """Return the lines of a table that was written, as they are."""
    # untranslated: what is printed is what was written and read back
    with table.open(encoding="utf-8", newline="") as file:
        return [line.removesuffix("\n") for line in file]


def _streamed(format_: str | None) -> str:
    """Return the format of an export to standard output."""
    name = format_ or "csv"
    if name.partition(":")[0] not in STREAMED:
        raise UsageError(
            f"{name} cannot be written to standard output", f"{' and '.join(STREAMED)} can; else name a file or folder"
        )
    return name


@command("Export", project=True, json=True, plugins=True)
@click.argument("new", type=click.Path(path_type=Path))
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), metavar="F", help="A .csv or .jsonl file.")
@click.option("--novelty", metavar="METHOD", help="What this outlier method finds outside is 'unknown'.")
@click.option("--novelty-share", type=float, metavar="SHARE", help="Known ones it may call so (0.02).")
@click.option("--min-confidence", type=click.FloatRange(0, 1), default=0.0, help="Leave out what is below.")
@click.option("--force", is_flag=True, help="Replace an existing FILE.")
@reading_options
def predict(
    project: Path,
    new: Path,
    target: Path | None,
    novelty: str | None,
    novelty_share: float | None,
    min_confidence: float,
    force: bool,
    **given: Any,
) -> Predictions:
    """Label NEW images with the model of PROJECT.

    NEW is any source, or one image file; the table says id,label,confidence.

    Example: labeler predict digits.labeler.db new/ -o new.csv --novelty local-outlier-factor
    """
    if target is not None:
        # a wrong ending is said before the new images are encoded, which takes longest
        commands.predict.ending_of(target)
    with at_work(project) as (opened, narrator):
        predictions = commands.predict.predict(
            opened,
            new,
            novelty=novelty,
            share=commands.predict.SHARE if novelty_share is None else novelty_share,
            min_confidence=min_confidence,
            options=options_from(given),
            progress=narrator.progress,
        )
    if target is not None:
        commands.predict.write(predictions, target, force=force)
    return replace(predictions, target=target)
