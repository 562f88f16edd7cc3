"""The rows of an export, from the labels that leave: what is chosen of them, and all that is said of each."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from labeler.commands.export.held_out import Taken, out_of_fold
from labeler.commands.export.labels import REJECTED, Choice, Leaving
from labeler.core.class_names import class_name
from labeler.core.errors import ExportError
from labeler.core.types import GIVEN, UNLABELED, BoolArray, FloatArray, IndexArray, IntArray, Provenance, Tier
from labeler.plugins.exporters.base import ExportRows, HeldOut, Rows, Whole
from labeler.plugins.exporters.splits import split_rows
from labeler.plugins.importers.names import counted, splits_of_ids
from labeler.project.project import Project
from labeler.session.classes import free_name
from labeler.session.final_labels import FinalLabels
from labeler.session.predictions import origin_of
from labeler.session.state import State
from labeler.worker.pipeline import Pipeline


def collect(
    project: Project, leaving: Leaving, pipeline: Pipeline, choice: Choice, needs_content: bool
) -> tuple[ExportRows, IndexArray, list[str]]:
    """The rows of an export and their indices, in pool order, and one line for each reason that left something out."""
    state, pool, final = leaving.state, project.session.pool, leaving.final
    labels, provenances, scores = final.labels, final.provenances, final.scores
    rounds = np.full(len(pool), final.round, dtype=np.int32)
    annotators = [""] * len(pool)
    thrown_out = np.zeros(len(pool), dtype=np.bool_)
    if choice.rejected:
        thrown_out[state.indices_of("reject")] = True
        scores = np.where(thrown_out, 1.0, scores).astype(np.float32)
    for index, standing in state.standings.items():
        if standing.kind == "label" or thrown_out[index]:
            rounds[index], annotators[index] = standing.round, standing.annotator
    chosen, left_out = _chosen(project, state, final, choice, needs_content)
    left_out = leaving.notes + left_out
    indices = np.flatnonzero(chosen).astype(np.int64)
    class_names, place = _classes(state)
    if thrown_out[indices].any():
        place[UNLABELED] = len(class_names)
        class_names.append(free_name(REJECTED, {class_name(name) for name in class_names}))
    hashes = project.instances.sha256()
    sha256 = [hashes[i].tobytes().hex() if hashes[i].any() else "" for i in indices]
    class_indices = place[labels[indices]]
    known = {} if choice.split else splits_of_ids(pool.ids)  # train/ and test/ that the source came with
    splits = [known.get(pool.ids[i], "") for i in indices]
    seed = pipeline.recipe.seed
    if choice.split:
        splits = split_rows(sha256, class_indices, choice.split, seed, pipeline.repeats()[indices].tolist())
    held_out = partial(_held_out, pipeline, indices, class_indices, scores[indices], len(class_names), sha256)
    unusable = pool.missing | pool.unreadable
    unusable[state.indices_of("reject")] = True
    rows = ExportRows(
        ids=[pool.ids[i] for i in indices],
        class_names=class_names,
        class_indices=class_indices,
        provenances=[REJECTED if thrown_out[i] else Provenance(int(provenances[i])).word for i in indices],
        confidence=scores[indices],
        weights=_weights(scores[indices], class_indices, choice.weights),
        tiers=[Tier(int(final.tiers[i])).word for i in indices],
        clusters=final.clusters[indices],
        rounds=rounds[indices],
        annotators=[annotators[i] for i in indices],
        source_ids=_source_ids(state, final, pool.ids, indices),
        sha256=sha256,
        flagged=[int(i) in state.flagged for i in indices],
        splits=splits,
        locate=lambda row: _existing(project.instances.location(int(indices[row]))),
        image=lambda row: project.instances.image(int(indices[row])),
        features=lambda: content(project, pipeline, indices),
        held_out=held_out,
        whole=lambda: _whole(pipeline, pool.ids, indices, ~unusable),
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
    pipeline: Pipeline, indices: IndexArray, labels: IntArray, confidence: FloatArray, n_classes: int, sha256: list[str]
) -> HeldOut:
    """Probabilities of the exported rows by models that have not seen them."""
    alike = (sha256, pipeline.repeats()[indices].tolist())
    classifier = pipeline.recipe.classifier or "logreg"
    return out_of_fold(
        pipeline.features(), indices, labels, confidence, n_classes, pipeline.recipe.seed, alike, classifier
    )


def _whole(pipeline: Pipeline, ids: list[str], indices: IndexArray, usable: BoolArray) -> Whole:
    """All instances that can be used and the exported ones, with their features."""
    usable = usable.copy()
    usable[indices] = True
    every = np.flatnonzero(usable).astype(np.int64)
    return Whole([ids[i] for i in every], np.searchsorted(every, indices), Taken(pipeline.features(), every))


def content(project: Project, pipeline: Pipeline, indices: IndexArray) -> Rows:
    """X of an export: the images as the source has them where they are one array, else as the image store has them."""
    whole = project.source.uniform_images() if project.source is not None else None
    if whole is not None and project.source is not None and list(project.source.ids) == project.session.pool.ids:
        return Taken(whole, indices)
    if pipeline.prepared is None:
        raise ExportError("the pool is not encoded", "this is a mistake of labeler's own; please report it")
    raw = pipeline.prepared.raw
    return Taken(raw if raw.ndim > 1 else pipeline.features(), indices)  # texts leave as their features


def _chosen(
    project: Project, state: State, final: FinalLabels, choice: Choice, needs_content: bool
) -> tuple[BoolArray, list[str]]:
    labels, provenances, scores = final.labels, final.provenances, final.scores
    words = {Provenance.HUMAN, Provenance.CONFIRMED} if choice.human_only else {*GIVEN, Provenance.PROPAGATED}
    if choice.predicted and not choice.human_only:
        words.add(Provenance.PREDICTED)
    chosen = np.isin(provenances, list(words)) & (labels != UNLABELED) & (scores >= choice.min_confidence)
    chosen[state.indices_of("reject")] = choice.rejected
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


def _source_ids(state: State, final: FinalLabels, ids: list[str], indices: IndexArray) -> list[str]:
    """The answered instance that a machine's label rests on; of a prediction from elsewhere the file it came in."""
    machine = ~np.isin(final.provenances, GIVEN)
    names = [ids[int(final.sources[i])] if final.sources[i] >= 0 and machine[i] else "" for i in indices]
    for row, index in enumerate(indices.tolist() if state.predictions else []):
        if final.provenances[index] == Provenance.PREDICTED and (origin := origin_of(state, index)):
            names[row] = Path(origin).name
    return names


def _existing(location: str) -> Path | None:
    path = Path(location)
    try:
        return path if path.is_file() else None
    except OSError:
        return None
