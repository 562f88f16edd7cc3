"""The labels an export holds: of a closing round or as an audit froze them, and what is known of how right they are."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from labeler.core.recipe import PARTS
from labeler.core.text import counted
from labeler.core.types import GIVEN, UNLABELED, BoolArray, IndexArray, Progress, Provenance
from labeler.project.closing_round import keep
from labeler.project.project import Project
from labeler.session.audit.audits import AuditRecord, Certificate, Frozen, floored
from labeler.session.final_labels import final_labels
from labeler.session.label_table import LabelTable, label_table
from labeler.session.quality.coverage import coverage_accuracy
from labeler.session.quality.summary import measure, records
from labeler.session.quality.unseen_classes import unseen_class
from labeler.session.state import State
from labeler.worker.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """The choice of labels for an export. By default all that a person gave or confirmed, imported or propagated ones.

    `rejected` takes in what a person threw out as well, as a class of its own.
    """

    predicted: bool = False
    rejected: bool = False
    human_only: bool = False
    min_confidence: float = 0.0
    split: tuple[float, ...] = ()
    format_options: dict[str, str] = field(default_factory=dict)  # of the exporter: link, csv_safe
    latest: bool = False  # the labels as they are now, also where there is a certificate for others
    weights: str = "confidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSet:
    """Labels to export, with what was measured of them; an audit's where its statement is drawn.

    `covered` are the instances that the certificate speaks of, `work` is what a person did for these labels.
    """

    table: LabelTable
    facts: dict[str, Any]  # which parts made them: encoder, clusterer, ...
    work: dict[str, Any]
    quality: dict[str, Any]
    audit: AuditRecord | None = None
    certificate: Certificate | None = None
    covered: IndexArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    notes: list[str] = field(default_factory=list)


def latest_labels(
    project: Project, pipeline: Pipeline, options: ExportOptions, *, is_kept: bool = True
) -> Generator[Progress, None, LabelSet]:
    """Yield signs of life; return the labels as they are now, from a closing round, which is kept for others or not."""
    session = project.session
    yield Progress("computing every label anew")
    closing = pipeline.closing_round(session.snapshot())
    session.merge_round(closing, save=False)  # an export changes nothing in the project; the cache keeps the round
    if is_kept:
        keep(project, closing)
    notes = project.view_notes()
    if session.audit.latest is not None and not session.audit.latest.drawn and not options.latest:
        notes.append("an audit is under way and has not reached its target: these are the labels as they are now")
    state = session.state
    table = label_table(state, final_labels(state, closing))
    return LabelSet(table=table, facts=closing.facts, work=_work(state), quality=measured(state), notes=notes)


def frozen_labels(project: Project) -> LabelSet | None:
    """Return the labels of the latest audit, where its statement is drawn; None where there is none."""
    session = project.session
    audit, certificate = session.audit.latest, session.audit.certificate()
    if audit is None or certificate is None or not audit.drawn:
        return None
    frozen, notes = session.audit.frozen(audit), []
    since = session.audit.labels_since()
    if since:
        lead = counted(since, "answer was", "answers were")
        notes.append(f"{lead} given since and not in it: --latest ships them, without a certificate")
    final = frozen.final.grown(len(session.pool))
    unseen = final.by_default() & (final.provenances != Provenance.HUMAN)
    unseen[frozen.order] = False  # these could have been drawn
    if unseen.any():
        lead = counted(int(unseen.sum()), "label", "labels")
        notes.append(f"{lead} left out: nobody could have looked at what is missing or unreadable")
        final = replace(final, labels=np.where(unseen, UNLABELED, final.labels).astype(np.int32))
    facts = session.machine_labels.round.facts if session.machine_labels.round is not None else {}
    state = project.state_at(audit.seq)
    return LabelSet(
        table=label_table(state, final),
        facts={part: facts[part] for part in PARTS if part in facts},
        work=_work(state),
        quality=measured(state, audit, frozen),
        audit=audit,
        certificate=certificate,
        covered=frozen.order,
        notes=notes,
    )


def chosen_labels(labels: LabelSet, options: ExportOptions) -> tuple[BoolArray, list[str]]:
    """Return which instances (n,) an export holds, and one line for each reason that left labels out."""
    table = labels.table
    provenances = {Provenance.HUMAN, Provenance.CONFIRMED} if options.human_only else {*GIVEN, Provenance.PROPAGATED}
    if options.predicted and not options.human_only:
        provenances.add(Provenance.PREDICTED)
    chosen = table.of(*provenances) & (table.scores >= options.min_confidence)
    chosen[table.rejected] = options.rejected  # whatever else is chosen: a person threw them out
    held_back = int((table.provenances == Provenance.PREDICTED).sum())
    if not held_back or options.predicted:
        return chosen, labels.notes
    lead = counted(held_back, "predicted label is", "predicted labels are")
    return chosen, [*labels.notes, f"{lead} held back (--include predicted takes them in)"]


def certified(labels: LabelSet, indices: IndexArray) -> dict[str, Any] | None:
    """Return the certificate for a manifest, if `indices` hold exactly what it speaks of; else None.

    That is all that was frozen and covered, or what is left of it above the cut-off where the whole missed the target.
    """
    certificate, audit, table = labels.certificate, labels.audit, labels.table
    if certificate is None or audit is None:
        return None
    indices = indices[table.class_indices[indices] != UNLABELED]  # what was rejected has no label to be right or wrong
    not_human = indices[table.provenances[indices] != Provenance.HUMAN]
    speaks_of = labels.covered
    scope, lower_bound = "whole", certificate.lower_bound
    if len(not_human) != len(speaks_of) and certificate.cutoff is not None:
        speaks_of = speaks_of[table.scores[speaks_of] >= certificate.cutoff]
        scope, lower_bound = "cutoff", certificate.target
    if not np.array_equal(np.sort(speaks_of), not_human):
        return None
    provenances = table.provenances[speaks_of]
    return {
        "statement": certificate.statement if scope == "whole" else _statement_above(certificate, len(speaks_of)),
        "scope": scope,
        "target": certificate.target,
        "confidence": certificate.confidence,
        "population": certificate.population,
        "checked": certificate.checked,
        "wrong": certificate.wrong,
        "in_pages": certificate.in_pages,
        "planted": certificate.planted,
        "planted_seen": certificate.planted_seen,
        "lower_bound": lower_bound,
        "reached": certificate.reached,
        "set_sha256": certificate.set_sha256,
        "cutoff": certificate.cutoff,
        "cutoff_population": certificate.cutoff_population,
        "covers": [Provenance(int(word)).word for word in np.unique(provenances)],
        "covers_by_a_machine": int(np.isin(provenances, (Provenance.PROPAGATED, Provenance.PREDICTED)).sum()),
        "about": "the labels as they were frozen, before any that was found wrong was corrected",
        "method": "simple random sample in a recorded order, betting test without replacement, valid at any stop",
        "audit": certificate.number,
        "alpha": certificate.alpha,
        "seed": audit.seed,
        "order_sha256": audit.order_sha256,
        "answers_taken_back": certificate.taken_back,
    }


def _statement_above(certificate: Certificate, population: int) -> str:
    """Say what holds above the cut-off alone."""
    return (
        f"at least {floored(certificate.target)} % of the {population:,} labels with a confidence of "
        f"{certificate.cutoff!r} and above that no single answer gave were right when they were frozen, with "
        f"{100 * certificate.confidence:g} % confidence, {certificate.given}"
    )


def measured(state: State, audit: AuditRecord | None = None, frozen: Frozen | None = None) -> dict[str, Any]:
    """Return what is known of labels beside their certificate, from the journal up to them."""
    unseen = unseen_class(state)
    curve = coverage_accuracy(audit, frozen) if audit is not None and frozen is not None else []
    return {
        "unseen_class": None if unseen is None else unseen.facts,
        **records(measure(state)),
        "coverage_accuracy": curve,
    }


def _work(state: State) -> dict[str, Any]:
    """Count what a person did for the labels of a state."""
    return {
        "answers": state.answers.n_single,
        "grid_pages": state.answers.pages,
        "keys": state.keys,
        "annotators": sorted({answer.annotator for answer in state.answers.values() if answer.annotator}),
    }
