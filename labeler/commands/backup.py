"""`labeler backup`: a copy of a project, also while it is open elsewhere."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from labeler.commands.result import Result
from labeler.core.text import counted, display_safe
from labeler.project.backups import back_up


@dataclass(frozen=True, slots=True)
class BackupReport(Result):
    """The copy that was made, and how many events it holds."""

    path: Path
    events: int

    def lines(self) -> list[str]:
        """Return where the copy is, and how it is brought back."""
        place = shlex.quote(display_safe(str(self.path), 1000))
        return [
            f"{counted(self.events, 'event')} in {place}; read back and checked",
            f"restore: labeler restore {place}",
        ]


def backup(project: Path, target: Path | None = None) -> BackupReport:
    """Copy a project beside its other backups, or to `target` (a new file, or a folder).

    Raises
    ------
    LabelerError
        As :func:`labeler.project.backups.back_up`.
    """
    # reads the copy back before it says that there is one
    copy = back_up(project, target)
    return BackupReport(copy.path, copy.events)
