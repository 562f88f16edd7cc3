"""Commands that maintain a project: check, replay, backup, restore."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from labeler import commands
from labeler.cli.command import command
from labeler.cli.output import check_project, narrator_of

if TYPE_CHECKING:
    from labeler.commands.backup import BackupReport
    from labeler.commands.check_report import CheckReport
    from labeler.commands.replay import ReplayReport
    from labeler.commands.result import Result


@command("Maintain", short_help="Say whether PROJECT is whole; where not, what is lost.", project=True, json=True)
def check(project: Path) -> CheckReport:
    """Say whether PROJECT is as it was written; where not, what is lost and which backup to restore. Changes nothing.

    Exit code 1 where damage is found.

    Example: labeler check digits.labeler.db
    """
    if project.exists():  # of one that is gone the backups are named
        check_project(project)
    with narrator_of() as narrator:
        return commands.check.check(project, narrator.progress)


@command(
    "Maintain", short_help="Rebuild PROJECT from its journal alone and compare.", project=True, json=True, plugins=True
)
def replay(project: Path) -> ReplayReport:
    """Rebuild PROJECT from its journal alone and compare state and export, to the byte. Changes nothing.

    Exit code 1 where they differ.

    Example: labeler replay digits.labeler.db
    """
    check_project(project)
    with narrator_of() as narrator:
        return commands.replay.replay(project, narrator.progress, narrator.note)


@command("Maintain", short_help="Copy PROJECT, also while it is open elsewhere.", project=True)
@click.argument("target", required=False, type=click.Path(path_type=Path))
def backup(project: Path, target: Path | None) -> BackupReport:
    """Copy PROJECT, also while it is open elsewhere: beside its other backups, or to TARGET (a new file, or a folder).

    One is made at the end of each session as well; the last ten are kept.

    Example: labeler backup digits.labeler.db /media/stick/
    """
    check_project(project)
    return commands.backup.backup(project, target)


@command("Maintain", short_help="Bring a backup FILE back in the place of its project.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", type=click.Path(path_type=Path), metavar="PROJECT", help="Another place than where it came from.")
def restore(file: Path, to: Path | None) -> Result:
    """Bring a backup FILE back in the place of its project; what is there now is kept beside it under a dated name.

    With --to, what is sound of a damaged FILE is brought out.

    Example: labeler restore ~/.local/state/labeler/backups/.../20260102T101500000Z-312-exit.labeler.db
    """
    # a file of another kind is refused here; whether it is whole, the command finds out
    check_project(file)
    return commands.restore.restore(file, to)
