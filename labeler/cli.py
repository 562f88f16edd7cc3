"""The command line: thin doors that parse, call and print. Imports what a command needs inside the command."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from labeler import __version__
from labeler.display import display_safe
from labeler.errors import LabelerError, SourceError, UsageError

if TYPE_CHECKING:
    from labeler.api import Project
    from labeler.narrator import Narrator
    from labeler.options import Options

Command = TypeVar("Command", bound=Callable[..., Any])

GROUPS = {
    "Label": ("demo", "label", "import-labels", "merge"),
    "Look": ("status", "why", "plugins"),
    "Take away": ("audit", "export"),
    "Measure": ("simulate",),
}
HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_started = 0.0


class Grouped(click.Group):
    """Lists the commands under headings, in the order a person meets them."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section a heading."""
        for heading, commands in GROUPS.items():
            found = [(name, self.get_command(ctx, name)) for name in commands]
            rows = [(name, command.get_short_help_str(70)) for name, command in found if command is not None]
            with formatter.section(heading):
                formatter.write_dl(rows)


def quiet_option(command: Command) -> Command:
    """``--quiet``, before or after the command's name."""

    def note(ctx: click.Context, _: click.Parameter, given: bool) -> None:
        if given:
            ctx.find_root().meta["labeler.quiet"] = True

    return click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=note, help="No progress on standard error."
    )(command)


