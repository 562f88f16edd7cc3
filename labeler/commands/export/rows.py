"""The rows of an export: the labels that were chosen, with their files, their splits and what else formats ask for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from labeler.commands.export.held_out import ArrayRows, held_out_probabilities
from labeler.commands.export.labels import ExportOptions, LabelSet, chosen_labels
from labeler.core import steps
from labeler.core.class_names import class_name
from labeler.core.errors import ExportError, MissingExtra
from labeler.core.text import counted, display_safe
from labeler.core.types import BoolArray, FloatArray, IndexArray, IntArray, Provenance, Tier
from labeler.plugins import registry
from labeler.plugins.exporters.base import ExportRows, HeldOut, Rows, Whole
from labeler.plugins.exporters.splits import split_rows
from labeler.plugins.importers.names import splits_of_ids
from labeler.project.project import Project
from labeler.session.classes import free_name
from labeler.session.label_table import LabelTable
from labeler.worker.pipeline import Pipeline

REJECTED = "rejected"
"""What rejected instances are called in an export that holds them, class and provenance: no class of the project."""
WEIGHTS = ("confidence", "equal", "balanced")
"""How much a label counts: as much as it is believed; all alike; as believed, every class with the same sum."""


def collect(
    project: Project, labels: LabelSet, pipeline: Pipeline, options: ExportOptions, needs_content: bool
) -> tuple[ExportRows, IndexArray, list[str]]:
    """Return the rows of an export, their indices in pool order, and a line for each reason that left something out."""
    table, pool = labels.table, project.session.pool
    chosen, left_out = chosen_labels(labels, options)
    unusable = pool.missing | pool.unreadable
    if needs_content and (chosen & unusable).any():
        lead = counted(int((chosen & unusable).sum()), "labeled instance is", "labeled instances are")
        left_out = [*left_out, f"{lead} missing in the source and left out"]
        chosen &= ~unusable
    indices = np.flatnonzero(chosen).astype(np.int64)
    class_names, class_indices = _classes(table, indices)
    ids, scores, sha256 = [table.ids[i] for i in indices], table.scores[indices], _sha256(project, indices)
    rows = ExportRows(
        ids=ids,
        class_names=class_names,
        class_indices=class_indices,
        provenances=[REJECTED if table.rejected[i] else Provenance(int(table.provenances[i])).word for i in indices],
        confidence=scores,
        weights=_weights(scores, class_indices, options.weights),
        tiers=[Tier(int(table.tiers[i])).word for i in indices],
        clusters=table.clusters[indices],
        rounds=table.rounds[indices],
        annotators=[table.annotators[i] for i in indices],
        source_ids=table.source_ids(indices),
        sha256=sha256,
        flagged=[bool(table.flagged[i]) for i in indices],
        splits=_splits(options.split, pipeline, table, indices, class_indices, sha256),
        # from here on made when the format asks for it: most take neither images nor features
        locate=lambda row: _existing(project.instances.location(int(indices[row]))),
        image=lambda row: project.instances.image(int(indices[row])),
        features=lambda: content(project, pipeline, indices),
        held_out=partial(_held_out, pipeline, labels.facts, indices, class_indices, scores, len(class_names), sha256),
        whole=lambda: _whole(pipeline, labels.facts, table.ids, indices, ~(unusable | table.rejected)),
        options=options.format_options,
    )
    return rows, indices, left_out


def _classes(table: LabelTable, indices: IndexArray) -> tuple[list[str], IntArray]:
    """Return the class names of an export and the positions (n,) of its rows in them: those thrown out come last."""
    class_names, class_indices = list(table.class_names), table.class_indices[indices]
    if table.rejected[indices].any():  # a project may have a class of that name itself
        class_indices = np.where(table.rejected[indices], np.int32(len(class_names)), class_indices)
        class_names.append(free_name(REJECTED, {class_name(name) for name in class_names}))
    return class_names, class_indices


def _sha256(project: Project, indices: IndexArray) -> list[str]:
    """Return the hex digests of the rows' contents, "" where one is not known."""
    hashes = project.instances.sha256()
    return [hashes[i].tobytes().hex() if hashes[i].any() else "" for i in indices]


