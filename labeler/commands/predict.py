"""`labeler predict`: new instances labeled by a project's model."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from labeler.commands.export.model import trained
from labeler.commands.result import Result
from labeler.core import steps
from labeler.core.errors import UsageError
from labeler.core.recipe import AS_IT_IS, Reading
from labeler.core.text import counted, display_safe, escape_warnings, escaped, json_text, unreadable_line
from labeler.core.types import UNLABELED, FloatArray, IndexArray, Progress
from labeler.plugins import registry
from labeler.plugins.exporters.write import write_single
from labeler.plugins.importers.base import Source
from labeler.plugins.importers.detect import open_source
from labeler.plugins.importers.folder import one_image
from labeler.plugins.importers.names import has_image_ending
from labeler.plugins.importers.value_range import arranged
from labeler.plugins.outliers.novelty import Novelty, learn_what_is_known
from labeler.project.options import Options, reading_of
from labeler.project.project import Project
from labeler.session.final_labels import final_labels
from labeler.worker.pipeline import Pipeline

UNKNOWN = "unknown"
"""The label of what lies outside of all that has a label."""
SHARE = 0.02
"""Share of the labeled instances' like that would be called unknown."""
ENDINGS = (".csv", ".jsonl")


@dataclass(frozen=True, slots=True)
class Predictions(Result):
    """One entry a predicted instance, in the order of the source; `novelty` is None where it was not asked for.

    `target`: the file they were written to; None where they are printed.
    """

    ids: list[str]
    labels: list[str]
    confidence: FloatArray
    novelty: FloatArray | None
    facts: dict[str, Any]  # JSON-able: project, revision, model, what was asked
    notes: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    inputs: list[Path] = field(default_factory=list)  # what was read for them: never written over
    target: Path | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of :meth:`rows`."""
        return ("id", "label", "confidence", *(("novelty",) if self.novelty is not None else ()))

    def rows(self) -> list[tuple[str | float, ...]]:
        """Return the table: confidence and novelty with the fewest digits that give the same float32 again."""
        numbers = [self.confidence, *([self.novelty] if self.novelty is not None else [])]
        texts = [[float(str(np.float32(value))) for value in column] for column in numbers]
        return list(zip(map(escaped, self.ids), map(escaped, self.labels), *texts, strict=True))

    def to_json(self) -> dict[str, Any]:
        """Return the facts, one object an instance, and why others cannot be read."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows()]
        return self.facts | {
            "predictions": rows,
            "notes": self.notes,
            "unreadable": {escaped(name): why for name, why in self.unreadable.items()},
        }

    def lines(self) -> list[str]:
        """Return the table as CSV; where it was written to a file, what is in that."""
        if self.target is None:
            return as_text(self).removesuffix("\n").split("\n")
        counts = Counter(self.labels)
        few = ", ".join(f"{display_safe(name, 30)} {count:,}" for name, count in counts.most_common(12))
        return [f"{counted(len(self.ids), 'prediction')} in {display_safe(str(self.target))} ({few})"]

    def warnings(self) -> list[str]:
        """Return what was left out, and what else to know of the labels."""
        return self.notes


def open_new(path: Path, reading: Reading = AS_IT_IS) -> Source:
    """Open any source of instances, or one image file, read as its project's is. Raises SourceError."""
    if path.is_file() and has_image_ending(path.name):
        return arranged(one_image(path), reading)
    return open_source(path, reading)