@click.group(cls=Grouped, invoke_without_command=True, context_settings=HELP)
@click.version_option(__version__, prog_name="labeler")
@quiet_option
@click.pass_context
def main(ctx: click.Context) -> None:
    """Label an image set with a few key presses, in the terminal.

    Bare `labeler` opens the demo; `labeler label FOLDER` opens your images and resumes them later.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(demo)


def engine_options(command: Command) -> Command:
    """The options that label and simulate share."""
    for option in reversed(
        (
            click.option("--engine", metavar="default|book", help="The loop: ours, or the chain of the source."),
            click.option("--encoder", metavar="NAME[:key=value,...]", help="Image -> features."),
            click.option("--clusterer", metavar="NAME[:...]", help="Features -> clusters."),
            click.option("--classifier", metavar="NAME[:...]", help="Trained on human and propagated labels."),
            click.option("--strategy", metavar="NAME[:...]", help="What is asked next."),
            click.option("--clusters", "n_clusters", type=int, metavar="K", help="How many clusters."),
            click.option("--percentile", metavar="P|auto", help="Reach: closest P % of each cluster."),
            click.option("--classes", metavar="A,B,C", help="Class names, separated by commas."),
            click.option("--classes-file", type=click.Path(path_type=Path), metavar="F", help="One name a line."),
            click.option("--features", type=click.Path(path_type=Path), metavar="FILE", help="Vectors from elsewhere."),
            click.option("--seed", type=int, metavar="N", help="Random state; the same gives the same."),
            click.option("--control", type=float, metavar="SHARE", help="Share of questions drawn at random (0.1)."),
            click.option("--annotator", metavar="NAME", help="Written beside every answer."),
            click.option("--keys", metavar="digits|letters|azerty", help="Which keys answer."),
            click.option("--images", metavar="auto|half|kitty|sixel|ascii", help="How images are drawn."),
        )
    ):
        command = option(command)
    return command


@main.command()
@click.option("--fresh", is_flag=True, help="Start over; the answers so far are kept beside it.")
@click.option("--engine", metavar="default|book")
@click.option("--keys", metavar="digits|letters|azerty")
@click.option("--images", metavar="auto|half|kitty|sixel|ascii")
@quiet_option
def demo(fresh: bool, **given: Any) -> None:
    """Try it on 1,797 digits: nothing to prepare.

    Example: labeler demo
    """
    from labeler.api import open_demo

    _need_terminal()
    _open_screen(open_demo(fresh=fresh, options=_options(given)))


@main.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("-p", "--project", type=click.Path(path_type=Path), metavar="PROJECT", help="The project file.")
@engine_options
@quiet_option
def label(source: Path, project: Path | None, **given: Any) -> None:
    """Label SOURCE (folder, zip, npz, npy, IDX) or go on with a PROJECT.

    Example: labeler label photos/          later the same command resumes
    """
    from labeler.api import open_project

    options = _options(given)
    _need_terminal()
    _open_screen(open_project(source, project, options))


@main.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--truth", required=True, metavar="y|folders|FILE", help="Where the right labels are.")
@click.option("--clicks", required=True, type=int, metavar="N", help="Answers to give.")
@click.option("--noise", type=float, default=0.0, metavar="SHARE", help="Share of wrong answers.")
@click.option("--grids", is_flag=True, help="Confirm class-wise pages as well.")
@click.option("--imbalance", default="", metavar="10:1,4,8", help="Thin classes by a factor.")
@click.option("--test", type=float, default=0.0, metavar="SHARE", help="Hold instances out.")
@click.option("--baseline", metavar="book|random|all", help="Run this too and report it beside.")
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
    from labeler.simulate import Simulation, curve_text
    from labeler.simulate import simulate as run_simulation

    plan = Simulation(
        source, truth, clicks, _options(given), noise, grids, imbalance, test, baseline, project, _started
    )
    with _narrator() as narrator:
        report = run_simulation(plan, narrator.note, narrator.progress)
    _print(json.dumps(report) if as_json or not sys.stdout.isatty() else curve_text(report))


@main.command()
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@quiet_option
def status(project: Path, as_json: bool) -> None:
    """Say where PROJECT stands and what to do next.

    Example: labeler status digits.labeler.db
    """
    from labeler.status import status as facts_of
    from labeler.status import status_text

    with _reading(project) as opened:
        facts = facts_of(opened)
    _print(json.dumps(facts) if as_json else status_text(facts))


@main.command()
@click.argument("project", type=click.Path(path_type=Path))
@click.argument("instance_id", metavar="ID")
@quiet_option
def why(project: Path, instance_id: str) -> None:
    """Say what the label of instance ID rests on, back to the key press.

    Example: labeler why digits.labeler.db digits/0007.png
    """
    from labeler.status import why as reasons

    def shares(index: int) -> list[tuple[int, float]] | None:
        try:
            with _reading(project, with_source=True) as opened, _narrator() as narrator:
                bench = opened.open_bench(narrator.progress)
                found: list[tuple[int, float]] = bench.shares(opened.session.snapshot(), index)
                return found
        except SourceError as error:
            click.echo(f"note: {display_safe(error.message, 1000)}: the shares of the answers are not known", err=True)
            return None

    with _reading(project) as opened:
        _print(reasons(opened, instance_id, shares))


@main.command()
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
    from labeler.api import open_project
    from labeler.audit import begin_apart, facts, run_audit, text

    _check_project(project)
    if not (draw or answers or as_json or end or begin):
        _need_terminal()
        code = begin_apart(project, target, confidence, new=new, predicted="predicted" in include)
        if code:
            sys.exit(code)
        _open_screen(open_project(project), audit=True)
        return
    with _narrator() as narrator, open_project(project, read_only=not (draw or answers or end or begin)) as opened:
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
    _print(json.dumps(facts(found)) if as_json else text(found))
    if not found.reached and not (draw or begin):
        sys.exit(1)


@main.command()
@click.argument("project", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--format", "format_", metavar="csv|jsonl|npz|imagefolder", help="Else by the target's ending.")
@click.option("--latest", is_flag=True, help="The current labels, without a certificate.")
@click.option("--include", type=click.Choice(["predicted"]), multiple=True, help="Take these in as well.")
@click.option("--human-only", is_flag=True, help="Only what a person gave or confirmed.")
@click.option("--min-confidence", type=click.FloatRange(0, 1), default=0.0, help="Leave out what is below.")
@click.option("--split", metavar="80/10/10", help="Train / (val /) test, stratified, duplicates together.")
@click.option("--link", type=click.Choice(["hard", "sym", "copy"]), help="How an image folder gets its files.")
@click.option("--csv-safe", is_flag=True, help="Prefix cells a spreadsheet would run.")
@click.option("--force", is_flag=True, help="Replace an existing target.")
@quiet_option
def export(
    project: Path,
    target: Path,
    format_: str | None,
    latest: bool,
    include: tuple[str, ...],
    human_only: bool,
    min_confidence: float,
    split: str | None,
    link: str | None,
    csv_safe: bool,
    force: bool,
) -> None:
    """Write the labels of PROJECT to TARGET, with where each comes from.

    Example: labeler export digits.labeler.db labels.csv
    """
    from labeler.export import Choice, report
    from labeler.export import export as write

    options = ({"link": link} if link else {}) | ({"csv_safe": "yes"} if csv_safe else {})
    choice = Choice("predicted" in include, False, human_only, min_confidence, _shares(split), options, latest)
    with _narrator() as narrator, _reading(project, with_source=True) as opened:
        written = write(opened, target, format_, choice, force=force, progress=narrator.progress)
    for warning in written.warnings:
        click.echo(f"note: {warning}", err=True)
    _print(report(written))


@main.command("import-labels")
@click.argument("project", type=click.Path(path_type=Path))
@click.argument("labels", type=click.Path(path_type=Path))
@quiet_option
def import_labels(project: Path, labels: Path) -> None:
    """Bring LABELS (CSV, JSONL, or a folder of class folders) into PROJECT.

    Example: labeler import-labels digits.labeler.db labels.csv
    """
    from labeler.api import open_project
    from labeler.importing import import_labels as bring_in
    from labeler.importing import report

    _check_project(project)
    with _narrator() as narrator, open_project(project) as opened:
        imported = bring_in(opened, labels, narrator.progress)
    _print(report(imported))


@main.command()
@click.argument("first", metavar="A", type=click.Path(path_type=Path))
@click.argument("second", metavar="B", type=click.Path(path_type=Path))
@click.option("-o", "--output", "target", required=True, type=click.Path(path_type=Path), metavar="C", help="New file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@quiet_option
def merge(first: Path, second: Path, target: Path, as_json: bool) -> None:
    """Merge the project files A and B of two people into C; say how far they agree, and ask where they do not.

    Example: labeler merge anna.labeler.db bob.labeler.db -o both.labeler.db
    """
    from labeler.merging import facts, report
    from labeler.merging import merge as join

    for project in (first, second):
        _check_project(project)
    joined = join(first, second, target)
    if not _quiet():
        for note in joined.notes:
            click.echo(f"note: {note}", err=True)
    _print(json.dumps(facts(joined)) if as_json else report(joined))


@main.command()
@click.argument("name", required=False)
@quiet_option
def plugins(name: str | None) -> None:
    """List encoders, clusterers, classifiers, strategies, importers and exporters, or one's parameters.

    Example: labeler plugins kmeans
    """
    from labeler.plugins import describe, listing

    _print(describe(name) if name else listing())


def run(started: float) -> None:
    """Run the program; every :class:`LabelerError` becomes two lines and its exit code, never a traceback."""
    global _started
    _started = started
    with contextlib.suppress(ValueError):  # outside the main thread
        signal.signal(signal.SIGTERM, _terminated)
    try:
        main(standalone_mode=False, prog_name="labeler")
    except LabelerError as error:
        _fail(error.message, error.hint, error.exit_code)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "labeler"
        _fail(error.format_message(), f"see: {command} --help", 2)
    except click.ClickException as error:
        _fail(error.format_message(), "see: labeler --help", 2)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted: answers are saved as they are given, nothing is left half written", "", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whoever read us has gone; say nothing more
        sys.exit(0)
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        _let_go_of_stdout()
        _fail(f"cannot read or write{where}: {error.strerror or error}", "is there room, and the right to write?", 2)


def _terminated(number: int, _: object) -> NoReturn:
    """Asked to end: what is being written is taken away again on the way out."""
    sys.exit(128 + number)


def _let_go_of_stdout() -> None:
    """What could not be written is not tried again at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _fail(message: str, hint: str, code: int) -> None:
    click.echo(f"labeler: {display_safe(message, 1000)}", err=True)
    if hint:
        click.echo(f"  {display_safe(hint, 1000)}", err=True)
    sys.exit(code)


