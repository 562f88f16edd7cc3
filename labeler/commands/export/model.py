"""The project's model, and its files: npz weights or ONNX."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from labeler.commands.export.onnx import as_onnx
from labeler.commands.result import Result
from labeler.core import steps
from labeler.core.errors import EngineError, ExportError, LabelerError, MissingExtra, UsageError
from labeler.core.model import Model
from labeler.core.text import display_safe, escaped
from labeler.core.types import Progress
from labeler.plugins import registry
from labeler.plugins.exporters.write import write_single
from labeler.project.project import Project
from labeler.worker.features import Prepared, side_of
from labeler.worker.heavy_encoders import looks_itself
from labeler.worker.pipeline import Pipeline

FORMATS = {"model": ".npz", "onnx": ".onnx"}
"""Formats that hold the model instead of labels, and the ending of their files."""


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """The model a project has at this moment, None where its classifier cannot be put into arrays."""

    model: Model | None
    names: list[str]  # of the model's classes, in its order
    facts: dict[str, Any]  # JSON-able: which it is, and what features it takes
    notes: list[str] = field(default_factory=list)  # which views of the pool had no say in it, though nobody chose so


@dataclass(frozen=True, slots=True)
class ModelReport(Result):
    """A model that was written to `target`."""

    model: ExportedModel
    target: Path

    def lines(self) -> list[str]:
        """Return what it is, where, and what it takes."""
        facts = self.model.facts
        return [
            f"a {facts['kind']} model of {len(self.model.names):,} classes in {display_safe(str(self.target))}:"
            f" it takes the {facts['n_features']:,} features of encoder {facts['encoder']}"
        ]

    def warnings(self) -> list[str]:
        """Return which views of the pool had no say in it."""
        return self.model.notes


def format_of_model(target: Path, format_: str | None) -> str | None:
    """Return which of :data:`FORMATS` is asked for; None for an export of labels."""
    if format_ in FORMATS:
        return format_
    # by its ending alone only ONNX: labels are exported as .npz, too
    return "onnx" if format_ is None and target.name.lower().endswith(".onnx") else None


def trained(project: Project, pipeline: Pipeline) -> ExportedModel:
    """Return the model by the labels of this moment.

    Raises
    ------
    ExportError
        Nothing is labeled yet.
    """
    session = project.session
    if not session.state.answers.counts["label"]:
        raise ExportError("nothing is labeled yet", f"answer some questions first: labeler label {project.path}")
    # further views of photos join late: a model without them would be another than the application's
    recipe, prepared = pipeline.recipe, steps.run(pipeline.settle(session.snapshot()))
    model = None
    try:
        model = pipeline.model(session.snapshot())
    except EngineError:
        # the default engine always has weights, so that an error there is one; another classifier may have none
        if recipe.engine == "default" and not recipe.classifier:
            raise
    names = {class_id: info.name for class_id, info in session.state.classes.items()}
    facts: dict[str, Any] = {
        "project": str(project.path),
        "revision": session.state.revision,
        "engine": recipe.engine,
        "classifier": recipe.classifier or None,
        "seed": recipe.seed,
        "encoder": prepared.encoder,
        "takes": _shape_taken(project, prepared),
        "n_features": int(prepared.features.shape[1]),
        "kind": model.kind if model is not None else None,
        "sha256": digest(model) if model is not None else None,
    }
    classes = model.classes.tolist() if model is not None else []
    return ExportedModel(model, [names[class_id] for class_id in classes], facts, project.view_notes())


def _shape_taken(project: Project, prepared: Prepared) -> list[int]:
    """Return the shape of what the encoder of a view saw, as stored or as it reads images itself.

    Empty where its model came from elsewhere and cannot be had any more, so that nobody can say it.
    """
    source, stored = project.source, list(prepared.raw.shape[1:])
    if source is None or source.content != "images" or prepared.encoder == "features":
        return stored
    encoder = registry.create("encoder", prepared.encoder)
    if not looks_itself(encoder, source):
        return stored
    if hasattr(encoder, "bring"):
        with contextlib.suppress(LabelerError):
            steps.run(encoder.bring())
    side = side_of(encoder)
    return [side, side, 3] if side else []


def digest(model: Model) -> str:
    """Return the same for the same weights: what predictions and files of a model are told to belong together by."""
    sha = hashlib.sha256(f"{model.kind} {model.classes.tolist()}".encode())
    for name, array in sorted(model.arrays.items()):
        # in a fixed byte order: the same weights have the same digest on every machine
        sha.update(f"{name} {array.shape}".encode() + np.ascontiguousarray(array, dtype="<f4").tobytes())
    return sha.hexdigest()


def export_model(
    project: Project,
    target: Path,
    format_: str,
    *,
    force: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> ExportedModel:
    """Write the project's model to `target`.

    Raises
    ------
    ExportError
        Nothing is labeled, or the target exists or cannot be written.
    UsageError
        The classifier has no weights.
    MissingExtra
        ONNX is asked for without its package.
    """
    writer = _as_onnx if format_ == "onnx" else _as_npz
    if format_ == "onnx":
        _need_onnx()
    pipeline = project.open_pipeline(progress)
    if progress is not None:
        progress(Progress("computing every label anew"))
    exported = trained(project, pipeline)
    if exported.model is None:
        raise UsageError(
            f"the classifier {pipeline.recipe.classifier} has no weights to take away",
            "logreg has, and so has the default engine; labeler predict works with every one",
        )
    manifest = {"format": format_, "model": exported.facts, "classes": exported.names, "notes": exported.notes}
    write_single(target, manifest, lambda path: writer(exported, path), force, project.inputs())
    return exported


def _as_npz(exported: ExportedModel, path: Path) -> None:
    """Write the arrays of the model, `classes` (k,) as text, and in words what features it takes; no pickle."""
    assert exported.model is not None  # noqa: S101 - checked before
    texts = {
        "classes": np.array([escaped(name) for name in exported.names]),
        "kind": np.array(exported.model.kind),
        "encoder": np.array(exported.facts["encoder"]),
        "takes": np.array(exported.facts["takes"], dtype=np.int64),
    }
    # into an open file: given a name, numpy would add an ending to that of the draft
    with path.open("wb") as file:
        np.savez(file, **(texts | exported.model.arrays))  # type: ignore[arg-type]


def _need_onnx() -> None:
    try:
        import onnx  # noqa: F401 - start-up: an optional package
    except ImportError:
        raise MissingExtra("the format 'onnx'", "onnx") from None


def _as_onnx(exported: ExportedModel, path: Path) -> None:
    assert exported.model is not None  # noqa: S101 - checked before
    path.write_bytes(as_onnx(exported.model, [escaped(name) for name in exported.names], exported.facts))
