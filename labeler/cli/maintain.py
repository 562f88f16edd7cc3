"""Commands that keep a project whole: check, replay, backup, restore."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import click

from labeler.cli.main import main, quiet_option
from labeler.cli.options import plugin_option
from labeler.cli.output import check_project, narrator_of, say
from labeler.core.text import display_safe


@main.command(short_help="Say whether PROJECT is whole; where not, what is lost.")
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@quiet_option
def check(project: Path, as_json: bool) -> None:
    """Say whether PROJECT is as it was written; where not, what is lost and which backup to restore. Changes nothing.

    Exit code 1 where damage is found.

    Example: labeler check digits.labeler.db
    """
    from labeler.commands.check import check as look_at
    from labeler.commands.check_report import facts, text

    if project.exists():  # of one that is gone the backups are named
        check_project(project)
    with narrator_of() as narrator:
        report = look_at(project, narrator.progress)
    say(json.dumps(facts(report)) if as_json else text(report))
    if not report.sound:
        sys.exit(1)


@main.command(short_help="Rebuild PROJECT from its journal alone and compare.")
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@plugin_option
@quiet_option
def replay(project: Path, as_json: bool) -> None:
    """Rebuild PROJECT from its journal alone and compare state and export, to the byte. Changes nothing.

    Exit code 1 where they differ.

    Example: labeler replay digits.labeler.db
    """
    from labeler.commands.replay import facts, text
    from labeler.commands.replay import replay as rebuild

    check_project(project)
    with narrator_of() as narrator:
        found = rebuild(project, narrator.progress, narrator.note)
    say(json.dumps(facts(found)) if as_json else text(found))
    if not found.same:
        sys.exit(1)


@main.command(short_help="Copy PROJECT, also while it is open elsewhere.")
@click.argument("project", type=click.Path(path_type=Path))
@click.argument("target", required=False, type=click.Path(path_type=Path))
@quiet_option
def backup(project: Path, target: Path | None) -> None:
    """Copy PROJECT, also while it is open elsewhere: beside its other backups, or to TARGET (a new file, or a folder).

    One is made at the end of each session as well; the last ten are kept.

    Example: labeler backup digits.labeler.db /media/stick/
    """
    from labeler.plugins.importers.names import counted
    from labeler.project.backups import back_up

    check_project(project)
    made = back_up(project, target)
    place = shlex.quote(display_safe(str(made.path), 1000))
    say(f"{counted(made.events, 'event')} in {place}; read back and checked\nrestore: labeler restore {place}")


@main.command(short_help="Bring a backup FILE back in the place of its project.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", type=click.Path(path_type=Path), metavar="PROJECT", help="Another place than where it came from.")
@quiet_option
def restore(file: Path, to: Path | None) -> None:
    """Bring a backup FILE back in the place of its project; what is there now is kept beside it under a dated name.

    With --to, what is sound of a damaged FILE is brought out.

    Example: labeler restore ~/.local/state/labeler/backups/.../20260102T101500000Z-312-exit.labeler.db
    """
    from labeler.commands.restore import is_damaged, report, rescue
    from labeler.plugins.importers.names import counted
    from labeler.project.backups import restore as bring_back

    check_project(file)
    if to is not None and is_damaged(file):
        rescued = rescue(file, to)
        say(f"{report(rescued)}\ngo on: labeler label {shlex.quote(display_safe(str(rescued.path), 1000))}")
        return
    done = bring_back(file, to)
    place = shlex.quote(display_safe(str(done.path), 1000))
    say(f"{counted(done.backup.events, 'event')} restored to {place}")
    if done.old_file is not None:
        say(f"what was there is kept in {shlex.quote(display_safe(str(done.old_file), 1000))}")
    say(f"go on: labeler label {place}")