def _options(given: dict[str, Any]) -> Options:
    """Options from what click parsed."""
    from labeler.options import Options, check

    classes = given.pop("classes", None)
    file = given.pop("classes_file", None)
    names = [name.strip() for name in (classes or "").split(",")]
    if file is not None:
        try:
            names += file.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"cannot read the classes file {file}: {getattr(error, 'strerror', None) or error}",
                "one class name a line, UTF-8",
            ) from error
    features = given.pop("features", None)
    chosen = {key: value for key, value in given.items() if value is not None}
    return check(
        Options(
            classes=tuple(name.strip() for name in names if name.strip()),
            features=str(features.resolve()) if features is not None else None,
            **chosen,
        )
    )


def _shares(split: str | None) -> tuple[float, ...]:
    if split is None:
        return ()
    try:
        return tuple(float(part) for part in split.split("/"))
    except ValueError:
        raise UsageError(f"the split {split!r} cannot be read", "write for example 80/10/10 or 80/20") from None


def _need_terminal() -> None:
    # Textual draws on stderr and reads stdin; a browser front end has neither and sets its own driver
    if "TEXTUAL_DRIVER" not in os.environ and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "the application needs a terminal, and this is none",
            "run it in a terminal (over SSH: ssh -t); labeler status, export and simulate work without one",
        )


def _open_screen(project: Project, *, audit: bool = False) -> None:
    from labeler.ui.app import run as run_app

    options = project.options
    with project:
        code = run_app(project, images=options.get("images", "auto"), keys=options.get("keys", "digits"), audit=audit)
        summary = project.summary()
        found = project.session.certificate() if audit else None
        if found is not None:
            from labeler.audit import text

            summary = text(found)
            code = code or (0 if found.reached else 1)
    _print(summary)
    for notice in project.notices:
        click.echo(f"note: {display_safe(notice, 1000)}", err=True)
    if code:
        sys.exit(code)


def _reading(project: Path, *, with_source: bool = False) -> Project:
    """Open a project without changing it, also while the application has it open."""
    from labeler.api import open_project

    _check_project(project)
    return open_project(project, read_only=True, with_source=with_source)


def _check_project(path: Path) -> None:
    from labeler.locating import is_project

    if not is_project(path):
        raise UsageError(f"{path} is not a project file", "give a *.labeler.db file, made by: labeler label SOURCE")


def _narrator() -> Narrator:
    """Progress and notes on standard error."""
    from labeler.narrator import Narrator

    return Narrator(quiet=_quiet())


def _quiet() -> bool:
    return bool(click.get_current_context().meta.get("labeler.quiet", False))


def _print(text: str) -> None:
    click.echo(text)
