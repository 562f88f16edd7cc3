"""`labeler status`: where a project stands and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from labeler.commands.result import Result
from labeler.core.advice import answer_first
from labeler.core.stats.measurement import Measurement
from labeler.core.text import counted, display_safe, escaped
from labeler.project.open import Project
from labeler.session.audit.audits import Certificate
from labeler.session.merge.audits import AUDIT_ANEW, earlier_auditors
from labeler.session.quality.random_sample import Estimate
from labeler.session.quality.repeats import to_look_at
from labeler.session.quality.summary import measure, records
from labeler.session.quality.unseen_classes import unseen_class

WORDS = ("human", "confirmed", "imported", "propagated", "predicted")
"""Provenances that are counted, the person's first."""
Facts = dict[str, Any]
"""A measurement as JSON: its numbers, and its `statement` in words."""


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """One class, and how many labels of it there are by provenance."""

    name: str
    key: str
    retired: bool
    human: int
    confirmed: int
    imported: int
    propagated: int
    predicted: int

    @property
    def given(self) -> int:
        """Labels that a person gave or confirmed, or that came from elsewhere."""
        return self.human + self.confirmed + self.imported


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport(Result):
    """Counts and what to do next, in the order in which ``--json`` prints them."""

    project: str
    source: str
    n_instances: int
    labeled: int
    classes: list[ClassCounts]
    by_provenance: dict[str, int]
    rounds: int
    answers: int
    grid_pages: int
    skipped: int
    unsure: int
    flagged: int
    rejected: int
    revision: int
    open_questions: int
    conflicts: int
    percentile: float | str
    question: str | None
    estimate: Facts | None
    self_agreement: Facts | None
    answered_differently: int
    audits_carried: list[Facts]
    sway: Facts | None
    unseen_class: Facts | None
    view: str | None
    advice: Facts
    notes: list[str]

    def lines(self) -> list[str]:
        """Return the counts, the table of classes, what was measured, and what to do next."""
        lines = [
            f"{display_safe(self.project)} · source {display_safe(self.source)}",
            f"{self.n_instances:,} instances · {self.answers:,} answers · {self.open_questions:,} open",
            f"{self.labeled:,} of {self.n_instances:,} labeled: what an export holds",
            " · ".join(f"{word} {count:,}" for word, count in self.by_provenance.items()),
            " · ".join(f"{word} {getattr(self, word):,}" for word in ("skipped", "unsure", "rejected", "flagged")),
        ]
        if self.conflicts:
            lines.append(f"{counted(self.conflicts, 'instance')} with two people's different answers: asked first")
        lines += [*self._table(), *self._measured()]
        if self.view:
            lines.append(f"features: {display_safe(self.view, 200)}")
        lines.append(f"next: {self.advice['text']}")
        lines.append(f"go on: labeler label {display_safe(self.project)}")
        return lines

    def warnings(self) -> list[str]:
        """Return which views of the pool had no say, though nobody chose so."""
        return self.notes

    def _table(self) -> list[str]:
        """Return one line a class, under a heading; none where there is no class."""
        if not self.classes:
            return []
        # cut to 30 cells, so that the table fits 80 columns with its numbers
        names = [display_safe(row.name, 30) + (" (retired)" if row.retired else "") for row in self.classes]
        width = max(map(len, names))
        lines = [f"{'key':>3}  {'class':<{width}}  {'given':>7}  {'propagated':>10}  {'predicted':>9}"]
        for name, row in zip(names, self.classes, strict=True):
            cells = f"{row.given:>7,}  {row.propagated:>10,}  {row.predicted:>9,}"
            lines.append(f"{row.key or '-':>3}  {name:<{width}}  {cells}")
        return lines

    def _measured(self) -> list[str]:
        """Return the statements of what was measured."""
        lines = []
        if self.estimate:
            lines.append(f"{self.estimate['from']}: {self.estimate['statement']}")
        if self.audits_carried:
            people = " and ".join(display_safe(row["by"], 40) for row in self.audits_carried)
            lines.append(f"audited by {people} before it was merged: {AUDIT_ANEW}")
        if self.self_agreement:
            lines.append(f"repeats: {self.self_agreement['statement']}")
        if self.answered_differently:
            lead = counted(self.answered_differently, "repeat was", "repeats were")
            lines.append(f"{lead} answered differently: S in the application looks at both answers")
        if self.sway:
            lines.append(f"blind: {self.sway['statement']}")
        if self.unseen_class:
            lines.append(f"unseen class: {self.unseen_class['statement']}")
        return lines


def status(project: Project) -> StatusReport:
    """Return counts and what to do next, from the session alone."""
    view = project.view()
    advice = view.advice or answer_first()
    state = project.session.state
    measurements, unseen = measure(state, project.session.audit.certificate()), unseen_class(state)
    measured = records(measurements)
    # retired ones too: labels of theirs may still stand, and an export holds them
    classes = [
        ClassCounts(row.info.name, row.info.key, row.info.retired, **{word: getattr(row, word) for word in WORDS})
        for row in (*view.classes, *view.retired)
    ]
    led = view.round.facts.get("view") if view.round is not None else None
    return StatusReport(
        project=escaped(str(project.path)),
        source=escaped(str(project.source_path)),
        n_instances=view.n_instances,
        labeled=view.labeled,
        classes=classes,
        by_provenance={word: sum(getattr(row, word) for row in classes) for word in WORDS},
        rounds=view.rounds,
        answers=view.answers,
        grid_pages=project.session.state.answers.pages,
        skipped=view.skipped,
        unsure=view.unsure,
        flagged=view.flagged,
        rejected=view.rejected,
        revision=view.revision,
        open_questions=view.open_questions,
        conflicts=view.conflicts,
        percentile="auto" if view.percentile is None else view.percentile,
        question=escaped(view.question.instance_id) if view.question else None,
        estimate=estimate(measurements),
        self_agreement=measured["self_agreement"],
        answered_differently=len(to_look_at(state)),
        audits_carried=[{"by": escaped(name), "statement": AUDIT_ANEW} for name in earlier_auditors(state)],
        sway=measured["sway"],
        unseen_class=None if unseen is None else unseen.facts | {"statement": unseen.statement},
        view=escaped(led) if isinstance(led, str) else None,
        advice={"code": advice.code, "text": advice.text, "key": advice.key},
        notes=project.view_notes(),
    )


def estimate(measurements: Sequence[Measurement]) -> dict[str, Any] | None:
    """Estimate the accuracy: the latest audit's statement, once it is drawn; else by the random questions of
    ``--control``; else None.

    `accuracy` is the share found right of `n` random labels of the frozen set, `low` what it is at least at
    `confidence`, `high` what is left where everything not found wrong is right.
    """
    # a certificate stands before the estimate in them, and outranks it
    for measurement in measurements:
        if isinstance(measurement, Estimate):
            return measurement.facts | {"from": "estimate", "statement": measurement.statement}
        # only a statement that is drawn counts: while an audit is under way its figures still change
        if isinstance(measurement, Certificate) and measurement.drawn:
            return {
                "accuracy": measurement.value,
                "low": measurement.low,
                "high": measurement.high,
                "confidence": measurement.confidence,
                "n": measurement.n,
                "from": "certificate",
                "statement": measurement.statement,
            }
    return None
