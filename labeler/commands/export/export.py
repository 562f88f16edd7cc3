"""`labeler export`: the labels, their rows, and what the manifest says of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labeler.commands.export.labels import ExportOptions, LabelSet, certified, frozen_labels, latest_labels
from labeler.commands.export.rows import WEIGHTS, collect
from labeler.commands.result import Result
from labeler.core import steps
from labeler.core.errors import ExportError, MissingExtra, UsageError
from labeler.core.text import counted, display_safe
from labeler.core.types import Progress
from labeler.plugins import registry
from labeler.plugins.exporters.base import Exporter
from labeler.plugins.exporters.earlier_export import projects_in
from labeler.plugins.exporters.write import Written, format_of, write_export
from labeler.project.project import Project, summary_of
from labeler.session.merge.audits import AUDIT_ANEW, earlier_auditors
from labeler.store.lock import holder
from labeler.worker.pipeline import Pipeline

__all__ = ["ExportOptions", "ExportReport", "Written", "export", "export_by_steps"]

STAND_IN = "pixels"
"""The encoder that needs nothing and takes any image."""
_NAMED = 12
"""Classes that a line names at most."""


@dataclass(frozen=True, slots=True)
class ExportReport(Result):
    """An export that was written and read back."""

    written: Written

    def lines(self) -> list[str]:
        """Return where it is and how many labels of each class it holds."""
        counts = self.written.counts
        shares = ", ".join(f"{display_safe(name, 30)} {count:,}" for name, count in list(counts.items())[:_NAMED])
        more = f" and {len(counts) - _NAMED} more classes" if len(counts) > _NAMED else ""
        place = display_safe(str(self.written.path))
        return [f"{counted(sum(counts.values()), 'label')} in {place} ({shares}{more}); read back and counted"]

    def warnings(self) -> Sequence[str]:
        """Return what was left out and why, and what readers of the format must know."""
        return self.written.warnings


def export(
    project: Project,
    target: Path,
    format_: str | None = None,
    options: ExportOptions | None = None,
    *,
    force: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Written:
    """Run :func:`export_by_steps` to its end; `progress` gets its signs of life."""
    return steps.run(export_by_steps(project, target, format_, options, force=force), progress)


def export_by_steps(
    project: Project,
    target: Path,
    format_: str | None = None,
    options: ExportOptions | None = None,
    *,
    force: bool = False,
) -> Generator[Progress, None, Written]:
    """Write the labels of the closing round, or those that have a certificate, with it; yield signs of life.

    Raises
    ------
    ExportError
        Nothing to export, the target exists, or it cannot be written; an older export stays whole.
    UsageError
        No such format.
    """
    options = options or ExportOptions()
    _, *sources = project.inputs()
    _check_place(project, target, force)  # also that it is not the first of the inputs, the project
    exporter: Exporter = registry.create("exporter", format_of(target, format_))
    _check_request(project, exporter, options)
    pipeline, stands_in = yield from _opened(project, exporter, options)
    # where a statement was drawn its own labels leave: what is certified and what is shipped must be the same
    labels = frozen_labels(project) if not options.latest else None
    if labels is None:
        labels = yield from latest_labels(project, pipeline, options, is_kept=not stands_in)
    rows, indices, notes = collect(project, labels, pipeline, options, bool(exporter.needs))
    notes = [*notes, *stands_in]
    if not rows.ids:
        reason = f" ({notes[0]})" if notes else ""
        raise ExportError(f"no label is left to export{reason}", "choose less strictly; nothing was written")
    comes_split = not options.split and any(rows.splits)
    if comes_split:
        notes = [*notes, "the splits are those of the source's folders: --split divides anew"]
    manifest = _manifest(project, labels, options, pipeline.recipe.seed, comes_split)
    manifest["certificate"] = certified(labels, indices)  # of the rows as they were chosen, or none
    notes = [*notes, *_said_of_certificate(labels, manifest["certificate"] is not None)]
    manifest["notes"] = notes
    yield Progress("writing", 0, len(rows.ids))
    written = write_export(exporter, rows, target, manifest, force, sources)
    return Written(written.path, written.manifest_path, written.counts, notes + written.warnings)


def _opened(
    project: Project, exporter: Exporter, options: ExportOptions
) -> Generator[Progress, None, tuple[Pipeline, list[str]]]:
    """Yield signs of life; return the engine, and a line where it looks at the pool by another encoder than the chosen.

    What people said needs no features: where the extra of their encoder is missing and nothing of it leaves, pixels
    stand in for it.
    """
    try:
        return (yield from project.open_pipeline_by_steps()), []
    except MissingExtra as error:
        if not options.human_only or options.split or exporter.needs == "content":
            raise
        pipeline = yield from project.open_pipeline_by_steps(STAND_IN)
        return pipeline, [f"{error.message}: people's labels are as they were, their clusters are of {STAND_IN}"]


def _check_place(project: Project, target: Path, force: bool) -> None:
    """Refuse the project itself, and a folder in which somebody labels: for a moment its files have other places."""
    if target.exists() and project.path.exists() and os.path.samefile(target, project.path):
        raise ExportError(f"{target} is the project itself", "choose another target; nothing was changed")
    if not force or not target.is_dir():
        return
    for other in projects_in(target):
        who = holder(other)
        # the project that is exported may lie in there as well: open in this very process
        if who and not who.startswith(f"process {os.getpid()} "):
            shown = display_safe(str(other))
            raise ExportError(f"{shown} is open in {who}", "close it there first; nothing was changed")


def _check_request(project: Project, exporter: Exporter, options: ExportOptions) -> None:
    """Refuse what cannot be exported, before the pool is read."""
    counts = project.session.state.answers.counts
    if not counts["label"] and not (options.rejected and counts["reject"]):
        raise ExportError("nothing is labeled yet", f"answer some questions first: labeler label {project.path}")
    if exporter.needs == "images" and project.source is not None and project.source.content != "images":
        raise ExportError("the source holds no images, only features", "export csv, jsonl, parquet or npz")
    if options.weights not in WEIGHTS:
        raise UsageError(f"there are no weights {options.weights!r}", f"there are: {', '.join(WEIGHTS)}")


def _manifest(
    project: Project, labels: LabelSet, options: ExportOptions, seed: int, comes_split: bool
) -> dict[str, Any]:
    """Return what only the project knows of an export; the exporters' side adds the classes, counts and files."""
    configuration = {"percentile": project.session.state.percentile, "facts": labels.facts, "weights": options.weights}
    return summary_of(project) | {
        "seed": seed,
        "configuration": configuration | ({"splits": "of the source"} if comes_split else {}) | options.format_options,
        "n_instances": len(project.session.pool),
        "session": labels.work,
        **labels.quality,
        "audits_carried": [{"by": name, "statement": AUDIT_ANEW} for name in earlier_auditors(project.session.state)],
    }


def _said_of_certificate(labels: LabelSet, holds: bool) -> list[str]:
    """Say whose labels these are where an audit froze them, and whether its certificate goes with them."""
    if labels.certificate is None:
        return []
    wrong = labels.certificate.wrong
    among = f", {counted(wrong, 'label')} found wrong among them" if wrong else ""
    note = f"they are shipped with their certificate{among}; --latest ships the labels as they are now"
    if not holds:
        note = "this is not what the certificate speaks of, so it goes without"
    return [f"these are the labels that audit {labels.certificate.number} froze: {note}"]
