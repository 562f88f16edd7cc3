"""Which labels leave: those of a closing round, or those an audit froze, with what is known of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from labeler.core.recipe import PARTS
from labeler.core.text import counted
from labeler.core.types import UNLABELED, IndexArray, Provenance
from labeler.project.closing_round import keep
from labeler.project.project import Project
from labeler.session.audit.audits import AuditRecord, Certificate, Frozen, floored
from labeler.session.final_labels import FinalLabels, final_labels
from labeler.session.quality.coverage import coverage_accuracy
from labeler.session.quality.summary import measure, records
from labeler.session.quality.unseen_classes import unseen_class
from labeler.session.state import State
from labeler.worker.pipeline import Pipeline

REJECTED = "rejected"
"""What rejected instances are called in an export that holds them, class and provenance: no class of the project."""
WEIGHTS = ("confidence", "equal", "balanced")
"""How much a label counts: as much as it is believed; all alike; as believed, every class with the same sum."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What of the labels leaves. By default all that a person gave or confirmed, imported or propagated ones.

    `rejected` takes in what a person threw out as well, as a class of its own: see :data:`REJECTED`.
    """

    predicted: bool = False
    rejected: bool = False
    human_only: bool = False
    min_confidence: float = 0.0
    split: tuple[float, ...] = ()
    options: dict[str, str] = field(default_factory=dict)
    latest: bool = False  # the labels as they are now, also where there is a certificate for others
    weights: str = "confidence"


@dataclass(frozen=True, slots=True)
class Leaving:
    """The labels that leave, with the state of the session they belong to; an audit's where it has a statement."""

    final: FinalLabels
    state: State
    audit: AuditRecord | None = None
    frozen: Frozen | None = None
    certificate: Certificate | None = None
    covered: IndexArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    facts: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def latest_labels(project: Project, pipeline: Pipeline, choice: Choice) -> Leaving:
    """The labels as they are now, from a closing round."""
    session = project.session
    closing = pipeline.closing_round(session.snapshot())
    session.merge_round(closing, save=False)
    keep(project, closing)
    notes = []
    if session.audit.latest is not None and not session.audit.latest.drawn and not choice.latest:
        notes.append("an audit is under way and has not reached its target: these are the labels as they are now")
    return Leaving(final_labels(session.state, closing), session.state, facts=closing.facts, notes=notes)


def frozen_labels(project: Project) -> Leaving | None:
    """The labels of the latest audit, where its statement is drawn; None where there is none."""
    session = project.session
    audit, found = session.audit.latest, session.audit.certificate()
    if audit is None or found is None or not audit.drawn:
        return None
    frozen, notes = session.audit.frozen(audit), []
    since = session.audit.labels_since()
    if since:
        lead = counted(since, "answer was", "answers were")
        notes.append(f"{lead} given since and not in it: --latest ships them, without a certificate")
    final = frozen.final.grown(len(session.pool))
    unseen = final.by_default() & (final.provenances != Provenance.HUMAN)
    unseen[frozen.order] = False
    if unseen.any():
        lead = counted(int(unseen.sum()), "label", "labels")
        notes.append(f"{lead} left out: nobody could have looked at what is missing or unreadable")
        final = replace(final, labels=np.where(unseen, UNLABELED, final.labels).astype(np.int32))
    facts = session.machine_labels.round.facts if session.machine_labels.round is not None else {}
    parts = {part: facts[part] for part in PARTS if part in facts}
    return Leaving(final, project.state_at(audit.seq), audit, frozen, found, frozen.order, parts, notes)


def certified(leaving: Leaving, indices: IndexArray) -> dict[str, Any] | None:
    """The certificate for a manifest, if `indices` hold exactly what it speaks of; else None.

    That is all that was frozen and covered, or what is left of it above the cut-off where the whole missed the target.
    """
    found, audit = leaving.certificate, leaving.audit
    if found is None or audit is None:
        return None
    machine = np.isin(leaving.final.provenances, (Provenance.PROPAGATED, Provenance.PREDICTED))
    indices = indices[leaving.final.labels[indices] != UNLABELED]  # what was rejected has no label to be right or wrong
    not_human = indices[leaving.final.provenances[indices] != Provenance.HUMAN]
    speaks_of = leaving.covered
    scope, lower_bound = "whole", found.lower_bound
    if len(not_human) != len(speaks_of) and found.cutoff is not None:
        speaks_of = speaks_of[leaving.final.scores[speaks_of] >= found.cutoff]
        scope, lower_bound = "cutoff", found.target
    if not np.array_equal(np.sort(speaks_of), not_human):
        return None
    words = [Provenance(int(word)).word for word in np.unique(leaving.final.provenances[speaks_of])]
    statement = found.statement
    if scope == "cutoff":
        statement = (
            f"at least {floored(found.target)} % of the {len(speaks_of):,} labels with a confidence of "
            f"{found.cutoff!r} and above that no single answer gave were right when they were frozen, with "
            f"{100 * found.confidence:g} % confidence, {found.given}"
        )
    return {
        "statement": statement,
        "scope": scope,
        "target": found.target,
        "confidence": found.confidence,
        "population": found.population,
        "checked": found.checked,
        "wrong": found.wrong,
        "in_pages": found.in_pages,
        "planted": found.planted,
        "planted_seen": found.planted_seen,
        "lower_bound": lower_bound,
        "reached": found.reached,
        "set_sha256": found.set_sha256,
        "cutoff": found.cutoff,
        "cutoff_population": found.cutoff_population,
        "covers": words,
        "covers_by_a_machine": int(machine[speaks_of].sum()),
        "about": "the labels as they were frozen, before any that was found wrong was corrected",
        "method": "simple random sample in a recorded order, betting test without replacement, valid at any stop",
        "audit": found.number,
        "alpha": found.alpha,
        "seed": audit.seed,
        "order_sha256": audit.order_sha256,
        "answers_taken_back": found.taken_back,
    }


def measured(leaving: Leaving) -> dict[str, Any]:
    """What is known of the labels that leave beside their certificate, from the journal up to them."""
    state, audit, frozen = leaving.state, leaving.audit, leaving.frozen
    unseen = unseen_class(state)
    curve = coverage_accuracy(audit, frozen) if audit is not None and frozen is not None else []
    return {
        "unseen_class": None if unseen is None else unseen.facts,
        **records(measure(state)),
        "coverage_accuracy": curve,
    }
