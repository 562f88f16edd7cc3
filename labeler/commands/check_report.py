"""The report of `labeler check`: each damage, what is lost by it, and how to go on."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from labeler.commands.result import Result
from labeler.core.codec import encode
from labeler.core.text import counted, display_safe, escaped
from labeler.project.backups import Backup
from labeler.project.paths import SUFFIX

NOTHING = "nothing is lost"
ANEW = "nothing is lost: it is made anew"


_HARMLESS = ("log", "audit", "seal", "question", "round", "cache")
"""Damage that keeps nobody from opening the file."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is damaged (`what`), and what is lost by it (`lost`); `answers`: how many a person gave."""

    code: str
    what: str
    lost: str
    answers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport(Result):
    """The outcome of a check. `notes` are no damage. `backup`: the newest that can be restored, where there is one."""

    path: Path
    findings: list[Finding]
    notes: list[str]
    schema: int
    events: int
    instances: int
    labels: int
    audits: int
    cache: str
    backup: Backup | None

    @property
    def is_sound(self) -> bool:
        """Whether nothing is damaged."""
        return not self.findings

    def is_success(self) -> bool:
        """Return whether nothing is damaged."""
        return self.is_sound

    @property
    def can_be_opened(self) -> bool:
        """Whether work can go on as it is: everything damaged is made anew, or gone already."""
        return all(finding.code in _HARMLESS for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Return the outcome; of the backup its path, time, reason and number of events."""
        values = encode(replace(self, path=Path(), backup=None), {})
        backup = self.backup
        return {
            "project": escaped(str(self.path)),
            "sound": self.is_sound,
            **{name: values[name] for name in ("schema", "events", "instances", "labels", "audits", "cache")},
            "findings": values["findings"],
            "notes": self.notes,
            "backup": None
            if backup is None
            else {"path": escaped(str(backup.path)), "at": backup.at, "reason": backup.reason, "events": backup.events},
        }

    def lines(self) -> list[str]:
        """Return each damage and what is lost by it, the notes, and how to go on."""
        name = display_safe(str(self.path), 1000)
        if self.is_sound:
            lines = [
                f"{name}: sound",
                f"{counted(self.events, 'event')}, {counted(self.labels, 'label')},"
                f" {counted(self.instances, 'instance')}, {counted(self.audits, 'audit')}: every row is as it was"
                " written, and the journal amounts to what is stored",
            ]
            if self.cache:
                lines.append(f"cache: {self.cache}")
        else:
            lines = [f"{name}: DAMAGED"]
            lines += [f"  {finding.what}\n    lost: {finding.lost}" for finding in self.findings]
        lines += [f"note: {note}" for note in self.notes]
        return [*lines, *_advice(self)]


def _advice(report: CheckReport) -> list[str]:
    backup = report.backup
    if report.is_sound:
        return ["backups: none yet"] if backup is None else [f"newest backup: {_named(backup)}"]
    path = display_safe(str(report.path), 1000)
    # SQLite's own complaint does not say what it costs: with it nobody is told that no answer is damaged
    if all(finding.lost.startswith(NOTHING) for finding in report.findings if finding.code != "structure") and not any(
        finding.code == "structure" for finding in report.findings
    ):
        return [f"no answer is damaged: go on with labeler label {shlex.quote(path)}"]
    # a backup comes first only where it holds as much: advice must not lead to fewer answers
    holds_more = report.events > (backup.events if backup is not None else 0)
    lines = []
    if holds_more and report.can_be_opened:
        lines = [f"go on with what is there: labeler label {shlex.quote(path)}"]
    elif holds_more:
        rescued = shlex.quote(path.removesuffix(SUFFIX) + f"-rescued{SUFFIX}")
        lines = [
            f"bring out what is sound: labeler restore {shlex.quote(path)} --to {rescued}",
            f"  {counted(report.events, 'event')} can be read",
        ]
    if backup is None:
        return [*lines, "there is no backup of it here: is there a copy elsewhere? labeler restore COPY --to PROJECT"]
    # those that are damaged here count: they were given, whether this file can tell them or not
    missing = report.events + sum(finding.answers for finding in report.findings) - backup.events
    behind = f"; {counted(missing, 'newer event is', 'newer events are')} not in it" if missing > 0 else ""
    place = shlex.quote(display_safe(str(backup.path), 1000))
    or_ = "or, with fewer answers, " if lines else ""
    return [*lines, f"{or_}restore: labeler restore {place}", f"  it has {_named(backup)}{behind}"]


def _named(backup: Backup) -> str:
    try:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(backup.at))
    except (OverflowError, ValueError, OSError):  # a clock beyond all calendars
        when = "at an unknown time"
    return f"{counted(backup.events, 'event')}, made {when} ({backup.reason})"
