"""Commands that export what was labeled or learned, and say how far it can be trusted: audit, export, predict."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from labeler.cli.main import main, plugins_of, quiet_option
from labeler.cli.options import options_from, plugin_option, reading_options
from labeler.cli.output import check_project, narrator_of, need_terminal, open_screen, reading, say, say_data
from labeler.core.errors import UsageError
from labeler.core.text import display_safe

STREAMED = ("csv", "jsonl")
"""Formats that make sense on standard output."""


@main.command(short_help="Certify how many labels are right: look at some, blind.")
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--target", type=float, metavar="SHARE", help="Share right to certify (0.98).")
@click.option("--confidence", type=float, metavar="SHARE", help="Fixed when the audit begins (0.95).")
@click.option("--draw", type=click.Path(path_type=Path), metavar="FILE", help="Write what to check next: id,path.")
@click.option("--answers", type=click.Path(path_type=Path), metavar="FILE", help="Take the answers: id,label.")
@click.option("--new", is_flag=True, help="Begin another one, of the labels as they are now.")
@click.option("--end", is_flag=True, help="Draw the statement as it stands, its target reached or not.")
@click.option("--begin", is_flag=True, hidden=True)
@click.option("--include", type=click.Choice(["predicted"]), multiple=True, help="For an export that holds them.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@plugin_option
@quiet_option
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
    as_json: bool,
) -> None:
    """Certify how many labels of PROJECT are right: look at some drawn at random, blind.

    Without --draw, --answers, --end or --json in the application. Exit code 1 where the target is not reached (yet).

    Example: labeler audit digits.labeler.db --draw check.csv      then --answers checked.csv
    """
    from labeler.commands.audit import begin_apart, facts, run_audit, text
    from labeler.project.open import open_project

    check_project(project)
    if not (draw or answers or as_json or end or begin):
        need_terminal()
        code = begin_apart(project, target, confidence, new=new, predicted="predicted" in include)
        if code:
            sys.exit(code)
        open_screen(open_project(project), audit=True)
        return
    with narrator_of() as narrator, open_project(project, read_only=not (draw or answers or end or begin)) as opened:
        found = run_audit(
            opened,
            target,
            confidence,
            draw=draw,
            answers=answers,
            begin=begin,
            new=new,
            end=end,
            predicted="predicted" in include,
            say=narrator.note,
            progress=narrator.progress,
        )
    say(json.dumps(facts(found)) if as_json else text(found))
    if not found.reached and not (draw or begin):
        sys.exit(1)


@main.command()
@click.argument("project", type=click.Path(path_type=Path))
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
@plugin_option
@quiet_option
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
) -> None:
    """Write the labels of PROJECT to TARGET, or its model.

    Labels come with where each is from. As model (npz weights) or onnx, what was learned from them leaves instead.
    A TARGET of - is standard output, as CSV or with --format jsonl, without a manifest.

    Example: labeler export digits.labeler.db labels.csv       or model.npz --format model, or model.onnx
    """
    from labeler.commands.export.export import ExportOptions, report
    from labeler.commands.export.export import export as write
    from labeler.commands.export.model import export_model, format_of_model
    from labeler.commands.export.model import report as report_model
    from labeler.plugins.exporters.splits import parse_split

    to_stdout = str(target) == "-"
    if to_stdout:
        format_ = _streamed(format_)
    model = format_of_model(target, format_)
    if model is not None:
        if include or human_only or min_confidence or split or link or csv_safe or weights != "confidence":
            raise UsageError("these options choose labels, and a model holds none", "leave them out")
        with narrator_of() as narrator, reading(project, with_source=True) as opened:
            found = export_model(opened, target, model, force=force, progress=narrator.progress)
        say(report_model(found, target))
        return
    of_format = ({"link": link} if link else {}) | ({"csv_safe": "yes"} if csv_safe else {})
    shares = parse_split(split) if split else ()
    options = ExportOptions(
        "predicted" in include, "rejected" in include, human_only, min_confidence, shares, of_format, latest, weights
    )
    with contextlib.ExitStack() as stack:
        if to_stdout:
            target = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "labels"
        narrator = stack.enter_context(narrator_of())
        opened = stack.enter_context(reading(project, with_source=True))
        written = write(opened, target, format_, options, force=force, progress=narrator.progress)
        if to_stdout:
            with target.open(encoding="utf-8", newline="") as file:
                say_data(line.removesuffix("\n") for line in file)
    for warning in written.warnings:
        click.echo(f"note: {display_safe(warning, 1000)}", err=True)
    if not to_stdout:
        say(report(written))


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


def _streamed(format_: str | None) -> str:
    """The format of an export to standard output."""
    name = format_ or "csv"
    if name.partition(":")[0] not in STREAMED:
        raise UsageError(
            f"{name} cannot be written to standard output", f"{' and '.join(STREAMED)} can; else name a file or folder"
        )
    return name
