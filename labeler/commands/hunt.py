"""`labeler hunt`: what may be of a rare class."""

from __future__ import annotations

import numpy as np

from labeler.commands.ranks import Ranking, ReportProgress, ranking_of
from labeler.core.errors import UsageError
from labeler.core.numeric.nearest import nearest_of
from labeler.core.text import display_safe
from labeler.core.types import Progress
from labeler.project.project import Project
from labeler.worker.pipeline import Pipeline


def likeliest_of(project: Project, class_name: str, count: int, progress: ReportProgress = lambda _: None) -> Ranking:
    """Return the instances without an answer that are likeliest of a class, in the order in which a hunt asks them.

    Each comes with the distance to the nearest answer of the class, in the features that lead.

    Raises
    ------
    UsageError
        There is no such class, or nothing of it yet.
    """
    session = project.session
    info = session.classes.named(class_name)
    if info is None:
        names = ", ".join(display_safe(known.name, 30) for known in session.state.active_classes()[:20])
        raise UsageError(f"there is no class {display_safe(class_name, 60)!r}", f"there are: {names or 'none yet'}")
    snapshot = session.snapshot()
    examples = snapshot.indices[snapshot.class_ids == info.class_id]
    if not len(examples):
        raise UsageError(
            f"nothing is labeled {display_safe(info.name, 60)!r} yet", "a hunt begins at one label of the class"
        )
    pipeline: Pipeline = project.open_settled_pipeline(progress)
    progress(Progress("hunting"))
    # the same order in which the application asks, from its beginning
    order = pipeline.engine.hunt(snapshot, info.class_id, count, np.empty(0, dtype=np.int64))
    view = pipeline.leading(snapshot)
    X = view.features
    # shown beside it, for the score of a hunt has no unit that says anything to a person
    distances = np.sqrt(nearest_of(np.asarray(X[order]), np.asarray(X[examples])))
    query = {"class": info.name, "encoder": view.encoder, "examples": len(examples)}
    return ranking_of(project, query, "distance", order, distances)
