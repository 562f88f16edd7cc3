"""`labeler export`: the closing round, the choice of what leaves, and its rows."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from labeler import registry
from labeler.core.vocabulary import (
    GIVEN,
    UNLABELED,
    BoolArray,
    FloatArray,
    IndexArray,
    IntArray,
    Progress,
    Provenance,
    Tier,
)
from labeler.display import display_safe
from labeler.errors import ExportError, UsageError
from labeler.exporters.base import Exporter, ExportRows, HeldOut, Rows, Whole
from labeler.exporters.splits import split_rows
from labeler.exporters.writing import Written, format_of, write_export
from labeler.importers.names import counted
from labeler.options import PARTS
from labeler.out_of_fold import Taken, out_of_fold
from labeler.project import Project, summary_of
from labeler.session.audits import Audit, Certificate, Frozen, floored
from labeler.session.blind import sway
from labeler.session.control import estimate
from labeler.session.coverage import coverage_accuracy
from labeler.session.final import FinalLabels, final_labels
from labeler.session.repeats import self_agreement
from labeler.session.state import State
from labeler.workbench import Workbench

WEIGHTS = ("confidence", "equal", "balanced")
"""How much a label counts: as much as it is believed; all alike; as believed, every class with the same sum."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What of the labels leaves. By default all that a person gave or confirmed, imported or propagated ones."""

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
    audit: Audit | None = None
    frozen: Frozen | None = None
    certificate: Certificate | None = None
    covered: IndexArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    facts: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def export(
    project: Project,
    target: Path,
    format_: str | None = None,
    choice: Choice | None = None,
    *,
    force: bool = False,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Written:
    """Write what leaves: the labels of the closing round, or those that have a certificate, with it.

    Raises
    ------
    ExportError
        Nothing to export, the target exists, or it cannot be written; an older export stays whole.
    UsageError
        No such format.
    """
    choice = choice or Choice()
    name = format_of(target, format_)
    exporter: Exporter = registry.create("exporter", name)
    if not project.session.state.counts["label"]:
        raise ExportError("nothing is labeled yet", f"answer some questions first: labeler label {project.path}")
    if exporter.needs == "images" and project.source is not None and project.source.content != "images":
        raise ExportError("the source holds no images, only features", "export csv, jsonl, parquet or npz")
    if choice.weights not in WEIGHTS:
        raise UsageError(f"there are no weights {choice.weights!r}", f"there are: {', '.join(WEIGHTS)}")
    bench = project.open_bench(progress)
    leaving = frozen_labels(project) if not choice.latest else None
    if leaving is None:
        progress(Progress("computing every label anew"))
        leaving = latest_labels(project, bench, choice)
    if os.path.realpath(target) == os.path.realpath(project.path):
        raise ExportError(f"{target} is the project itself", "choose another target; nothing was changed")
    rows, indices, left_out = collect(project, leaving, bench, choice, bool(exporter.needs))
    if not rows.ids:
        reason = f" ({left_out[0]})" if left_out else ""
        raise ExportError(f"no label is left to export{reason}", "choose less strictly; nothing was written")
    manifest = summary_of(project) | {
        "seed": bench.recipe.seed,
        "configuration": {"percentile": project.session.percentile, "facts": leaving.facts, "weights": choice.weights}
        | choice.options,
        "n_instances": len(project.session.pool),
        "session": {
            "answers": leaving.state.answers,
            "grid_pages": leaving.state.pages,
            "keys": leaving.state.keys,
            "annotators": sorted({one.annotator for one in leaving.state.standings.values() if one.annotator}),
        },
        "certificate": None,
        **_measured(leaving),
        "audits_carried": [one.facts for one in project.session.carried_audits()],
    }
    if leaving.certificate is not None:
        manifest["certificate"] = certified(leaving, indices)
        note = "they are shipped with their certificate; --latest ships the labels as they are now"
        if manifest["certificate"] is None:
            note = "this is not what the certificate speaks of, so it goes without"
        left_out.append(f"these are the labels that audit {leaving.certificate.number} froze: {note}")
    progress(Progress("writing", 0, len(rows.ids)))
    written = write_export(exporter, rows, target, manifest, force)
    return Written(written.path, written.manifest_path, written.counts, left_out + written.warnings)


def _measured(leaving: Leaving) -> dict[str, Any]:
    """What is known of the labels that leave beside their certificate, from the journal up to them."""
    state, audit, frozen = leaving.state, leaving.audit, leaving.frozen
    found: dict[str, Any] = {"unseen_class": None}
    if state.counts["label"]:
        given: Counter[int] = Counter()
        for (class_id, _), count in state.given.items():
            given[class_id] += count
        once = sum(count == 1 for count in given.values())
        found["unseen_class"] = {"labels": given.total(), "once": once, "chance": once / given.total()}
    for name, said in (("estimate", estimate(state)), ("self_agreement", self_agreement(state)), ("sway", sway(state))):
        found[name] = None if said is None else said.facts | {"statement": said.statement}
    found["coverage_accuracy"] = coverage_accuracy(audit, frozen) if audit is not None and frozen is not None else []
    return found


def latest_labels(project: Project, bench: Workbench, choice: Choice) -> Leaving:
    """The labels as they are now, from a closing round."""
    session = project.session
    closing = bench.closing_round(session.snapshot())
    session.merge_round(closing, save=False)
    notes = []
    if session.audit is not None and not session.audit.drawn and not choice.latest:
        notes.append("an audit is under way and has not reached its target: these are the labels as they are now")
    return Leaving(final_labels(session.state, closing), session.state, facts=closing.facts, notes=notes)


def frozen_labels(project: Project) -> Leaving | None:
    """The labels of the latest audit, where its statement is drawn; None where there is none."""
    session = project.session
    audit, found = session.audit, session.certificate()
    if audit is None or found is None or not audit.drawn:
        return None
    frozen, notes = session.frozen(audit), []
    since = session.labels_since_audit()
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
    facts = session.derived.round.facts if session.derived.round is not None else {}
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
            f"{found.cutoff:.6g} and above that no single answer gave were right when they were frozen, with "
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


def collect(
    project: Project, leaving: Leaving, bench: Workbench, choice: Choice, needs_content: bool
) -> tuple[ExportRows, IndexArray, list[str]]:
    """The rows of an export and their indices, in pool order, and one line for each reason that left something out."""
    state, pool, final = leaving.state, project.session.pool, leaving.final
    labels, provenances, scores = final.labels, final.provenances, final.scores
    rounds = np.full(len(pool), final.round, dtype=np.int32)
    annotators = [""] * len(pool)
    for index, standing in state.standings.items():
        if standing.kind == "label":
            rounds[index], annotators[index] = standing.round, standing.annotator
    chosen, left_out = _chosen(project, state, final, choice, needs_content)
    left_out = leaving.notes + left_out
    indices = np.flatnonzero(chosen).astype(np.int64)
    class_names, place = _classes(state)
    hashes = project.sha256()
    sha256 = [hashes[i].tobytes().hex() if hashes[i].any() else "" for i in indices]
    class_indices = place[labels[indices]]
    splits = [""] * len(indices)
    seed = bench.recipe.seed
    if choice.split:
        splits = split_rows(sha256, class_indices, choice.split, seed, bench.repeats()[indices].tolist())
    held_out = partial(_held_out, bench, indices, class_indices, scores[indices], len(class_names), sha256)
    unusable = pool.missing | pool.unreadable
    unusable[state.indices_of("reject")] = True
    rows = ExportRows(
        ids=[pool.ids[i] for i in indices],
        class_names=class_names,
        class_indices=class_indices,
        provenances=[Provenance(int(provenances[i])).word for i in indices],
        confidence=scores[indices],
        weights=_weights(scores[indices], class_indices, choice.weights),
        tiers=[Tier(int(final.tiers[i])).word for i in indices],
        clusters=final.clusters[indices],
        rounds=rounds[indices],
        annotators=[annotators[i] for i in indices],
        source_ids=_source_ids(final, pool.ids, indices),
        sha256=sha256,
        flagged=[int(i) in state.flagged for i in indices],
        splits=splits,
        locate=lambda row: _existing(project.location(int(indices[row]))),
        image=lambda row: project.image(int(indices[row])),
        features=lambda: content(project, bench, indices),
        held_out=held_out,
        whole=lambda: _whole(bench, pool.ids, indices, ~unusable),
        options=choice.options,
    )
    return rows, indices, left_out


def _classes(state: State) -> tuple[list[str], IntArray]:
    """The names that leave, each once, and class id -> position in them: active classes, retired ones with labels."""
    place = np.full(state.next_class_id + 1, UNLABELED, dtype=np.int32)
    positions: dict[str, int] = {}
    gone = [info for info in state.classes.values() if info.retired and info.merged_into == UNLABELED]
    used = [info for info in gone if any(state.given[info.class_id, word] for word in GIVEN)]
    for info in (*state.active_classes(), *used):
        place[info.class_id] = positions.setdefault(info.name, len(positions))  # a name may be taken up again
    return list(positions), place


def _weights(scores: FloatArray, class_indices: IntArray, how: str) -> FloatArray:
    """What every label counts (n,), in [0, 1]: see :data:`WEIGHTS`."""
    if how == "equal":
        return np.ones(len(scores), dtype=np.float32)
    if how == "balanced" and len(scores):
        sums = np.bincount(class_indices, weights=scores)
        smallest = sums[sums > 0].min(initial=np.inf)
        share = np.divide(smallest, sums, out=np.ones_like(sums), where=sums > 0)
        return np.asarray(scores * share[class_indices], dtype=np.float32)
    return scores


def _held_out(
    bench: Workbench, indices: IndexArray, labels: IntArray, confidence: FloatArray, n_classes: int, sha256: list[str]
) -> HeldOut:
    """Probabilities of the exported rows by models that have not seen them."""
    alike = (sha256, bench.repeats()[indices].tolist())
    classifier = bench.recipe.classifier or "logreg"
    return out_of_fold(bench.features(), indices, labels, confidence, n_classes, bench.recipe.seed, alike, classifier)


def _whole(bench: Workbench, ids: list[str], indices: IndexArray, usable: BoolArray) -> Whole:
    """All instances that can be used and the exported ones, with their features."""
    usable = usable.copy()
    usable[indices] = True
    every = np.flatnonzero(usable).astype(np.int64)
    return Whole([ids[i] for i in every], np.searchsorted(every, indices), Taken(bench.features(), every))


def content(project: Project, bench: Workbench, indices: IndexArray) -> Rows:
    """X of an export: the images as the source has them where they are one array, else as the image store has them."""
    whole = project.source.uniform_images() if project.source is not None else None
    if whole is not None and project.source is not None and list(project.source.ids) == project.session.pool.ids:
        return Taken(whole, indices)
    if bench.prepared is None:
        raise ExportError("the pool is not encoded", "this is a mistake of labeler's own; please report it")
    return Taken(bench.prepared.raw, indices)


def _chosen(
    project: Project, state: State, final: FinalLabels, choice: Choice, needs_content: bool
) -> tuple[BoolArray, list[str]]:
    labels, provenances, scores = final.labels, final.provenances, final.scores
    words = {Provenance.HUMAN, Provenance.CONFIRMED} if choice.human_only else {*GIVEN, Provenance.PROPAGATED}
    if choice.predicted and not choice.human_only:
        words.add(Provenance.PREDICTED)
    chosen = np.isin(provenances, list(words)) & (labels != UNLABELED) & (scores >= choice.min_confidence)
    chosen[state.indices_of("reject")] = False
    left_out = []
    held_back = int((provenances == Provenance.PREDICTED).sum())
    if held_back and not choice.predicted:
        lead = counted(held_back, "predicted label is", "predicted labels are")
        left_out.append(f"{lead} held back (--include predicted takes them in)")
    gone = project.session.pool.missing | project.session.pool.unreadable
    if needs_content and (chosen & gone).any():
        lead = counted(int((chosen & gone).sum()), "labeled instance is", "labeled instances are")
        left_out.append(f"{lead} missing in the source and left out")
        chosen &= ~gone
    return chosen, left_out


def _source_ids(final: FinalLabels, ids: list[str], indices: IndexArray) -> list[str]:
    machine = ~np.isin(final.provenances, GIVEN)
    return [ids[int(final.sources[i])] if final.sources[i] >= 0 and machine[i] else "" for i in indices]


def _existing(location: str) -> Path | None:
    path = Path(location)
    try:
        return path if path.is_file() else None
    except OSError:
        return None


def report(written: Written) -> str:
    """What to say of an export: where it is, how much it holds."""
    total = sum(written.counts.values())
    counts = ", ".join(f"{display_safe(name, 30)} {count:,}" for name, count in list(written.counts.items())[:12])
    more = "" if len(written.counts) <= 12 else f" and {len(written.counts) - 12} more classes"
    return f"{counted(total, 'label')} in {display_safe(str(written.path))} ({counts}{more}); read back and counted"
