"""`labeler audit` without a screen: begin an audit, write what is to be checked, take the answers, say what holds."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labeler.commands.result import Result
from labeler.core.class_names import check_names
from labeler.core.errors import ExportError, UsageError
from labeler.core.files import whole
from labeler.core.stats.certificate import PLANNED, WHOLE, more_needed, share_of_alpha
from labeler.core.text import counted, display_safe, escaped, unescaped
from labeler.core.types import Progress
from labeler.plugins.exporters.earlier_export import is_of_a_project
from labeler.plugins.importers.files import first_bytes
from labeler.plugins.importers.label_tables import LabelRow, read_label_rows
from labeler.project.project import Project
from labeler.session.audit.audits import CONFIDENCE, TARGET, AuditRecord, Certificate
from labeler.session.final_labels import final_labels
from labeler.session.session import Session

HEADER = ("id", "path")


@dataclass(frozen=True, slots=True)
class AuditReport(Result):
    """The certificate as it stands; `is_under_way`: the audit was only begun, or its next instances drawn."""

    certificate: Certificate
    is_under_way: bool = False

    def is_success(self) -> bool:
        """Return whether the target is reached, where it was asked for."""
        return self.certificate.reached or self.is_under_way

    def to_json(self) -> dict[str, Any]:
        """Return the certificate; of pages only where there were some."""
        certificate = self.certificate
        names = ["target", "confidence", "population", "checked", "wrong", "lower_bound", "reached", "set_sha256"]
        names += ["cutoff", *(("in_pages", "planted", "planted_seen") if certificate.in_pages else ())]
        return {name: getattr(certificate, name) for name in names}

    def lines(self) -> list[str]:
        """Return the statement, and how far the target is."""
        certificate = self.certificate
        goal = f"{100 * certificate.target:g} %"
        back = f", {counted(certificate.taken_back, 'answer')} taken back" if certificate.taken_back else ""
        lines = [certificate.statement + back, self._distance(goal)]
        if certificate.cutoff is not None:
            lines.append(
                # all its digits: the command that is named must cut at this very score
                f"with a confidence of {certificate.cutoff!r} and above {goal} holds: for "
                f"{certificate.cutoff_population:,} labels (labeler export --min-confidence {certificate.cutoff!r})"
            )
        return lines

    def _distance(self, goal: str) -> str:
        """Return one line: reached, how many looks more, or out of reach."""
        certificate = self.certificate
        if certificate.reached:
            corrected = "; what was found wrong is corrected besides" if certificate.wrong else ""
            return f"the target of {goal} is reached{corrected}"
        if certificate.more is not None:
            return f"about {certificate.more:,} more for {goal}, if errors go on as they came so far"
        if certificate.too_early:
            why = "planted errors were overlooked" if certificate.overlooked else "so far most were wrong"
            return f"too early to say when {goal} is reached: {why}"
        if certificate.overlooked:
            return f"{goal} is out of reach: too many planted errors were overlooked; audit again with --new"
        return f"{goal} is out of reach for this set: label on, then audit again with --new"


def run_audit(
    project: Project,
    target: float | None = None,
    confidence: float | None = None,
    *,
    draw: Path | None = None,
    answers: Path | None = None,
    begin: bool = False,
    new: bool = False,
    end: bool = False,
    predicted: bool = False,
    say: Callable[[str], None] = lambda _: None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> AuditReport:
    """Take `answers`, `begin` or `end`, write to `draw` what comes next; return what holds after it.

    Raises
    ------
    LabelerError
        As :func:`open_audit`, :func:`take_answers` and :func:`write_drawn`; or nothing was asked and no audit is there.
    """
    session = project.session
    # the place is looked at first: an audit must not begin for a list that cannot be written
    if draw is not None:
        _check_place(project, draw)
    if answers is not None:
        check_confidence(session.audit.latest, confidence)
        say(f"{counted(take_answers(project, answers), 'answer')} taken")
    if end:
        session.audit.end()
    if draw is not None or begin:
        _, notes = open_audit(project, target, confidence, new=new, predicted=predicted, progress=progress)
        for note in notes:
            say(note)
    if draw is not None:
        say(f"{counted(write_drawn(project, draw, target), 'instance')} to check in {display_safe(str(draw))}")
    # once more: by now an audit may have begun at another confidence
    check_confidence(session.audit.latest, confidence)
    certificate = session.audit.certificate(target)
    if certificate is None:
        raise UsageError(
            "no audit was begun",
            f"begin one with: labeler audit {display_safe(str(project.path))} --draw FILE",
        )
    return AuditReport(certificate, is_under_way=draw is not None or begin)


def begin_apart(project: Path, target: float | None, confidence: float | None, *, new: bool, predicted: bool) -> int:
    """Open an audit in a process of its own; return its exit code.

    The closing round needs the numeric libraries, and the screen's process is to load none of them.
    """
    # as the command itself, so that it opens, locks and records as any other run does
    command = [sys.executable, "-m", "labeler", "audit", str(project), "--begin"]
    command += ["--target", repr(target)] if target is not None else []
    command += ["--confidence", repr(confidence)] if confidence is not None else []
    command += ["--new"] if new else []
    command += ["--include", "predicted"] if predicted else []
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False).returncode


def check_confidence(audit: AuditRecord | None, confidence: float | None) -> None:
    """Refuse another confidence than an audit was begun at: it was to be fixed before the first look."""
    if audit is not None and confidence is not None and confidence != audit.confidence:
        raise UsageError(
            f"this audit was begun at a confidence of {audit.confidence:g}, which is fixed for it",
            "leave out --confidence, or begin another one with --new",
        )


def open_audit(
    project: Project,
    target: float | None = None,
    confidence: float | None = None,
    *,
    new: bool = False,
    predicted: bool = False,
    progress: Callable[[Progress], None] = lambda _: None,
) -> tuple[AuditRecord, list[str]]:
    """Return the audit that is under way, or a new one of the labels as they are now; and notes on it.

    A new one begins where there is none, the latest was ended, its target was reached and labels were given since, or
    with `new`. The closing round is computed for it.

    Raises
    ------
    UsageError
        A goal that cannot be, another confidence than the open audit's, or no label to audit.
    """
    session = project.session
    audit, since = session.audit.latest, session.audit.labels_since()
    if audit is not None and not new and session.audit.goes_on():
        check_confidence(audit, confidence)
        if not since:
            return audit, []
        lead = counted(since, "answer was", "answers were")
        return audit, [f"{lead} given since these labels were frozen: --new audits the labels as they are now"]
    # computed from scratch: what is certified is what an export would write, not what the screen shows
    closing = project.open_pipeline(progress).closing_round(session.snapshot())
    final = final_labels(session.state, closing)
    audit = session.audit.begin(
        final,
        target=TARGET if target is None else target,
        confidence=CONFIDENCE if confidence is None else confidence,
        seed=project.recipe().seed,
        predicted=predicted,
    )
    # the screen goes on with the labels that were frozen, not with those of the round before
    session.merge_round(closing)
    notes = [*project.view_notes(), f"{counted(audit.population, 'label')} frozen and drawn into a random order"]
    if audit.number > 1:
        notes.append(f"audit {audit.number} of this project: it has its share of the {1 - audit.confidence:.3g} to err")
    return audit, notes


def write_drawn(project: Project, target: Path, goal: float | None = None) -> int:
    """Write the instances to check next, in drawn order, as CSV ``id,path``; returns how many.

    So many that the target is certified if one error is among them; another call writes what comes after those that
    were answered. A file that is no such list is never replaced.

    Raises
    ------
    UsageError
        There is nothing left to check.
    ExportError
        The file is there and something else, or cannot be written.
    """
    session = project.session
    audit = session.audit.latest
    if audit is None or session.audit.next_index() is None:
        raise UsageError("nothing is left to check: every label of the set was", "see: labeler audit PROJECT --json")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    # the answers so far are always a beginning of the order, so what is left is its end
    order = session.audit.frozen(audit).order[len(audit.answers) :][: _planned(audit, session, goal)]
    for index in order.tolist():
        writer.writerow([escaped(session.pool.ids[index]), escaped(project.instances.location(index))])
    _check_place(project, target)
    try:
        with whole(target) as draft:
            draft.write_text(text.getvalue(), encoding="utf-8", newline="\n")
    except OSError as error:
        raise ExportError(
            f"cannot write {display_safe(str(target))}: {error.strerror or error}", "choose another place for the list"
        ) from error
    return len(order)


def _planned(audit: AuditRecord, session: Session, goal: float | None) -> int:
    """The number of looks that certify the goal if one error is among them."""
    alpha = share_of_alpha(1.0 - audit.confidence, audit.before + audit.number) * WHOLE
    outcomes = session.audit.frozen(audit).outcomes(audit.answers)
    looks = more_needed(
        int(outcomes.sum()),
        len(outcomes),
        audit.population,
        alpha,
        audit.target if goal is None else goal,
        shaped_for=audit.target,
        to_come=1,
    )
    # where no number of looks would do: as many as the search for a cut-off counts with
    return PLANNED if looks is None else max(looks, 1)


def _check_place(project: Project, target: Path) -> None:
    """Refuse a place for the list before anything is drawn for it: only such a list is replaced."""
    if str(target) == "-":
        raise UsageError("the list is not written to standard output", "give a file: --draw check.csv")
    # a list of ours is known by its first line; anything else in that place is somebody's file
    head = ",".join(HEADER)
    # the same file, not the same name: a link to the source is the source
    is_input = any(path.exists() and target.exists() and os.path.samefile(path, target) for path in project.inputs())
    if is_input or is_of_a_project(target):
        raise ExportError(f"{display_safe(str(target))} is not written over", "choose another name for the list")
    # latin-1 reads any bytes: somebody else's file need be no text
    if os.path.lexists(target) and first_bytes(target, 2 * len(head)).decode("latin-1").splitlines()[:1] != [head]:
        raise ExportError(f"{display_safe(str(target))} exists already", "choose another name for the list")
    if not target.parent.is_dir():
        raise ExportError(
            f"cannot write {display_safe(str(target))}: there is no such folder", "choose another place for the list"
        )


def take_answers(project: Project, path: Path) -> int:
    """Answer the audit from a CSV or JSONL with ``id,label``; returns how many answers were new.

    The answers must be those to the instances drawn next, none left out: whoever leaves out the hard ones finds
    fewer errors. Their order in the file is free; what was answered before may stand in it again. All or nothing.

    Raises
    ------
    UsageError
        No audit, an id that is unknown, was not drawn, is there twice or was answered otherwise, a gap, or a label that
        is no class name.
    SourceError
        The file cannot be read.
    """
    session = project.session
    audit = session.audit.latest
    if audit is None:
        raise UsageError("no audit was begun", "begin one with: labeler audit PROJECT --draw FILE")
    if audit.ended:
        raise UsageError("this audit was ended: its statement is drawn", "begin another one with --new")
    session.audit.refuse_within_block()
    labels = _new_answers(session, audit, read_label_rows(path))
    order = session.audit.frozen(audit).order[len(audit.answers) :].tolist()
    # a gap would let somebody leave out the hard ones, and the bound would promise too much
    missing = [index for index in order[: len(labels)] if index not in labels]
    if missing:
        names = ", ".join(display_safe(escaped(session.pool.ids[index]), 60) for index in missing[:5])
        more = f" and {len(missing) - 5:,} more" if len(missing) > 5 else ""
        lead = counted(len(missing), "answer is", "answers are")
        raise UsageError(
            f"{lead} missing before others of the drawn order: {names}{more}",
            "answer them in the order of --draw without leaving any out; nothing was recorded",
        )
    # all names are checked before the first is recorded: all or nothing
    check_names(labels.values())
    for index in order[: len(labels)]:
        # setup: a class that a file names is no step of its own to undo
        class_id = session.classes.id_for(labels[index], setup=True)
        session.audit.answer(session.pool.ids[index], class_id, screen="file")
    return len(labels)


def _new_answers(session: Session, audit: AuditRecord, rows: list[LabelRow]) -> dict[int, str]:
    """Return index -> class name of the answers that are new."""
    drawn = set(session.audit.frozen(audit).order.tolist())
    before = {answer.index: answer.class_id for answer in audit.answers}
    labels: dict[int, str] = {}
    seen: set[int] = set()
    for row in rows:
        # as it is written first: an id may hold what looks like one of our escapes
        name = row.instance_id if row.instance_id in session.pool else unescaped(row.instance_id)
        shown = display_safe(row.instance_id, 80)
        if name not in session.pool:
            raise UsageError(f"no instance is called {shown}", "ids are those that --draw wrote; nothing was recorded")
        index = session.pool.index(name)
        if index not in drawn:
            raise UsageError(
                f"{shown} was not drawn: this audit does not speak of its label",
                "answer those that --draw wrote; nothing was recorded",
            )
        if index in seen:
            raise UsageError(f"{shown} is answered twice", "leave one line for it; nothing was recorded")
        seen.add(index)
        label = unescaped(row.label).strip()
        if index not in before:
            labels[index] = label
            continue
        known = session.classes.named(label)
        if known is None or known.class_id != before[index]:
            raise UsageError(
                f"{shown} was answered otherwise before", "an answer is taken back in the application (⌫) only"
            )
    return labels
