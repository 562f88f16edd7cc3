"""The program from Python, in a script or a notebook: ``import labeler; project = labeler.open("photos/")``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np

from labeler.commands.export.export import export as export_labels
from labeler.commands.export.labels import ExportOptions, latest_labels
from labeler.commands.export.rows import collect, features_by
from labeler.commands.predict import Predictions, open_new
from labeler.commands.predict import predict as predict_new
from labeler.core import steps
from labeler.core.errors import UsageError
from labeler.core.recipe import PARTS, Reading
from labeler.core.types import UNLABELED, ByteArray, FloatArray, Question, Round
from labeler.plugins.custom import register
from labeler.plugins.exporters.write import Written
from labeler.project.open import Options, open_project
from labeler.project.project import Project
from labeler.session.asked import PYTHON
from labeler.session.questions import CHOSEN
from labeler.worker.pipeline import Pipeline

BY_NAME = "python, by name"
"""Where something is said of an instance that was not asked about: it answers no question."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One item of the pool, as it stands now. `label` is None where it has none."""

    id: str
    index: int
    label: str | None
    provenance: str
    _project: Project

    def image(self) -> ByteArray:
        """Return its image, whole: (h, w) or (h, w, 3) uint8. Raises UnreadableInstance."""
        return self._project.instances.image(self.index)


@dataclass(frozen=True, slots=True)
class Asked:
    """The question that is next: which instance, the rule that chose it, the guesses (name, score), best first.

    Without guesses where it measures: it is random (`control`) or blind (`blind`). One that was answered before, at
    least twenty answers ago, comes as it came then (`repeats`); the second answer is kept beside the first.
    """

    id: str
    index: int
    rule: str
    guesses: tuple[tuple[str, float], ...]
    _project: Project

    def image(self) -> ByteArray:
        """Return its image, whole: (h, w) or (h, w, 3) uint8. Raises UnreadableInstance."""
        return self._project.instances.image(self.index)


class Arrays(NamedTuple):
    """Labels as arrays, one entry an instance, in pool order; `y` are positions in `classes`."""

    X: np.ndarray[Any, Any]
    y: np.ndarray[Any, Any]
    weights: FloatArray
    provenance: np.ndarray[Any, Any]
    ids: list[str]
    classes: list[str]


def open(source: str | Path, project: str | Path | None = None, **options: Any) -> Labeling:  # noqa: A001
    """Open a source's project, made if there is none yet, or a project file.

    Parameters
    ----------
    source
        A folder, zip, npz, ... or a ``*.labeler.db`` file.
    project
        The project file; by default ``<source name>.labeler.db`` in the current folder.
    options
        As of ``labeler label``: `classes`, `engine`, `encoder`, `clusterer`, `classifier`, `strategy`, `n_clusters`,
        `percentile`, `features`, `range` (``"0:4095"`` or a pair), `pages`, `seed`,
        `annotator`; `control`, `repeats`, `blind`: shares of the questions (0 to 0.5)
        that measure. An encoder, classifier or strategy may be an object or a class
        of one's own instead of a name: see docs/api.md.

    Raises
    ------
    LabelerError
        One line what is wrong, in `hint` what to do.
    """
    # an object at hand is registered under its own name: the project remembers names alone
    for kind in PARTS:
        if kind in options and not isinstance(options[kind], (str, type(None))):
            options[kind] = _named(kind, options[kind])
    if "classes" in options:
        options["classes"] = tuple(map(str, options["classes"] if options["classes"] is not None else ()))
    if isinstance(options.get("range"), (tuple, list)):
        options["range"] = ":".join(map(str, options["range"]))
    try:
        chosen = Options(**options)
    except TypeError:
        known = ", ".join(Options.__dataclass_fields__)
        wrong = next(name for name in options if name not in Options.__dataclass_fields__)
        raise UsageError(f"there is no option {wrong!r}", f"there are: {known}") from None
    return Labeling(open_project(Path(source), Path(project) if project is not None else None, chosen))