def predict(
    project: Project,
    new: Path,
    *,
    novelty: str | None = None,
    share: float = SHARE,
    min_confidence: float = 0.0,
    options: Options | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Predictions:
    """Label the instances of `new` by the labels the project has at this moment.

    Parameters
    ----------
    novelty
        An outlier method (``NAME[:key=value,...]``) trained on the labeled instances: what it finds outside of them
        is labeled :data:`UNKNOWN`, whatever the model says.
    share
        Share of instances of known classes that would be called unknown.
    min_confidence
        What the model is less sure of is left out (an unknown one never is).
    options
        Where `new` is to be read otherwise than the project's source: `range` and `pages`.

    Raises
    ------
    LabelerError
        Nothing is labeled yet, the source cannot be used, or it is of another kind than the pool.
    """
    if novelty is not None:
        registry.create("outlier method", novelty)  # a wrong name is said before anything is computed
    source = open_new(new, reading_of(options or Options(), project.options))
    try:
        pipeline: Pipeline = project.open_pipeline(progress)
        # refuses a project without labels before the new images are encoded, which takes longest
        exported = trained(project, pipeline)
        arrived = steps.run(pipeline.encode(source, project.session.snapshot()), progress)
        progress(Progress("predicting"))
        session = project.session
        names = {class_id: info.name for class_id, info in session.state.classes.items()}
        class_ids, confidence = pipeline.predict(session.snapshot(), arrived.features)
        labels = np.array([names.get(int(class_id), UNKNOWN) for class_id in class_ids], dtype=object)
        facts: dict[str, Any] = {"model": exported.facts, "source": str(source.path), "n_instances": len(source.ids)}
        # the model itself leaves what no cluster reaches without a class
        outside, scores = class_ids == UNLABELED, None
        beyond = int(outside.sum())
        if novelty is not None:
            known = _known(project, pipeline, novelty, share)
            strange, scores = known.judge(arrived.features)
            outside = outside | strange
            labels[outside] = UNKNOWN
            facts["novelty"] = {
                "method": novelty, "share": share, "threshold": known.threshold, "trained_on": known.n_known,
            }  # fmt: skip
        is_shown = (confidence >= min_confidence) | outside
        unsure = int((~is_shown).sum())
        # whatever is predicted of an image that cannot be read means nothing
        is_shown[list(arrived.unreadable)] = False
        ids = [source.ids[row] for row in np.flatnonzero(is_shown).tolist()]
        unreadable = source.unreadable | {source.ids[row]: why for row, why in arrived.unreadable.items()}
        notes = [*project.view_notes(), *source.notes, *([unreadable_line(unreadable)] if unreadable else [])]
        if unsure:
            notes.append(f"{counted(unsure, 'instance')} left out: confidence below {min_confidence:g}")
        if beyond:
            notes.append(f"{counted(beyond, 'instance')} farther from every cluster than one reaches: {UNKNOWN!r}")
        if (novelty is not None or beyond) and UNKNOWN in names.values():
            apart = "column novelty tells" if novelty is not None else "confidence 0 tells"
            notes.append(f"a class of this project is called {UNKNOWN!r}, too: the {apart} them apart")
        scores = scores[is_shown] if scores is not None else None
        inputs = [*project.inputs(), source.path]
        return Predictions(ids, list(labels[is_shown]), confidence[is_shown], scores, facts, notes, unreadable, inputs)
    finally:
        source.close()


def _known(project: Project, pipeline: Pipeline, novelty: str, share: float) -> Novelty:
    """Return what is known: the features of every label that an export would hold."""
    snapshot = project.session.snapshot()
    closing = pipeline.closing_round(snapshot)
    # no predicted ones: what the model itself says would widen what is known
    chosen: IndexArray = np.flatnonzero(final_labels(project.session.state, closing).by_default())
    pool = project.session.pool
    chosen = chosen[~(pool.missing | pool.unreadable)[chosen]]
    seed = pipeline.recipe.seed
    known = np.asarray(pipeline.leading(snapshot).features[chosen])
    return learn_what_is_known(lambda: registry.create("outlier method", novelty), known, share, seed)


def ending_of(target: Path) -> str:
    """Return how the table is written. Raises UsageError for an ending that says nothing."""
    for ending in ENDINGS:
        if target.name.lower().endswith(ending):
            return ending
    raise UsageError(
        f"predictions are not written as {display_safe(target.suffix) or 'a file without an ending'}",
        f"give a file that ends in {' or '.join(ENDINGS)}",
    )


def as_text(predictions: Predictions, ending: str = ".csv") -> str:
    """Return the table as CSV or JSON lines."""
    out = io.StringIO()
    if ending == ".jsonl":
        for row in predictions.rows():
            out.write(json_text(dict(zip(predictions.columns, row, strict=True))) + "\n")
    else:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows([predictions.columns, *predictions.rows()])
    return out.getvalue()


def write(predictions: Predictions, target: Path, *, force: bool = False) -> Path:
    """Write the table with a manifest beside it, whose path is returned. Raises ExportError, UsageError."""
    content = as_text(predictions, ending_of(target)).encode()
    warnings = escape_warnings([*predictions.ids, *predictions.labels])
    manifest = predictions.facts | {
        "columns": list(predictions.columns),
        "counts": {"total": len(predictions.ids), "classes": dict(Counter(predictions.labels))},
        "notes": [*predictions.notes, *warnings],
    }
    return write_single(target, manifest, lambda path: _write_bytes(path, content), force, predictions.inputs)


def _write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)
