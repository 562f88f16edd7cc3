"""`labeler export`: what leaves, its rows, and what the manifest says of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from labeler.commands.export.labels import WEIGHTS, Choice, certified, frozen_labels, latest_labels, measured
from labeler.commands.export.rows import collect
from labeler.core.errors import ExportError, UsageError
from labeler.core.text import display_safe
from labeler.core.types import Progress
from labeler.plugins import registry
from labeler.plugins.exporters.base import Exporter
from labeler.plugins.exporters.earlier_export import projects_in
from labeler.plugins.exporters.write import Written, format_of, write_export
from labeler.plugins.importers.names import counted
from labeler.project.project import Project, summary_of
from labeler.store.lock import holder

__all__ = ["Choice", "export", "report"]


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
    _check_place(project, target, force)
    counts = project.session.state.answers.counts
    if not counts["label"] and not (choice.rejected and counts["reject"]):
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
    rows, indices, left_out = collect(project, leaving, bench, choice, bool(exporter.needs))
    if not rows.ids:
        reason = f" ({left_out[0]})" if left_out else ""
        raise ExportError(f"no label is left to export{reason}", "choose less strictly; nothing was written")
    came_divided = not choice.split and any(rows.splits)
    if came_divided:
        left_out.append("the splits are those of the source's folders: --split divides anew")
    manifest = summary_of(project) | {
        "seed": bench.recipe.seed,
        "configuration": {"percentile": project.session.percentile, "facts": leaving.facts, "weights": choice.weights}
        | ({"splits": "of the source"} if came_divided else {})
        | choice.options,
        "n_instances": len(project.session.pool),
        "session": {
            "answers": leaving.state.answers.n_single,
            "grid_pages": leaving.state.answers.pages,
            "keys": leaving.state.keys,
            "annotators": sorted({one.annotator for one in leaving.state.answers.values() if one.annotator}),
        },
        "certificate": None,
        **measured(leaving),
        "audits_carried": [one.facts for one in project.session.audit.carried()],
    }
    if leaving.certificate is not None:
        manifest["certificate"] = certified(leaving, indices)
        wrong = leaving.certificate.wrong
        found = f", {counted(wrong, 'label')} found wrong among them" if wrong else ""
        note = f"they are shipped with their certificate{found}; --latest ships the labels as they are now"
        if manifest["certificate"] is None:
            note = "this is not what the certificate speaks of, so it goes without"
        left_out.append(f"these are the labels that audit {leaving.certificate.number} froze: {note}")
    progress(Progress("writing", 0, len(rows.ids)))
    written = write_export(exporter, rows, target, manifest, force, project.inputs()[1:])  # the project: refused above
    return Written(written.path, written.manifest_path, written.counts, left_out + written.warnings)


def _check_place(project: Project, target: Path, force: bool) -> None:
    """Refuse the project itself, and a folder in which somebody labels: for a moment its files have other places."""
    if target.exists() and project.path.exists() and os.path.samefile(target, project.path):
        raise ExportError(f"{target} is the project itself", "choose another target; nothing was changed")
    if not force or not target.is_dir():
        return
    for other in projects_in(target):
        who = holder(other)
        if who and not who.startswith(f"process {os.getpid()} "):
            shown = display_safe(str(other))
            raise ExportError(f"{shown} is open in {who}", "close it there first; nothing was changed")


def report(written: Written) -> str:
    """What to say of an export: where it is, how much it holds."""
    total = sum(written.counts.values())
    counts = ", ".join(f"{display_safe(name, 30)} {count:,}" for name, count in list(written.counts.items())[:12])
    more = "" if len(written.counts) <= 12 else f" and {len(written.counts) - 12} more classes"
    return f"{counted(total, 'label')} in {display_safe(str(written.path))} ({counts}{more}); read back and counted"
