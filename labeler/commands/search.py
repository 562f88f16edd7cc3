"""`labeler search --like` and `labeler outliers`: what lies near to one instance, and what lies far from all."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from labeler.core import steps
from labeler.core.errors import UnreadableInstance, UsageError
from labeler.core.numeric.nearest import nearest_of, squared_distances_to
from labeler.core.recipe import Reading
from labeler.core.text import counted, display_safe
from labeler.core.types import UNLABELED, BoolArray, FloatArray, IndexArray, Progress
from labeler.plugins import registry
from labeler.plugins.importers.folder import one_image
from labeler.plugins.importers.names import has_image_ending
from labeler.plugins.importers.value_range import arranged
from labeler.plugins.outliers import DEFAULT
from labeler.project.project import Project
from labeler.worker.pipeline import Pipeline

Say = Callable[[Progress], None]
COUNT = 25
"""Instances shown where nobody says how many."""


@dataclass(frozen=True, slots=True)
class Found:
    """Instances in the order of a search, each with a number that says why it stands there."""

    what: dict[str, Any]  # JSON-able: what was asked
    name: str  # of the number: "distance" or "score"
    indices: IndexArray
    numbers: FloatArray
    beyond: BoolArray | None = None  # of each whether its score lies beyond a cut, where there is one


@dataclass(frozen=True, slots=True)
class Cut:
    """From where on instances count as odd: the oddest `share` of the pool, or all that score above `threshold`.

    Raises
    ------
    UsageError
        Both are given, or one that no pool has.
    """

    share: float | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.share is not None and self.threshold is not None:
            raise UsageError("--share and --threshold are two ways to say where odd begins", "give one of them")
        if self.share is not None and not 0.0 < self.share < 1.0:
            raise UsageError(f"the share {self.share:g} is out of range", "give one between 0 and 1, such as 0.04")
        if self.threshold is not None and not math.isfinite(self.threshold):
            raise UsageError("the threshold is no number", "give a score, as --json prints them")

    def of(self, scores: FloatArray) -> float | None:
        """The score above which an instance is odd: a percentile of all `scores`, or what was given; None = no cut."""
        if self.share is not None and len(scores):
            return float(np.percentile(scores.astype(np.float64), 100.0 * (1.0 - self.share)))
        return self.threshold


def nearest_to(project: Project, like: str, count: int, progress: Say = lambda _: None) -> Found:
    """The instances nearest to an instance of the pool or to an image file, in the encoder's features (Euclid).

    Raises
    ------
    UsageError
        `like` is neither, or nothing can be encoded.
    UnreadableInstance
        The image cannot be decoded.
    """
    pool = project.session.pool
    own = _id_of(project, like)
    if own is None and not (Path(like).is_file() and has_image_ending(Path(like).name)):
        raise UsageError(
            f"{display_safe(like)} is neither an instance of the pool nor an image file",
            "ids are paths relative to the source, as in an export",
        )
    pipeline: Pipeline = project.open_pipeline(progress)
    X = pipeline.features()
    if own is not None:
        index = pool.index(own)
        if pool.missing[index] or pool.unreadable[index]:
            raise UnreadableInstance(
                f"{display_safe(own)} is missing or cannot be read, so nothing is known to be like it"
            )
        here = np.asarray(X[index], dtype=np.float32)
    else:
        by_range = Reading(range=project.options.get("range") or "")
        arrived = steps.run(pipeline.encode(arranged(one_image(Path(like)), by_range)), progress)
        if arrived.unreadable:
            raise UnreadableInstance(f"{display_safe(like)}: {arrived.unreadable[0]}")
        here, index = arrived.features[0], -1
    distances = np.sqrt(squared_distances_to(X, here))
    usable = ~(pool.missing | pool.unreadable)
    if index >= 0:
        usable[index] = False
    order = np.argsort(np.where(usable, distances, np.inf), kind="stable")[: min(count, int(usable.sum()))]
    what = {"like": own if own is not None else like, "encoder": pipeline.prepared.encoder if pipeline.prepared else ""}
    return Found(what, "distance", order.astype(np.int64), distances[order])


def _id_of(project: Project, like: str) -> str | None:
    """The id that is meant, also by the path of its file; None for none of the pool."""
    pool = project.session.pool
    if like in pool:
        return like
    try:
        inside = Path(like).resolve().relative_to(project.source_path.resolve()).as_posix()
    except (ValueError, OSError, RuntimeError):  # no path of this source, or links in a circle
        return None
    return inside if inside in pool else None


def odd_ones(
    project: Project,
    method: str | None,
    count: int | None = None,
    progress: Say = lambda _: None,
    cut: Cut | None = None,
) -> Found:
    """The instances of the pool that an outlier method finds oddest; rejected and unreadable ones are left out.

    Without a cut the COUNT oddest, those that the project's clusterer put into no cluster first where no method is
    named. With one all that lie beyond it, or the `count` oddest and of each whether it does.

    Raises
    ------
    UsageError
        No such method, or a parameter it does not take.
    """
    cut = cut or Cut()
    leads = project.instances.in_no_cluster() if method is None else np.empty(0, dtype=np.int64)
    registry.create("outlier method", method or DEFAULT)
    pipeline: Pipeline = project.open_pipeline(progress)
    scores = steps.run(pipeline.oddness(method), progress)
    session = project.session
    left = np.ones(len(session.pool), dtype=np.bool_)
    left[session.pool.unusable()] = False
    left[session.state.indices_of("reject")] = False
    border = cut.of(scores[left])
    later = np.ones(len(scores), dtype=np.bool_)
    if border is None:
        later[leads] = False
    order = np.lexsort((-scores, later))
    order = order[left[order]]
    n_beyond = 0 if border is None else int((scores[order].astype(np.float64) > border).sum())
    shown = count if count is not None else COUNT if border is None else n_beyond
    order = order[:shown].astype(np.int64)
    beyond = None if border is None else scores[order].astype(np.float64) > border
    what = {"method": method or DEFAULT, "in_no_cluster": int(left[leads].sum())}
    what |= {"share": cut.share, "cut": border, "n_beyond": None if border is None else n_beyond}
    return Found(what, "score", order, scores[order], beyond)


def likeliest_of(project: Project, class_name: str, count: int, progress: Say = lambda _: None) -> Found:
    """The instances without an answer that are likeliest of a class, as a hunt asks them; each with the distance to the
    nearest answer of the class, in the encoder's features.

    Raises
    ------
    UsageError
        There is no such class, or nothing of it yet.
    """
    session = project.session
    info = session.classes.named(class_name)
    if info is None:
        names = ", ".join(display_safe(one.name, 30) for one in session.state.active_classes()[:20])
        raise UsageError(f"there is no class {display_safe(class_name, 60)!r}", f"there are: {names or 'none yet'}")
    snapshot = session.snapshot()
    examples = snapshot.indices[snapshot.class_ids == info.class_id]
    if not len(examples):
        raise UsageError(
            f"nothing is labeled {display_safe(info.name, 60)!r} yet", "a hunt begins at one label of the class"
        )
    pipeline: Pipeline = project.open_pipeline(progress)
    progress(Progress("hunting"))
    order = pipeline.engine.hunt(snapshot, info.class_id, count, np.empty(0, dtype=np.int64))
    X = pipeline.features()
    distances = np.sqrt(nearest_of(np.asarray(X[order]), np.asarray(X[examples])))
    return Found({"class": info.name, "examples": len(examples)}, "distance", order, distances)


def facts(project: Project, found: Found) -> dict[str, Any]:
    """All of it as one JSON-able object."""
    rows = [
        {"id": name, "label": label, "provenance": word, found.name: float(str(number))}
        for name, label, word, number in _rows(project, found)
    ]
    if found.beyond is not None:
        rows = [row | {"beyond": bool(beyond)} for row, beyond in zip(rows, found.beyond, strict=True)]
    return found.what | {"n_instances": len(project.session.pool), "found": rows}


def text(project: Project, found: Found) -> str:
    """One line an instance: the number, its label by now, its id."""
    lines = [f"{found.name:>10}  {'label':<24}  id"]
    for place, (name, label, word, number) in enumerate(_rows(project, found)):
        inside = found.beyond is not None and not found.beyond[place]
        said = f"{display_safe(label, 24 - len(word) - 3)} ({word})" if label else "-"
        lines.append(f"{number:10.4g}  {said:<24}  {display_safe(name)}{'  (inside the cut)' if inside else ''}")
    lines.append(f"{counted(len(found.indices), 'instance')} of {len(project.session.pool):,}")
    if found.beyond is not None:
        lines[-1] += f"; {found.what['n_beyond']:,} beyond the cut at a score of {found.what['cut']:.6g}"
    return "\n".join(lines)


def _rows(project: Project, found: Found) -> list[tuple[str, str, str, np.float32]]:
    session = project.session
    rows = []
    for index, number in zip(found.indices.tolist(), found.numbers, strict=True):
        class_id, provenance = session.label_of(index)
        label = session.state.classes[class_id].name if class_id != UNLABELED else ""
        rows.append((session.pool.ids[index], label, provenance.word if label else "", np.float32(number)))
    return rows
