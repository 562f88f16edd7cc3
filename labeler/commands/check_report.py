"""What `labeler check` found: each damage, what is lost by it, and what to say of the whole."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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


@dataclass(slots=True)
class Report:
    """What a check found. `notes` are no damage. `backup`: the newest that can be restored, where there is one."""

    path: Path
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    schema: int = 0
    events: int = 0
    instances: int = 0
    labels: int = 0
    audits: int = 0
    cache: str = ""
    backup: Backup | None = None

    @property
    def sound(self) -> bool:
        """Whether nothing is damaged."""
        return not self.findings

    @property
    def opens(self) -> bool:
        """Whether it can be gone on with as it is: what is damaged is made anew, or gone already."""
        return all(one.code in _HARMLESS for one in self.findings)

    def damage(self, code: str, what: str, lost: str, answers: int = 0) -> None:
        """Note a damage."""
        self.findings.append(Finding(code, what, lost, answers))


def facts(report: Report) -> dict[str, Any]:
    """The outcome as JSON can hold it."""
    return {
        "project": escaped(str(report.path)),
        "sound": report.sound,
        "schema": report.schema,
        "events": report.events,
        "instances": report.instances,
        "labels": report.labels,
        "audits": report.audits,
        "cache": report.cache,
        "findings": [
            {"code": one.code, "what": one.what, "lost": one.lost, "answers": one.answers} for one in report.findings
        ],
        "notes": report.notes,
        "backup": None
        if report.backup is None
        else {
            "path": escaped(str(report.backup.path)),
            "at": report.backup.at,
            "reason": report.backup.reason,
            "events": report.backup.events,
        },
    }


def text(report: Report) -> str:
    """What to say of a check."""
    name = display_safe(str(report.path), 1000)
    if report.sound:
        lines = [
            f"{name}: sound",
            f"{counted(report.events, 'event')}, {counted(report.labels, 'label')},"
            f" {counted(report.instances, 'instance')}, {counted(report.audits, 'audit')}: every row is as it was"
            " written, and the journal amounts to what is stored",
        ]
        if report.cache:
            lines.append(f"cache: {report.cache}")
    else:
        lines = [f"{name}: DAMAGED"]
        lines += [f"  {one.what}\n    lost: {one.lost}" for one in report.findings]
    lines += [f"note: {note}" for note in report.notes]
    return "\n".join([*lines, *_advice(report)])


def _advice(report: Report) -> list[str]:
    backup = report.backup
    if report.sound:
        return ["backups: none yet"] if backup is None else [f"newest backup: {_named(backup)}"]
    path = display_safe(str(report.path), 1000)
    if all(one.lost.startswith(NOTHING) for one in report.findings if one.code != "structure") and not any(
        one.code == "structure" for one in report.findings
    ):
        return [f"no answer is damaged: go on with labeler label {shlex.quote(path)}"]
    holds_more = report.events > (backup.events if backup is not None else 0)
    lines = []
    if holds_more and report.opens:
        lines = [f"go on with what is there: labeler label {shlex.quote(path)}"]
    elif holds_more:
        rescued = shlex.quote(path.removesuffix(SUFFIX) + f"-rescued{SUFFIX}")
        lines = [
            f"bring out what is sound: labeler restore {shlex.quote(path)} --to {rescued}",
            f"  {counted(report.events, 'event')} can be read",
        ]
    if backup is None:
        return [*lines, "there is no backup of it here: is there a copy elsewhere? labeler restore COPY --to PROJECT"]
    missing = report.events + sum(one.answers for one in report.findings) - backup.events
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