def _named(kind: str, thing: Any) -> str:
    """Register a plug-in at hand under its own name."""
    name = getattr(thing, "__name__", None) or type(thing).__name__
    name = "function" if name == "<lambda>" else name
    register(kind, name, thing)
    return name


class Labeling:
    """An open project in this process. Everything answered is on disk when the call returns, as in the application."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.session = project.session
        self._pipeline: Pipeline | None = None
        self._handed: Question | None = None  # the question that whoever answers has seen

    # -- the pool ------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.session.pool)

    def __iter__(self) -> Iterator[Instance]:
        for index in range(len(self)):
            yield self._instance(index)

    def __getitem__(self, instance_id: str) -> Instance:
        return self._instance(self.session.pool.index(instance_id))

    def _instance(self, index: int) -> Instance:
        class_id, provenance = self.session.label_of(index)
        label = self.session.state.classes[class_id].name if class_id != UNLABELED else None
        return Instance(self.session.pool.ids[index], index, label, provenance.word, self.project)

    @property
    def classes(self) -> list[str]:
        """Names of the classes that can be answered, in the order they were added."""
        return [info.name for info in self.session.state.active_classes()]

    @property
    def features(self) -> FloatArray:
        """The pool's features (n, d) float32, read-only, by the encoder that leads after the answers of now."""
        return self._open_pipeline().leading(self.session.snapshot()).features

    def encode(self, source: str | Path) -> FloatArray:
        """Return features (m, d) of another source's instances, or of one image, as :attr:`features` are of the pool.

        Raises
        ------
        UsageError
            One of them cannot be read, or they are of another kind than the pool.
        """
        opened = open_new(Path(source), Reading.of(self.project.options))
        try:
            encoded = steps.run(self._open_pipeline().encode(opened, self.session.snapshot()))
            if encoded.unreadable:
                row, why = next(iter(encoded.unreadable.items()))
                raise UsageError(f"{opened.ids[row]}: {why}", "leave it out; labeler predict passes over such files")
            return encoded.features
        finally:
            opened.close()

    # -- answers -------------------------------------------------------------------------------------------------

    @property
    def question(self) -> Asked | None:
        """The question that is next; None when nothing is left."""
        self._open_pipeline()
        # what is held may have changed since it was asked: the guesses are taken anew, then handed out
        self.session.renew()
        asked = self._handed = self.session.question
        if asked is None:
            return None
        names = {class_id: info.name for class_id, info in self.session.state.classes.items()}
        self.session.painted(asked)  # what is handed out is what its answer is kept with
        shown = () if asked.blind else asked.guesses
        guesses = tuple((names[class_id], score) for class_id, score in shown if class_id in names)
        return Asked(asked.instance_id, asked.index, asked.rule, guesses, self.project)

    def answer(self, label: str, instance_id: str | None = None) -> None:
        """Answer what an instance is, the one asked about unless named; a class that is new is added.

        What is said of the :attr:`question` last looked at answers it, named or not: where it was answered before, that
        is a second answer and the label stays. A name that was not asked about says what it is from now on.
        """
        name = self._asked_id(instance_id)
        # not the question that was handed out: the answer is kept as one that nobody asked for
        chosen = None if self._was_handed(name) else Question(self.session.pool.index(name), name, CHOSEN)
        self.session.label(name, self.session.classes.id_for(str(label)), screen=PYTHON, asked=chosen)
        self._moved()

    def skip(self, instance_id: str | None = None) -> None:
        """Ask it again later."""
        name = self._asked_id(instance_id)
        self.session.skip(name, screen=self._screen(name))
        self._moved()

    def unsure(self, instance_id: str | None = None) -> None:
        """Set it aside as one that cannot be told: it is not asked again."""
        name = self._asked_id(instance_id)
        self.session.unsure(name, screen=self._screen(name))
        self._moved()

    def reject(self, instance_id: str | None = None) -> None:
        """Take it out of the pool: it belongs to no class or is unusable."""
        name = self._asked_id(instance_id)
        self.session.reject(name, screen=self._screen(name))
        self._moved()

    def undo(self) -> None:
        """Take the last of these back, any number of times."""
        self.session.undo()
        self._moved()

    def _asked_id(self, instance_id: str | None) -> str:
        if instance_id is not None:
            return instance_id
        asked = self.question
        if asked is None:
            raise UsageError("nothing is asked any more", "name the instance: answer(label, instance_id)")
        return asked.id

    def _was_handed(self, name: str) -> bool:
        """Return whether the next question is about `name` and was looked at: else something is said by name."""
        asked, handed = self.session.question, self._handed
        return asked is not None and handed is not None and asked.instance_id == handed.instance_id == name

    def _screen(self, name: str) -> str:
        return PYTHON if self._was_handed(name) else BY_NAME

    def _moved(self) -> None:
        if self._pipeline is None:
            return
        snapshot = self.session.snapshot()
        self.session.merge_queue(self._pipeline.rerank(snapshot), snapshot.revision)
        if self._pipeline.round_due(len(snapshot.indices)):
            self.round()

    # -- what is made of them ------------------------------------------------------------------------------------

    def round(self) -> Round:
        """Compute every label, score and the next questions now; answers do it on their own every few keys."""
        last: Round | None = None
        for step in self._open_pipeline().round(self.session.snapshot()):
            last = step if isinstance(step, Round) else last
        if last is None:
            raise UsageError("the engine gave no round", "this is a mistake of labeler's own; please report it")
        self.session.merge_round(last)
        return last

    def arrays(self, *, X: str = "content", predicted: bool = False, min_confidence: float = 0.0) -> Arrays:
        """Return what an export of this moment holds, as arrays, from a closing round.

        Parameters
        ----------
        X
            "content": images (n, h, w[, 3]) uint8 or the table (n, d); "features": what the encoder makes of them.
        predicted
            With the labels that the model alone gives.
        min_confidence
            Without what is below.

        Raises
        ------
        UsageError
            `X` is neither.
        """
        if X not in ("content", "features"):
            raise UsageError(f"X cannot be {X!r}", 'give X="content" or X="features"')
        pipeline = self._open_pipeline()
        # latest: an array is what holds now, a certificate goes with files alone
        options = ExportOptions(predicted=predicted, min_confidence=min_confidence, latest=True)
        labels = steps.run(latest_labels(self.project, pipeline, options))
        rows, indices, _ = collect(self.project, labels, pipeline, options, needs_content=True)
        values = features_by(pipeline, labels.facts)[indices] if X == "features" else rows.features()
        return Arrays(
            np.asarray(values[:]),
            np.asarray(rows.class_indices),
            rows.weights,
            np.array(rows.provenances),
            rows.ids,
            rows.class_names,
        )

    def export(self, target: str | Path, format: str | None = None, *, force: bool = False) -> Written:  # noqa: A002
        """Write the labels, as ``labeler export`` does. Raises ExportError, UsageError."""
        return export_labels(self.project, Path(target), format, force=force)

    def predict(self, new: str | Path, *, novelty: str | None = None, min_confidence: float = 0.0) -> Predictions:
        """Label the instances of another source, as ``labeler predict`` does. Raises LabelerError."""
        return predict_new(self.project, Path(new), novelty=novelty, min_confidence=min_confidence)

    # -- opening and closing -------------------------------------------------------------------------------------

    def _open_pipeline(self) -> Pipeline:
        if self._pipeline is None:
            # made when it is first needed: looking at labels takes no encoder
            pipeline: Pipeline = self.project.open_settled_pipeline()
            snapshot = self.session.snapshot()
            self.session.merge_queue(pipeline.rerank(snapshot), snapshot.revision)
            self._pipeline = pipeline
        return self._pipeline

    def close(self) -> None:
        """Let go of the project file."""
        self.project.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