def _splits(
    shares: tuple[float, ...],
    pipeline: Pipeline,
    table: LabelTable,
    indices: IndexArray,
    class_indices: IntArray,
    sha256: list[str],
) -> list[str]:
    """Return the split of every row: drawn by `shares`, else as the folders train/ and test/ of the source say."""
    if shares:  # near duplicates share a split, or a test set would hold what was trained on
        return split_rows(sha256, class_indices, shares, pipeline.recipe.seed, pipeline.repeats()[indices].tolist())
    splits = splits_of_ids(table.ids)
    return [splits.get(table.ids[i], "") for i in indices]


def _weights(scores: FloatArray, class_indices: IntArray, how: str) -> FloatArray:
    """Return how much every label counts (n,), in [0, 1]: see :data:`WEIGHTS`."""
    if how == "equal":
        return np.ones(len(scores), dtype=np.float32)
    if how == "balanced" and len(scores):
        sums = np.bincount(class_indices, weights=scores)
        smallest = sums[sums > 0].min(initial=np.inf)
        # the smallest class keeps its weights and the others come down: none counts more than it is believed
        share = np.divide(smallest, sums, out=np.ones_like(sums), where=sums > 0)
        return np.asarray(scores * share[class_indices], dtype=np.float32)
    return scores


def features_by(pipeline: Pipeline, facts: Mapping[str, Any]) -> FloatArray:
    """Return the pool's features (n, d) by the encoder that the `facts` of exported labels name.

    Raises
    ------
    MissingExtra
        It needs a package that is not here, as where an audit froze the labels that somebody else made with it.
    ExportError
        It is no view of this pool any more: frozen labels may be older than the project's encoder.
    """
    encoder = str(facts.get("encoder") or "")
    if encoder and pipeline.view(encoder) is None:
        steps.run(pipeline.join_companion())
    view = pipeline.view(encoder) if encoder else None
    if encoder and view is None:
        if extra := registry.missing_extra("encoder", encoder):
            raise MissingExtra(f"the encoder that these were labeled by, {display_safe(encoder, 80)},", extra)
        raise ExportError(
            f"the features these labels were made of, by {display_safe(encoder, 80)}, are not here any more",
            "--latest exports labels and features as they are now; csv and jsonl need no features",
        )
    return view.features if view is not None else pipeline.features()


def _held_out(
    pipeline: Pipeline,
    facts: Mapping[str, Any],
    indices: IndexArray,
    labels: IntArray,
    confidence: FloatArray,
    n_classes: int,
    sha256: list[str],
) -> HeldOut:
    """Return probabilities of the exported rows by models that have not seen them."""
    alike = (sha256, pipeline.repeats()[indices].tolist())
    classifier, X = pipeline.recipe.classifier or "logreg", features_by(pipeline, facts)
    return held_out_probabilities(X, indices, labels, confidence, n_classes, pipeline.recipe.seed, alike, classifier)


def _whole(
    pipeline: Pipeline, facts: Mapping[str, Any], ids: list[str], indices: IndexArray, usable: BoolArray
) -> Whole:
    """Return all instances that can be used and the exported ones, with their features."""
    usable = usable.copy()
    usable[indices] = True
    every = np.flatnonzero(usable).astype(np.int64)
    return Whole(
        [ids[i] for i in every], np.searchsorted(every, indices), ArrayRows(features_by(pipeline, facts), every)
    )


def content(project: Project, pipeline: Pipeline, indices: IndexArray) -> Rows:
    """Return X: the images as the source has them where they are one array, else as the image store has them."""
    whole = project.source.uniform_images() if project.source is not None else None
    # only of the very same instances in the same order: rows of the array are taken by index
    if whole is not None and project.source is not None and project.session.pool.is_of(project.source.ids):
        return ArrayRows(whole, indices)
    if pipeline.prepared is None:
        raise ExportError("the pool is not encoded", "this is a mistake of labeler's own; please report it")
    raw = pipeline.prepared.raw
    return ArrayRows(raw if raw.ndim > 1 else pipeline.features(), indices)  # texts leave as their features


def _existing(location: str) -> Path | None:
    path = Path(location)
    try:
        return path if path.is_file() else None
    # a name that is too long for the system, for one
    except OSError:
        return None
