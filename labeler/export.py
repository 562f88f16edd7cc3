"""`labeler export`: the closing round, the choice of what leaves, and its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labeler import registry
from labeler.core.vocabulary import (
    GIVEN,
    UNLABELED,
    BoolArray,
    ByteArray,
    FloatArray,
    IndexArray,
    IntArray,
    Progress,
    Provenance,
    Round,
    Tier,
)
from labeler.display import display_safe
from labeler.errors import ExportError
from labeler.exporters.base import Exporter, ExportRows
from labeler.exporters.splits import split_rows
from labeler.exporters.writing import Written, format_of, write_export
from labeler.importers.names import counted
from labeler.project import Project, summary_of
from labeler.session.session import Session
from labeler.workbench import Workbench

NEEDS_CONTENT = ("npz", "imagefolder")


@dataclass(frozen=True, slots=True)
class Choice:
    """What of the labels leaves. By default all that a person gave or confirmed, imported or propagated ones."""

    predicted: bool = False
    rejected: bool = False
    human_only: bool = False
    min_confidence: float = 0.0
    split: tuple[float, ...] = ()
    options: dict[str, str] = field(default_factory=dict)


def export(
    project: Project,
    target: Path,
    format_: str | None = None,
    choice: Choice | None = None,
    *,
    force: bool = False,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Written:
    """Compute the closing round and write it.

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
    kind = registry.parse_spec(name).name
    if kind == "imagefolder" and project.source is not None and project.source.content != "images":
        raise ExportError("the source holds no images to put into folders", "export csv, jsonl or npz")
    bench = project.open_bench(progress)
    progress(Progress("computing every label anew"))
    closing = bench.closing_round(project.session.snapshot())
    project.session.merge_round(closing, save=False)
    if target.resolve() == project.path.resolve():
        raise ExportError(f"{target} is the project itself", "choose another target; nothing was changed")
    rows, left_out = collect(project, closing, bench, choice, kind in NEEDS_CONTENT)
    if not rows.ids:
        reason = f" ({left_out[0]})" if left_out else ""
        raise ExportError(f"no label is left to export{reason}", "choose less strictly; nothing was written")
    manifest = summary_of(project) | {
        "seed": bench.recipe.seed,
        "configuration": {"percentile": project.session.percentile, "facts": closing.facts},
        "n_instances": len(project.session.pool),
        "certificate": None,
    }
    progress(Progress("writing", 0, len(rows.ids)))
    written = write_export(exporter, rows, target, manifest, force)
    return Written(written.path, written.manifest_path, written.counts, left_out + written.warnings)


def collect(
    project: Project, closing: Round, bench: Workbench, choice: Choice, needs_content: bool
) -> tuple[ExportRows, list[str]]:
    """The rows of an export, in pool order, and one line for each reason that left something out."""
    session = project.session
    state, pool = session.state, session.pool
    labels, provenances = closing.labels.copy(), closing.provenances.copy()
    scores, tiers = closing.scores.copy(), closing.tiers.copy()
    rounds = np.full(len(pool), closing.round, dtype=np.int32)
    annotators = [""] * len(pool)
    for index, standing in state.standings.items():
        if standing.kind == "label":  # also of missing instances, which the engine does not see
            labels[index], provenances[index] = standing.class_id, standing.provenance
            scores[index], tiers[index] = 1.0, Tier.LOCKED
            rounds[index], annotators[index] = standing.round, standing.annotator
    chosen, left_out = _chosen(project, labels, provenances, scores, choice, needs_content)
    indices = np.flatnonzero(chosen)
    class_names, place = _classes(session)
    hashes = project.sha256()
    sha256 = [hashes[i].tobytes().hex() if hashes[i].any() else "" for i in indices]
    class_indices = place[labels[indices]]
    splits = split_rows(sha256, class_indices, choice.split, bench.recipe.seed) if choice.split else [""] * len(indices)
    rows = ExportRows(
        ids=[pool.ids[i] for i in indices],
        class_names=class_names,
        class_indices=class_indices,
        provenances=[Provenance(int(provenances[i])).word for i in indices],
        confidence=scores[indices],
        weights=scores[indices],
        tiers=[Tier(int(tiers[i])).word for i in indices],
        clusters=closing.clusters[indices],
        rounds=rounds[indices],
        annotators=[annotators[i] for i in indices],
        source_ids=_source_ids(closing, pool.ids, indices, provenances),
        sha256=sha256,
        flagged=[int(i) in state.flagged for i in indices],
        splits=splits,
        locate=lambda row: _existing(project.location(int(indices[row]))),
        image=lambda row: project.image(int(indices[row])),
        features=lambda: content(project, bench, indices),
        options=choice.options,
    )
    return rows, left_out


def _classes(session: Session) -> tuple[list[str], IntArray]:
    """The names that leave, each once, and class id -> position in them: active classes, retired ones with labels."""
    place = np.full(session.state.next_class_id + 1, UNLABELED, dtype=np.int32)
    positions: dict[str, int] = {}
    used = [count.info for count in session.derived.retired_counts() if count.given]
    for info in (*session.state.active_classes(), *used):
        place[info.class_id] = positions.setdefault(info.name, len(positions))  # a name may be taken up again
    return list(positions), place


def content(project: Project, bench: Workbench, indices: IndexArray) -> FloatArray | ByteArray:
    """X of an export: the images as the source has them where they are one array, else as the image store has them."""
    whole = project.source.uniform_images() if project.source is not None else None
    if whole is not None and project.source is not None and list(project.source.ids) == project.session.pool.ids:
        return np.asarray(whole[indices])
    if bench.prepared is None:
        raise ExportError("the pool is not encoded", "this is a mistake of labeler's own; please report it")
    return np.asarray(bench.prepared.raw[indices])


def _chosen(
    project: Project,
    labels: NDArray[np.int32],
    provenances: ByteArray,
    scores: FloatArray,
    choice: Choice,
    needs_content: bool,
) -> tuple[BoolArray, list[str]]:
    words = {Provenance.HUMAN, Provenance.CONFIRMED} if choice.human_only else {*GIVEN, Provenance.PROPAGATED}
    if choice.predicted and not choice.human_only:
        words.add(Provenance.PREDICTED)
    chosen = np.isin(provenances, list(words)) & (labels != UNLABELED) & (scores >= choice.min_confidence)
    chosen[project.session.state.indices_of("reject")] = False
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


def _source_ids(closing: Round, ids: list[str], indices: IndexArray, provenances: ByteArray) -> list[str]:
    return [
        ids[int(closing.sources[i])] if closing.sources[i] >= 0 and Provenance(int(provenances[i])) not in GIVEN else ""
        for i in indices
    ]


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
